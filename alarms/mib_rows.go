package alarms

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
)

// modelNumbers are the alarmModelIndex of groups. A number stays with its
// group for ever: managers know it. A new group gets the next.
var modelNumbers = map[string]uint32{
	"soft-v": 1, "soft-t": 2, "soft": 3, "hard-ht": 4, "hard-lt": 5, "hard-ov": 6, "hard-osc": 7, "hard-cfg": 8, "hard": 9,
	"chassis": 10, "removal": 11, "decom": 12, "zeroize": 13, "lock": 14, "restart": 15, "halt": 16, "hw": 17, "integrity": 18,
	"comm": 19, "temp-warn": 20, "battery": 21, "activation": 22, "stm": 23, "fan": 24, "fwupd": 25, "capacity": 26, "meta": 27,
	"hsm-status": 28, "hsm-silent": 29, "hsm-crashed": 30, "hsm-sessions": 31, "audit-log": 32, "so-login-attempts": 33,
	"hsm-storage": 34, "partition-storage": 35, "ntls": 36, "ntls-log": 37, "ntls-certificate": 38, "appliance-fan": 39,
	"power-supply": 40, "motherboard": 41, "disk": 42, "log-disk": 43, "host-disk": 44, "ha-member": 45, "ha-exhausted": 46,
	"ha-redundancy": 47, "ha-standby-in-use": 48, "ha-offline": 49, "ha-recovery-disabled": 50, "ha-unasked": 51,
	"client-certificate": 52, "system-status": 53, "service": 54, "unreachable": 55, "storm": 56, "delivery": 57, "journal": 58,
	"test": 59, "sources-disagree": 60, "source-failing": 61, "data-stale": 62, "audit-event": 63,
	"failed-login": 64, "forecast": 65, "inventory": 66, "inventory-member": 67, "inventory-partition": 68, "utilization": 69,
}

// Models are the kinds of alarm for alarmModelTable: one of each group.
func Models() []mib.Model {
	var all []mib.Model
	for _, g := range Groups {
		eventType, cause := classify(Judgement{Key: Key{Group: g.Name}})
		all = append(all, mib.Model{Index: modelNumbers[g.Name], Title: g.Title, EventType: eventType, Cause: cause, Action: g.Action})
	}
	return all
}

// MIBRow returns a as SNMP shows it, without what the alarm does not know of
// itself.
func (a Alarm) MIBRow() mib.Alarm {
	row := mib.Alarm{
		Number: a.Number, Model: modelNumbers[a.Group], Key: a.Key.String(), Device: a.Device, Serial: a.Serial, Object: a.Object, Group: a.Group,
		Codes: a.Codes, Severity: mib.Severity(a.Severity), EventType: a.Type, Cause: a.Cause, Text: a.Text, Action: GroupNamed(a.Group).Action,
		Raised: a.Raised, Last: a.Last, Cleared: a.Cleared, Count: a.Count, Flapping: a.Flapping, InStorm: a.InStorm, Test: a.Test,
	}
	if strings.Contains(a.Group, "partition") {
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
		row := s.MIBRow()
		w.complete(&row)
		row.Silenced = s.Silence != nil
		if s.RelatedTo != nil {
			row.RelatedTo = s.RelatedTo.String()
		}
		all.Active = append(all.Active, row)
	}
	history, err := w.History(mib.MaxCleared)
	for _, a := range history {
		row := a.MIBRow()
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
