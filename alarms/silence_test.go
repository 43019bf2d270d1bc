package alarms

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms/again"
)

// TestAt: a silence that comes again begins at the same time of the day on the clocks of
// its zone, whatever the agent's are and whether it is summer.
func TestAt(t *testing.T) {
	zurich, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", s, zurich)
		if err != nil {
			t.Fatal(err)
		}
		return when.UTC()
	}
	week := Silence{From: at("2026-02-28 02:00"), Until: at("2026-02-28 04:00"), Every: &again.Every{Days: 7, Zone: "Europe/Zurich"}}
	night := Silence{From: at("2026-03-20 23:00"), Until: at("2026-03-21 05:00"), Every: &again.Every{Days: 1, Zone: "Europe/Zurich"}}
	once := Silence{From: week.From, Until: week.Until}
	for name, x := range map[string]struct {
		of          Silence
		now         string
		from, until string
		inForce     bool
	}{
		"before the first":          {week, "2026-02-20 12:00", "2026-02-28 02:00", "2026-02-28 04:00", false},
		"in the first":              {week, "2026-02-28 02:00", "2026-02-28 02:00", "2026-02-28 04:00", true},
		"after the first":           {week, "2026-02-28 04:00", "2026-03-07 02:00", "2026-03-07 04:00", false},
		"in the second":             {week, "2026-03-07 03:59", "2026-03-07 02:00", "2026-03-07 04:00", true},
		"in summer time":            {week, "2026-04-04 02:00", "2026-04-04 02:00", "2026-04-04 04:00", true},
		"just before in summer":     {week, "2026-04-04 01:59", "2026-04-04 02:00", "2026-04-04 04:00", false},
		"in winter again":           {week, "2026-10-31 03:59", "2026-10-31 02:00", "2026-10-31 04:00", true},
		"ten years later":           {week, "2036-02-23 03:00", "2036-02-23 02:00", "2036-02-23 04:00", true},
		"the night of summer time":  {night, "2026-03-29 04:59", "2026-03-28 23:00", "2026-03-29 05:00", true},
		"its end":                   {night, "2026-03-29 05:00", "2026-03-29 23:00", "2026-03-30 05:00", false},
		"the night of winter time":  {night, "2026-10-25 04:59", "2026-10-24 23:00", "2026-10-25 05:00", true},
		"its end in winter":         {night, "2026-10-25 05:00", "2026-10-25 23:00", "2026-10-26 05:00", false},
		"once, and over":            {once, "2026-03-07 03:00", "2026-02-28 02:00", "2026-02-28 04:00", false},
		"a zone that nobody knows":  {Silence{From: week.From, Until: week.Until, Every: &again.Every{Days: 7, Zone: "Nowhere/Else"}}, "2026-03-07 03:00", "2026-02-28 02:00", "2026-02-28 04:00", false},
		"never, of a damaged state": {Silence{From: week.From, Until: week.Until, Every: &again.Every{}}, "2026-03-07 03:00", "2026-02-28 02:00", "2026-02-28 04:00", false},
		"ended while it was active": {week.Ended(at("2026-03-07 03:00")), "2026-03-07 03:00", "2026-02-28 02:00", "2026-03-07 03:00", false},
	} {
		now := at(x.now)
		got := x.of.At(now)
		if !got.From.Equal(at(x.from)) || !got.Until.Equal(at(x.until)) || x.of.InForce(now) != x.inForce {
			t.Errorf("%s: from %s until %s, in force: %v", name, got.From.In(zurich), got.Until.In(zurich), x.of.InForce(now))
		}
		if over := x.of.Over(now); over != (x.of.Every == nil) {
			t.Errorf("%s: over is %v", name, over)
		}
	}
	if s := SilencedBy([]Silence{once, week}, Alarm{}, at("2026-03-07 03:00")); s == nil || !s.Until.Equal(at("2026-03-07 04:00")) {
		t.Errorf("silenced by %+v", s)
	}
	for now, want := range map[string]bool{"2026-03-06 01:59": false, "2026-03-06 02:00": true, "2026-03-07 01:59": true, "2026-03-07 02:00": false} {
		if got := week.Announces(at(now)); got != want {
			t.Errorf("announced at %s: %v", now, got)
		}
	}
}

// TestValidateEvery: what comes again is a day or a week apart, on a clock that there is,
// and ends before it begins again; more than half of the time is wide.
func TestValidateEvery(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		every  again.Every
		length time.Duration
		wrong  string // "": nothing
		wide   bool
	}{
		{again.Every{Days: 7, Zone: "Europe/Zurich"}, 2 * time.Hour, "", false},
		{again.Every{Days: 1, Zone: ""}, 12 * time.Hour, "", false},
		{again.Every{Days: 1, Zone: ""}, 13 * time.Hour, "", true},
		{again.Every{Days: 7, Zone: ""}, 25 * time.Hour, "", true},
		{again.Every{Days: 2, Zone: ""}, time.Hour, "every.days: 2 is neither 1 nor 7", false},
		{again.Every{Days: 0, Zone: ""}, time.Hour, "every.days: 0 is neither 1 nor 7", true},
		{again.Every{Days: 7, Zone: "Nowhere/Else"}, time.Hour, `every.zone: "Nowhere/Else" is not known on this host`, false},
		{again.Every{Days: 7, Zone: "../../etc/passwd"}, time.Hour, "is not known on this host", false},
		{again.Every{Days: 1, Zone: ""}, 24 * time.Hour, "it would begin again before it ends", true},
	} {
		s := Silence{Match: Match{HSMs: []string{"a"}}, Author: "kim", Reason: "x", From: now, Until: now.Add(x.length), Every: &x.every}
		err := s.Validate()
		if (err == nil) != (x.wrong == "") || err != nil && !strings.Contains(err.Error(), x.wrong) || s.Wide() != x.wide {
			t.Errorf("%+v: %v, wide: %v", x.every, err, s.Wide())
		}
	}
}

// TestFormerSilence: a silence as state files had it before any came again is read as it
// was, and one that does not come again is still written so.
func TestFormerSilence(t *testing.T) {
	const former = `{"id":4,"match":{"hsms":["a"],"severity":"minor"},"author":"kim (uid 7)","reason":"move","from":"2026-03-01T00:00:00Z","until":"2026-03-01T04:00:00Z"}`
	var s Silence
	if err := json.Unmarshal([]byte(former), &s); err != nil {
		t.Fatal(err)
	}
	if now := s.From.Add(time.Hour); !s.InForce(now) || s.InForce(s.Until) || !s.Over(s.Until) || s.Over(now) {
		t.Errorf("%+v", s)
	}
	if text, err := json.Marshal(s); err != nil || string(text) != former {
		t.Errorf("%s, %v", text, err)
	}
}
