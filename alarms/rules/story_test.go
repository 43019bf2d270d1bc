package rules

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/hsm"
)

// A moment of a story is a line of the log, or a poll, and the changes that it
// causes.
type moment struct {
	at   int    // seconds into the story
	log  string // what follows "kernel: "
	poll func(*hsm.Device)
	want []string
}

// play plays a story of one device, logs it as a table, and returns the state
// at its end.
func play(t *testing.T, story []moment) alarms.State {
	t.Helper()
	state, _ := playRoots(t, story)
	return state
}

// playRoots is play, and returns the groups of the alarms that no other one
// explained when they were raised: those that people are notified of.
func playRoots(t *testing.T, story []moment) (state alarms.State, roots []string) {
	t.Helper()
	var table strings.Builder
	state, d := alarms.NewState(), &hsm.Device{Name: "a"}
	for _, m := range story {
		var findings []alarms.Finding
		if m.log != "" {
			l := line(alarmstest.Stamp + "kern info  kernel: " + m.log)
			l.At = alarmstest.At(m.at)
			findings = evaluateLine(l, DefaultThresholds())
		}
		if m.poll != nil {
			m.poll(d)
		}
		// Every evaluation sees the last poll, however old.
		snap := &hsm.Snapshot{Devices: []*hsm.Device{d}}
		var list, shown []string
		for _, evaluate := range []func() []alarms.Finding{
			func() []alarms.Finding { return findings },
			func() []alarms.Finding {
				return EvaluateSnapshot(snap, state, DefaultThresholds(), alarmstest.At(m.at))
			},
		} {
			changes := alarms.Eval(state, evaluate(), alarms.Damping{}, alarmstest.At(m.at))
			state.Apply(changes)
			for _, c := range changes {
				if c.Kind == alarms.Seen {
					continue
				}
				text := fmt.Sprintf("%s %s %s", c.Kind, c.Alarm.Severity, c.Alarm.Group)
				list = append(list, text)
				cause, explained := alarms.CauseOf(c.Alarm, &alarms.Overlay[alarms.Alarm]{Base: state.Active}, nil)
				switch {
				case c.Kind == alarms.Raised && explained:
					text += " (of " + cause.Group + ")"
				case c.Kind == alarms.Raised:
					roots = append(roots, c.Alarm.Group)
				}
				shown = append(shown, text)
			}
		}
		if diff := cmp.Diff(m.want, list); diff != "" {
			t.Errorf("at %d, %q (-want +got):\n%s", m.at, m.log, diff)
		}
		change := strings.Join(shown, "; ")
		if change == "" {
			change = "-"
		}
		fmt.Fprintf(&table, "\n%5d s  %-70s -> %s", m.at, m.source(), change)
	}
	t.Log(table.String())
	return state, roots
}

// source is what a moment begins with.
func (m moment) source() string {
	switch {
	case m.log != "":
		return m.log
	case m.poll != nil:
		return "(hsm show is polled)"
	}
	return "(time passes)"
}

// shows is a good poll of hsm show, asked for at a second.
func shows(second int, change func(*hsm.Show)) func(*hsm.Device) {
	return func(d *hsm.Device) {
		s := hsm.Show{Label: hsm.Some("root"), Zeroized: hsm.Some(false), SecureTransportMode: hsm.Some(false), Tamper: hsm.TamperNone}
		if change != nil {
			change(&s)
		}
		d.Show = alarmstest.ReadAt(second, s)
		d.Show.Source = "hsm show"
		d.Sources = map[string]hsm.Source{"hsm show": {At: alarmstest.At(second)}}
	}
}

// fails is an attempt that got no answer.
func fails(second, failures int, f hsm.Failure, sources ...string) func(*hsm.Device) {
	return func(d *hsm.Device) {
		next := make(map[string]hsm.Source)
		maps.Copy(next, d.Sources)
		for _, name := range append(sources, "hsm show") {
			next[name] = hsm.Source{At: alarmstest.At(second), Failure: f, Failures: failures, Error: "no answer"}
		}
		d.Sources = next
	}
}

func warm(degrees float64) func(*hsm.Show) {
	return func(s *hsm.Show) {
		s.Environment = &hsm.Environment{TemperatureCelsius: hsm.Some(degrees), TemperatureWarning: hsm.Some(75.0)}
	}
}

// wantActive fails the test unless alarms of exactly these groups are active.
func wantActive(t *testing.T, s alarms.State, want ...string) {
	t.Helper()
	var got []string
	for _, k := range alarms.SortedKeys(s.Active) {
		got = append(got, k.Group)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("active (-want +got):\n%s", diff)
	}
}

// partitioned is a good poll of hsm show and of partition show, of one
// partition.
func partitioned(second int, active bool, tamper hsm.TamperState) func(*hsm.Device) {
	return func(d *hsm.Device) {
		shows(second, func(s *hsm.Show) { s.Tamper = tamper })(d)
		d.Partitions = alarmstest.ReadAt(second, []hsm.Partition{{Serial: "1", Activated: hsm.Some(active)}})
	}
}

func empty(s *hsm.Show) { s.Zeroized, s.Label = hsm.Some(true), hsm.Some("") }

// TestVendorStories plays the events of the vendor's list of alarms. go test
// -v prints them as tables: what came, and what it changed.
func TestVendorStories(t *testing.T) {
	detected, none := hsm.TamperDetected, hsm.TamperNone
	for _, x := range []struct {
		name   string
		story  []moment
		roots  []string // the alarms that people are notified of
		active []string // at the end
	}{
		{"tamper, cleared by the SO", []moment{
			{0, "", partitioned(0, true, none), nil},
			{60, "k7pf0: ALM0006: Hard tamper - over voltage", nil, []string{"raised critical hard-ov"}},
			{67, "k7pf0: [HSM] ALM1009: Hard tamper - over voltage", nil, nil},
			{68, "k7pf0: [HSM] ALM1001: HSM restart required", nil, []string{"raised critical restart"}},
			{300, "", fails(300, 1, hsm.Timeout), nil},
			{600, "", fails(600, 2, hsm.Timeout), nil},
			{900, "", fails(900, 3, hsm.Timeout), []string{"raised major hsm-silent", "raised warning data-stale"}},
			{960, "k7pf0: [HSM] ALM2017: Hard tamper - over voltage", nil, []string{"cleared critical restart"}},
			{961, "k7pf0: [HSM] ALM2010: HSM locked - tamper clear required", nil, []string{"raised critical lock"}},
			{962, "k7pf0: [HSM] ALM2014: Auto-activation data invalid \u2013 HSM deactivated", nil, []string{"raised major activation"}},
			{1200, "", partitioned(1200, false, detected), []string{"cleared major hsm-silent", "cleared warning data-stale"}},
			{1300, "k7pf0: [HSM] ALM2011: HSM unlocked - tamper clear done", nil, []string{"cleared critical hard-ov", "cleared critical lock"}},
			{1500, "", partitioned(1500, true, none), []string{"cleared major activation"}},
		}, []string{"hard-ov"}, nil},
		{"tamper, cleared by a poll", []moment{
			{0, "", partitioned(0, true, none), nil},
			{60, "k7pf0: ALM0011: Hard tamper - indeterminate cause", nil, []string{"raised critical hard"}},
			{68, "k7pf0: [HSM] ALM1001: HSM restart required", nil, []string{"raised critical restart"}},
			{300, "", partitioned(300, true, none), []string{"cleared critical hard", "cleared critical restart"}},
		}, []string{"hard"}, nil},
		{"over-temperature, 75 to 80 to 88 and back", []moment{
			{0, "", shows(0, warm(74)), nil},
			{300, "", shows(300, warm(75)), []string{"raised minor temp-warn"}},
			{320, "k7pf0: ALM0013: High Temperature - 76C", nil, nil},
			{330, "k7pf0: [HSM] ALM2001: High temperature warning activated", nil, nil},
			{600, "", shows(600, warm(80)), []string{"updated major temp-warn"}},
			{650, "k7pf0: ALM0002: Soft tamper - temperature (81C)", nil, []string{"raised critical soft-t"}},
			{700, "k7pf0: ALM0004: Hard tamper - high temperature", nil, []string{"raised critical hard-ht"}},
			{900, "", fails(900, 1, hsm.Timeout), nil},
			{1200, "", fails(1200, 2, hsm.Timeout), nil},
			{1230, "k7pf0: [HSM] ALM1007: Hard tamper - high temperature", nil, nil},
			{1231, "k7pf0: [HSM] ALM1001: HSM restart required", nil, []string{"raised critical restart"}},
			{1500, "", fails(1500, 3, hsm.Timeout), []string{"raised major hsm-silent"}},
			{1700, "k7pf0: [HSM] ALM2015: Hard tamper - high temperature", nil, []string{"cleared critical restart", "cleared critical soft-t"}},
			{1701, "k7pf0: [HSM] ALM2010: HSM locked - tamper clear required", nil, []string{"raised critical lock"}},
			{1800, "", shows(1800, func(s *hsm.Show) { warm(74)(s); s.Tamper = detected }), []string{"cleared major hsm-silent"}},
			{1900, "k7pf0: [HSM] ALM2011: HSM unlocked - tamper clear done", nil, []string{"cleared critical hard-ht", "cleared critical lock"}},
			{1950, "k7pf0: [HSM] ALM2002: High temperature warning deactivated", nil, []string{"cleared major temp-warn"}},
			{2100, "", shows(2100, warm(73)), nil},
		}, []string{"temp-warn", "soft-t", "hard-ht"}, nil}, // each worse than the one before
		{"over-temperature, 80 and back", []moment{
			{0, "", shows(0, warm(70)), nil},
			{60, "k7pf0: ALM0013: High Temperature - 75C", nil, []string{"raised minor temp-warn"}},
			{90, "k7pf0: ALM0002: Soft tamper - temperature (81C)", nil, []string{"raised critical soft-t"}},
			{200, "k7pf0: [HSM] ALM1006: Soft tamper temperature/voltage", nil, []string{"raised critical soft"}},
			{201, "k7pf0: [HSM] ALM1001: HSM restart required", nil, []string{"raised critical restart"}},
			{300, "k7pf0: [HSM] ALM2001: High temperature warning activated", nil, []string{"cleared critical restart", "cleared critical soft", "cleared critical soft-t"}},
			{400, "k7pf0: [HSM] ALM2002: High temperature warning deactivated", nil, []string{"cleared minor temp-warn"}},
			{500, "", shows(500, warm(60)), nil},
		}, []string{"temp-warn", "soft-t"}, nil},
		{"decommission with power on", []moment{
			{0, "", shows(0, nil), nil},
			{10, "k7pf0: ALM0010: Decommission signal triggered", nil, []string{"raised critical decom"}},
			{20, "k7pf0: [HSM] ALM1016: Decommission signal triggered", nil, nil},
			{21, "k7pf0: [HSM] ALM1001: HSM restart required", nil, []string{"raised critical restart"}},
			{60, "k7pf0: [HSM] ALM2022: Decommission signal triggered", nil, []string{"cleared critical restart"}},
			{61, "k7pf0: [HSM] ALM2006: HSM decommissioned by FW", nil, nil},
			{62, "k7pf0: [HSM] ALM2014: Auto-activation data invalid \u2013 HSM deactivated", nil, []string{"raised major activation"}},
			{63, "k7pf0: [HSM] ALM2007: HSM zeroized", nil, []string{"raised critical zeroize"}},
			{300, "", shows(300, empty), nil},
			{600, "", shows(600, nil), []string{"cleared critical zeroize", "cleared critical decom"}},
		}, []string{"decom", "zeroize"}, []string{"activation"}}, // no poll has shown that partitions are activated
		{"decommission with power off", []moment{
			{0, "", shows(0, nil), nil},
			{300, "", fails(300, 1, hsm.Unreachable), nil},
			{600, "", fails(600, 2, hsm.Unreachable), []string{"raised major unreachable"}},
			{3600, "k7pf0: [HSM] ALM2022: Decommission signal triggered", nil, []string{"raised critical decom"}},
			{3601, "k7pf0: [HSM] ALM2006: HSM decommissioned by FW", nil, nil},
			{3700, "", shows(3700, empty), []string{"raised critical zeroize", "cleared major unreachable"}},
			{7200, "", shows(7200, nil), []string{"cleared critical zeroize", "cleared critical decom"}},
		}, []string{"unreachable", "decom", "zeroize"}, nil}, // power off, and what was done meanwhile
		{"chassis opened with power on", []moment{
			{0, "", partitioned(0, true, none), nil},
			{60, "k7pf0: ALM0015: PCIe Link Failure", nil, []string{"raised critical chassis"}},
			{300, "", fails(300, 1, hsm.Command), nil},
			{400, "k7pf0: [HSM] ALM1014: Chassis opened", nil, []string{"updated critical chassis"}},
			{401, "k7pf0: [HSM] ALM1001: HSM restart required", nil, []string{"raised critical restart"}},
			{500, "k7pf0: [HSM] ALM2020: Chassis opened", nil, []string{"cleared critical restart"}},
			{501, "k7pf0: [HSM] ALM2010: HSM locked - tamper clear required", nil, []string{"raised critical lock"}},
			{502, "k7pf0: [HSM] ALM2005: HSM deactivated", nil, []string{"raised major activation"}},
			{600, "", partitioned(600, false, detected), nil},
			{700, "k7pf0: [HSM] ALM2011: HSM unlocked - tamper clear done", nil, []string{"cleared critical chassis", "cleared critical lock"}},
			{900, "", partitioned(900, false, none), nil},
			{1200, "", partitioned(1200, true, none), []string{"cleared major activation"}},
		}, []string{"chassis"}, nil},
		{"chassis opened with power off", []moment{
			{0, "", partitioned(0, true, none), nil},
			{300, "", fails(300, 1, hsm.Unreachable), nil},
			{600, "", fails(600, 2, hsm.Unreachable), []string{"raised major unreachable"}},
			{3600, "k7pf0: [HSM] ALM1014: Chassis opened", nil, []string{"raised critical chassis", "raised warning data-stale"}},
			{3601, "k7pf0: [HSM] ALM1001: HSM restart required", nil, []string{"raised critical restart"}},
			{3700, "k7pf0: [HSM] ALM2020: Chassis opened", nil, []string{"cleared critical restart"}},
			{3701, "k7pf0: [HSM] ALM2010: HSM locked - tamper clear required", nil, []string{"raised critical lock"}},
			{3702, "k7pf0: [HSM] ALM2005: HSM deactivated", nil, []string{"raised major activation"}},
			{3800, "", partitioned(3800, false, detected), []string{"cleared major unreachable", "cleared warning data-stale"}},
			{3900, "k7pf0: [HSM] ALM2011: HSM unlocked - tamper clear done", nil, []string{"cleared critical chassis", "cleared critical lock"}},
			{4200, "", partitioned(4200, true, none), []string{"cleared major activation"}},
		}, []string{"unreachable", "chassis"}, nil},
		{"card removed with power on", []moment{
			{0, "", partitioned(0, true, none), nil},
			{60, "k7pf0: ALM0015: PCIe Link Failure", nil, []string{"raised critical chassis"}},
			{400, "k7pf0: [HSM] ALM1015: HSM removed from chassis", nil, []string{"cleared critical chassis", "raised critical removal"}},
			{401, "k7pf0: [HSM] ALM1001: HSM restart required", nil, []string{"raised critical restart"}},
			{500, "k7pf0: [HSM] ALM2021: HSM was removed from chassis", nil, []string{"cleared critical restart"}},
			{501, "k7pf0: [HSM] ALM2010: HSM locked - tamper clear required", nil, []string{"raised critical lock"}},
			{502, "k7pf0: [HSM] ALM2005: HSM deactivated", nil, []string{"raised major activation"}},
			{600, "", partitioned(600, false, detected), nil},
			{700, "k7pf0: [HSM] ALM2011: HSM unlocked - tamper clear done", nil, []string{"cleared critical lock", "cleared critical removal"}},
			{900, "", partitioned(900, true, none), []string{"cleared major activation"}},
		}, []string{"chassis", "removal"}, nil}, // the second takes the place of the first
		{"stored data damaged, found at a start", []moment{
			{0, "", shows(0, nil), nil},
			{60, "k7pf0: [HSM] ALM2024: Stored data integrity verify error ", nil, []string{"raised critical integrity"}},
			{61, "k7pf0: [HSM] ALM2009: HSM halted - internal firmware error", nil, []string{"raised critical halt"}},
			{300, "", fails(300, 1, hsm.Timeout), nil},
			{600, "", fails(600, 2, hsm.Timeout), nil},
			{900, "", fails(900, 3, hsm.Timeout), []string{"raised major hsm-silent"}},
			{1200, "", shows(1200, nil), []string{"cleared major hsm-silent", "cleared critical halt"}},
		}, []string{"integrity", "halt"}, []string{"integrity"}}, // nothing reports that it is whole again
		{"stored data damaged, found while it runs", []moment{
			{0, "", shows(0, nil), nil},
			{60, "k7pf0: [HSM] ALM2024: Stored data integrity verify error ", nil, []string{"raised critical integrity"}},
			{300, "", shows(300, nil), nil},
		}, []string{"integrity"}, []string{"integrity"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			s, roots := playRoots(t, x.story)
			wantActive(t, s, x.active...)
			if diff := cmp.Diff(x.roots, roots); diff != "" {
				t.Errorf("notified (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStorySecureTransport(t *testing.T) {
	on := func(s *hsm.Show) { s.SecureTransportMode = hsm.Some(true) }
	s := play(t, []moment{
		{0, "", shows(0, nil), nil},
		{10, "k7pf0: [HSM] ALM2012: HSM in secure transport mode", nil, []string{"raised major stm"}},
		{11, "", nil, nil},           // the poll from before does not clear
		{13, "", shows(9, nil), nil}, // nor does one that was asked before
		{300, "", shows(300, on), nil},
		{310, "k7pf0: [HSM] ALM2013: HSM recovered from secure transport mode", nil, []string{"cleared major stm"}},
		{311, "", nil, nil},            // the poll from before does not raise
		{313, "", shows(309, on), nil}, // nor does one that was asked before
		{600, "", shows(600, nil), nil},
		{900, "", shows(900, on), []string{"raised major stm"}}, // nobody logged it
		{910, "k7pf0: [HSM] ALM2013: HSM recovered from secure transport mode", nil, []string{"cleared major stm"}},
	})
	wantActive(t, s)
}

// TestStoryDeadAppliance is one page for one dead appliance, and one for its
// return.
func TestStoryDeadAppliance(t *testing.T) {
	slow := []string{"partition show", "status sensors", "status disk"}
	others := func(second int, from string) func(*hsm.Device) {
		return func(d *hsm.Device) {
			sources := make(map[string]hsm.Source)
			maps.Copy(sources, d.Sources)
			sources[from] = hsm.Source{At: alarmstest.At(second)}
			d.Sources = sources
			switch from {
			case "hsm show":
				d.Show = alarmstest.ReadAt(second, hsm.Show{})
				d.Show.Source = from
			case "partition show":
				d.Partitions = alarmstest.ReadAt(second, []hsm.Partition{})
				d.Partitions.Source = from
			case "status sensors":
				d.Sensors = alarmstest.ReadAt(second, hsm.Sensors{})
				d.Sensors.Source = from
			case "status disk":
				d.Disk = alarmstest.ReadAt(second, hsm.Disk{})
				d.Disk.Source = from
			}
		}
	}
	s := play(t, []moment{
		{0, "", others(0, "hsm show"), nil},
		{1, "", others(1, "partition show"), nil},
		{2, "", others(2, "status sensors"), nil},
		{3, "", others(3, "status disk"), nil},
		{300, "", fails(300, 1, hsm.Unreachable, slow...), nil},
		{310, "", fails(310, 2, hsm.Unreachable, slow...), []string{"raised major unreachable"}},
		{7200, "", fails(7200, 99, hsm.Unreachable, slow...), nil},
		{9000, "", others(9000, "hsm show"), []string{"cleared major unreachable"}},
		{9001, "", others(9001, "partition show"), nil},
		{9002, "", others(9002, "status sensors"), nil},
		{9003, "", others(9003, "status disk"), nil},
	})
	wantActive(t, s)
}

// TestStoryEvents has events, unknown codes and tests clear by themselves.
func TestStoryEvents(t *testing.T) {
	s := play(t, []moment{
		{0, "k7pf0: [HSM] ALM2998: Of a newer firmware", nil, []string{"raised indeterminate meta"}},
		{1, "k7pf0: ALM0017: Request Timed Out", nil, []string{"raised minor comm"}},
		{2, "k7pf0: [HSM] ALM2025: Firmware update in progress", nil, nil},
		{3, "***TEST : k7pf0: [HSM] ALM2012: HSM in secure transport mode", nil, []string{"raised major stm"}},
		{4, "k7pf0: [HSM] ALM2012: HSM in secure transport mode", nil, []string{"raised major stm"}},
		{5, "***TEST : k7pf0: [HSM] ALM2013: HSM recovered", nil, []string{"cleared major stm"}},
		{6, "***TEST : k7pf0: [HSM] ALM2007: HSM zeroized", nil, []string{"raised critical zeroize"}},
		{899, "", nil, nil},
		{906, "", nil, []string{"cleared minor comm", "cleared indeterminate meta", "cleared critical zeroize"}},
	})
	wantActive(t, s, "stm")
}
