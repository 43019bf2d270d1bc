package rules

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// partitionsLeft warns when no further partition can be created, and clears
// when two can: a site that replaces a partition does not flap.
var partitionsLeft = Rule{"partitions-left", func(p Poll, emit func(Result)) {
	show, fresh := p.Show.Get(p.Now)
	allowed, created := show.PartitionsAllowed, show.PartitionsCreated
	if !fresh || !allowed.Known || !created.Known {
		return // unknown is neither good nor bad
	}
	switch left, at := allowed.Value-created.Value, p.Show.Asked(); {
	case left <= 0:
		emit(bad(alarms.Warning, at, "all %d partitions are created", allowed.Value))
	case left >= 2:
		emit(good(at, "%d partitions can be created", left))
	}
}}

// partitionsLeftGroup is the row of the rule's group. A real one is in the
// list groups of alarms/groups.go, with the next free number.
var partitionsLeftGroup = alarms.Group{Name: "partitions-left", Number: 1000, Title: "No partition left", Trap: alarms.CryptoAttention,
	Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed",
	Action: "Delete a partition that nobody uses, or buy a licence for more."}

func TestPartitionsLeft(t *testing.T) {
	polled := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	four := hsm.Some[int64](4)
	for _, test := range []struct {
		name             string
		allowed, created hsm.Opt[int64]
		later            time.Duration // after the poll
		want             string        // "": no result
	}{
		{"none left", four, four, 0, "all 4 partitions are created"},
		{"one left", four, hsm.Some[int64](3), 0, ""},
		{"two left", four, hsm.Some[int64](2), 0, "2 partitions can be created"},
		{"unknown", four, hsm.Opt[int64]{}, 0, ""},
		{"stale", four, four, time.Hour, ""},
	} {
		show := hsm.Show{PartitionsAllowed: test.allowed, PartitionsCreated: test.created}
		device := &hsm.Device{Name: "hsm1", Show: hsm.Section[hsm.Show]{At: polled, MaxAge: time.Minute, Value: show}}
		got := ""
		for _, f := range partitionsLeft.findings(Poll{Device: device, Now: polled.Add(test.later)}, nil) {
			if f.Group != partitionsLeftGroup.Name {
				t.Errorf("%s: group %q, want %q", test.name, f.Group, partitionsLeftGroup.Name)
			}
			got = f.Evidence.Text
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
