package lunash

import (
	"context"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// Reach is how soon it is noticed that an appliance is gone. Nothing of it is a
// command of LunaSH, and while the session stays open nothing of it is in the
// appliance's log.
type Reach struct {
	Every   time.Duration // between two requests over the idle session (keepalive@openssh.com)
	Timeout time.Duration // of the answer to one
	Connect time.Duration // of a new connection, after the session was lost
}

// DefaultReach notices an appliance that is silent within 15 s: Every, Timeout, and two
// attempts to connect with a second between them.
func DefaultReach() Reach {
	return Reach{Every: 5 * time.Second, Timeout: 3 * time.Second, Connect: 2500 * time.Millisecond}
}

// watch asks over the open session whether the appliance is there, and closes the
// session if not, so that whoever waits for an answer need not. lost receives when the
// session has ended, unless the agent ended it.
func (s *session) watch(r Reach, lost chan<- struct{}) {
	for s.alive(r) {
	}
	s.client.Close()
	<-s.ended
	if s.ours.Load() {
		return
	}
	select {
	case lost <- struct{}{}:
	default:
	}
}

// alive asks once, after a while.
func (s *session) alive(r Reach) bool {
	timer := time.NewTimer(r.Every)
	defer timer.Stop()
	select {
	case <-s.ended:
		return false
	case <-timer.C:
	}
	answer := make(chan error, 1)
	go func() {
		_, _, err := s.client.SendRequest("keepalive@openssh.com", true, nil)
		answer <- err
	}()
	timer.Reset(r.Timeout)
	select {
	case err := <-answer:
		return err == nil
	case <-timer.C:
		return false
	}
}

// Confirm opens a session in a short time, if there is none. Its error is also that of
// the next command, which need not try again.
func (c *Client) Confirm(ctx context.Context) error {
	select {
	case <-c.idle:
		defer func() { c.idle <- struct{}{} }()
	case <-ctx.Done():
		return collectors.Failf(hsm.Timeout, "another command is still running: %w", ctx.Err())
	}
	c.unconfirmed = nil
	if c.conn != nil {
		select {
		case <-c.conn.ended:
			c.conn.close()
			c.conn = nil
		default:
			return nil
		}
	}
	c.conn, c.unconfirmed = c.connect(ctx, c.Reach.Connect)
	return c.unconfirmed
}
