package act

import (
	"strings"
	"testing"
	"time"
)

// TestSpan reads when a silence begins and ends: a clock time is the next
// there is.
func TestSpan(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this host")
	}
	now := time.Date(2026, 3, 28, 23, 0, 0, 0, berlin) // the night that is an hour short
	for _, x := range []struct {
		from, until string
		length      time.Duration
		want        string // or the beginning of the error
	}{
		{"", "", 2 * time.Hour, "28 23:00 - 29 01:00"},
		{"", "06:00", 0, "28 23:00 - 29 06:00"},
		{"", "23:30", 0, "28 23:00 - 28 23:30"},
		{"22:00", "06:00", 0, "29 22:00 - 30 06:00"},
		{"2026-03-30 22:00", "23:00", 0, "30 22:00 - 30 23:00"},
		{"2026-03-30 22:00", "", time.Hour, "30 22:00 - 30 23:00"},
		{"", "2026-03-29T12:00:00Z", 0, "28 23:00 - 29 14:00"},
		{"", "2026-03-29 12:00:00 +00:00", 0, "28 23:00 - 29 14:00"}, // as texts print it
		{"", "", 0, "say when it ends"},
		{"", "06:00", time.Hour, "say when it ends"},
		{"", "", -time.Hour, "-for -1h0m0s is negative"},
		{"", "2026-03-28 22:00", 0, "-until 2026-03-28 22:00 is not after now"},
		{"2026-03-30 22:00", "2026-03-30 21:00", 0, "-until 2026-03-30 21:00 is not after"},
		{"sat 23:30", "", time.Hour, "28 23:30 - 29 00:30"},
		{"Sat 02:00", "04:00", 0, "04 02:00 - 04 04:00"},
		{"mon 02:00", "mon 04:00", 0, "30 02:00 - 30 04:00"},
		{"mon 25:00", "", time.Hour, `-from: "mon 25:00" is not a time`},
		{"soon", "", time.Hour, `-from: "soon" is not a time`},
	} {
		from, until, err := Span(x.from, x.until, x.length, now)
		got := from.In(berlin).Format("02 15:04") + " - " + until.In(berlin).Format("02 15:04")
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, x.want) {
			t.Errorf("%+v: %s", x, got)
		}
	}
}
