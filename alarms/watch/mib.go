package watch

import (
	"cmp"
	"errors"
	"slices"

	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
)

// MIBAlarms returns all that the alarm tables show. With an error, only the
// history is incomplete.
func (w *Watch) MIBAlarms() (mib.Alarms, error) {
	all := mib.Alarms{Models: snmp.Models()}
	for _, s := range w.Active() {
		row := snmp.MIBRow(s.Alarm)
		w.complete(&row)
		row.Silenced = s.Silence != nil
		if s.RelatedTo != nil {
			row.RelatedTo = s.RelatedTo.String()
		}
		all.Active = append(all.Active, row)
	}
	history, err := w.History(mib.MaxCleared)
	for _, a := range history {
		row := snmp.MIBRow(a)
		w.complete(&row)
		all.Cleared = append(all.Cleared, row)
	}
	for name, d := range w.Deliveries() {
		last, unreadable := w.Journal.LastSequence(name)
		if unreadable != nil {
			err = errors.Join(err, unreadable)
			continue
		}
		all.Receivers = append(all.Receivers, mib.AlarmReceiver{
			Name: name, Sequence: last, Waiting: d.Waiting, Delivered: d.Delivered, Failed: d.Failed, Lost: d.Rejected + d.Expired,
		})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	all.LastNumber, all.Raised = w.state.Number, make(map[mib.Severity]uint64)
	for severity, n := range w.tally.raised {
		all.Raised[mib.Severity(severity)] = n
	}
	all.LastRaise, all.LastClear = w.tally.lastRaise, w.tally.lastClear
	return all, err
}

// complete adds what is known of the alarm's device.
func (w *Watch) complete(row *mib.Alarm) {
	devices := w.Store.Latest().Devices
	if i := slices.IndexFunc(devices, func(d *hsm.Device) bool { return d.Name == row.Device }); i >= 0 {
		row.Serial = cmp.Or(row.Serial, devices[i].Serial())
		row.Label = devices[i].Show.Value.Label.Value
	}
}
