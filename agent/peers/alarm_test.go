package peers

import (
	"net"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestAlarmFromElsewhere: from a source that fails to the text of the alarm, which says
// what another agent found when it tried.
func TestAlarmFromElsewhere(t *testing.T) {
	open, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	defer open.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	check.Must(t, closed.Close())
	e := newEstate("a", "b", "c")
	lw1, _ := e.start(t, "lw1", Settings{})
	e.start(t, "lw2", Settings{})
	e.set(func() {
		for _, name := range e.hsms {
			e.owners[name] = "lw1"
		}
		e.paths["lw2 a"], e.paths["lw2 b"] = open.Addr().String(), closed.Addr().String()
	})
	for device, want := range map[string]string{
		"a": "no answer: x; lw2 reaches it: the path from lw1 is broken",
		"b": "no answer: x; also not from lw2",
		"c": "no answer: x", // lw2 does not have it configured
	} {
		read(lw1, device, "works")
		fail(lw1, device, hsm.LayerNoAnswer)
		fail(lw1, device, hsm.LayerNoAnswer)
		until(t, lw1, device, "what lw2 found", func(d *hsm.Device) bool { return !d.Elsewhere.Answered.IsZero() })
		got := ""
		for _, f := range rules.EvaluateSnapshot(lw1.Store.Latest(), alarms.State{}, rules.DefaultThresholds(), time.Now()) {
			if f.Key == (alarms.Key{Device: device, Group: "unreachable"}) && f.Condition == alarms.Bad {
				got = f.Text
			}
		}
		if got != want {
			t.Errorf("%s: the alarm says %q, want %q", device, got, want)
		}
	}
}
