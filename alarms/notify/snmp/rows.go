package snmp

import (
	"strconv"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/mib"
)

// Models returns the kinds of alarm for alarmModelTable: one for each group.
func Models() []mib.Model {
	var all []mib.Model
	for _, g := range alarms.Groups() {
		all = append(all, mib.Model{Index: g.Number, Title: g.Title, EventType: g.Type, Cause: g.Cause, Action: g.Action})
	}
	return all
}

// MIBRow returns a as SNMP shows it, without what an alarm does not hold.
func MIBRow(a alarms.Alarm) mib.Alarm {
	group := alarms.GroupNamed(a.Group)
	row := mib.Alarm{
		Number: a.Number, Model: group.Number, Key: a.Key.String(), Device: a.Device, Serial: a.Serial, Object: a.Object, Group: a.Group,
		Codes: a.Codes, Severity: mib.Severity(a.Severity), EventType: a.Type, Cause: a.Cause, Text: a.Text, Action: alarms.Advice(a),
		Raised: a.Raised, Last: a.Last, Cleared: a.Cleared, Count: a.Count, Flapping: a.Flapping, InStorm: a.InStorm, Test: a.Test,
	}
	if group.OfPartition {
		row.Partition = a.Object
	}
	if n := len(a.Codes); n > 0 {
		c, _ := alarms.CodeNamed(a.Codes[n-1])
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
