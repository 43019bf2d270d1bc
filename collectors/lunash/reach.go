package lunash

import (
	"context"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// watch asks over the open session whether the appliance is there, and closes the
// session if not, so that whoever waits for an answer need not. lost receives when the
// session has ended, unless the agent ended it.
func (s *session) watch(r poll.Timing, lost chan<- struct{}) {
	for s.alive(r) {
	}
	s.client.Close()
	<-s.ended
	if s.ours.Load() {
		return
	}
	wait.Signal(lost)
}

// alive asks once, after a while.
func (s *session) alive(r poll.Timing) bool {
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
