package watch_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
)

// closed reports whether a channel of Changed is closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestMIBAlarms follows alarms through what SNMP shows of them.
func TestMIBAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), nil, func(w *watch.Watch) {
			w.Receivers["noc"] = notify.Receiver{Notifier: r, Route: notify.Route{Heartbeat: time.Hour}}
		})
		defer a.Stop()
		a.Polled(hsm.Show{Serial: "532018", Label: hsm.Some("vault")})
		changed := a.Changed()
		_, err := a.Silence(alarms.Silence{Match: alarms.Match{Groups: []string{"battery"}}, Author: "kim", Reason: "new unit comes", From: time.Now(), Until: time.Now().Add(time.Hour)})
		a.Must(err)
		if !closed(changed) {
			t.Error("a silence did not close Changed")
		}
		changed = a.Changed()
		a.Must(a.Kernel("1", alarmstest.TransportLine, alarmstest.BatteryLine))
		if !closed(changed) {
			t.Error("alarms did not close Changed")
		}
		if changed = a.Changed(); closed(changed) {
			t.Error("nothing closed Changed")
		}
		a.Must(a.Acknowledge("a/stm", "kim", "planned"))
		raised := time.Now()
		watchtest.Advance(time.Minute)
		a.Must(a.Clear("a/stm", "kim", "done"))
		all, err := a.MIBAlarms()
		a.Must(err)
		if len(all.Active) != 1 || len(all.Cleared) != 1 {
			t.Fatalf("%d active, %d cleared", len(all.Active), len(all.Cleared))
		}
		b, s := all.Active[0], all.Cleared[0]
		if b.Key != "a/battery" || b.Label != "vault" || !b.Silenced || b.Model != 21 || b.Severity != mib.Minor || b.Component != "firmware" || b.Serial != "532018" || b.Action != alarms.GroupNamed("battery").Action {
			t.Errorf("active: %+v", b)
		}
		if s.Key != "a/stm" || s.Serial != "532018" || s.AckBy != "kim" || s.AckText != "planned" || s.Model != 23 || s.Cleared.Sub(s.Raised) != time.Minute {
			t.Errorf("cleared: %+v", s)
		}
		if diff := cmp.Diff(map[mib.Severity]uint64{mib.Minor: 1, mib.Major: 1}, all.Raised); diff != "" || all.LastNumber != 2 || !all.LastRaise.Equal(raised) || !all.LastClear.Equal(s.Cleared) {
			t.Errorf("counted: number %d, raise %v, clear %v%s", all.LastNumber, all.LastRaise, all.LastClear, diff)
		}
		watchtest.Advance(time.Second)
		_, taken := r.Attempts()
		if n := taken[1]; n.Label != "vault" || n.Change.Alarm.Serial != "532018" {
			t.Errorf("received: %+v", n)
		}
		want := []mib.AlarmReceiver{{Name: "noc", Sequence: taken[len(taken)-1].Sequence, Delivered: uint64(len(taken))}}
		if all, _ = a.MIBAlarms(); len(taken) != 4 || !cmp.Equal(want, all.Receivers) {
			t.Errorf("after %d notifications: %+v, want %+v", len(taken), all.Receivers, want)
		}
		changed = a.Changed()
		watchtest.Advance(time.Hour)
		if !closed(changed) {
			t.Error("the number of a heartbeat did not close Changed")
		}
	})
}
