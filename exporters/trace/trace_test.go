package trace

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/modules"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// luna is an HSM whose values are all known, and were read so long ago.
func luna(ago time.Duration) *hsm.Device {
	at := noon.Add(-ago)
	return &hsm.Device{Name: "luna-a", Kind: hsm.NetworkHSM,
		Show: hsm.Section[hsm.Show]{At: at, Source: "hsm show", MaxAge: time.Minute, Value: hsm.Show{
			Serial: "53", SOLoginAttemptsLeft: hsm.Some[int64](3), Storage: hsm.Storage{Total: hsm.Some[int64](100), Used: hsm.Some[int64](95), Free: hsm.Some[int64](5)},
			Environment: &hsm.Environment{BatteryVolts: hsm.Some(2.7), BatteryWarning: hsm.Some(2.75), TemperatureCelsius: hsm.Some(41.0)},
		}},
		Monitor: hsm.Section[hsm.Monitor]{At: at, Source: "hsm information monitor", MaxAge: time.Minute,
			Value: hsm.Monitor{IntervalSeconds: hsm.Some[int64](5), Samples: []hsm.Sample{{UtilizationInt: 0.123}}}},
	}
}

// known is what an agent knows of d, which serves one object of it.
func known(d *hsm.Device) Known {
	low := alarms.Active{Alarm: alarms.Alarm{Key: alarms.Key{Device: "luna-a", Group: "battery"}, Number: 7, Severity: alarms.Minor, Text: "battery\x1b[2J low"}}
	for name, oid := range modules.Tables().Objects() {
		if name == "hsmStorageTotalBytes" {
			return Known{&hsm.Snapshot{Devices: []*hsm.Device{d}}, rules.DefaultThresholds(), []alarms.Active{low},
				map[string]string{oid.Append(mib.HSMIndex("53")...).String(): "Gauge32: 100"}, nil, noon}
		}
	}
	return Known{}
}

// TestText holds the ways of all values: fresh, stale, and never read.
func TestText(t *testing.T) {
	failing := luna(time.Hour)
	failing.Sources = map[string]hsm.Source{"hsm show": {Failure: hsm.Unreachable, Error: "no answer: dial\x1b[2J"}}
	for _, x := range []struct {
		name   string
		device *hsm.Device
	}{{"fresh", luna(12 * time.Second)}, {"stale", failing}, {"never", &hsm.Device{Name: "luna-a", Kind: hsm.NetworkHSM}}} {
		var b bytes.Buffer
		for _, measure := range glance.ReadMeasures() {
			if err := Text(&b, known(x.device), x.device, measure); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&b)
		}
		if strings.Contains(b.String(), "\x1b") {
			t.Errorf("%s: an HSM has written on the terminal", x.name)
		}
		if x.name != "fresh" && (strings.Contains(b.String(), "good") || strings.Contains(b.String(), `"luna-a"} `)) {
			t.Errorf("%s: what is not known is well:\n%s", x.name, &b)
		}
		check.Golden(t, x.name+".txt", b.Bytes())
	}
}

// TestNames: each metric and object that a trace names is one that is served.
func TestNames(t *testing.T) {
	objects := make(map[string]bool)
	for name := range modules.Tables().Objects() {
		objects[name] = true
	}
	for _, measure := range glance.ReadMeasures() {
		d := luna(0)
		d.Show.Value.Environment.TemperatureWarning = hsm.Some(75.0)
		r, _ := glance.Read(d, measure, rules.DefaultThresholds(), noon)
		for _, name := range r.Objects {
			if !objects[name] {
				t.Errorf("%s: no object is named %s", measure, name)
			}
		}
		for _, row := range inMetrics(d, r, noon) {
			if !strings.Contains(row[1], "{") {
				t.Errorf("%s: %s", measure, row[1])
			}
		}
	}
}

// TestRawLines: of what a Luna 7 answers, each value comes from the line that has it, and a
// line about something else is none of them.
func TestRawLines(t *testing.T) {
	for _, x := range []struct{ measure, source, file, want string }{
		{"battery", "hsm show", "hsm-show", "Battery"},
		{"temperature", "hsm show", "hsm-show", "Temp"},
		{"so_logins_left", "hsm show", "hsm-show", "login attempts left"},
		{"storage", "hsm show", "hsm-show", "Maximum HSM Storage|Space In Use"},
		{"utilization", "hsm information monitor", "hsm-information-monitor", "[0-9] [|]|Last   5 Secs"},
	} {
		text, err := os.ReadFile("../../collectors/formats/testdata/7.2/" + x.file + ".txt")
		check.Must(t, err)
		format, ok := formatOf(x.source)
		if !ok {
			t.Fatalf("no format reads %s", x.source)
		}
		lines := rawLines(format, string(text), luna(0), x.measure)
		if len(lines) == 0 || len(lines) > 4 {
			t.Errorf("%s: %d lines", x.measure, len(lines))
		}
		for _, line := range lines {
			if !regexp.MustCompile(x.want).MatchString(line) || strings.Contains(line, "\n") {
				t.Errorf("%s is read from %q", x.measure, line)
			}
		}
	}
}

// TestRaw: what an HSM says moves no cursor, and what is missing is said.
func TestRaw(t *testing.T) {
	var b strings.Builder
	Raw(&b, []hsm.Answer{{Source: "hsm show", At: noon.Add(-12 * time.Second), Text: "\r\nHSM Label: \x1b[2Jred\r\n\r\n", Cut: true}, {Source: "ntls show", At: noon, Text: "x"}}, noon)
	want := "--- hsm show, 2026-03-01 11:59:48 +00:00, 12s ago ---\n\nHSM Label: ?[2Jred\n--- cut off here ---\n\n--- ntls show, 2026-03-01 12:00:00 +00:00, 0s ago ---\nx\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
	b.Reset()
	if Raw(&b, nil, noon); !strings.Contains(b.String(), "keeps no answer") {
		t.Errorf("of no answer: %s", &b)
	}
}
