package exporters

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// partition reads every partition of a device.
func partition(read func(p hsm.Partition, emit *encoder)) reader {
	return each(partitionsOf, func(ps []hsm.Partition, emit *encoder) {
		for _, p := range ps {
			read(p, emit)
		}
	})
}

// role reads every role of every partition.
func role(read func(p hsm.Partition, r hsm.Role, emit *encoder)) reader {
	return partition(func(p hsm.Partition, emit *encoder) {
		for _, r := range p.Roles {
			read(p, r, emit)
		}
	})
}

// partitionMetrics are about partitions, by their serial number.
var partitionMetrics = []metric{
	{"luna_partition_info", gauge, infoGroup, "Names of a partition; always 1.", []string{"partition", "name", "label"},
		partition(func(p hsm.Partition, emit *encoder) { emit.add(1, p.Serial, p.Name, p.Label.Value) })},
	{"luna_partition_activated", gauge, basic, "1 if the partition is activated; absent where no activation is needed.", []string{"partition"},
		partition(func(p hsm.Partition, emit *encoder) { truth(p.Activated, emit, p.Serial) })},
	{"luna_partition_objects", gauge, basic, "Objects in the partition.", []string{"partition"},
		partition(func(p hsm.Partition, emit *encoder) { number(p.ObjectCount, emit, p.Serial) })},
	{"luna_partition_storage_size_bytes", gauge, basic, "Storage of the partition.", []string{"partition"},
		partition(func(p hsm.Partition, emit *encoder) { number(p.Storage.Total, emit, p.Serial) })},
	{"luna_partition_storage_used_bytes", gauge, basic, "Storage of the partition in use.", []string{"partition"},
		partition(func(p hsm.Partition, emit *encoder) { number(p.Storage.Used, emit, p.Serial) })},
	{"luna_partition_storage_free_bytes", gauge, basic, "Storage of the partition that is free.", []string{"partition"},
		partition(func(p hsm.Partition, emit *encoder) { number(p.Storage.Free, emit, p.Serial) })},
	{"luna_partition_role_locked_out", gauge, roleGroup, "1 if too many wrong logins locked the role.", []string{"partition", "role"},
		role(func(p hsm.Partition, r hsm.Role, emit *encoder) { truth(r.LockedOut, emit, p.Serial, r.Name) })},
	{"luna_partition_role_activated", gauge, roleGroup, "1 if the role is activated.", []string{"partition", "role"},
		role(func(p hsm.Partition, r hsm.Role, emit *encoder) { truth(r.Activated, emit, p.Serial, r.Name) })},
	{"luna_partition_zeroized", gauge, basic, "1 if the partition's keys were erased.", []string{"partition"},
		partition(func(p hsm.Partition, emit *encoder) { truth(p.Zeroized, emit, p.Serial) })},
	{"luna_partition_role_initialized", gauge, roleGroup, "1 if the role has a credential.", []string{"partition", "role"},
		role(func(p hsm.Partition, r hsm.Role, emit *encoder) { truth(r.Initialized, emit, p.Serial, r.Name) })},
	{"luna_partition_role_pin_to_be_changed", gauge, roleGroup, "1 if the role must change its PIN at the next login.", []string{"partition", "role"},
		role(func(p hsm.Partition, r hsm.Role, emit *encoder) { truth(r.PINToBeChanged, emit, p.Serial, r.Name) })},
	{"luna_partition_role_challenge_to_be_changed", gauge, roleGroup, "1 if the role must change its challenge at the next login.", []string{"partition", "role"},
		role(func(p hsm.Partition, r hsm.Role, emit *encoder) {
			truth(r.ChallengeToBeChanged, emit, p.Serial, r.Name)
		})},
	{"luna_partition_role_login_attempts_left", gauge, roleGroup, "Wrong logins that remain before the role is locked.", []string{"partition", "role"},
		role(func(p hsm.Partition, r hsm.Role, emit *encoder) { number(r.LoginAttemptsLeft, emit, p.Serial, r.Name) })},
}

// operationMetrics are the utilization metrics of partitions.
var operationMetrics = []metric{
	{"luna_partition_operation_requests_total", counter, basic, "Requests of applications to the partition since the counters were reset, by kind (7.3 and later, HSM policy 49).", []string{"partition", "operation"},
		each(operationsOf, func(v hsm.Operations, emit *encoder) {
			for _, p := range v.Partitions {
				for _, kind := range slices.Sorted(maps.Keys(p.Requests)) {
					emit.add(float64(p.Requests[kind]), p.Serial, kind)
				}
			}
		})},
}

// ntlsMetrics are about the Network Trust Link Service and its clients.
var ntlsMetrics = []metric{
	{"luna_ntls_status", gauge, basic, "Operational status of NTLS: 1 for the one that holds.", []string{"status"},
		each(ntlsOf, func(n hsm.NTLS, emit *encoder) {
			state(n.Status, []hsm.NTLSStatus{hsm.NTLSUp, hsm.NTLSDown, hsm.NTLSUnknown}, emit)
		})},
	{"luna_ntls_connected_clients", gauge, basic, "Clients connected now.", nil,
		of(ntlsOf, func(n hsm.NTLS) hsm.Opt[uint64] { return n.ConnectedClients })},
	{"luna_ntls_links", gauge, basic, "Links open now; may exceed the clients.", nil,
		of(ntlsOf, func(n hsm.NTLS) hsm.Opt[uint64] { return n.Links })},
	{"luna_ntls_successful_connections_total", counter, basic, "Client connections since NTLS started.", nil,
		of(ntlsOf, func(n hsm.NTLS) hsm.Opt[uint64] { return n.SuccessfulConnections })},
	{"luna_ntls_failed_connections_total", counter, basic, "Client connections that failed since NTLS started.", nil,
		of(ntlsOf, func(n hsm.NTLS) hsm.Opt[uint64] { return n.FailedConnections })},
	{"luna_ntls_certificate_not_after_timestamp_seconds", gauge, basic, "When the NTLS server certificate expires.", nil,
		of(certificateOf, func(c hsm.Certificate) hsm.Opt[int64] {
			return hsm.Opt[int64]{Value: c.NotAfter.Value.Unix(), Known: c.NotAfter.Known}
		})},
	{"luna_ntls_client_info", gauge, infoGroup, "A registered client; always 1.", []string{"client", "address"},
		each(clientsOf, func(cs []hsm.Client, emit *encoder) {
			for _, c := range cs {
				emit.add(1, c.Name, c.Address)
			}
		})},
	{"luna_ntls_client_partition_info", gauge, infoGroup, "A partition that a registered client may use; always 1.", []string{"client", "name"},
		each(clientsOf, func(cs []hsm.Client, emit *encoder) {
			for _, c := range cs {
				for _, p := range c.Partitions {
					emit.add(1, c.Name, p)
				}
			}
		})},
}

// sensors reads every appliance sensor of a unit that can be read.
func sensors(unit string, read func(hsm.Sensor, *encoder)) reader {
	return each(sensorsOf, func(s hsm.Sensors, emit *encoder) {
		for _, x := range s.Sensors {
			if strings.EqualFold(x.Unit, unit) {
				read(x, emit)
			}
		}
	})
}

func reading(s hsm.Sensor, emit *encoder) { number(s.Reading, emit, s.Name) }

func thresholds(s hsm.Sensor, emit *encoder) {
	number(s.LowerNonrecoverable, emit, s.Name, "lower_nonrecoverable")
	number(s.LowerCritical, emit, s.Name, "lower_critical")
	number(s.UpperCritical, emit, s.Name, "upper_critical")
	number(s.UpperNonrecoverable, emit, s.Name, "upper_nonrecoverable")
}

func filesystem(get func(hsm.Filesystem) int64) reader {
	return each(diskOf, func(v hsm.Disk, emit *encoder) {
		for _, f := range v.Filesystems {
			emit.add(float64(get(f)), f.Mount)
		}
	})
}

// applianceMetrics are about the box around the HSM.
var applianceMetrics = []metric{
	{"luna_appliance_info", gauge, infoGroup, "Identity of the appliance; always 1.", []string{"software_version"},
		each(showOf, func(s hsm.Show, emit *encoder) {
			if s.SoftwareVersion != "" {
				emit.add(1, s.SoftwareVersion)
			}
		})},
	{"luna_appliance_state", gauge, basic, "State of the appliance's services: 1 for the one that holds.", []string{"state"},
		each(systemOf, func(s hsm.System, emit *encoder) { state(s.State, []string{"ISO", "IST", "OFL", "OFT", "OOS"}, emit) })},
	{"luna_appliance_status_code", gauge, basic, "A system status code that is set; always 1.", []string{"code"},
		each(systemOf, func(s hsm.System, emit *encoder) {
			for _, c := range s.Codes {
				emit.add(1, strconv.FormatInt(c, 10))
			}
		})},
	{"luna_appliance_service_info", gauge, basic, "What the REST API says of a service; always 1.", []string{"service", "status"},
		each(servicesOf, func(all []hsm.Service, emit *encoder) {
			for _, s := range all {
				emit.add(1, s.Name, s.Status)
			}
		})},
	{"luna_appliance_service_running", gauge, basic, "1 if the service runs; absent if its status is not a known one.", []string{"service"},
		each(servicesOf, func(all []hsm.Service, emit *encoder) {
			for _, s := range all {
				truth(s.Running(), emit, s.Name)
			}
		})},
	{"luna_appliance_service_on_boot", gauge, basic, "1 if the service is to start with the appliance.", []string{"service"},
		each(servicesOf, func(all []hsm.Service, emit *encoder) {
			for _, s := range all {
				truth(s.OnBoot, emit, s.Name)
			}
		})},
	{"luna_appliance_fan_speed_rpm", gauge, basic, "Speed of a fan.", []string{"sensor"}, sensors("RPM", reading)},
	{"luna_appliance_fan_speed_threshold_rpm", gauge, thresholdGroup, "Limit of a fan's speed.", []string{"sensor", "threshold"}, sensors("RPM", thresholds)},
	{"luna_appliance_temperature_celsius", gauge, basic, "A temperature in the appliance.", []string{"sensor"}, sensors("degrees C", reading)},
	{"luna_appliance_temperature_threshold_celsius", gauge, thresholdGroup, "Limit of a temperature.", []string{"sensor", "threshold"}, sensors("degrees C", thresholds)},
	{"luna_appliance_voltage_volts", gauge, basic, "A voltage in the appliance.", []string{"sensor"}, sensors("Volts", reading)},
	{"luna_appliance_voltage_threshold_volts", gauge, thresholdGroup, "Limit of a voltage.", []string{"sensor", "threshold"}, sensors("Volts", thresholds)},
	{"luna_appliance_sensor_info", gauge, basic, "What the controller says of a sensor; always 1.", []string{"sensor", "status"},
		each(sensorsOf, func(s hsm.Sensors, emit *encoder) {
			for _, x := range s.Sensors {
				emit.add(1, x.Name, x.Status)
			}
		})},
	{"luna_appliance_fan_info", gauge, basic, "What the controller says of a fan; always 1.", []string{"fan", "status"},
		each(sensorsOf, func(s hsm.Sensors, emit *encoder) {
			for _, f := range s.Fans {
				emit.add(1, f.Name, f.Status)
			}
		})},
	{"luna_appliance_chassis_info", gauge, basic, "One line of the chassis status; always 1.", []string{"item", "value"},
		each(sensorsOf, func(s hsm.Sensors, emit *encoder) {
			for _, item := range slices.Sorted(maps.Keys(s.Chassis)) {
				emit.add(1, item, s.Chassis[item])
			}
		})},
	{"luna_appliance_power_supply_info", gauge, basic, "What the controller says of a power supply sensor; always 1.", []string{"sensor", "status"},
		each(sensorsOf, func(s hsm.Sensors, emit *encoder) {
			for _, p := range s.PowerSupplies {
				emit.add(1, p.Name, p.Status)
			}
		})},
	{"luna_appliance_filesystem_size_bytes", gauge, basic, "Size of a file system.", []string{"mountpoint"},
		filesystem(func(f hsm.Filesystem) int64 { return f.Total })},
	{"luna_appliance_filesystem_used_bytes", gauge, basic, "Used part of a file system.", []string{"mountpoint"},
		filesystem(func(f hsm.Filesystem) int64 { return f.Used })},
	{"luna_appliance_filesystem_avail_bytes", gauge, basic, "Available part of a file system.", []string{"mountpoint"},
		filesystem(func(f hsm.Filesystem) int64 { return f.Available })},
	{"luna_appliance_load_average", gauge, basic, "Processes that ran or waited on average, over a number of minutes.", []string{"minutes"},
		each(cpuOf, func(v hsm.CPU, emit *encoder) {
			emit.add(v.Load1, "1")
			emit.add(v.Load5, "5")
			emit.add(v.Load15, "15")
		})},
	{"luna_appliance_memory_bytes", gauge, basic, "Memory and swap of the appliance: total, available, swap_total, swap_used.", []string{"kind"},
		each(ramOf, func(v hsm.RAM, emit *encoder) {
			number(v.Total, emit, "total")
			number(v.Available, emit, "available")
			number(v.SwapTotal, emit, "swap_total")
			number(v.SwapUsed, emit, "swap_used")
		})},
	{"luna_appliance_disk_smart_passed", gauge, basic, "1 if the disk's self-assessment passed.", nil,
		each(diskOf, func(v hsm.Disk, emit *encoder) {
			if v.SMART != "" {
				emit.add(bit(v.SMART == "PASSED" || v.SMART == "OK"))
			}
		})},
}

// source reads every source of a device, in the order of their names.
func source(read func(name string, s hsm.Source, emit *encoder)) reader {
	return reader{changed, func(d *hsm.Device, _ time.Time, emit *encoder) {
		for _, name := range slices.Sorted(maps.Keys(d.Sources)) {
			read(name, d.Sources[name], emit)
		}
	}}
}

// sourceMetrics are about the reading itself. They never vanish.
var sourceMetrics = []metric{
	{"luna_source_success", gauge, basic, "1 if the last attempt to read the source succeeded.", []string{"source"},
		source(func(name string, s hsm.Source, emit *encoder) { emit.add(bit(s.Failure == hsm.None), name) })},
	{"luna_source_failure", gauge, basic, "Step at which the last attempt ended: 1 for the one that holds.", []string{"source", "failure"},
		source(func(name string, s hsm.Source, emit *encoder) {
			for _, f := range hsm.Failures() {
				emit.add(bit(s.Failure == f), name, string(f))
			}
		})},
	{"luna_source_failed_layer", gauge, basic, "1 for the layer on which the last attempt failed; absent while it succeeds, or where that is not known.", []string{"source", "layer"},
		source(func(name string, s hsm.Source, emit *encoder) {
			if s.Layer != hsm.LayerUnknown {
				emit.add(1, name, string(s.Layer))
			}
		})},
	{"luna_source_duration_seconds", gauge, basic, "Duration of the last attempt.", []string{"source"},
		source(func(name string, s hsm.Source, emit *encoder) { emit.add(s.Took.Seconds(), name) })},
	{"luna_source_last_success_timestamp_seconds", gauge, basic, "When the source was last read; absent if never.", []string{"source"},
		source(func(name string, s hsm.Source, emit *encoder) {
			if !s.Success.IsZero() {
				emit.add(float64(s.Success.UnixMilli())/1000, name)
			}
		})},
	{"luna_source_unread_lines", gauge, basic, "Lines of the last answer that no parser understood.", []string{"source"},
		source(func(name string, s hsm.Source, emit *encoder) { emit.add(float64(len(s.Unread)), name) })},
	{"luna_source_disagreement", gauge, basic, "1 for a thing that does not move and that two sources state differently.", []string{"what", "source", "other"},
		reader{always, func(d *hsm.Device, now time.Time, emit *encoder) {
			for _, x := range disagreements(d, now) {
				emit.add(1, x.What, x.Stated[0].Source, x.Stated[1].Source)
			}
		}}},
	{"luna_data_age_seconds", gauge, basic, "Time since a section of the data was read.", []string{"section"},
		reader{always, func(d *hsm.Device, now time.Time, emit *encoder) {
			for _, a := range ages(d, now) {
				emit.add(a.Since.Seconds(), a.name)
			}
		}}},
	{"luna_data_stale", gauge, basic, "1 if a section is past its maximum age, so that its metrics are gone.", []string{"section"},
		reader{always, func(d *hsm.Device, now time.Time, emit *encoder) {
			for _, a := range ages(d, now) {
				emit.add(bit(a.Stale), a.name)
			}
		}}},
}

type namedAge struct {
	name string
	hsm.Age
}

func ages(d *hsm.Device, now time.Time) []namedAge {
	var list []namedAge
	for name, a := range d.Ages(now) {
		list = append(list, namedAge{name, a})
	}
	slices.SortFunc(list, func(a, b namedAge) int { return cmp.Compare(a.name, b.name) })
	return list
}

// disagreements returns what two sources state differently, while both are
// fresh.
func disagreements(d *hsm.Device, now time.Time) []hsm.Disagreement {
	return slices.DeleteFunc(slices.Clone(d.Disagreements), func(x hsm.Disagreement) bool { return !x.Fresh(now) })
}

// disagreementText describes a disagreement.
func disagreementText(x hsm.Disagreement) string {
	return fmt.Sprintf("%s: %s says %s, %s says %s, since %s", x.What, x.Stated[0].Source, x.Stated[0].Value, x.Stated[1].Source, x.Stated[1].Value, x.Since.UTC().Format(time.RFC3339))
}
