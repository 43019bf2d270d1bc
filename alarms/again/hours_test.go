package again

import (
	"testing"
	"time"
)

// TestHours: whether a time is in hours.
func TestHours(t *testing.T) {
	work := Hours{Days: []string{"mon", "Tue"}, From: "08:00", To: "18:00", Zone: "UTC"}
	night := Hours{Days: []string{"fri"}, From: "22:00", To: "06:00", Zone: "UTC"}
	berlin := Hours{From: "08:00", To: "18:00", Zone: "Europe/Berlin"}
	for _, x := range []struct {
		h    Hours
		at   string
		want bool
	}{
		{Hours{}, "2026-11-21T03:00:00Z", true},
		{work, "2026-11-23T08:00:00Z", true}, {work, "2026-11-23T07:59:00Z", false}, {work, "2026-11-23T18:00:00Z", false}, {work, "2026-11-25T12:00:00Z", false},
		{night, "2026-11-20T23:00:00Z", true}, {night, "2026-11-21T05:59:00Z", true}, {night, "2026-11-21T06:00:00Z", false}, {night, "2026-11-21T23:00:00Z", false}, {night, "2026-11-20T05:00:00Z", false},
		{berlin, "2026-11-21T07:30:00Z", true}, {berlin, "2026-07-21T06:30:00Z", true}, {berlin, "2026-11-21T06:30:00Z", false},
		{Hours{Days: []string{"sat"}, Zone: "UTC"}, "2026-11-21T23:59:00Z", true}, {Hours{Days: []string{"sat"}, Zone: "UTC"}, "2026-11-22T00:00:00Z", false},
	} {
		when, err := time.Parse(time.RFC3339, x.at)
		if err != nil || x.h.Validate() != nil {
			t.Fatal(err, x.h.Validate())
		}
		if got := x.h.Open(when); got != x.want {
			t.Errorf("%+v at %s: %v", x.h, x.at, got)
		}
	}
	for _, h := range []Hours{{Days: []string{"monday"}}, {From: "8"}, {To: "25:00"}, {Zone: "Mars/Base"}} {
		if h.Validate() == nil {
			t.Errorf("%+v is valid", h)
		}
	}
}

// TestSince: when the hours that a time is in began, clocks that are put forward and
// back, and hours that follow each other without a gap, among them.
func TestSince(t *testing.T) {
	work := Hours{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "08:00", To: "18:00", Zone: "Europe/Berlin"}
	night := Hours{Days: []string{"sat"}, From: "22:00", To: "06:00", Zone: "Europe/Berlin"}
	skipped := Hours{From: "02:30", To: "06:00", Zone: "Europe/Berlin"}
	skippedWest := Hours{From: "02:30", To: "06:00", Zone: "America/New_York"}
	for _, x := range []struct {
		name string
		h    Hours
		at   string
		want string // "": not in them; "always": they never began
	}{
		{"winter", work, "2026-03-27T12:00:00+01:00", "2026-03-27T08:00:00+01:00"},
		{"its first moment", work, "2026-03-27T08:00:00+01:00", "2026-03-27T08:00:00+01:00"},
		{"evening", work, "2026-03-27T18:00:00+01:00", ""},
		{"Sunday, when clocks change", work, "2026-03-29T12:00:00+02:00", ""},
		{"summer", work, "2026-03-30T09:00:00+02:00", "2026-03-30T08:00:00+02:00"},
		{"too early in summer", work, "2026-03-30T07:30:00+02:00", ""},
		{"winter again", work, "2026-10-26T08:30:00+01:00", "2026-10-26T08:00:00+01:00"},
		{"the night that is an hour shorter", night, "2026-03-29T05:00:00+02:00", "2026-03-28T22:00:00+01:00"},
		{"the night that is an hour longer", night, "2026-10-25T05:00:00+01:00", "2026-10-24T22:00:00+02:00"},
		{"a beginning that is skipped", skipped, "2026-03-29T04:00:00+02:00", "2026-03-29T03:00:00+02:00"},
		{"a beginning that is skipped, just after it", skipped, "2026-03-29T03:10:00+02:00", "2026-03-29T03:00:00+02:00"},
		{"a beginning that is skipped, in the west", skippedWest, "2026-03-08T04:00:00-04:00", "2026-03-08T03:00:00-04:00"},
		{"five whole days", Hours{Days: work.Days, Zone: "Europe/Berlin"}, "2026-03-27T12:00:00+01:00", "2026-03-23T00:00:00+01:00"},
		{"all of the week", Hours{}, "2026-03-27T12:00:00+01:00", "always"},
		{"all of the week, by days", Hours{From: "08:00", To: "08:00", Zone: "Europe/Berlin"}, "2026-03-27T12:00:00+01:00", "always"},
	} {
		at, err := time.Parse(time.RFC3339, x.at)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		switch begin, in := x.h.Since(at); {
		case in && begin.IsZero():
			got = "always"
		case in:
			got = begin.Format(time.RFC3339)
		}
		if got != x.want {
			t.Errorf("%s: since %q, want %q", x.name, got, x.want)
		}
	}
}
