package page

import (
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// mostLines is how many lines of logs the page of an HSM has.
const mostLines = 20

// A lineView is a line of a log, and what it did to an alarm.
type lineView struct {
	evidenceView
	Did, Href, Alarm string
}

// lines returns the newest lines of logs by which the alarms of a device are kept, the
// newest first. Of each alarm the first are known, and the newest.
func (s AlarmState) lines(device string, now time.Time) []lineView {
	type seen struct {
		alarm alarms.Alarm
		place int // of the evidence
	}
	var all []seen
	add := func(a alarms.Alarm) {
		for i, e := range a.Evidence {
			if a.Device == device && e.Log != nil {
				all = append(all, seen{a, i})
			}
		}
	}
	for _, a := range s.Active {
		add(a.Alarm)
	}
	for _, a := range s.Cleared {
		add(a)
	}
	slices.SortStableFunc(all, func(a, b seen) int { return b.alarm.Evidence[b.place].At.Compare(a.alarm.Evidence[a.place].At) })
	list := make([]lineView, 0, mostLines)
	for _, x := range all[:min(mostLines, len(all))] {
		list = append(list, lineView{evidenceOf(x.alarm.Evidence[x.place], now), didOf(x.alarm, x.place), alarmPath(x.alarm.Number), x.alarm.Text})
	}
	return list
}

// didOf says what the evidence in a place did to its alarm.
func didOf(a alarms.Alarm, place int) string {
	switch newest := place == len(a.Evidence)-1; {
	case newest && (!a.Cleared.IsZero() || !a.EndsAt.IsZero()):
		return "cleared"
	case place == 0:
		return "raised"
	}
	return "counted"
}

// evidenceOf returns what is said of an evidence, and of where it was in a log.
func evidenceOf(e alarms.Evidence, now time.Time) evidenceView {
	v := evidenceView{At: stampOf(e.At, now), Text: e.Text}
	l := e.Log
	if l == nil {
		return v
	}
	parts := []string{l.Host, l.File, l.Process}
	if l.Peer != "" {
		parts = append(parts, "from "+l.Peer)
	}
	if l.Untrusted {
		parts = append(parts, "anybody could have sent it")
	}
	v.Where = strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
	return v
}
