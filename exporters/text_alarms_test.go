package exporters

import (
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/again"
)

// alarmState has everything that can be said of alarms.
func alarmState(now time.Time) ([]alarms.Active, []alarms.Silence) {
	silence := alarms.Silence{ID: 3, Author: "bob", Reason: "moving it", From: now.Add(-time.Hour), Until: now.Add(time.Hour),
		Match: alarms.Match{HSMs: []string{"a"}, Severity: alarms.Minor}}
	a := alarms.Alarm{
		Key: alarms.Key{Device: "a", Group: "lock", Object: "k7pf1"}, Number: 7, Severity: alarms.Critical, Type: "physicalViolation", Cause: "outOfService",
		Text: "a <i>tamper</i>\x1b[2J", Codes: []string{"2010", "9999"}, Raised: now.Add(-time.Hour), Last: now.Add(-time.Minute), Count: 4, Serial: "123",
		Ack: &alarms.Ack{By: "<anna>", Comment: "looking", At: now.Add(-10 * time.Minute)}, Flapping: true, InStorm: true, EndsAt: now.Add(time.Minute),
		Evidence: []alarms.Evidence{
			{At: now.Add(-time.Hour), Text: "ALM2010", Log: &alarms.LogPlace{Host: "luna-a", File: "messages", Time: "2026 Mar  1 11:00:00", Process: "kernel"}},
			{At: now.Add(-time.Minute), Text: "read", Measure: &alarms.Measure{Value: 2.7, Threshold: 2.75, Unit: "V"}},
		},
	}
	g := alarms.GroupNamed("lock")
	return []alarms.Active{{Alarm: a, RelatedTo: &alarms.Key{Device: "a", Group: "hard-ht"}, Silence: &silence, Title: g.Title, Action: g.Action}}, []alarms.Silence{silence}
}

// TestAlarmTexts wants every mark of an alarm, and no control character.
func TestAlarmTexts(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	active, silenced := alarmState(now)
	var list, one, silences strings.Builder
	AlarmsText(&list, active, now)
	AlarmText(&one, active[0], now)
	SilencesText(&silences, silenced, now)
	for name, x := range map[string]struct {
		text string
		want []string
	}{
		"list": {list.String(), []string{
			"7       critical  a    lock/k7pf1  2026-03-01 11:00:00 +00:00 (1h0m0s)  4      a <i>tamper</i>?[2J", "Acknowledged by <anna> at 2026-03-01 11:50:00 +00:00: looking",
			"Silenced until 2026-03-01 13:00:00 +00:00 by bob: moving it (silence 3)", "Caused by a/hard-ht; notification sent for that alarm only", "Flapping", "storm", "No longer present; clears at 2026-03-01 12:01:00 +00:00", "Do: Read hsm tamper show",
		}},
		"one": {one.String(), []string{
			"a/lock/k7pf1", "Count:         4", "event type physicalViolation, probable cause outOfService", "cryptoAttentionNotify", "2.7 V, threshold 2.75 V",
			"ALM2010 (firmware): HSM locked - tamper clear required.", "ALM9999\n", "[luna-a, messages, 2026 Mar  1 11:00:00, kernel]", "What clears it: ALM2011 in the log; or ", "What to do: Read hsm tamper show",
		}},
		"silences": {silences.String(), []string{"3        2026-03-01 11:00:00 +00:00  2026-03-01 13:00:00 +00:00  bob  HSM a, minor or milder  moving it"}},
	} {
		for _, w := range x.want {
			if !strings.Contains(x.text, w) {
				t.Errorf("%s: no %q in\n%s", name, w, x.text)
			}
		}
		if strings.Contains(x.text, "\x1b") {
			t.Errorf("%s moves the cursor: %q", name, x.text)
		}
	}
}

// TestAnnouncedText: a silence is announced for a day before it begins, and one that comes
// again each time.
func TestAnnouncedText(t *testing.T) {
	from := time.Date(2026, 3, 7, 2, 0, 0, 0, time.UTC)
	list := []alarms.Silence{{ID: 3, Author: "kim\x1b[2J", Reason: "restart", From: from, Until: from.Add(2 * time.Hour), Match: alarms.Match{HSMs: []string{"luna-b"}}, Every: &again.Every{Days: 7, Zone: "UTC"}}}
	for ago, want := range map[time.Duration]string{
		25 * time.Hour: "",
		23*time.Hour + 29*time.Minute + 40*time.Second: "Silence 3 of HSM luna-b begins in 23h30m, until 2026-03-07 04:00:00 +00:00: restart (kim?[2J)\n",
		time.Second:      "Silence 3 of HSM luna-b begins in 1m, until 2026-03-07 04:00:00 +00:00: restart (kim?[2J)\n",
		0:                "",
		-3 * time.Hour:   "",
		-167 * time.Hour: "Silence 3 of HSM luna-b begins in 1h0m, until 2026-03-14 04:00:00 +00:00: restart (kim?[2J)\n",
	} {
		var b strings.Builder
		AnnouncedText(&b, list, from.Add(-ago))
		if b.String() != want {
			t.Errorf("%s before: %q", ago, b.String())
		}
	}
}
