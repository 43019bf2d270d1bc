package glance

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWord holds the one word of a row: unknown and stale are never well, and an alarm is
// its severity.
func TestWord(t *testing.T) {
	got := make(map[string]string)
	for _, r := range estate().Rows {
		got[r.Name] = r.Word()
	}
	want := map[string]string{
		"a": "well", "b": "minor", "bare": "well", "c": "critical", "dead": "unknown", "host": "well",
		"lunawatch": "major", "new": "unknown", "partly": "stale",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
