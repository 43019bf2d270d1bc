package snmp

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/alarm"
)

// A Form is what a notification looks like as a trap or inform.
type Form string

// The forms.
const (
	FormVendor    Form = "vendor"    // the vendor's six notifications: raised and cleared
	FormLunawatch Form = "lunawatch" // LUNAWATCH-MIB: everything, typed and numbered
	FormAlarmMIB  Form = "alarm-mib" // ALARM-MIB of RFC 3877: a pointer to the alarm's row
)

// Forms are the forms in which a receiver gets each notification; none:
// FormVendor.
type Forms []Form

// UnmarshalYAML reads one form or a list.
func (f *Forms) UnmarshalYAML(read func(any) error) error {
	var one Form
	if read(&one) == nil {
		*f = Forms{one}
		return nil
	}
	return read((*[]Form)(f))
}

func (f Forms) has(form Form) bool {
	return slices.Contains(f, form) || len(f) == 0 && form == FormVendor
}

// Validate returns all that is wrong with f.
func (f Forms) Validate() error {
	var errs []error
	for _, form := range f {
		switch form {
		case FormVendor, FormLunawatch, FormAlarmMIB:
		default:
			errs = append(errs, fmt.Errorf("%s is none of vendor, lunawatch, alarm-mib", setting.Shown("", string(form))))
		}
	}
	return errors.Join(errs...)
}

// Fits returns why a receiver with route r cannot have f; nil: it can.
func (f Forms) Fits(r notify.Route) error {
	switch {
	case r.Policy.Level == notify.LevelCategory && (f.has(FormLunawatch) || f.has(FormAlarmMIB)):
		return errors.New("level category allows form vendor only: the others identify the alarm")
	case r.Policy.Level == notify.LevelCoded && f.has(FormAlarmMIB):
		return errors.New("level coded does not allow form alarm-mib: it points to a row of the alarm table")
	case r.Heartbeat > 0 && !f.has(FormLunawatch):
		return errors.New("heartbeat needs form lunawatch: the others have no notification for it")
	}
	return nil
}

// notices has the notice of LUNAWATCH-MIB for each kind.
var notices = map[alarms.Kind]alarm.NoticeKind{
	alarms.Raised: alarm.NoticeRaised, alarms.Updated: alarm.NoticeChanged, alarms.Cleared: alarm.NoticeCleared, alarms.Repeated: alarm.NoticeRepeated,
	alarms.Acknowledged: alarm.NoticeAcknowledged, alarms.Unacknowledged: alarm.NoticeUnacknowledged,
	alarms.Started: alarm.NoticeStarted, alarms.Heartbeat: alarm.NoticeHeartbeat,
}

// Traps returns what is sent for n: nothing, if no form has a notification for
// it.
func (f Forms) Traps(n alarms.Notification) (traps []alarm.Trap) {
	if n.Change.Kind == alarms.RaisedAndCleared {
		raised, cleared := n, n
		raised.Change.Kind, raised.Change.Alarm.Cleared, cleared.Change.Kind = alarms.Raised, time.Time{}, alarms.Cleared
		return append(f.Traps(raised), f.Traps(cleared)...)
	}
	notice := alarm.Notice{Sequence: n.Sequence, At: n.At, Kind: notices[n.Change.Kind], ID: n.ID}
	row := MIBRow(n.Change.Alarm)
	row.Label = n.Label
	if f.has(FormVendor) {
		traps = append(traps, vendorTraps(n)...)
	}
	if f.has(FormAlarmMIB) {
		if t, ok := alarm.StandardNotification(notice, row); ok {
			traps = append(traps, t)
		}
	}
	if f.has(FormLunawatch) && notice.Kind != 0 {
		traps = append(traps, alarm.LunaNotification(notice, row))
	}
	if n.Change.Kind == alarms.Started { // one is enough; the last holds the most
		traps = traps[max(0, len(traps)-1):]
	}
	return traps
}

// vendorTraps returns n as the vendor's own trap agent would send it, which
// knows neither acknowledgements nor heartbeats.
func vendorTraps(n alarms.Notification) []alarm.Trap {
	switch n.Change.Kind {
	case alarms.Acknowledged, alarms.Unacknowledged, alarms.Heartbeat:
		return nil
	case alarms.Started:
		return []alarm.Trap{alarm.ColdStart()}
	default:
		oid, object, reference := VendorTrap(n)
		return []alarm.Trap{{OID: oid, Objects: []agentx.Varbind{{OID: object, Value: agentx.Text(reference)}}}}
	}
}
