package entity

import (
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

const (
	stateUnknown int32 = 1

	operDisabled, operEnabled int32 = 2, 3
)

// stateTable says how every part is. What nobody states is unknown, and what is stale, too.
var stateTable = mib.Table[row]{
	Name:  "entStateTable",
	Entry: stateMIB.Append(1, 1, 1),
	Parts: ofDevices(stateStamp, eachRow),
	Columns: []mib.Column[row]{
		{1, "entStateLastChanged", func(r row) agentx.Value { return mib.Moment(r.since()) }},
		{2, "entStateAdmin", func(row) agentx.Value { return agentx.Integer(stateUnknown) }},
		{3, "entStateOper", func(r row) agentx.Value { return agentx.Integer(r.oper()) }},
		{4, "entStateUsage", func(row) agentx.Value { return agentx.Integer(stateUnknown) }},
		{5, "entStateAlarm", func(r row) agentx.Value { return agentx.Octets([]byte{r.alarm()}) }},
		{6, "entStateStandby", func(row) agentx.Value { return agentx.Integer(stateUnknown) }},
	},
}

// since returns when the state last changed; the start, if it has not since.
func (r row) since() time.Time {
	if at, changed := r.entity.Since[r.Number]; changed {
		return at
	}
	if r.src.Alarms == nil {
		return time.Time{}
	}
	return r.src.Alarms.Started
}

// A Part is what of a part can change without a change of its numbers.
type Part struct {
	Oper     int32  // StateOper of RFC 4268
	Alarm    byte   // AlarmStatus
	Identity string // what entPhysicalTable shows of it
}

// Parts returns the parts that a numbered device has, by their numbers.
func Parts(src mib.Source, d *hsm.Device) map[uint32]Part {
	all := make(map[uint32]Part)
	for _, r := range rows(&src, d, src.Entities.Devices[d.Name]) {
		p := Part{Oper: r.oper(), Alarm: r.alarm()}
		if s := d.Show.Value; r.key == hsmKey || r.key == chassisKey {
			p.Identity = strings.Join([]string{s.Serial, s.Model, s.Firmware, s.SoftwareVersion, s.Label.Value}, "\x00")
		}
		all[r.Number] = p
	}
	return all
}

// oper returns StateOper: what the device says of the part itself.
func (r row) oper() int32 {
	switch {
	case !r.fresh():
		return stateUnknown
	case r.key == hsmKey:
		return operOf(r.device.Show.Value)
	case r.key == chassisKey:
		return operEnabled
	case r.Class == classSensor, r.Class == classBattery:
		if r.measure.readable() {
			return operEnabled
		}
		return stateUnknown
	}
	return operOfPart(r.status)
}

// operOf returns how an HSM that answers is.
func operOf(s hsm.Show) int32 {
	oper := operEnabled
	for _, part := range s.Status.Parts() {
		switch part {
		case hsm.PartTampered, hsm.PartDecommissioned:
			return operDisabled
		case hsm.PartUnknown:
			oper = stateUnknown
		default:
		}
	}
	return oper
}

// partOpers are the words for fans and power supplies, in lower case.
var partOpers = map[string]int32{
	"ok": operEnabled, "active": operEnabled, "standby": operEnabled, "presence detected": operEnabled,
	"failed": operDisabled, "failure": operDisabled, "fault": operDisabled, "failure detected": operDisabled, "nr": operDisabled,
	"power supply ac lost": operDisabled, "ac lost or out-of-range": operDisabled, "power supply inactive": operDisabled,
}

// operOfPart returns the worst of the words of a status; a word that is not known says
// nothing.
func operOfPart(status string) int32 {
	oper := stateUnknown
	for word := range strings.SplitSeq(strings.ToLower(status), ",") {
		switch partOpers[strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(word), "*"))] {
		case operDisabled:
			return operDisabled
		case operEnabled:
			oper = operEnabled
		}
	}
	return oper
}

// The bits of AlarmStatus of RFC 4268. underRepair is never set.
const alarmUnknown byte = 0x80

var alarmBits = map[mib.Severity]byte{mib.Critical: 0x20, mib.Major: 0x10, mib.Minor: 0x08, mib.Warning: 0x04, mib.Indeterminate: 0x02}

// alarm returns the severities of the active alarms of the part itself. While it cannot be
// read, there may be others.
func (r row) alarm() (bits byte) {
	if !r.fresh() || r.src.Entities.Alarms == nil {
		bits = alarmUnknown
	}
	for _, a := range r.src.Entities.Alarms[r.device.Name] {
		if !a.Test && r.key == partOf(a, r.entity, r.device) {
			bits |= alarmBits[a.Severity]
		}
	}
	return bits
}

// groupParts are the groups of alarms about one part, with the key that the object of the
// alarm completes.
var groupParts = map[string]string{
	"battery": batteryKey, "temp-warn": cardKey, "fan": "hsm fan ",
	"appliance-fan": "fan ", "power-supply": "supply ", "motherboard": "sensor ",
}

// ofAppliance are the groups of other alarms that are about an appliance, not its HSM.
var ofAppliance = []string{"unreachable", "disk", "log-disk", "chassis", "ntls", "ntls-log", "ntls-certificate", "appliance-fan", "power-supply", "motherboard"}

// partOf returns the key of the part that an alarm is about.
func partOf(a *mib.Alarm, e *mib.Entity, d *hsm.Device) string {
	key := groupParts[a.Group]
	if strings.HasSuffix(key, " ") {
		key += hsm.PartName(a.Object)
	}
	if _, known := e.Parts[key]; known {
		return key
	}
	if d.Kind == hsm.HostMachine || d.Kind == hsm.NetworkHSM && slices.Contains(ofAppliance, a.Group) {
		return chassisKey
	}
	return hsmKey
}

// Stamp is equal while [Parts] are, and the numbers of a device.
func Stamp(src mib.Source, d *hsm.Device) []any {
	return append(stateStamp(&src, d), src.Entities.Devices[d.Name])
}

// stateStamp is the stamp of what entStateTable shows. Equal pointers are equal alarms.
func stateStamp(src *mib.Source, d *hsm.Device) []any {
	stamp := values(src, d)
	if src.Alarms == nil {
		return stamp
	}
	stamp = append(stamp, src.Alarms.Started)
	for _, a := range src.Entities.Alarms[d.Name] {
		stamp = append(stamp, a)
	}
	return stamp
}
