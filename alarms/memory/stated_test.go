package memory

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestStated: what is remembered is not changed in place, and what is stale, not stated,
// or of a unit before is neither remembered nor a change.
func TestStated(t *testing.T) {
	begin := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	read := func(after time.Duration, firmware string) *hsm.Device {
		return &hsm.Device{Show: hsm.Section[hsm.Show]{At: begin.Add(after), Source: "hsm show", MaxAge: time.Hour, Value: hsm.Show{Firmware: firmware}}}
	}
	first := Stated(nil).Read(read(0, "7.4.0"), time.Time{}, begin)
	for _, x := range []struct {
		name     string
		firmware string
		since    time.Duration // the unit is there
		now      time.Duration
		change   string
		want     string // is remembered
	}{
		{"another", "7.7.1", 0, time.Minute, "firmware is 7.7.1, before 7.4.0", "7.7.1"},
		{"the same", "7.4.0", 0, time.Minute, "", "7.4.0"},
		{"not stated", "", 0, time.Minute, "", "7.4.0"},
		{"stale", "7.7.1", 0, 3 * time.Hour, "", "7.4.0"},
		{"of the unit before", "7.7.1", 2 * time.Minute, 3 * time.Minute, "", "7.4.0"},
	} {
		d, since, now := read(time.Minute, x.firmware), begin.Add(x.since), begin.Add(x.now)
		text := ""
		for _, c := range first.Changes(d, since, now) {
			text += c.Text
		}
		next := first.Read(d, since, now)
		if got := next["hsm show"]["firmware"]; text != x.change || got != x.want {
			t.Errorf("%s: %q, and %q is remembered", x.name, text, got)
		}
		if got := first["hsm show"]["firmware"]; got != "7.4.0" {
			t.Fatalf("%s: %q in what was remembered before", x.name, got)
		}
	}
}
