package conditions

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// an estate of HSMs whose values and alarms change.
type estate struct {
	snap   *hsm.Snapshot
	active []alarms.Active
	rows   []*mib.Alarm
	asked  int
}

func (e *estate) alarms() []alarms.Active { e.asked++; return e.active }

func (e *estate) raise(device string, s alarms.Severity, text string, test bool) {
	n := uint64(len(e.active) + 1)
	e.active = append(e.active, alarms.Active{Alarm: alarms.Alarm{Key: alarms.Key{Device: device, Group: "battery", Test: test}, Number: n, Severity: s, Text: text, Raised: noon}})
	e.rows = append(e.rows, &mib.Alarm{Number: n, Device: device})
}

func (e *estate) read(device string, at time.Time, facts ...hsm.Fact) {
	e.snap = e.snap.With(hsm.Observation{Device: device, Kind: hsm.NetworkHSM, Source: "test", At: at, MaxAge: time.Minute, Facts: facts})
}

// TestSameAsStatus: whatever happens, the conditions are what [glance.Of] says.
func TestSameAsStatus(t *testing.T) {
	words := map[mib.State]string{mib.StateOK: "ok", mib.StateWarning: "warning", mib.StateCritical: "critical", mib.StateUnknown: "unknown"}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		e, c, now := &estate{snap: &hsm.Snapshot{}}, new(Conditions), noon
		for range 60 {
			device := fmt.Sprint("hsm", r.IntN(4))
			switch r.IntN(6) {
			case 0:
				now = now.Add(time.Duration(r.IntN(50)) * time.Second)
			case 1:
				e.raise(device, alarms.Severity(2+r.IntN(5)), fmt.Sprint("text ", r.IntN(9)), r.IntN(5) == 0)
			case 2:
				e.raise(alarms.Self, alarms.Minor, "delivery", false)
			case 3:
				e.active, e.rows = e.active[:len(e.active)/2], e.rows[:len(e.rows)/2]
			default:
				e.read(device, now, hsm.Show{Serial: device}, hsm.Monitor{})
			}
			got, want := c.Of(e.snap, e.rows, e.alarms, now), glance.Of(e.snap, e.active, now)
			if len(got) != len(want.Rows) {
				t.Fatalf("seed %d: %d conditions, and status has %d rows", seed, len(got), len(want.Rows))
			}
			for _, row := range want.Rows {
				x := got[row.Name]
				if x == nil || words[x.State] != row.State.String() || x.Reason != row.Reason || !x.Since.Equal(row.Since) || x.Alarms != row.Alarms {
					t.Fatalf("seed %d: %s is %+v, and status says %+v", seed, row.Name, x, row)
				}
			}
		}
	}
}

// TestOnlyWhatChanged: what has not changed is neither judged anew nor at another address.
func TestOnlyWhatChanged(t *testing.T) {
	e, c := &estate{snap: &hsm.Snapshot{}}, new(Conditions)
	e.read("a", noon, hsm.Show{Serial: "1"})
	e.read("b", noon, hsm.Show{Serial: "2"})
	e.raise(alarms.Self, alarms.Minor, "delivery", false)
	first := c.Of(e.snap, e.rows, e.alarms, noon)
	if again := c.Of(e.snap, e.rows, e.alarms, noon.Add(time.Second)); e.asked != 1 || again["a"] != first["a"] {
		t.Errorf("alarms were asked for %d times, and nothing has changed", e.asked)
	}
	e.read("a", noon.Add(2*time.Second), hsm.Show{Serial: "1", Environment: &hsm.Environment{BatteryVolts: hsm.Some(2.6)}})
	then := c.Of(e.snap, e.rows, e.alarms, noon.Add(2*time.Second))
	if then["b"] != first["b"] || then["a"] == first["a"] {
		t.Errorf("b is at another address: %v; a is not: %v", then["b"] != first["b"], then["a"] == first["a"])
	}
	if got := then["a"].Sensors[mib.CardBattery]; got != mib.StateWarning {
		t.Errorf("a battery at 2.6 V is %v", got)
	}
	if late := c.Of(e.snap, e.rows, e.alarms, noon.Add(time.Hour)); late["b"].State != mib.StateUnknown {
		t.Errorf("b is stale, and its state is %v", late["b"].State)
	}
}

// TestDiscontinuity: a counter that begins again is seen, and one that is not read is not.
func TestDiscontinuity(t *testing.T) {
	e, c := &estate{snap: &hsm.Snapshot{}}, new(Conditions)
	counted := func(uptime uint64) hsm.Monitor {
		return hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: uptime, Commands: 10 * uptime}}}
	}
	for i, step := range []struct {
		facts []hsm.Fact
		want  int // step at which the last discontinuity was; -1: none
	}{
		{[]hsm.Fact{hsm.Show{Serial: "1"}, counted(100)}, -1},
		{[]hsm.Fact{counted(110)}, -1},
		{[]hsm.Fact{hsm.Show{Serial: "1"}}, -1},
		{[]hsm.Fact{counted(5)}, 3},
		{[]hsm.Fact{counted(15)}, 3},
		{[]hsm.Fact{hsm.Information{OperationRequests: hsm.Some[uint64](7)}}, 3},
		{[]hsm.Fact{hsm.Information{OperationRequests: hsm.Some[uint64](6)}}, 6},
		{[]hsm.Fact{hsm.Show{Serial: "2"}, counted(900)}, 7}, // the unit was replaced
	} {
		at := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Second) }
		e.read("a", at(i), step.facts...)
		want := time.Time{}
		if step.want >= 0 {
			want = at(step.want)
		}
		if got := c.Of(e.snap, nil, e.alarms, at(i))["a"].Discontinuity; !got.Equal(want) {
			t.Errorf("step %d: %v, want %v", i, got, want)
		}
	}
}
