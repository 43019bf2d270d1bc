// Package rules finds out what a Snapshot or a line of a log means: each rule
// is a value that turns what was read into findings. It knows nothing of alarms
// that are active, of storage or of receivers.
package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Rule evaluates what was polled of one device, and emits a Result for each
// object. It emits none for what it cannot know. Rules are values, one file for
// each subject.
type Rule struct {
	Group    string
	Evaluate func(p Poll, emit func(Result))
}

// A Poll is what a rule evaluates.
type Poll struct {
	*hsm.Device
	Now time.Time
	Thresholds
	Memory alarms.Memory // what earlier polls showed
	Twins  []*hsm.Device // HSMs with its serial number, itself among them
}

// A Result is what a rule finds out about one object.
type Result struct {
	Object    string
	Condition alarms.Condition
	Severity  alarms.Severity
	Text      string
	Measure   *alarms.Measure // nil: it is not a number
	Layer     hsm.Layer       // where the way to the HSM is dead
	At        time.Time       // when it was asked for
	Age       time.Duration   // how long a Bad one-off event keeps the alarm active; 0: until cleared
	// All: the rule has emitted a Result for every object there is, so that
	// alarms on others clear. Of the other fields, only At and Source are used.
	All    bool
	Source string // that listed the objects
}

// allOf returns the Result after those of every object in a section.
func allOf[T any](s hsm.Section[T]) Result { return Result{All: true, At: s.Asked(), Source: s.Source} }

// whole reports whether every line of a source's last answer was read: if not, what
// it did not list may be there.
func (p Poll) whole(source string) bool { return len(p.Sources[source].Unread) == 0 }

// bad and good return Results for the device itself; [Result.on] moves them to
// an object.
func bad(severity alarms.Severity, at time.Time, format string, args ...any) Result {
	return Result{Condition: alarms.Bad, Severity: severity, At: at, Text: fmt.Sprintf(format, args...)}
}

func good(at time.Time, format string, args ...any) Result {
	return Result{Condition: alarms.Good, At: at, Text: fmt.Sprintf(format, args...)}
}

// on returns r for an object.
func (r Result) on(object string) Result {
	r.Object = object
	return r
}

// at returns r with the layer at which a source failed.
func (r Result) at(s hsm.Source) Result {
	r.Layer = s.Layer
	return r
}

// of returns r with the value that was compared with a threshold.
func (r Result) of(value, threshold float64, unit string) Result {
	r.Measure = &alarms.Measure{Value: value, Threshold: threshold, Unit: unit}
	return r
}

// rules lists every rule.
var rules = []Rule{
	battery,
	temperature,
	cardFans,
	hsmStatus,
	tampered,
	zeroized,
	secureTransport,
	soLogin,
	hsmStorage,
	hsmUtilization,
	partitionStorage,
	ntlsDown,
	certificate,
	logDisk,
	auditDisk,
	diskHealth,
	systemStatus,
	services,
	applianceFans,
	powerSupplies,
	motherboard,
	deactivated,
	roleLocked,
	partitionZeroized,
	partitionStatus,
	cold,
	applianceChassis,
	criticalEvents,
	errorRatio,
	restart,
	unitReplaced,
	changed,
	statusMonitor,
	unknownState,
	applianceLoad,
	inventory,
	inventoryPartitions,
	inventoryMembers,
	unreachable,
	silent,
	hostFilesystems,
	haMember,
	haExhausted,
	haRedundancy,
	haStandby,
	haOffline,
	haRecoveryDisabled,
	haUnasked,
	clientCertificate,
	disagree,
	sourceFailing,
	stale,
	serialTwice,
	probeFailed,
	functionUnproven,
}

// EvaluateSnapshot returns the findings of all rules, and of the polls that
// clear log alarms, for a Snapshot.
func EvaluateSnapshot(s *hsm.Snapshot, state alarms.State, limits Thresholds, now time.Time) []alarms.Finding {
	return append(Evaluate(s, s.Devices, state, limits, now), Unwatched(s, state, now)...)
}

// Evaluate is [EvaluateSnapshot] of some devices of a Snapshot.
func Evaluate(s *hsm.Snapshot, devices []*hsm.Device, state alarms.State, limits Thresholds, now time.Time) []alarms.Finding {
	var all []alarms.Finding
	open := openOf(devices, state)
	for _, d := range devices {
		p := Poll{Device: d, Now: now, Thresholds: limits, Twins: s.Twins(d), Memory: state.Memory[d.Name]}
		if p.anotherUnit() {
			all = append(all, replaced(p, open[d.Name])...)
			p.Memory = alarms.Memory{Serial: p.Memory.Serial, Since: p.Show.Asked()}
		}
		for _, r := range rules {
			all = append(all, r.findings(p, open[d.Name])...)
		}
		all = append(all, clearedByPolls(d, open[d.Name], now)...)
	}
	return all
}

// openOf returns the keys of the alarms of devices that are active or pending, in their
// order.
func openOf(devices []*hsm.Device, state alarms.State) map[string][]alarms.Key {
	open := make(map[string][]alarms.Key, len(devices))
	for _, d := range devices {
		open[d.Name] = nil
	}
	for _, of := range []map[alarms.Key]alarms.Alarm{state.Active, state.Pending} {
		for k := range of {
			if keys, wanted := open[k.Device]; wanted {
				open[k.Device] = append(keys, k)
			}
		}
	}
	for _, keys := range open {
		slices.SortFunc(keys, alarms.Key.Compare)
	}
	return open
}

func (r Rule) findings(p Poll, open []alarms.Key) []alarms.Finding {
	var findings []alarms.Finding
	emitted := make(map[alarms.Key]bool)
	r.Evaluate(p, func(result Result) {
		if result.All {
			for _, k := range open {
				if p.whole(result.Source) && k.Device == p.Name && k.Group == r.Group && !k.Test && !emitted[k] {
					findings = append(findings, alarms.Finding{Key: k, Evidence: alarms.Evidence{At: result.At, Text: "no longer there"}})
				}
			}
			return
		}
		key := alarms.Key{Device: p.Name, Group: r.Group, Object: result.Object}
		emitted[key] = true
		findings = append(findings, alarms.Finding{Key: key, Condition: result.Condition, Severity: result.Severity, Text: result.Text,
			Evidence: alarms.Evidence{At: result.At, Text: result.Text, Measure: result.Measure, Layer: result.Layer}, Age: result.Age, Serial: p.Serial()})
	})
	return findings
}

// clearedByPolls returns a Good finding for every open alarm of d's first card
// whose group's ClearedBy holds. Polls say nothing of other cards.
func clearedByPolls(d *hsm.Device, open []alarms.Key, now time.Time) []alarms.Finding {
	var findings []alarms.Finding
	for _, k := range open {
		g := alarms.GroupNamed(k.Group)
		if k.Device != d.Name || k.Object != "" || k.Test || g.ClearedBy.Since == nil {
			continue
		}
		if at := g.ClearedBy.Since(d, now); !at.IsZero() {
			findings = append(findings, alarms.Finding{Key: k, Evidence: alarms.Evidence{At: at, Text: g.ClearedBy.Words}})
		}
	}
	return findings
}

// Unwatched returns a Good finding for every alarm, active or pending, of devices that
// are no longer watched.
func Unwatched(s *hsm.Snapshot, state alarms.State, now time.Time) []alarms.Finding {
	var findings []alarms.Finding
	for _, k := range slices.Concat(alarms.SortedKeys(state.Active), alarms.SortedKeys(state.Pending)) {
		if k.Device != alarms.Self && s.Device(k.Device) == nil {
			findings = append(findings, alarms.Finding{Key: k, Evidence: alarms.Evidence{At: now, Text: "removed from the configuration"}})
		}
	}
	return findings
}
