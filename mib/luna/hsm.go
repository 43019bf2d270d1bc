package luna

import (
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/vendor"
)

// hsmTable has a row for every HSM, also for one that was never read.
var hsmTable = mib.Table[mib.Device]{
	Name:  "lunaHsmTable",
	Entry: lunaObjects.Append(5, 1),
	Parts: mib.ByDevice(func(d mib.Device) []any { return []any{d.Device, d.Condition, d.NextExpiry(d.Source.Now)} }, itself),
	Columns: []mib.Column[mib.Device]{
		{2, "lunaHsmName", func(d mib.Device) agentx.Value { return text(d.Name) }},
		{3, "lunaHsmKind", func(d mib.Device) agentx.Value {
			return mib.Enum(d.Kind, map[hsm.Kind]int32{hsm.NetworkHSM: 1, hsm.CardHSM: 2})
		}},
		{4, "lunaHsmState", func(d mib.Device) agentx.Value { return state(d.Condition.State) }},
		{5, "lunaHsmReason", func(d mib.Device) agentx.Value { return text(d.Condition.Reason) }},
		{6, "lunaHsmSince", func(d mib.Device) agentx.Value { return mib.Moment(d.Condition.Since) }},
		{7, "lunaHsmReach", func(d mib.Device) agentx.Value { return agentx.Integer(reachOf(d.Sources)) }},
		{8, "lunaHsmAlarms", func(d mib.Device) agentx.Value { return agentx.Gauge32(uint32(d.Condition.Alarms)) }},
		{9, "lunaHsmWorstAlarm", func(d mib.Device) agentx.Value { return mib.Perceived(d.Condition.Severity) }},
		{10, "lunaHsmSerial", func(d mib.Device) agentx.Value { return known(d.Serial()) }},
		{11, "lunaHsmLabel", show(func(s hsm.Show) agentx.Value { return mib.Optional(s.Label, text) })},
		{12, "lunaHsmModel", show(func(s hsm.Show) agentx.Value { return known(s.Model) })},
		{13, "lunaHsmFirmware", show(func(s hsm.Show) agentx.Value { return known(s.Firmware) })},
		{14, "lunaHsmSoftware", show(func(s hsm.Show) agentx.Value { return known(s.SoftwareVersion) })},
		{15, "lunaHsmStatus", show(func(s hsm.Show) agentx.Value { return known(string(s.Status)) })},
		{16, "lunaHsmBattery", card(func(e *hsm.Environment, _ *mib.Condition) agentx.Value { return milli(e.BatteryVolts) })},
		{17, "lunaHsmBatteryThreshold", card(func(_ *hsm.Environment, c *mib.Condition) agentx.Value { return milli(c.Battery.Lower) })},
		{18, "lunaHsmBatteryWarns", card(func(e *hsm.Environment, _ *mib.Condition) agentx.Value { return mib.Truth(e.BatteryLow) })},
		{19, "lunaHsmTemperature", card(func(e *hsm.Environment, _ *mib.Condition) agentx.Value { return milli(e.TemperatureCelsius) })},
		{20, "lunaHsmTemperatureThreshold", card(func(_ *hsm.Environment, c *mib.Condition) agentx.Value { return milli(c.Temperature.Upper) })},
		{21, "lunaHsmTemperatureWarns", card(func(e *hsm.Environment, _ *mib.Condition) agentx.Value { return mib.Truth(e.TemperatureHigh) })},
		{22, "lunaHsmUtilization", sample(func(s hsm.Sample) agentx.Value { return hundredths(s.Utilization) })},
		{23, "lunaHsmUtilizationInterval", monitor(func(m hsm.Monitor) agentx.Value {
			if len(m.Samples) == 0 || !m.IntervalSeconds.Known {
				return agentx.Value{}
			}
			return hundredths(m.Samples[len(m.Samples)-1].UtilizationInt)
		})},
		{24, "lunaHsmInterval", monitor(func(m hsm.Monitor) agentx.Value { return count(m.IntervalSeconds) })},
		{25, "lunaHsmUpTime", sample(func(s hsm.Sample) agentx.Value { return mib.Gauge32(s.UptimeSeconds) })},
		{26, "lunaHsmResetAt", monitor(func(m hsm.Monitor) agentx.Value {
			return mib.Optional(m.LastReset, func(t hsm.LocalTime) agentx.Value { return agentx.Text(mib.DateAndTime(t.Time)[:8]) })
		})},
		{27, "lunaHsmCommands", sample(func(s hsm.Sample) agentx.Value { return agentx.Counter64(s.Commands) })},
		{28, "lunaHsmOperationRequests", information(func(i hsm.Information) hsm.Opt[uint64] { return i.OperationRequests })},
		{29, "lunaHsmOperationErrors", information(func(i hsm.Information) hsm.Opt[uint64] { return i.OperationErrors })},
		{30, "lunaHsmCryptoRequests", information(func(i hsm.Information) hsm.Opt[uint64] { return i.CryptoRequests })},
		{31, "lunaHsmCryptoErrors", information(func(i hsm.Information) hsm.Opt[uint64] { return i.CryptoErrors })},
		{32, "lunaHsmCriticalEvents", information(func(i hsm.Information) hsm.Opt[uint64] { return i.CriticalEvents })},
		{33, "lunaHsmNoncriticalEvents", information(func(i hsm.Information) hsm.Opt[uint64] { return i.NoncriticalEvents })},
		{34, "lunaHsmDiscontinuity", discontinuity},
		{35, "lunaHsmTamper", func(d mib.Device) agentx.Value {
			return mib.Enum(tampered(d), map[hsm.TamperState]int32{hsm.TamperNone: 1, hsm.TamperDetected: 2})
		}},
		{36, "lunaHsmTampers", of(func(d *hsm.Device) hsm.Section[hsm.Tamper] { return d.Tamper }, func(t hsm.Tamper) agentx.Value {
			return text(strings.Join(t.Tampers, "; "))
		})},
		{37, "lunaHsmTransportMode", show(func(s hsm.Show) agentx.Value { return truth(s.SecureTransportMode) })},
		{38, "lunaHsmZeroized", show(func(s hsm.Show) agentx.Value { return truth(s.Zeroized) })},
		{39, "lunaHsmManuallyZeroized", show(func(s hsm.Show) agentx.Value { return truth(s.ManuallyZeroized) })},
		{40, "lunaHsmFips", show(func(s hsm.Show) agentx.Value { return truth(s.FIPS) })},
		{41, "lunaHsmSoAttemptsLeft", show(func(s hsm.Show) agentx.Value { return count(s.SOLoginAttemptsLeft) })},
		{42, "lunaHsmAuditRole", show(func(s hsm.Show) agentx.Value {
			return mib.Enum(s.AuditRole, map[hsm.AuditRole]int32{hsm.AuditNotSupported: 1, hsm.AuditYes: 2, hsm.AuditNo: 3})
		})},
		{43, "lunaHsmStorageTotal", show(func(s hsm.Show) agentx.Value { return size(s.Storage.Total) })},
		{44, "lunaHsmStorageUsed", show(func(s hsm.Show) agentx.Value { return size(s.Storage.Used) })},
		{45, "lunaHsmStorageFree", show(func(s hsm.Show) agentx.Value { return size(s.Storage.Free) })},
		{46, "lunaHsmPartitionsCreated", show(func(s hsm.Show) agentx.Value { return count(s.PartitionsCreated) })},
		{47, "lunaHsmPartitionsAllowed", show(func(s hsm.Show) agentx.Value { return count(s.PartitionsAllowed) })},
		{48, "lunaHsmLicences", licences},
		{49, "lunaHsmReadAt", func(d mib.Device) agentx.Value { return mib.Moment(newest(d)) }},
		{50, "lunaHsmStale", stale},
		{51, "lunaHsmProvenAt", func(d mib.Device) agentx.Value { return mib.Moment(d.Proven.At) }},
		{52, "lunaHsmProvenBy", func(d mib.Device) agentx.Value { return known(d.Proven.By) }},
		{53, "lunaHsmVendorRow", func(d mib.Device) agentx.Value {
			if d.Serial() == "" {
				return agentx.ObjectIdentifier(agentx.OID{0, 0})
			}
			return agentx.ObjectIdentifier(vendor.SerialNumber(d.Serial()))
		}},
	},
}

// hsmAges is the last column of lunaHsmTable.
var hsmAges = mib.Table[mib.Device]{
	Entry: hsmTable.Entry,
	Parts: aging(itself),
	Columns: []mib.Column[mib.Device]{
		{54, "lunaHsmAge", func(d mib.Device) agentx.Value { return age(d, newest(d)) }},
	},
}

func show(get func(hsm.Show) agentx.Value) func(mib.Device) agentx.Value {
	return of(func(d *hsm.Device) hsm.Section[hsm.Show] { return d.Show }, get)
}

// card is about the sensors of the card, which not every model has.
func card(get func(*hsm.Environment, *mib.Condition) agentx.Value) func(mib.Device) agentx.Value {
	return func(d mib.Device) agentx.Value {
		if s, fresh := d.Show.Get(d.Source.Now); fresh && s.Environment != nil {
			return get(s.Environment, d.Condition)
		}
		return agentx.Value{}
	}
}

func monitor(get func(hsm.Monitor) agentx.Value) func(mib.Device) agentx.Value {
	return of(func(d *hsm.Device) hsm.Section[hsm.Monitor] { return d.Monitor }, get)
}

// sample is about the newest sample.
func sample(get func(hsm.Sample) agentx.Value) func(mib.Device) agentx.Value {
	return monitor(func(m hsm.Monitor) agentx.Value {
		if len(m.Samples) == 0 {
			return agentx.Value{}
		}
		return get(m.Samples[len(m.Samples)-1])
	})
}

func information(get func(hsm.Information) hsm.Opt[uint64]) func(mib.Device) agentx.Value {
	return of(func(d *hsm.Device) hsm.Section[hsm.Information] { return d.Information }, func(i hsm.Information) agentx.Value { return counter(get(i)) })
}

// reachOf returns LunaReach of sources.
func reachOf(sources map[string]hsm.Source) int32 {
	reach := int32(reachUnknown)
	for _, s := range sources {
		switch l := reachOfSource(s); {
		case l == reached && reach == reachUnknown:
			reach = reached
		case l > reachUnknown && (reach <= reachUnknown || l < reach):
			reach = l
		}
	}
	return reach
}

func reachOfSource(s hsm.Source) int32 {
	if s.Failure == hsm.None {
		return reached
	}
	if l, ok := layers[s.Layer]; ok {
		return l
	}
	return reachUnknown
}

// discontinuity exists with the counters.
func discontinuity(d mib.Device) agentx.Value {
	if d.Source.Alarms == nil || !d.Monitor.Fresh(d.Source.Now) && !d.Information.Fresh(d.Source.Now) && !d.Operations.Fresh(d.Source.Now) {
		return agentx.Value{}
	}
	return mib.Ticks(d.Source.Alarms.Started, d.Condition.Discontinuity)
}

// tampered is the worse of what two commands state.
func tampered(d mib.Device) hsm.TamperState {
	var tamper hsm.TamperState
	if t, fresh := d.Tamper.Get(d.Source.Now); fresh {
		tamper = t.State
	}
	if s, fresh := d.Show.Get(d.Source.Now); fresh && (tamper == "" || s.Tamper == hsm.TamperDetected) {
		tamper = s.Tamper
	}
	return tamper
}

func licences(d mib.Device) agentx.Value {
	if s, fresh := d.Show.Get(d.Source.Now); fresh && s.LicenseCount.Known {
		return count(s.LicenseCount)
	}
	if l, fresh := d.Licenses.Get(d.Source.Now); fresh {
		return agentx.Gauge32(uint32(len(l)))
	}
	return agentx.Value{}
}

// newest is when the newest value of d was read; zero: never.
func newest(d mib.Device) (at time.Time) {
	for _, a := range d.Ages(d.Source.Now) {
		if a.At.After(at) {
			at = a.At
		}
	}
	return at
}

func stale(d mib.Device) agentx.Value {
	ages := d.Ages(d.Source.Now)
	if len(ages) == 0 {
		return agentx.Value{}
	}
	var names []string
	for name, a := range ages {
		if a.Stale {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return text(strings.Join(names, ", "))
}
