package snmp

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// sysUpTime is how long an agent has run, which it knows without its HSM.
const sysUpTime = ".1.3.6.1.2.1.1.3.0"

func (a *Agent) timing() poll.Timing {
	if a.Reach == (poll.Timing{}) {
		return poll.DefaultTiming()
	}
	return a.Reach
}

// watch asks the agent for its sysUpTime while it is not away. lost receives when
// there is no answer, restarted when the time has gone backwards.
func (a *Agent) watch(ctx context.Context, away *atomic.Bool, lost, restarted chan<- struct{}) {
	var last uint32
	for wait.Sleep(ctx, wait.Jitter(a.timing().Every, 0.05)) {
		if away.Load() {
			continue // polls ask for it
		}
		now, err := a.upTime(ctx, a.timing().Timeout)
		switch {
		case err != nil:
			wait.Signal(lost)
			continue
		case now < last:
			wait.Signal(restarted)
		}
		last = now
	}
}

// confirm asks the agent once more, in a short time. Its error is also that of the next
// poll, which need not ask again.
func (a *Agent) confirm(ctx context.Context) error {
	_, a.unconfirmed = a.upTime(ctx, a.timing().Connect)
	return a.unconfirmed
}

// upTime asks for the sysUpTime, in hundredths of a second; 0: the agent answers that it
// has none. A request that gets no answer in half the time is sent again.
func (a *Agent) upTime(ctx context.Context, limit time.Duration) (uint32, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, err := a.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer c.close()
	c.conn.Timeout = limit / 2
	return c.greet()
}

// tryTimeout bounds a Try.
const tryTimeout = 4 * time.Second

// Try asks the agent for its sysUpTime, which needs no HSM; 0: it answers that it has
// none. Its errors are those of a poll.
func (a *Agent) Try(ctx context.Context) (time.Duration, error) {
	up, err := a.upTime(ctx, tryTimeout)
	return time.Duration(up) * 10 * time.Millisecond, err
}

// greet asks for the sysUpTime. An agent that accepts the user answers it, if only that
// there is no such object, even while its HSM hangs.
func (c *session) greet() (up uint32, err error) {
	packet, err := c.conn.Get([]string{sysUpTime})
	if err != nil {
		return 0, c.failed(err)
	}
	c.answered = true
	if len(packet.Variables) == 1 && packet.Variables[0].Type == gosnmp.TimeTicks {
		up, _ = packet.Variables[0].Value.(uint32)
	}
	return up, nil
}
