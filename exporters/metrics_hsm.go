package exporters

import (
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// last reads a number from the newest sample.
func last[N int64 | uint64 | float64](get func(hsm.Sample) N) func(hsm.Monitor) hsm.Opt[N] {
	return func(m hsm.Monitor) hsm.Opt[N] {
		if len(m.Samples) == 0 {
			return hsm.Opt[N]{}
		}
		return hsm.Some(get(m.Samples[len(m.Samples)-1]))
	}
}

func environment(get func(hsm.Environment) hsm.Opt[float64]) func(hsm.Show) hsm.Opt[float64] {
	return func(s hsm.Show) hsm.Opt[float64] {
		if s.Environment == nil {
			return hsm.Opt[float64]{}
		}
		return get(*s.Environment)
	}
}

// provenStamp is that of what proves an HSM.
func provenStamp(d *hsm.Device, _ time.Time) stamp {
	return stamp{fresh: !d.Proven.IsZero(), seq: d.Proven.Seq}
}

// probes reads a number from each probe whose result is not stale.
func probes(get func(hsm.Probe) float64) reader {
	return reader{probesStamp, func(d *hsm.Device, now time.Time, emit *encoder) {
		for _, p := range d.Probes {
			if p.Fresh(now) {
				emit.add(get(p), p.Name, p.Partition)
			}
		}
	}}
}

// probesStamp changes with the newest result, and when one becomes stale.
func probesStamp(d *hsm.Device, now time.Time) (s stamp) {
	for _, p := range d.Probes {
		if p.Fresh(now) {
			s = stamp{fresh: true, seq: s.seq + 1, at: max(s.at, p.At.UnixNano())}
		}
	}
	return s
}

// hsmMetrics are about the HSM itself.
var hsmMetrics = []metric{
	{"luna_hsm_info", gauge, infoGroup, "Identity of the HSM; always 1.", []string{"serial", "label", "model", "firmware", "part_number"},
		each(showOf, func(s hsm.Show, emit *encoder) {
			emit.add(1, s.Serial, s.Label.Value, s.Model, s.Firmware, s.PartNumber)
		})},
	{"luna_hsm_authentication", gauge, basic, "How roles log in: 1 for the method in use.", []string{"method"},
		each(showOf, func(s hsm.Show, emit *encoder) {
			state(s.Authentication, []hsm.Authentication{hsm.AuthPassword, hsm.AuthPED, hsm.AuthUnknown}, emit)
		})},
	{"luna_hsm_so_login_attempts_left", gauge, basic, "Wrong SO logins that remain before the HSM erases itself; absent when it has.", nil,
		of(showOf, func(s hsm.Show) hsm.Opt[int64] { return s.SOLoginAttemptsLeft })},
	{"luna_hsm_so_logged_in", gauge, basic, "1 while the security officer is logged in.", nil,
		flag(showOf, func(s hsm.Show) hsm.Opt[bool] { return s.SOLoggedIn })},
	{"luna_hsm_zeroized", gauge, basic, "1 if the HSM holds no keys and is not initialized.", nil,
		flag(showOf, func(s hsm.Show) hsm.Opt[bool] { return s.Zeroized })},
	{"luna_hsm_manually_zeroized", gauge, basic, "1 if the HSM was zeroized by hand.", nil,
		flag(showOf, func(s hsm.Show) hsm.Opt[bool] { return s.ManuallyZeroized })},
	{"luna_hsm_secure_transport_mode", gauge, basic, "1 while the HSM is in secure transport mode.", nil,
		flag(showOf, func(s hsm.Show) hsm.Opt[bool] { return s.SecureTransportMode })},
	{"luna_hsm_tampered", gauge, basic, "1 while a tamper is active.", nil,
		each(showOf, func(s hsm.Show, emit *encoder) {
			if s.Tamper != "" {
				emit.add(bit(s.Tamper == hsm.TamperDetected))
			}
		})},
	{"luna_hsm_active_tampers", gauge, basic, "Tampers that the HSM lists; the last event only.", []string{"tamper"},
		each(tamperOf, func(t hsm.Tamper, emit *encoder) {
			for _, name := range t.Tampers {
				emit.add(1, name)
			}
		})},
	{"luna_hsm_remote_login", gauge, basic, "1 if remote login is initialized.", nil,
		flag(showOf, func(s hsm.Show) hsm.Opt[bool] { return s.RemoteLogin })},
	{"luna_hsm_fips_mode", gauge, basic, "1 if only FIPS approved algorithms are allowed.", nil,
		flag(showOf, func(s hsm.Show) hsm.Opt[bool] { return s.FIPS })},
	{"luna_hsm_remote_ped_vector", gauge, basic, "State of the remote PED vector: 1 for the one that holds.", []string{"state"},
		each(showOf, func(s hsm.Show, emit *encoder) {
			state(s.RPV, []hsm.RPV{hsm.RPVNotSupported, hsm.RPVUninitialized, hsm.RPVInitialized}, emit)
		})},
	{"luna_hsm_audit_role", gauge, basic, "Whether the audit role is initialized: 1 for the state that holds.", []string{"state"},
		each(showOf, func(s hsm.Show, emit *encoder) {
			state(s.AuditRole, []hsm.AuditRole{hsm.AuditNotSupported, hsm.AuditYes, hsm.AuditNo}, emit)
		})},
	{"luna_hsm_partitions", gauge, basic, "Partitions created.", nil,
		each(showOf, func(s hsm.Show, emit *encoder) {
			if s.Partitions != nil && !s.PartitionsCreated.Known {
				emit.add(float64(len(s.Partitions)))
			}
			number(s.PartitionsCreated, emit)
		})},
	{"luna_hsm_partitions_allowed", gauge, basic, "Partitions that the HSM can hold.", nil,
		of(showOf, func(s hsm.Show) hsm.Opt[int64] { return s.PartitionsAllowed })},
	{"luna_hsm_storage_size_bytes", gauge, basic, "Storage of the HSM.", nil,
		of(showOf, func(s hsm.Show) hsm.Opt[int64] { return s.Storage.Total })},
	{"luna_hsm_storage_used_bytes", gauge, basic, "Storage of the HSM given to partitions or used.", nil,
		of(showOf, func(s hsm.Show) hsm.Opt[int64] { return s.Storage.Used })},
	{"luna_hsm_storage_free_bytes", gauge, basic, "Storage of the HSM that is free.", nil,
		of(showOf, func(s hsm.Show) hsm.Opt[int64] { return s.Storage.Free })},
	{"luna_hsm_battery_volts", gauge, basic, "Voltage of the card's battery.", nil,
		of(showOf, environment(func(e hsm.Environment) hsm.Opt[float64] { return e.BatteryVolts }))},
	{"luna_hsm_battery_warning_volts", gauge, basic, "Voltage below which the HSM warns.", nil,
		of(showOf, environment(func(e hsm.Environment) hsm.Opt[float64] { return e.BatteryWarning }))},
	{"luna_hsm_temperature_celsius", gauge, basic, "Temperature of the card.", nil,
		of(showOf, environment(func(e hsm.Environment) hsm.Opt[float64] { return e.TemperatureCelsius }))},
	{"luna_hsm_temperature_warning_celsius", gauge, basic, "Temperature at which the HSM warns.", nil,
		of(showOf, environment(func(e hsm.Environment) hsm.Opt[float64] { return e.TemperatureWarning }))},
	{"luna_hsm_fan", gauge, basic, "State of a fan on the card: 1 for the one that holds.", []string{"fan", "state"},
		each(showOf, func(s hsm.Show, emit *encoder) {
			if s.Environment == nil {
				return
			}
			for _, f := range s.Environment.Fans {
				state(strings.ToLower(f.Status), []string{"active", "standby", "failed"}, emit, f.Name)
			}
		})},
	{"luna_hsm_operation_requests_total", counter, basic, "Requests to the HSM since its counters were reset.", nil,
		of(informationOf, func(i hsm.Information) hsm.Opt[uint64] { return i.OperationRequests })},
	{"luna_hsm_operation_errors_total", counter, basic, "Requests that failed; tens per minute are normal background.", nil,
		of(informationOf, func(i hsm.Information) hsm.Opt[uint64] { return i.OperationErrors })},
	{"luna_hsm_crypto_operation_requests_total", counter, basic, "Requests of clients.", nil,
		of(informationOf, func(i hsm.Information) hsm.Opt[uint64] { return i.CryptoRequests })},
	{"luna_hsm_crypto_operation_errors_total", counter, basic, "Requests of clients that failed.", nil,
		of(informationOf, func(i hsm.Information) hsm.Opt[uint64] { return i.CryptoErrors })},
	{"luna_hsm_critical_events_total", counter, basic, "Critical events as the HSM counts them; several releases always say 0.", nil,
		of(informationOf, func(i hsm.Information) hsm.Opt[uint64] { return i.CriticalEvents })},
	{"luna_hsm_noncritical_events_total", counter, basic, "Other events as the HSM counts them; several releases always say 0.", nil,
		of(informationOf, func(i hsm.Information) hsm.Opt[uint64] { return i.NoncriticalEvents })},
	{"luna_hsm_crypto_proven_timestamp_seconds", gauge, basic, "Newest moment, in seconds since 1970, at which the HSM is known to have worked for a client; absent: not known.", nil,
		reader{provenStamp, func(d *hsm.Device, _ time.Time, emit *encoder) {
			if !d.Proven.IsZero() {
				emit.add(float64(d.Proven.At.UnixMilli()) / 1000)
			}
		}}},
	{"luna_probe_success", gauge, basic, "1 if the last run of a test program of the site worked; absent: it has not run, or long ago.", []string{"probe", "partition"},
		probes(func(p hsm.Probe) float64 { return bit(p.Worked) })},
	{"luna_probe_duration_seconds", gauge, basic, "Duration of the last run of a test program.", []string{"probe", "partition"},
		probes(func(p hsm.Probe) float64 { return p.Took.Seconds() })},
	{"luna_probe_timestamp_seconds", gauge, basic, "When the last run of a test program ended, in seconds since 1970.", []string{"probe", "partition"},
		probes(func(p hsm.Probe) float64 { return float64(p.At.UnixMilli()) / 1000 })},
	{"luna_hsm_uptime_seconds", gauge, basic, "Time since the HSM was reset.", nil,
		of(monitorOf, last(func(s hsm.Sample) uint64 { return s.UptimeSeconds }))},
	{"luna_hsm_busy_seconds_total", counter, basic, "Time spent on commands since the HSM was reset, where a source counts it (REST, SNMP).", nil,
		of(monitorOf, func(m hsm.Monitor) hsm.Opt[float64] { return m.BusySeconds })},
	{"luna_hsm_commands_total", counter, basic, "Commands since the HSM was reset.", nil,
		of(monitorOf, last(func(s hsm.Sample) uint64 { return s.Commands }))},
	{"luna_hsm_utilization_ratio", gauge, basic, "Part of the last measured interval spent on commands.", nil,
		of(monitorOf, func(m hsm.Monitor) hsm.Opt[float64] {
			ratio := last(func(s hsm.Sample) float64 { return s.UtilizationInt })(m)
			ratio.Known = ratio.Known && m.IntervalSeconds.Known
			return ratio
		})},
	{"luna_hsm_utilization_since_reset_ratio", gauge, basic, "Part of the uptime spent on commands.", nil,
		of(monitorOf, last(func(s hsm.Sample) float64 { return s.Utilization }))},
	{"luna_hsm_license_info", gauge, infoGroup, "A licence of the HSM; always 1.", []string{"license", "description"},
		each(licensesOf, func(ls []hsm.License, emit *encoder) {
			for _, l := range ls {
				emit.add(1, l.ID, l.Description)
			}
		})},
	{"luna_hsm_policy_info", gauge, policyGroup, "A capability or policy of the HSM and its value; always 1.", []string{"kind", "description", "value"},
		each(policiesOf, func(p hsm.Policies, emit *encoder) {
			for _, c := range p.Capabilities {
				emit.add(1, "capability", c.Description, c.Value)
			}
			for _, c := range p.Policies {
				emit.add(1, "policy", c.Description, c.Value)
			}
		})},
}
