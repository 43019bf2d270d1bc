package notify

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
)

// AsOne returns how n delivers several notifications as one that names each.
func AsOne(n Notifier) func(context.Context, []alarms.Notification) error {
	return func(ctx context.Context, list []alarms.Notification) error { return n.Notify(ctx, batch(list)) }
}

// Together returns several notifications as one: the only one, or a batch.
func Together(list []alarms.Notification) alarms.Notification {
	if len(list) == 1 {
		return list[0]
	}
	return batch(list)
}

// batch returns one notification for several, with the worst severity.
func batch(list []alarms.Notification) alarms.Notification {
	type what struct {
		alarms.Severity
		alarms.Kind
	}
	last, first := list[len(list)-1], list[0]
	a := alarms.Alarm{Key: alarms.StormKey, Raised: first.Change.Alarm.Raised}
	counts, ids := make(map[what]int), []string(nil)
	for _, n := range list {
		ids = append(ids, n.ID)
		a.Severity = max(a.Severity, n.Change.Alarm.Severity)
		counts[what{n.Change.Alarm.Severity, n.Change.Kind}]++
	}
	var parts []string
	for _, k := range slices.SortedFunc(maps.Keys(counts), func(a, b what) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Kind, b.Kind))
	}) {
		severity := k.Severity.String() + " "
		if k.Severity == alarms.None { // its level does not show it
			severity = ""
		}
		parts = append(parts, fmt.Sprintf("%d %s%s", counts[k], severity, k.Kind))
	}
	a.Text = strings.Join(parts, ", ")
	return alarms.Notification{
		ID: "batch " + Hash(ids...), Sequence: last.Sequence, At: last.At, Batch: list, Change: alarms.Change{Kind: alarms.Batch, Alarm: a},
	}
}
