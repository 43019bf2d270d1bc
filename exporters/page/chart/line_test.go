package chart

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/exporters/history"
)

// TestMonth: what is well is one path without a reason, what is not is an area of equal
// hours with its reason, and hours in which the agent did not run are in neither.
func TestMonth(t *testing.T) {
	first := time.Date(2026, time.March, 4, 8, 0, 0, 0, time.UTC)
	var hours []history.Hour
	for i, state := range []string{"well", "well", "warning", "warning", "", "well", "stale", "critical"} {
		h := history.Hour{Start: first.Add(time.Duration(i) * time.Hour), State: state}
		if state == "warning" || state == "critical" {
			h.Reason = "battery"
		}
		hours = append(hours, h)
	}
	want := Month{Well: "M712 6h2v4h-2zM717 6h1v4h-1z", Bad: []Run{
		{X: 714, Width: 2, Y: 3, Height: 7, Word: "warning", Title: "Wed 04 Mar 10:00 to Wed 04 Mar 12:00: warning, battery"},
		{X: 718, Width: 1, Y: 4, Height: 6, Word: "stale", Title: "Wed 04 Mar 14:00 to Wed 04 Mar 15:00: stale"},
		{X: 719, Width: 1, Y: 0, Height: 10, Word: "critical", Title: "Wed 04 Mar 15:00 to Wed 04 Mar 16:00: critical, battery"},
	}}
	if diff := cmp.Diff(want, MonthOf(hours, first)); diff != "" {
		t.Error(diff)
	}
	if MonthOf(nil, first).Drawn() || !want.Drawn() {
		t.Error("a month of which nothing is known is drawn, or one that is known is not")
	}
}
