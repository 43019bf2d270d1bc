package notify

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

// TestLevels compares all that a receiver of each level gets.
func TestLevels(t *testing.T) {
	key := alarmstest.Complete(alarms.Raised).Change.Alarm.Key
	minute := alarmstest.At(60).Truncate(time.Minute)
	coded := func(k alarms.Kind) alarms.Notification {
		return alarms.Notification{
			ID: fmt.Sprintf("%d 9", minute.Unix()), Sequence: 9, At: minute, Address: "192.0.2.7:22",
			Change: alarms.Change{Kind: k, Alarm: alarms.Alarm{Key: key, Severity: alarms.Major, Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed", Text: "Partition storage",
				Codes: []string{"2004", "2021"}, Raised: alarmstest.At(0).Truncate(time.Minute), Serial: "532018"}},
		}
	}
	category := func(k alarms.Kind) alarms.Notification {
		return alarms.Notification{ID: fmt.Sprintf("%d 9", minute.Unix()), Sequence: 9, At: minute, Address: "192.0.2.7:22",
			Change: alarms.Change{Kind: k, Alarm: alarms.Alarm{Key: alarms.Key{Device: "hsm-a", Group: "hsm-status"}, Text: "HSM"}}}
	}
	acked, cleared := coded(alarms.Acknowledged), coded(alarms.Cleared)
	acked.Change.Alarm.Ack = &alarms.Ack{At: minute}
	cleared.Change.Alarm.Cleared = minute
	heartbeat := alarms.Notification{ID: fmt.Sprintf("%d 9", minute.Unix()), Sequence: 9, At: minute, Change: alarms.Change{Kind: alarms.Heartbeat}}
	for _, x := range []struct {
		level Level
		kind  alarms.Kind
		want  alarms.Notification
	}{
		{"", alarms.Raised, alarmstest.Complete(alarms.Raised)}, {LevelFull, alarms.Acknowledged, alarmstest.Complete(alarms.Acknowledged)},
		{LevelCoded, alarms.Raised, coded(alarms.Raised)}, {LevelCoded, alarms.Updated, coded(alarms.Updated)}, {LevelCoded, alarms.Acknowledged, acked}, {LevelCoded, alarms.Cleared, cleared}, {LevelCoded, alarms.Heartbeat, heartbeat},
		{LevelCategory, alarms.Raised, category(alarms.Raised)}, {LevelCategory, alarms.Updated, category(alarms.Raised)}, {LevelCategory, alarms.Repeated, category(alarms.Raised)},
		{LevelCategory, alarms.Acknowledged, category(alarms.Raised)}, {LevelCategory, alarms.Unacknowledged, category(alarms.Raised)}, {LevelCategory, alarms.Cleared, category(alarms.Cleared)}, {LevelCategory, alarms.Heartbeat, heartbeat},
	} {
		n := alarmstest.Complete(x.kind)
		if diff := cmp.Diff(x.want, Policy{Level: x.level}.Limit(n)); diff != "" {
			t.Errorf("%s, %s:\n%s", x.level, x.kind, diff)
		}
		if diff := cmp.Diff(alarmstest.Complete(x.kind), n); diff != "" {
			t.Errorf("%s, %s: the original is changed:\n%s", x.level, x.kind, diff)
		}
	}
	hourly := Policy{Level: LevelCoded, MinInterval: time.Hour}.Limit(alarmstest.Complete(alarms.Cleared))
	for _, at := range []time.Time{hourly.At, hourly.Change.Alarm.Raised, hourly.Change.Alarm.Cleared} {
		if !at.Equal(at.Truncate(time.Hour)) {
			t.Errorf("%s shows more than the hour", at)
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
			b, err := json.Marshal(Words{}.Message(Policy{Level: level}.Limit(alarmstest.Complete(k))))
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
	if a, b := (alarms.Key{Device: "a", Group: "soft"}), (alarms.Key{Device: "a", Group: "hw"}); !LevelCategory.masks(a, b) || LevelCoded.masks(a, b) || LevelCategory.masks(a, alarms.Key{Device: "b", Group: "hw"}) ||
		LevelCategory.masks(a, alarms.Key{Device: "a", Group: "disk"}) || LevelCategory.masks(a, alarms.Key{Device: "a", Group: "hw", Test: true}) {
		t.Error("masks too much or too little")
	}
}

// TestCategoryClears: of several alarms that look like one, the receiver is
// notified only of the last clearing.
func TestCategoryClears(t *testing.T) {
	soft, hw, disk := alarms.Key{Device: "a", Group: "soft"}, alarms.Key{Device: "a", Group: "hw"}, alarms.Key{Device: "a", Group: "disk"}
	active, cleared := alarms.Notified{Number: 1, Kind: alarms.Raised}, alarms.Notified{Number: 2, Kind: alarms.Cleared}
	end := alarms.Notification{Change: alarms.Change{Kind: alarms.Cleared, Alarm: alarms.Alarm{Key: soft}}}
	for name, x := range map[string]struct {
		level    Level
		n        alarms.Notification
		notified map[alarms.Key]alarms.Notified
		want     bool
	}{
		"another is active":         {LevelCategory, end, map[alarms.Key]alarms.Notified{soft: cleared, hw: active}, true},
		"the other has cleared":     {LevelCategory, end, map[alarms.Key]alarms.Notified{soft: cleared, hw: cleared}, false},
		"the other looks different": {LevelCategory, end, map[alarms.Key]alarms.Notified{soft: cleared, disk: active}, false},
		"they look different":       {LevelCoded, end, map[alarms.Key]alarms.Notified{soft: cleared, hw: active}, false},
		"not a clearing":            {LevelCategory, alarms.Notification{Change: alarms.Change{Kind: alarms.Raised, Alarm: alarms.Alarm{Key: soft}}}, map[alarms.Key]alarms.Notified{hw: active}, false},
	} {
		if got := (Route{Policy: Policy{Level: x.level}}).Masks(x.n, x.notified); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestBitsPerHour(t *testing.T) {
	const spacing = time.Minute
	// A slot of an hour with one device: 6 notifications, five flags, 3600
	// seconds.
	bits, _ := Policy{LevelCategory, time.Hour}.BitsPerHour(spacing, 1)
	if want := math.Log2(1 + 30*3600); math.Abs(bits-want) > 1e-9 {
		t.Errorf("category by the hour: %g, want %g", bits, want)
	}
	bits, _ = Policy{LevelCategory, 15 * time.Minute}.BitsPerHour(spacing, 4)
	if want := 4 * math.Log2(1+4*30*900); math.Abs(bits-want) > 1e-9 {
		t.Errorf("category by the quarter, four devices: %g, want %g", bits, want)
	}
	bits, _ = Policy{LevelCategory, 0}.BitsPerHour(spacing, 1)
	if want := float64(60*100*len(alarms.Groups())) * math.Log2(1+5*60); math.Abs(bits-want) > 1e-6 {
		t.Errorf("category without min_interval: %g, want %g", bits, want)
	}
	full, why := Policy{"", time.Hour}.BitsPerHour(spacing, 1)
	if full < 8*alarms.MaxText || !strings.Contains(why, "free text") {
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
