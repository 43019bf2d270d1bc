package watch_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
)

// TestUntrustedLines may raise alarms, and neither clear nor suppress any.
func TestUntrustedLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a"))
		defer a.Stop()
		forged := func(text string) {
			l := rules.Line{LogLine: syslog.ParseLine(alarmstest.Stamp + "kern info  kernel: " + text), Device: "a", At: time.Now(), Peer: "192.0.2.66 (udp)", Untrusted: true}
			a.Must(a.Take("", []rules.Line{l}, nil))
			watchtest.Advance(time.Second)
		}
		a.Must(a.Kernel("1", lockLine))
		watchtest.Advance(time.Second)
		forged(unlockedLine)
		alarmstest.Same(t, "a forged clear", []string{"lock"}, a.ActiveGroups())
		forged("k7pf0: ALM0015: PCIe Link Failure")
		forged("k7pf0: [HSM] ALM2020: Chassis opened")
		a.Must(a.Kernel("2", "k7pf0: [HSM] ALM2005: HSM deactivated"))
		watchtest.Advance(time.Second)
		alarmstest.Same(t, "a forged cause", []string{"raised critical a/lock", "raised critical a/chassis"}, r.Received()[:2])
		for _, x := range a.Active() {
			if x.Group == "chassis" {
				if e := x.LastEvidence(); e.Log == nil || e.Log.Peer != "192.0.2.66 (udp)" || !e.Log.Untrusted {
					t.Errorf("the evidence does not say who sent it: %+v", e)
				}
			}
		}
		a.Must(a.Kernel("3", unlockedLine))
		forged(hardLine)
		a.Must(a.Acknowledge("a/hard-ht", "kim", "forged?"))
		r.Forget()
		a.Must(a.Kernel("4", lockLine))
		watchtest.Advance(2 * time.Minute)
		if got := r.Received(); !slices.Contains(got, "raised critical a/lock") {
			t.Errorf("behind a forged tamper: received %q", got)
		}
	})
}
