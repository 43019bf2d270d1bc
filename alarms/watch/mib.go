package watch

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
)

// mibRows are the rows of alarms, made once: a row that shows the same is the same.
type mibRows struct {
	active  map[alarms.Key]*mib.Alarm
	cleared []*mib.Alarm // newest first
	read    bool         // cleared is what the journal holds
}

// drop has the rows of alarms made anew.
func (r *mibRows) drop(changes []alarms.Change) {
	for _, c := range changes {
		delete(r.active, c.Alarm.Key)
		r.read = r.read && c.Kind != alarms.Cleared
	}
}

// MIBAlarms returns all that the alarm tables show. With an error, only the
// history is incomplete.
func (w *Watch) MIBAlarms() (mib.Alarms, error) {
	all := mib.Alarms{Models: snmp.Models()}
	var errs []error
	for name, d := range w.Deliveries() {
		last, err := w.Journal.LastSequence(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all.Receivers = append(all.Receivers, mib.AlarmReceiver{
			Name: name, Sequence: last, Waiting: d.Waiting, Delivered: d.Delivered, Failed: d.Failed, Lost: d.Rejected + d.Expired,
		})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	snap := w.Store.Latest()
	all.Active = w.activeRows(snap, time.Now())
	var err error
	all.Cleared, err = w.clearedRows(snap)
	all.LastNumber, all.Raised = w.state.Number, make(map[mib.Severity]uint64)
	for severity, n := range w.tally.raised {
		all.Raised[mib.Severity(severity)] = n
	}
	all.LastRaise, all.LastClear = w.tally.lastRaise, w.tally.lastClear
	return all, errors.Join(append(errs, err)...)
}

// activeRows returns the rows of the active alarms, by their numbers. w.mu is held.
func (w *Watch) activeRows(snap *hsm.Snapshot, now time.Time) []*mib.Alarm {
	if w.rows.active == nil {
		w.rows.active = make(map[alarms.Key]*mib.Alarm)
	}
	all := w.everywhere()
	active := &alarms.Overlay[alarms.Alarm]{Base: all}
	list := make([]*mib.Alarm, 0, len(all))
	for key, a := range all {
		silenced, related := alarms.SilencedBy(w.state.Silences, a, now) != nil, ""
		if cause, ok := alarms.CauseOf(a, active, w.setup().Parent); ok {
			related = cause.String()
		}
		row := w.rows.active[key]
		if row == nil || row.Silenced != silenced || row.RelatedTo != related {
			made := snmp.MIBRow(a)
			made.Silenced, made.RelatedTo = silenced, related
			row = &made
		}
		row = completed(row, snap)
		w.rows.active[key] = row
		list = append(list, row)
	}
	slices.SortFunc(list, func(a, b *mib.Alarm) int { return cmp.Compare(a.Number, b.Number) })
	return list
}

// clearedRows returns the rows of the newest cleared alarms. w.mu is held.
func (w *Watch) clearedRows(snap *hsm.Snapshot) ([]*mib.Alarm, error) {
	var err error
	if !w.rows.read {
		var history []alarms.Alarm
		history, err = w.History(mib.MaxCleared)
		w.rows.cleared, w.rows.read = nil, err == nil
		for _, a := range history {
			row := snmp.MIBRow(a)
			w.rows.cleared = append(w.rows.cleared, &row)
		}
	}
	list := make([]*mib.Alarm, len(w.rows.cleared))
	for i, row := range w.rows.cleared {
		list[i] = completed(row, snap)
	}
	w.rows.cleared = list
	return list, err
}

// completed returns a row with what is known of the alarm's device.
func completed(row *mib.Alarm, snap *hsm.Snapshot) *mib.Alarm {
	d := snap.Device(row.Device)
	if d == nil {
		return row
	}
	serial, label := cmp.Or(row.Serial, d.Serial()), d.Show.Value.Label.Value
	if row.Serial == serial && row.Label == label {
		return row
	}
	next := *row
	next.Serial, next.Label = serial, label
	return &next
}
