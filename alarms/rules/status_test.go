package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestComposedStatus judges a status line by its worst part, and clears what
// the log raised only by one whose parts are all good.
func TestComposedStatus(t *testing.T) {
	answers := []string{"soft", "soft-t", "soft-v", "restart", "halt", "comm", "hsm-crashed"}
	for _, x := range []struct {
		status hsm.Status
		want   []string
		clears bool
	}{
		{"OK", []string{"good"}, true},
		{"L3 Device", []string{"good"}, true},
		{"l3  device", []string{"good"}, true},
		{"L3 Device, OK", []string{"good"}, true},
		{"L3 Device, Zeroized", []string{"bad critical"}, false},
		{"L3 Device, Hardware Tamper", []string{"bad critical"}, false},
		{"Hardware Tamper, Zeroized", []string{"bad critical"}, false},
		{"L3 Device, Decommissioned", []string{"bad critical"}, false},
		{"L3 Device, Transport Mode", []string{"bad major"}, false},
		{"Transport Mode, zeroized", []string{"bad critical"}, false},
		{"L3 Device, Asleep", []string{"bad indeterminate"}, false},
		{"L3 Device Zeroized", []string{"bad critical"}, false},
		{"L3 Device, Not Tampered", []string{"bad indeterminate"}, false},
		{"OK, Asleep", []string{"bad indeterminate"}, false},
		{"Okay", []string{"bad indeterminate"}, false},
		{", ", []string{"bad indeterminate"}, false},
		{"Transport Mode, Asleep", []string{"bad major"}, false},
		{"N/A - HA Group", nil, false},
	} {
		d := show(hsm.Show{Status: x.status})
		alarmstest.Same(t, string(x.status), x.want, emitted(hsmStatus, d, alarmstest.At(10)))
		for _, group := range answers {
			key := alarms.Key{Device: "a", Group: group}
			if got := len(clearedByPolls(d, []alarms.Key{key}, alarmstest.At(10))) == 1; got != x.clears {
				t.Errorf("%s: cleared %v by status %q, want %v", group, got, x.status, x.clears)
			}
		}
	}
}

// TestUnknownStatusClearsNothing: what else hsm show states is not believed
// beside a status of which a part is unknown.
func TestUnknownStatusClearsNothing(t *testing.T) {
	well := hsm.Show{Label: hsm.Some("root"), Zeroized: hsm.Some(false), SecureTransportMode: hsm.Some(false), Tamper: hsm.TamperNone, Storage: storage(1)}
	groups := []string{"lock", "chassis", "decom", "zeroize", "stm", "halt", "hsm-status"}
	cleared := func(status hsm.Status) (list []string) {
		s := well
		s.Status = status
		d := show(s)
		state := alarms.NewState()
		for _, g := range groups {
			k := alarms.Key{Device: "a", Group: g}
			state.Active[k] = alarms.Alarm{Key: k, Severity: alarms.Critical, Last: alarmstest.At(-60)}
		}
		for _, c := range alarms.Eval(state, EvaluateSnapshot(&hsm.Snapshot{Devices: []*hsm.Device{d}}, state, DefaultThresholds(), alarmstest.At(10)), alarms.Damping{}, alarmstest.At(10)) {
			if c.Kind == alarms.Cleared {
				list = append(list, c.Alarm.Group)
			}
		}
		return list
	}
	if got := cleared("L3 Device, Asleep"); got != nil {
		t.Errorf("cleared %q beside an unknown status", got)
	}
	if diff := cmp.Diff(len(groups), len(cleared("L3 Device"))); diff != "" {
		t.Errorf("cleared beside a good status: %q", cleared("L3 Device"))
	}
}

// TestStatusIsAsBadAsItsWorstPart takes every composition of up to three parts,
// in any order and case: it is as bad as the worst of them, and good only if
// all are.
func TestStatusIsAsBadAsItsWorstPart(t *testing.T) {
	parts := map[string]alarms.Severity{
		"OK": alarms.None, "L3 Device": alarms.None, "Initialized": alarms.None, "Zeroized": alarms.Critical, "zeroized": alarms.Critical,
		"Decommissioned": alarms.Critical, "Hardware Tamper": alarms.Critical, "HSM Tamper": alarms.Critical, "Transport Mode": alarms.Major,
		"Asleep": alarms.Indeterminate, "not zeroized": alarms.Indeterminate, "L3": alarms.Indeterminate, "": alarms.Indeterminate,
	}
	check := func(words ...string) {
		worst := alarms.None
		for _, w := range words {
			worst = max(worst, parts[w])
		}
		status := hsm.Status(strings.Join(words, ", "))
		if strings.TrimSpace(string(status)) == "" {
			return
		}
		want := "bad " + worst.String()
		if worst == alarms.None {
			want = "good"
		}
		alarmstest.Same(t, string(status), []string{want}, emitted(hsmStatus, show(hsm.Show{Status: status}), alarmstest.At(10)))
		x := hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Status: status}
		d := &hsm.Device{Name: "a", Partitions: alarmstest.Read([]hsm.Partition{x})}
		both := append(emitted(partitionZeroized, d, alarmstest.At(10)), emitted(partitionStatus, d, alarmstest.At(10))...)
		if !slices.Contains(both, want+" 1") || worst > alarms.None && slices.ContainsFunc(both, func(r string) bool { return strings.HasPrefix(r, "good") }) {
			t.Errorf("partition %s: %q, want %q", status, both, want)
		}
	}
	for a := range parts {
		check(a)
		for b := range parts {
			check(a, b)
			for c := range parts {
				check(a, b, c)
			}
		}
	}
}
