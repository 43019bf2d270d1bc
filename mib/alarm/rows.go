package alarm

import (
	"iter"
	"slices"
	"strconv"

	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// byAlarm makes parts of some alarms each, which follow one another. Equal pointers are
// equal alarms. rows yields the rows of one.
func byAlarm[R any](list func(mib.Alarms) []*mib.Alarm, index func(mib.Alarm) agentx.OID, rows func(mib.Alarms, mib.Alarm, func(agentx.OID, R) bool) bool) func(mib.Source) iter.Seq[mib.Part[R]] {
	return func(src mib.Source) iter.Seq[mib.Part[R]] {
		return func(yield func(mib.Part[R]) bool) {
			if src.Alarms == nil {
				return
			}
			for some := range runs(list(*src.Alarms), index) {
				p := mib.Part[R]{Name: strconv.FormatUint(some[0].Number, 10), Rows: func(yield func(agentx.OID, R) bool) {
					for _, a := range some {
						if !rows(*src.Alarms, *a, yield) {
							return
						}
					}
				}}
				p.Stamp = func() []any {
					stamp := make([]any, len(some))
					for i, a := range some {
						stamp[i] = a
					}
					return stamp
				}
				if !yield(p) {
					return
				}
			}
		}
	}
}

// together is how many numbers of alarms one part has.
const together = 64

// runs cuts alarms, in the order of their indexes, where their numbers say: one that
// comes or goes changes only the part that it is in.
func runs(list []*mib.Alarm, index func(mib.Alarm) agentx.OID) iter.Seq[[]*mib.Alarm] {
	type indexed struct {
		index agentx.OID
		alarm *mib.Alarm
	}
	sorted := make([]indexed, len(list))
	for i, a := range list {
		sorted[i] = indexed{index(*a), a}
	}
	slices.SortStableFunc(sorted, func(a, b indexed) int { return a.index.Compare(b.index) })
	ordered := make([]*mib.Alarm, len(list))
	for i, x := range sorted {
		ordered[i] = x.alarm
	}
	return func(yield func([]*mib.Alarm) bool) {
		for len(ordered) > 0 {
			n := 1
			for n < len(ordered) && ordered[n].Number/together == ordered[0].Number/together {
				n++
			}
			if !yield(ordered[:n:n]) {
				return
			}
			ordered = ordered[n:]
		}
	}
}

var severities = []mib.Severity{mib.Cleared, mib.Indeterminate, mib.Warning, mib.Minor, mib.Major, mib.Critical}

// worst returns the severity of the worst active alarm, or Cleared.
func worst(a mib.Alarms) mib.Severity {
	worst := mib.Cleared
	for _, x := range a.Active {
		worst = max(worst, x.Severity)
	}
	return worst
}

// withAlarms is the part of a group of scalars about src.Alarms.
func withAlarms(src mib.Source) iter.Seq[mib.Part[mib.Alarms]] {
	return func(yield func(mib.Part[mib.Alarms]) bool) {
		if src.Alarms != nil {
			yield(mib.Part[mib.Alarms]{Rows: func(yield func(agentx.OID, mib.Alarms) bool) { yield(agentx.OID{0}, *src.Alarms) }})
		}
	}
}

// alarmRows makes a row of each alarm of a list.
func alarmRows(list func(mib.Alarms) []*mib.Alarm, index func(mib.Alarm) agentx.OID) func(mib.Source) iter.Seq[mib.Part[mib.Alarm]] {
	return byAlarm(list, index, func(_ mib.Alarms, a mib.Alarm, yield func(agentx.OID, mib.Alarm) bool) bool {
		return yield(index(a), a)
	})
}

func active(a mib.Alarms) []*mib.Alarm { return a.Active }

// index returns the number of an alarm as an index, which starts again at 1 after 32
// bits; 0 for an alarm without a number.
func index(a mib.Alarm) uint32 {
	if a.Number == 0 {
		return 0
	}
	return uint32((a.Number-1)%(1<<32-1)) + 1
}

// zeroDotZero is the null pointer.
var zeroDotZero = agentx.ObjectIdentifier(agentx.OID{0, 0})
