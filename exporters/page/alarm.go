package page

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/act"
	"github.com/lunawatch/lunawatch/exporters/runbook"
)

// An AlarmState is what the page shows of alarms.
type AlarmState struct {
	Active     []alarms.Active // worst first
	Cleared    []alarms.Alarm  // newest first
	Silences   []alarms.Silence
	Deliveries map[string]notify.Delivery            // by receiver
	Notified   map[uint64]map[string]alarms.Notified // by number of the alarm and by receiver
	Routes     map[string]notify.Route               // by receiver
	Trouble    string                                // why the state is not stored; "": it is

	acting bool // who looks may act
}

// keptCleared is how many cleared alarms the page knows, the newest.
const keptCleared = 500

// AlarmsOf returns what the page shows of the alarms of w.
func AlarmsOf(w *watch.Watch) AlarmState {
	s := AlarmState{Active: w.Active(), Silences: w.Silences(), Deliveries: w.Deliveries(), Notified: w.Notified(), Routes: w.Routes()}
	err := w.Journal.Trouble()
	if cleared, failed := w.History(keptCleared); failed == nil {
		s.Cleared = cleared
	} else {
		err = cmp.Or(err, failed)
	}
	if err != nil {
		s.Trouble = err.Error()
	}
	return s
}

// severityWord is how the page says a severity: one of the words of HSMs.
func severityWord(s alarms.Severity) string {
	if s <= alarms.Indeterminate {
		return "warning"
	}
	return s.String()
}

// An alarmView is an alarm in a list.
type alarmView struct {
	ID, Href, HSM, HSMHref, Subject, Title, Text, Action, Runbook string

	Number         uint64
	Word           string // its severity
	Since, Cleared stamp
	Ack, Notified  string
	Marks          []string
	Test           bool
	Acts           bool // who looks may act on it
}

// of returns the view of an active alarm.
func (s AlarmState) view(a alarms.Active, now time.Time) alarmView {
	v := clearedView(a.Alarm, now)
	v.ID = strings.TrimPrefix(alarms.Anchor(a.Number), "#")
	v.Title, v.Action, v.Acts = a.Title, a.Action, s.acting
	v.Notified = notifiedText(s.deliveries(a.Alarm))
	if a.Ack != nil {
		v.Ack = a.Ack.By + ": " + a.Ack.Comment
	}
	v.Marks = exporters.Marks(a, now)
	if a.Ack != nil && len(v.Marks) > 0 {
		v.Marks = v.Marks[1:] // Ack says it
	}
	return v
}

// clearedView is what is said of active and of cleared alarms.
func clearedView(a alarms.Alarm, now time.Time) alarmView {
	return alarmView{
		Number: a.Number, Href: alarmPath(a.Number), HSM: a.Device, HSMHref: devicePath(a.Device), Subject: strings.TrimPrefix(a.Key.String(), a.Device+"/"),
		Text: a.Text, Word: severityWord(a.Severity), Since: stampOf(a.Since(), now), Cleared: stampOf(a.Cleared, now), Test: a.Test || a.IsTest(),
		Title: alarms.GroupNamed(a.Group).Title, Runbook: runbook.Path + a.Group,
	}
}

func alarmPath(number uint64) string { return fmt.Sprintf("/alarms/%d", number) }

func devicePath(name string) string {
	if name == alarms.Self {
		return "/agent"
	}
	return "/hsms/" + url.PathEscape(name)
}

// A deliveryView is what became of what a receiver was notified of an alarm.
type deliveryView struct {
	Receiver, What, Result, Error string
	At                            time.Time
	Bad                           bool
}

// deliveries returns what receivers were notified of an alarm, by their names.
func (s AlarmState) deliveries(a alarms.Alarm) (list []deliveryView) {
	all := s.Notified[a.Number]
	for _, name := range slices.Sorted(maps.Keys(all)) {
		n, d := all[name], s.Deliveries[name]
		v := deliveryView{Receiver: name, What: string(n.Kind) + ", " + severityWord(n.Severity), At: n.At, Result: "delivered"}
		switch {
		case n.Lost != "":
			v.Result, v.Error, v.Bad = "given up", d.Error, true
		case d.Waiting > 0 && !d.Oldest.After(n.At):
			v.Result, v.Error, v.Bad = "waiting", d.Error, d.Error != ""
		}
		list = append(list, v)
	}
	return list
}

// notifiedText names receivers, and what went wrong with them.
func notifiedText(list []deliveryView) string {
	if len(list) == 0 {
		return "nobody"
	}
	var parts []string
	for _, d := range list {
		if d.Result == "delivered" {
			parts = append(parts, d.Receiver)
		} else {
			parts = append(parts, d.Receiver+" ("+d.Result+")")
		}
	}
	return strings.Join(parts, ", ")
}

// mostListed is how many alarms the page of the estate lists.
const mostListed = 50

// An alarmList is active alarms, and how many more there are.
type alarmList struct {
	Alarms []alarmView
	More   int
	Filter string // said where it leaves nothing
}

func (s AlarmState) list(take func(alarms.Active) bool, most int, now time.Time) (l alarmList) {
	for _, a := range s.Active {
		switch {
		case !take(a):
		case len(l.Alarms) == most:
			l.More++
		default:
			l.Alarms = append(l.Alarms, s.view(a, now))
		}
	}
	return l
}

// history returns the newest cleared alarms that take selects.
func (s AlarmState) history(take func(alarms.Alarm) bool, most int, now time.Time) (list []alarmView) {
	for _, a := range s.Cleared {
		if len(list) < most && take(a) {
			v := clearedView(a, now)
			if a.Ack != nil {
				v.Ack = a.Ack.By + ": " + a.Ack.Comment
			}
			list = append(list, v)
		}
	}
	return list
}

// An alarmPage is all that is known of one alarm.
type alarmPage struct {
	alarmView
	Active     bool
	Facts      []fact
	Codes      []fact
	Evidence   []evidenceView
	Cause      *related
	Explains   []related
	Deliveries []deliveryRow
	Silence    string
	ClearedBy  string
	Group      string
	Object     string
	Lengths    []act.Length
}

type fact struct{ Name, Value string }

type evidenceView struct {
	At          stamp
	Text, Where string
}

type related struct{ Href, Name, Text string }

type deliveryRow struct {
	deliveryView
	At    stamp
	Takes string // what its route lets through
}

// one returns all about the alarm of a number; false: it is not known any more.
func (s AlarmState) one(number uint64, now time.Time) (p alarmPage, found bool) {
	if i := slices.IndexFunc(s.Active, func(a alarms.Active) bool { return a.Number == number }); i >= 0 {
		a := s.Active[i]
		p = s.page(a.Alarm, now)
		p.alarmView, p.Active = s.view(a, now), true
		s.relate(&p, a)
		if x := a.Silence; x != nil {
			p.Silence = fmt.Sprintf("silence %d of %s until %s: %s", x.ID, x.Author, stampOf(x.Until, now).Clock, x.Reason)
		}
		return p, true
	}
	if i := slices.IndexFunc(s.Cleared, func(a alarms.Alarm) bool { return a.Number == number }); i >= 0 {
		a := s.Cleared[i]
		p = s.page(a, now)
		p.alarmView = clearedView(a, now)
		p.Action = alarms.Advice(a)
		if a.Ack != nil {
			p.Ack = a.Ack.By + ": " + a.Ack.Comment
		}
		return p, true
	}
	return p, false
}

// relate adds what explains a, and what a explains.
func (s AlarmState) relate(p *alarmPage, a alarms.Active) {
	for _, other := range s.Active {
		r := related{alarmPath(other.Number), other.Key.String(), other.Text}
		switch {
		case a.RelatedTo != nil && other.Key == *a.RelatedTo:
			p.Cause = &r
		case other.RelatedTo != nil && *other.RelatedTo == a.Key:
			p.Explains = append(p.Explains, r)
		}
	}
}

// page returns what is said of active and of cleared alarms at length.
func (s AlarmState) page(a alarms.Alarm, now time.Time) (p alarmPage) {
	p.Facts = []fact{
		{"Serial number", stated(a.Serial)}, {"Times seen", fmt.Sprint(a.Count)}, {"X.733", a.Type + ", " + a.Cause},
		{"Group", a.Group}, {"Last evidence", stampOf(a.Last, now).Clock},
	}
	if m := a.Measure(); m != nil {
		p.Facts = append(p.Facts, fact{"Value", fmt.Sprintf("%.6g %s, threshold %.6g %s", m.Value, m.Unit, m.Threshold, m.Unit)})
	}
	for _, name := range a.Codes {
		c, _ := alarms.CodeNamed(name)
		p.Codes = append(p.Codes, fact{"ALM" + name, strings.TrimSpace(c.Text + " " + c.Why)})
	}
	for _, e := range a.Evidence {
		p.Evidence = append(p.Evidence, evidenceOf(e, now))
	}
	for _, d := range s.deliveries(a) {
		p.Deliveries = append(p.Deliveries, deliveryRow{d, stampOf(d.At, now), s.takes(d.Receiver)})
	}
	p.ClearedBy, p.Group, p.Object, p.Lengths = rules.HowCleared(a.Group), a.Group, a.Object, act.Lengths()
	return p
}

// takes says what the route of a receiver lets through.
func (s AlarmState) takes(receiver string) string {
	r, configured := s.Routes[receiver]
	if !configured {
		return "it is not configured any more"
	}
	return r.Words()
}

// A silenceView is a silence in a list.
type silenceView struct {
	ID                        uint64
	Of, Author, Reason, State string
	From, Until               stamp
	Acts                      bool
}

func (s AlarmState) silences(now time.Time) (list []silenceView) {
	for _, x := range s.Silences {
		state := "in force"
		if x.From.After(now) {
			state = "to come"
		}
		if x.Every != nil {
			state += ", " + x.Every.String()
		}
		list = append(list, silenceView{x.ID, exporters.Selection(x.Match), x.Author, x.Reason, state, stampOf(x.From, now), stampOf(x.Until, now), s.acting})
	}
	return list
}
