package exporters

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAlarmKeys keeps the keys of alarms list -json as they are, and wants each
// in docs/alarms.md.
func TestAlarmKeys(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	active, _ := alarmState(now)
	s := active[0]
	s.Test, s.Expires, s.Begun = true, now, []time.Time{now}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(object))
	want := strings.Fields(`ack action begun cause codes count device ends_at evidence expires flapping group in_storm last number object
		raised related_to serial severity silence test text title type`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for key, inner := range map[string]string{
		"ack": "at by comment", "silence": "author from id match reason until", "related_to": "device group",
	} {
		if diff := cmp.Diff(strings.Fields(inner), slices.Sorted(maps.Keys(object[key].(map[string]any)))); diff != "" {
			t.Errorf("%s: -want +got:\n%s", key, diff)
		}
	}
	text, err = os.ReadFile("../docs/alarms.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range want {
		if !strings.Contains(string(text), "`"+key+"`") {
			t.Errorf("docs/alarms.md does not explain %q", key)
		}
	}
}
