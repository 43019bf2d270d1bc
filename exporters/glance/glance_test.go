package glance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))

func section[T any](ago time.Duration, v T) hsm.Section[T] {
	return hsm.Section[T]{At: noon.Add(-ago), Source: "hsm show", MaxAge: 10 * time.Minute, Value: v}
}

func network(name string, ago time.Duration) *hsm.Device {
	return &hsm.Device{Name: name, Kind: hsm.NetworkHSM, Show: section(ago, hsm.Show{
		Serial: "53" + name, Model: "Luna K7", Firmware: "7.2.0", Storage: hsm.Storage{Total: hsm.Some[int64](100), Used: hsm.Some[int64](25)},
		Environment: &hsm.Environment{BatteryVolts: hsm.Some(3.072), BatteryWarning: hsm.Some(2.75), TemperatureCelsius: hsm.Some(41.0), TemperatureWarning: hsm.Some(75.0)},
	}), Monitor: section(ago, hsm.Monitor{IntervalSeconds: hsm.Some[int64](5), Samples: []hsm.Sample{{UtilizationInt: 0.123}}})}
}

func alarm(device, group string, s alarms.Severity, text string, ago time.Duration) alarms.Active {
	return alarms.Active{Alarm: alarms.Alarm{Key: alarms.Key{Device: device, Group: group}, Number: 7, Severity: s, Text: text, Raised: noon.Add(-ago)}}
}

// estate has a device in every state.
func estate() Estate {
	dead := network("dead", time.Hour)
	dead.Sources = map[string]hsm.Source{
		"hsm show": {Failure: hsm.Unreachable, Error: "no answer: dial: i/o timeout", Success: noon.Add(-time.Hour)},
		"rest":     {Failure: hsm.Login, Error: "login failed", Success: noon.Add(-time.Minute)},
	}
	partly := network("partly", time.Minute)
	partly.Sensors = section(time.Hour, hsm.Sensors{})
	bare := &hsm.Device{Name: "bare", Kind: hsm.CardHSM, Show: section(time.Second, hsm.Show{})}
	s := &hsm.Snapshot{Devices: []*hsm.Device{
		network("a", 12*time.Second), network("b", 12*time.Second), network("c", 12*time.Second), bare, dead,
		{Name: "host", Kind: hsm.HostMachine, Host: section(2*time.Second, hsm.Host{})},
		{Name: "new", Kind: hsm.NetworkHSM}, partly,
	}}
	tested := alarm("a", "battery", alarms.Critical, "a test", 0)
	tested.Test = true
	acked := alarm("b", "temp-warn", alarms.Minor, "card at 76 C", 26*time.Hour)
	acked.Ack = &alarms.Ack{By: "kim"}
	return Of(s, []alarms.Active{
		tested, acked, alarm("b", "fan", alarms.Warning, "fan 1 failed", time.Hour),
		alarm("c", "zeroized", alarms.Critical, "HSM zeroized\x1b[2J", time.Minute), alarm("dead", "battery", alarms.Minor, "battery low", time.Minute),
		alarm(alarms.Self, "delivery", alarms.Major, "noc takes nothing", time.Minute),
	}, noon)
}

// TestText holds what a terminal shows, and that it fits.
func TestText(t *testing.T) {
	for _, x := range []struct {
		name string
		look Look
		want string
	}{
		{"80 columns", Look{Width: 80}, `2026-03-01 12:00:00 +01:00: 2 critical, 2 unknown, 2 warning, 3 ok

STATE     NAME       AGE    SINCE       BATTERY  REASON
critical  c          12s    11:59       3.072 V  HSM zeroized?[2J
major     lunawatch  never  11:59       -        noc takes nothing
unknown   dead       1h     11:00       ?        hsm show: no answer: dial: i/o…
unknown   new        never  -           ?        not read
minor     b          12s    2026-02-28  3.072 V  (acknowledged) card at 76 C (+…
warning   partly     1m     11:00       3.072 V  stale: sensors

3 of 9 are ok and not shown; -all shows them.
`},
		{"no terminal", Look{All: true}, `2026-03-01 12:00:00 +01:00: 2 critical, 2 unknown, 2 warning, 3 ok

STATE     NAME       AGE    SINCE       BATTERY  TEMP  LOAD  STATUS  FIRMWARE  MODEL    WORKED  REASON
critical  c          12s    11:59       3.072 V  41 C  12 %  ?       7.2.0     Luna K7  -       HSM zeroized?[2J
major     lunawatch  never  11:59       -        -     -     -       -         -        -       noc takes nothing
unknown   dead       1h     11:00       ?        ?     ?     ?       ?         ?        -       hsm show: no answer: dial: i/o timeout
unknown   new        never  -           ?        ?     ?     ?       ?         ?        -       not read
minor     b          12s    2026-02-28  3.072 V  41 C  12 %  ?       7.2.0     Luna K7  -       (acknowledged) card at 76 C (+1)
warning   partly     1m     11:00       3.072 V  41 C  12 %  ?       7.2.0     Luna K7  -       stale: sensors
ok        a          12s    -           3.072 V  41 C  12 %  ?       7.2.0     Luna K7  -
ok        bare       1s     -           ?        ?     ?     ?       ?         ?        -
ok        host       2s     -           -        -     -     -       -         -        -
`},
	} {
		var b strings.Builder
		Text(&b, estate(), x.look)
		if diff := cmp.Diff(x.want, b.String()); diff != "" {
			t.Errorf("%s: %s", x.name, diff)
		}
		for line := range strings.SplitSeq(b.String(), "\n") {
			if n := utf8.RuneCountInString(line); x.look.Width > 0 && n > x.look.Width {
				t.Errorf("%s: %d letters: %s", x.name, n, line)
			}
		}
	}
}

func TestThousand(t *testing.T) {
	s := &hsm.Snapshot{}
	for i := range 1000 {
		s.Devices = append(s.Devices, network(fmt.Sprintf("hsm%03d", i), time.Second))
	}
	var b strings.Builder
	Text(&b, Of(s, []alarms.Active{alarm("hsm500", "fan", alarms.Minor, "fan 1 failed", time.Hour)}, noon), Look{Width: 80})
	if lines := strings.Count(b.String(), "\n"); lines != 6 || !strings.Contains(b.String(), "999 of 1000 are ok") {
		t.Errorf("%d lines: %s", lines, &b)
	}
}

// TestColours: a state is coloured, and the columns stay where they are.
func TestColours(t *testing.T) {
	var plain, coloured strings.Builder
	Text(&plain, estate(), Look{All: true})
	Text(&coloured, estate(), Look{All: true, Colour: true})
	if !strings.Contains(coloured.String(), "\n\x1b[31mcritical\x1b[0m  c  ") {
		t.Errorf("critical is not red: %q", coloured.String())
	}
	if diff := cmp.Diff(plain.String(), regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(coloured.String(), "")); diff != "" {
		t.Error(diff)
	}
}

// TestUnknownIsNull: what is not known is null in JSON, and no zero.
func TestUnknownIsNull(t *testing.T) {
	for _, r := range estate().Rows {
		if r.Name != "dead" && r.Name != "bare" {
			continue
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"model", "battery_volts", "utilization_ratio", "so_login_attempts_left"} {
			if !strings.Contains(string(text), fmt.Sprintf("%q:null", key)) {
				t.Errorf("%s is not null: %s", key, text)
			}
		}
	}
}

// TestState: nothing that is not read is well.
func TestState(t *testing.T) {
	if e := Of(&hsm.Snapshot{}, nil, noon); e.State != Unknown || e.Summary() != "no HSM is watched" {
		t.Errorf("of none: %s, %s", e.State, e.Summary())
	}
	want := map[string]State{"a": OK, "b": Warning, "bare": OK, "c": Critical, "dead": Unknown, "host": OK, "new": Unknown, "partly": Warning, alarms.Self: Critical}
	got := make(map[string]State)
	for _, r := range estate().Rows {
		got[r.Name] = r.State
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
