package notify

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Policy is how much a receiver may learn. Somebody who can use an HSM can
// modulate its resources, and so signal to whoever sees them.
type Policy struct {
	Level Level `yaml:"level" default:"full" words:"full coded category off"`
	// MinInterval is the least time between two notifications; 0: none. Their
	// times are rounded down to it.
	MinInterval time.Duration `yaml:"min_interval" range:"0s.."`
}

// A Level is what a notification holds.
type Level string

// The levels.
const (
	LevelFull     Level = "full"     // everything
	LevelCoded    Level = "coded"    // codes, severity and key: no values, no free text
	LevelCategory Level = "category" // the vendor's six notifications only
	LevelOff      Level = "off"      // nothing
)

// limited reports whether p bounds what a receiver may learn.
func (p Policy) limited() bool {
	return p.MinInterval > 0 || p.Level == LevelCoded || p.Level == LevelCategory
}

// Limit returns n as a receiver with this policy may see it.
//
// Coded keeps what identifies the alarm, its severity and ALM codes, and what
// does not move with load: serial number and address. Category keeps device,
// address, one group for each of the vendor's six notifications, whether it is
// a test, and whether it is active. Both lose every number that counts other
// alarms, and have times of whole minutes at best.
func (p Policy) Limit(n alarms.Notification) alarms.Notification {
	switch p.Level {
	case LevelCoded, LevelCategory:
		step := max(p.MinInterval, time.Minute)
		n.At = n.At.Truncate(step)
		n.ID, n.Label = fmt.Sprintf("%d %d", n.At.Unix(), n.Sequence), ""
		if !n.IsHeartbeat() {
			n.Change = p.Level.limit(n.Change, step)
		}
	default:
		if p.MinInterval > 0 {
			n.At = n.At.Truncate(p.MinInterval)
		}
	}
	return n
}

func (l Level) limit(c alarms.Change, step time.Duration) alarms.Change {
	a := c.Alarm
	if l == LevelCategory {
		shown := alarms.CategoryOf(alarms.GroupNamed(a.Group).Trap)
		kind := alarms.Raised
		if c.Kind == alarms.Cleared || c.Kind == alarms.RaisedAndCleared {
			kind = c.Kind
		}
		return alarms.Change{Kind: kind, Alarm: alarms.Alarm{Key: alarms.Key{Device: a.Device, Group: shown.Name, Test: a.Test}, Text: shown.Category}}
	}
	limited := alarms.Alarm{
		Key: a.Key, Severity: a.Severity, Type: a.Type, Cause: a.Cause, Codes: slices.Sorted(slices.Values(a.Codes)), Serial: a.Serial, Flapping: a.Flapping,
		Text: alarms.GroupNamed(a.Group).Title, Raised: truncate(a.Raised, step), Cleared: truncate(a.Cleared, step),
	}
	if a.Ack != nil {
		limited.Ack = &alarms.Ack{At: truncate(a.Ack.At, step)}
	}
	return alarms.Change{Kind: c.Kind, Alarm: limited}
}

// truncate rounds down a time that is not zero.
func truncate(t time.Time, step time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Truncate(step)
}

// masks reports whether a receiver of level l cannot distinguish two alarms.
func (l Level) masks(a, b alarms.Key) bool {
	return l == LevelCategory && a.Device == b.Device && a.Test == b.Test && alarms.GroupNamed(a.Group).Trap == alarms.GroupNamed(b.Group).Trap
}

// The assumptions of BitsPerHour.
const (
	objectsPerGroup = 100 // partitions of one HSM at most; no other group has more objects
	categories      = 6   // the vendor's notifications
	categoryFlags   = 5
	resolution      = time.Second                               // how well the time of arrival can be both set and read
	fullBytes       = (3 + alarms.MaxEvidence) * alarms.MaxText // text, by whom and why acknowledged, evidence
)

// BitsPerHour returns the most that somebody who can raise and clear alarms at
// will could signal to a receiver, as a covert channel. devices counts the HSMs
// and hosts that it is notified of, and the agent:
//
//	slots per hour × log2(1 + symbols × seconds in a slot)
//
// In a slot at most one notification comes, or none: one of so many symbols, in
// one of its seconds. With min_interval a slot is that long, and there is one
// row of them. Without, each alarm has its own row of slots of spacing
// (notify_interval), 100 objects to a group and device. The symbols are
//
//	full:     2^(8 × bytes of text and evidence), and the alarms as in coded
//	coded:    Σ over devices, groups and objects of 5 severities × 7 kinds, or a clearing with the next raise × flapping or not × (1 + codes) × 2^codes
//	category: devices × 6 notifications × raised, cleared, both at once, both in turn, or a clearing that is left out
//
// These are upper bounds: polls every few minutes, raise_after and the HSM's
// physics keep any real channel far below. They do not hold against an observer
// who times arrivals better than to a second: each tenfold adds 3.3 bits to a
// slot. Heartbeats carry nothing, but their waiting behind others can be timed,
// too. why says what the figure is made of; +Inf: nothing bounds it.
func (p Policy) BitsPerHour(spacing time.Duration, devices int) (bits float64, why string) {
	if p.Level == LevelOff || devices <= 0 {
		return 0, "nothing is sent"
	}
	level := cmp.Or(p.Level, LevelFull)
	slot, rows, symbols := p.MinInterval, 1.0, math.Log2(float64(devices))+log2Symbols(level)
	bound := fmt.Sprintf("min_interval %s", slot)
	if slot <= 0 {
		slot, rows = spacing, float64(devices*objectsPerGroup*len(alarms.Groups()))
		symbols = log2PerAlarm(level)
		bound = fmt.Sprintf("no min_interval: notify_interval %s for each of %.0f alarms", spacing, rows)
	}
	if slot <= 0 {
		return math.Inf(1), "neither min_interval nor notify_interval bounds how many are sent"
	}
	slots := rows * time.Hour.Seconds() / slot.Seconds()
	bits = slots * log2Plus1(symbols+math.Log2(max(1, slot.Seconds()/resolution.Seconds())))
	why = fmt.Sprintf("level %s, %s: %.0f slots an hour of %.1f bits", level, bound, slots, bits/slots)
	if level == LevelFull {
		why = "level full sends values and free text"
	}
	return bits, why
}

// log2Plus1 returns log2(1 + 2^x).
func log2Plus1(x float64) float64 {
	if x > 50 {
		return x
	}
	return math.Log2(1 + math.Exp2(x))
}

// log2Symbols returns the symbols of one device, as their logarithm.
func log2Symbols(l Level) float64 {
	switch l {
	case LevelCategory:
		return math.Log2(categories * categoryFlags)
	case LevelFull:
		return log2Symbols(LevelCoded) + 8*fullBytes
	default:
		sum := 0.0
		for _, g := range alarms.Groups() {
			sum += objectsPerGroup * symbolsOf(g)
		}
		return math.Log2(sum)
	}
}

// log2PerAlarm returns the most symbols of one alarm, as their logarithm.
func log2PerAlarm(l Level) float64 {
	switch l {
	case LevelCategory:
		return math.Log2(categoryFlags)
	case LevelFull:
		return log2PerAlarm(LevelCoded) + 8*fullBytes
	default:
		most := 0.0
		for _, g := range alarms.Groups() {
			most = max(most, symbolsOf(g))
		}
		return math.Log2(most)
	}
}

// symbolsOf counts the coded notifications that one alarm of g can have. Any of
// its codes may have taken part, and one of them determines type and cause.
func symbolsOf(g alarms.Group) float64 {
	codes := 0
	for _, c := range alarms.Catalogue() {
		if c.Group == g.Name {
			codes++
		}
	}
	severities := int(alarms.Critical-alarms.Indeterminate) + 1
	return float64(severities*(len(alarmKinds)+1)*2*(1+codes)) * math.Exp2(float64(codes))
}

// alarmKinds are the kinds of change that receivers are notified of.
var alarmKinds = []alarms.Kind{alarms.Raised, alarms.Updated, alarms.Repeated, alarms.Acknowledged, alarms.Unacknowledged, alarms.Cleared, alarms.RaisedAndCleared}
