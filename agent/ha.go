package agent

import (
	"context"
	"time"

	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors/ha"
	"github.com/lunawatch/lunawatch/hsm"
)

// followHA passes on the events of the HA log of this host.
func (a *Agent) followHA(ctx context.Context, c *ha.Collector) {
	c.Cursor = func(file string) ([]byte, error) { return a.watch.Journal.Cursor(file) }
	c.Events = func(file string, lines []hsm.LogLine, cursor []byte) error {
		if err := a.waitForHA(ctx, c.Device); err != nil {
			return err
		}
		now, all := time.Now(), make([]rules.Line, len(lines))
		for i, l := range lines {
			all[i] = rules.Line{LogLine: l, Device: c.Device, File: file, At: now, Happened: l.Time.Value}
		}
		return a.watch.Take(file, all, cursor)
	}
}

// waitForHA returns once the HA groups of a client host are known: only then is
// it known whose a line is.
func (a *Agent) waitForHA(ctx context.Context, device string) error {
	for snap := a.store.Latest(); ; {
		for _, d := range snap.Devices {
			if d.Name == device && !d.HA.IsZero() {
				return nil
			}
		}
		var err error
		if snap, err = a.store.Wait(ctx, snap); err != nil {
			return err
		}
	}
}
