package alarms

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLevels tells all that a receiver of each level gets.
func TestLevels(t *testing.T) {
	key := complete(Raised).Change.Alarm.Key
	minute := at(60).Truncate(time.Minute)
	coded := func(k Kind) Notification {
		return Notification{
			ID: fmt.Sprintf("%d 9", minute.Unix()), Sequence: 9, At: minute, Address: "192.0.2.7:22",
			Change: Change{k, Alarm{Key: key, Severity: Major, Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed", Text: "Partition storage",
				Codes: []string{"2004", "2021"}, Raised: at(0).Truncate(time.Minute), Serial: "532018"}},
		}
	}
	category := func(k Kind) Notification {
		return Notification{ID: fmt.Sprintf("%d 9", minute.Unix()), Sequence: 9, At: minute, Address: "192.0.2.7:22",
			Change: Change{k, Alarm{Key: Key{Device: "hsm-a", Group: "hsm-status"}, Text: "HSM"}}}
	}
	acked, ended := coded(Acknowledged), coded(Ended)
	acked.Change.Alarm.Ack = &Ack{At: minute}
	ended.Change.Alarm.Cleared = minute
	life := Notification{ID: fmt.Sprintf("%d 9", minute.Unix()), Sequence: 9, At: minute, Change: Change{Kind: Heartbeat}}
	for _, x := range []struct {
		level Level
		kind  Kind
		want  Notification
	}{
		{"", Raised, complete(Raised)}, {LevelFull, Acknowledged, complete(Acknowledged)},
		{LevelCoded, Raised, coded(Raised)}, {LevelCoded, Updated, coded(Updated)}, {LevelCoded, Acknowledged, acked}, {LevelCoded, Ended, ended}, {LevelCoded, Heartbeat, life},
		{LevelCategory, Raised, category(Raised)}, {LevelCategory, Updated, category(Raised)}, {LevelCategory, Repeated, category(Raised)},
		{LevelCategory, Acknowledged, category(Raised)}, {LevelCategory, Unacknowledged, category(Raised)}, {LevelCategory, Ended, category(Ended)}, {LevelCategory, Heartbeat, life},
	} {
		n := complete(x.kind)
		if diff := cmp.Diff(x.want, Policy{Level: x.level}.Limit(n)); diff != "" {
			t.Errorf("%s, %s:\n%s", x.level, x.kind, diff)
		}
		if diff := cmp.Diff(complete(x.kind), n); diff != "" {
			t.Errorf("%s, %s: the original is changed:\n%s", x.level, x.kind, diff)
		}
	}
	hourly := Policy{Level: LevelCoded, MinInterval: time.Hour}.Limit(complete(Ended))
	for _, at := range []time.Time{hourly.At, hourly.Change.Alarm.Raised, hourly.Change.Alarm.Cleared} {
		if !at.Equal(at.Truncate(time.Hour)) {
			t.Errorf("%s tells more than the hour", at)
		}
	}
}

// TestLevelsHide has nothing of what an alarm holds pass a level that must not
// let it.
func TestLevelsHide(t *testing.T) {
	for _, k := range alarmKinds {
		for level, hidden := range map[Level][]string{
			LevelCoded:    {"96 %", "0.9", "payments", "kim", "looking"},
			LevelCategory: {"96 %", "0.9", "payments", "kim", "looking", "2021", "2004", "major", `p \"1\"`, "532018", "partition-storage", "thresholdCrossed"},
		} {
			b, err := json.Marshal(NewMessage(Policy{Level: level}.Limit(complete(k))))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range hidden {
				if strings.Contains(string(b), s) {
					t.Errorf("%s, %s: %q in %s", level, k, s, b)
				}
			}
		}
	}
}

// TestLevelsMask: level category makes one alarm of those with the same trap.
func TestLevelsMask(t *testing.T) {
	if a, b := (Key{Device: "a", Group: "soft"}), (Key{Device: "a", Group: "hw"}); !LevelCategory.hides(a, b) || LevelCoded.hides(a, b) || LevelCategory.hides(a, Key{Device: "b", Group: "hw"}) ||
		LevelCategory.hides(a, Key{Device: "a", Group: "disk"}) || LevelCategory.hides(a, Key{Device: "a", Group: "hw", Test: true}) {
		t.Error("hides")
	}
}

// TestCategoryEnds: of several alarms that look as one, only the last end is
// told.
func TestCategoryEnds(t *testing.T) {
	soft, hw, disk := Key{Device: "a", Group: "soft"}, Key{Device: "a", Group: "hw"}, Key{Device: "a", Group: "disk"}
	stands, over := Told{Number: 1, Kind: Raised}, Told{Number: 2, Kind: Ended}
	end := Notification{Change: Change{Ended, Alarm{Key: soft}}}
	for name, x := range map[string]struct {
		level Level
		n     Notification
		told  map[Key]Told
		want  bool
	}{
		"another stands":           {LevelCategory, end, map[Key]Told{soft: over, hw: stands}, true},
		"the other is over":        {LevelCategory, end, map[Key]Told{soft: over, hw: over}, false},
		"the other is no such one": {LevelCategory, end, map[Key]Told{soft: over, disk: stands}, false},
		"it can be told apart":     {LevelCoded, end, map[Key]Told{soft: over, hw: stands}, false},
		"no end":                   {LevelCategory, Notification{Change: Change{Raised, Alarm{Key: soft}}}, map[Key]Told{hw: stands}, false},
	} {
		if got := (Route{Policy: Policy{Level: x.level}}).masks(x.n, x.told); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestBitsPerHour(t *testing.T) {
	const spacing = time.Minute
	// A slot of an hour with one device: 6 notifications, three flags, 3600 seconds.
	bits, _ := Policy{LevelCategory, time.Hour}.BitsPerHour(spacing, 1)
	if want := math.Log2(1 + 18*3600); math.Abs(bits-want) > 1e-9 {
		t.Errorf("category by the hour: %g, want %g", bits, want)
	}
	bits, _ = Policy{LevelCategory, 15 * time.Minute}.BitsPerHour(spacing, 4)
	if want := 4 * math.Log2(1+4*18*900); math.Abs(bits-want) > 1e-9 {
		t.Errorf("category by the quarter, four devices: %g, want %g", bits, want)
	}
	bits, _ = Policy{LevelCategory, 0}.BitsPerHour(spacing, 1)
	if want := float64(60*100*len(Groups())) * math.Log2(1+3*60); math.Abs(bits-want) > 1e-6 {
		t.Errorf("category without min_interval: %g, want %g", bits, want)
	}
	full, why := Policy{"", time.Hour}.BitsPerHour(spacing, 1)
	if full < 8*maxText || !strings.Contains(why, "free text") {
		t.Errorf("full: %g, %s", full, why)
	}
	for _, min := range []time.Duration{0, time.Minute, time.Hour} {
		last := math.Inf(1)
		for _, level := range []Level{LevelFull, LevelCoded, LevelCategory, LevelOff} {
			bits, why := Policy{level, min}.BitsPerHour(spacing, 3)
			if bits >= last || bits < 0 || why == "" || math.IsNaN(bits) {
				t.Errorf("%s, %s: %g is not below %g (%s)", level, min, bits, last, why)
			}
			last = bits
			more, _ := Policy{level, min}.BitsPerHour(spacing, 30)
			slower, _ := Policy{level, 10 * min}.BitsPerHour(10*spacing, 3)
			if level != LevelOff && (more <= bits || slower >= bits) {
				t.Errorf("%s, %s: %g with more devices, %g when slower, %g", level, min, more, slower, bits)
			}
		}
	}
	if bits, why := (Policy{Level: LevelCategory}).BitsPerHour(0, 1); !math.IsInf(bits, 1) || why == "" {
		t.Errorf("unbounded: %g", bits)
	}
	if bits, _ := (Policy{}).BitsPerHour(spacing, 0); bits != 0 {
		t.Errorf("no devices: %g", bits)
	}
}
