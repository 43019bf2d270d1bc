package watch

import (
	"iter"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/audit"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Step is one change that an old log would have made.
type Step struct {
	At            time.Time   `json:"at"`   // virtual: the line's own time
	Line          int         `json:"line"` // from 1; 0: time alone changed it
	alarms.Change             // of any kind but Seen
	RelatedTo     *alarms.Key `json:"related_to,omitempty"` // the alarm that explains it
}

// Text returns the step in words.
func (s Step) Text() string {
	switch {
	case s.Kind == alarms.Cleared:
		return s.Alarm.LastEvidence().Text
	case s.Kind == alarms.Pending:
		return s.Alarm.Text + " (raised at " + s.Alarm.RaisesAt.Format(time.DateTime) + " unless cleared before)"
	case s.RelatedTo != nil:
		return s.Alarm.Text + " (caused by " + s.RelatedTo.String() + "; notification sent for that alarm only)"
	}
	return s.Alarm.Text
}

// A Replayed sums up a log.
type Replayed struct {
	Lines   int            `json:"lines"`
	Idle    int            `json:"idle"`    // lines without a finding
	Undated int            `json:"undated"` // lines without a time, which get that of the line before
	Raised  int            `json:"raised"`
	Cleared int            `json:"ended"`
	Active  []alarms.Alarm `json:"stands"`  // at the time of the last line, worst first
	Pending []alarms.Alarm `json:"pending"` // not raised yet then
}

// Replay plays the log of one device with the engine of the agent, and emits
// each change. Time is that of the lines, and never goes back. written is when
// the log was last written, which dates lines without a year; a line that
// states only the time since boot counts from 1970. No poll is known.
func Replay(device string, lines iter.Seq[hsm.LogLine], settings Settings, written time.Time, emit func(Step)) Replayed {
	r := replay{state: alarms.NewState(), damping: settings.Damping, emit: emit}
	for l := range lines {
		r.sum.Lines++
		at := statedTime(l, written)
		if at.IsZero() {
			r.sum.Undated++
		}
		r.tick(alarms.Later(at, r.now))
		line := rules.Line{LogLine: l, Device: device, At: r.now}
		var findings []alarms.Finding
		r.audit, findings = r.audit.With([]rules.Line{line})
		if findings = append(findings, rules.EvaluateLine(&line, &settings.Thresholds)...); len(findings) == 0 {
			r.sum.Idle++
		}
		r.eval(findings, r.sum.Lines)
	}
	r.sum.Active, r.sum.Pending = sorted(r.state.Active), sorted(r.state.Pending)
	return r.sum
}

func sorted(all map[alarms.Key]alarms.Alarm) []alarms.Alarm {
	list := make([]alarms.Alarm, 0, len(all))
	for _, a := range all {
		list = append(list, a)
	}
	slices.SortFunc(list, alarms.Alarm.Compare)
	return list
}

func statedTime(l hsm.LogLine, written time.Time) time.Time {
	if t := rules.LineTime(rules.Line{LogLine: l, At: written}); !t.IsZero() {
		return t
	}
	if l.UptimeSeconds.Known {
		return time.Unix(0, 0).UTC().Add(time.Duration(l.UptimeSeconds.Value * float64(time.Second)))
	}
	return time.Time{}
}

type replay struct {
	state   alarms.State
	audit   audit.Sequences
	damping alarms.Damping
	now     time.Time
	emit    func(Step)
	sum     Replayed
}

// tick applies what time alone changes until at.
func (r *replay) tick(at time.Time) {
	for next := r.state.Next(r.damping); !next.IsZero() && next.Before(at); next = r.state.Next(r.damping) {
		if !next.After(r.now) {
			next = r.now.Add(time.Millisecond)
		}
		r.now = next
		r.eval(nil, 0)
	}
	r.now = alarms.Later(at, r.now)
}

func (r *replay) eval(findings []alarms.Finding, line int) {
	changes := alarms.Eval(r.state, findings, r.damping, r.now)
	r.state.Apply(changes)
	r.state.Settle(r.now)
	active := &alarms.Overlay[alarms.Alarm]{Base: r.state.Active}
	for _, c := range changes {
		step := Step{At: r.now, Line: line, Change: c}
		switch c.Kind {
		case alarms.Seen:
			continue
		case alarms.Raised:
			r.sum.Raised++
			if cause, explained := alarms.CauseOf(c.Alarm, active, nil); explained {
				step.RelatedTo = &cause
			}
		case alarms.Cleared:
			r.sum.Cleared++
		default:
		}
		r.emit(step)
	}
}
