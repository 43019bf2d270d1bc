package alarms

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
)

// Models are the kinds of alarm for alarmModelTable: one of each group.
func Models() []mib.Model {
	var all []mib.Model
	for _, g := range Groups() {
		all = append(all, mib.Model{Index: g.Number, Title: g.Title, EventType: g.Type, Cause: g.Cause, Action: g.Action})
	}
	return all
}

// MIBRow returns a as SNMP shows it, without what the alarm does not know of
// itself.
func MIBRow(a Alarm) mib.Alarm {
	group := GroupNamed(a.Group)
	row := mib.Alarm{
		Number: a.Number, Model: group.Number, Key: a.Key.String(), Device: a.Device, Serial: a.Serial, Object: a.Object, Group: a.Group,
		Codes: a.Codes, Severity: mib.Severity(a.Severity), EventType: a.Type, Cause: a.Cause, Text: a.Text, Action: group.Action,
		Raised: a.Raised, Last: a.Last, Cleared: a.Cleared, Count: a.Count, Flapping: a.Flapping, InStorm: a.InStorm, Test: a.Test,
	}
	if group.OfPartition {
		row.Partition = a.Object
	}
	if n := len(a.Codes); n > 0 {
		c, _ := CodeNamed(a.Codes[n-1])
		row.Component = c.Component
	}
	if m := a.Measure(); m != nil {
		row.Value, row.Threshold, row.Unit = decimal(m.Value), decimal(m.Threshold), m.Unit
	}
	if a.Ack != nil {
		row.AckBy, row.AckText, row.AckAt = a.Ack.By, a.Ack.Comment, a.Ack.At
	}
	return row
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// MIBAlarms returns all that the alarm tables show. Its error is of the
// history; the rest is right all the same.
func (w *Watch) MIBAlarms() (mib.Alarms, error) {
	all := mib.Alarms{Models: Models()}
	for _, s := range w.Active() {
		row := MIBRow(s.Alarm)
		w.complete(&row)
		row.Silenced = s.Silence != nil
		if s.RelatedTo != nil {
			row.RelatedTo = s.RelatedTo.String()
		}
		all.Active = append(all.Active, row)
	}
	history, err := w.History(mib.MaxCleared)
	for _, a := range history {
		row := MIBRow(a)
		w.complete(&row)
		all.Cleared = append(all.Cleared, row)
	}
	for name, d := range w.Deliveries() {
		all.Receivers = append(all.Receivers, mib.AlarmReceiver{
			Name: name, Sequence: w.Journal.LastSequence(name), Waiting: d.Waiting, Delivered: d.Delivered, Failed: d.Failed, Lost: d.Rejected + d.Expired,
		})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	all.LastNumber, all.Raised = w.kept.Number, make(map[mib.Severity]uint64)
	for severity, n := range w.tally.raised {
		all.Raised[mib.Severity(severity)] = n
	}
	all.LastRaise, all.LastClear = w.tally.lastRaise, w.tally.lastClear
	return all, err
}

// complete adds what is known of the alarm's device.
func (w *Watch) complete(row *mib.Alarm) {
	devices := w.Store.Latest().Devices
	if i := slices.IndexFunc(devices, func(d hsm.Device) bool { return d.Name == row.Device }); i >= 0 {
		row.Serial = cmp.Or(row.Serial, devices[i].Serial())
		row.Label = devices[i].Show.Value.Label.Value
	}
}
