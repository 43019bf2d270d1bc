package exporters

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
)

// An AlarmState is what the status page shows of alarms.
type AlarmState struct {
	Active     []alarms.Active // worst first
	Silences   []alarms.Silence
	Deliveries map[string]notify.Delivery // by receiver
	Trouble    string                     // why the state is not stored; "": it is
}

// AlarmsOf returns what the status page shows of the alarms of w.
func AlarmsOf(w *watch.Watch) AlarmState {
	s := AlarmState{Active: w.Active(), Silences: w.Silences(), Deliveries: w.Deliveries()}
	if err := w.Journal.Trouble(); err != nil {
		s.Trouble = err.Error()
	}
	return s
}

type alarmRow struct {
	Anchor, Number, Severity, HSM, Alarm, Since, Count, Text, Action string

	Marks []string
}

func alarmRows(list []alarms.Active, now time.Time) (rows []alarmRow) {
	for _, a := range list {
		rows = append(rows, alarmRow{
			strings.TrimPrefix(alarms.Anchor(a.Number), "#"), fmt.Sprint(a.Number), a.Severity.String(), a.Device, subject(a.Key), since(a.Raised, now), fmt.Sprint(a.Count), a.Text, a.Action, Marks(a, now),
		})
	}
	return rows
}

type silenceRow struct{ Number, From, Until, By, Of, Reason string }

func silenceRows(list []alarms.Silence, now time.Time) (rows []silenceRow) {
	for _, s := range list {
		rows = append(rows, silenceRow{fmt.Sprint(s.ID), clock(s.From, now), clock(s.Until, now), s.Author, selection(s.Match), s.Reason})
	}
	return rows
}

type deliveryRow struct {
	Receiver                 string
	Delivered, Waiting, Lost string
	Oldest, Error            string
	Bad                      bool
}

func deliveryRows(all map[string]notify.Delivery, now time.Time) (rows []deliveryRow) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := all[name]
		lost := d.Rejected + d.Expired
		rows = append(rows, deliveryRow{
			name, fmt.Sprint(d.Delivered), fmt.Sprint(d.Waiting), fmt.Sprint(lost), since(d.Oldest, now), dash(d.Error), d.Waiting > 0 && d.Error != "" || lost > 0,
		})
	}
	return rows
}
