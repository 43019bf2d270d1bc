package exporters

import (
	"maps"
	"slices"
	"strconv"

	"github.com/lunawatch/lunawatch/hsm"
)

// memory reads one number of the host's memory.
func memory(get func(hsm.Memory) int64) func(hsm.Host, *encoder) {
	return func(h hsm.Host, emit *encoder) { emit.add(float64(get(h.Memory))) }
}

func interfaces(get func(hsm.Interface) float64) func(hsm.Host, *encoder) {
	return func(h hsm.Host, emit *encoder) {
		for _, i := range h.Interfaces {
			emit.add(get(i), i.Name)
		}
	}
}

func filesystems(get func(hsm.Filesystem) int64) func(hsm.Host, *encoder) {
	return func(h hsm.Host, emit *encoder) {
		for _, f := range h.Filesystems {
			emit.add(float64(get(f)), f.Mount)
		}
	}
}

// hostSensors reads the sensors of a unit.
func hostSensors(unit string) func(hsm.Host, *encoder) {
	return func(h hsm.Host, emit *encoder) {
		for _, s := range h.Sensors {
			if s.Unit == unit {
				emit.add(s.Reading, s.Name)
			}
		}
	}
}

// counts reads numbers by name, in the order of the names.
func counts[N int64 | float64](get func(hsm.Host) map[string]N) func(hsm.Host, *encoder) {
	return func(h hsm.Host, emit *encoder) {
		m := get(h)
		for _, name := range slices.Sorted(maps.Keys(m)) {
			emit.add(float64(m[name]), name)
		}
	}
}

// hostMetrics are about the machine that the agent runs on.
var hostMetrics = []metric{
	{"luna_host_boot_timestamp_seconds", gauge, basic, "When the host was booted.", nil,
		each(hostOf, func(h hsm.Host, emit *encoder) { emit.add(float64(h.Boot.Unix())) })},
	{"luna_host_cpus", gauge, basic, "CPUs of the host.", nil,
		each(hostOf, func(h hsm.Host, emit *encoder) { emit.add(float64(h.CPUs)) })},
	{"luna_host_cpu_seconds_total", counter, basic, "Time of all CPUs, by what they did.", []string{"mode"},
		each(hostOf, counts(func(h hsm.Host) map[string]float64 { return h.CPUSeconds }))},
	{"luna_host_load", gauge, basic, "Load average.", []string{"minutes"},
		each(hostOf, func(h hsm.Host, emit *encoder) {
			for i, minutes := range []string{"1", "5", "15"} {
				emit.add(h.Load[i], minutes)
			}
		})},
	{"luna_host_memory_size_bytes", gauge, basic, "Memory of the host.", nil, each(hostOf, memory(func(m hsm.Memory) int64 { return m.Total }))},
	{"luna_host_memory_available_bytes", gauge, basic, "Memory that programs can still get.", nil, each(hostOf, memory(func(m hsm.Memory) int64 { return m.Available }))},
	{"luna_host_swap_size_bytes", gauge, basic, "Swap space.", nil, each(hostOf, memory(func(m hsm.Memory) int64 { return m.SwapTotal }))},
	{"luna_host_swap_used_bytes", gauge, basic, "Swap space in use.", nil, each(hostOf, memory(func(m hsm.Memory) int64 { return m.SwapUsed }))},
	{"luna_host_swap_in_bytes_total", counter, basic, "Bytes read from swap.", nil, each(hostOf, memory(func(m hsm.Memory) int64 { return m.SwapIn }))},
	{"luna_host_swap_out_bytes_total", counter, basic, "Bytes written to swap.", nil, each(hostOf, memory(func(m hsm.Memory) int64 { return m.SwapOut }))},
	{"luna_host_page_in_bytes_total", counter, basic, "Bytes paged in from disk.", nil, each(hostOf, memory(func(m hsm.Memory) int64 { return m.PageIn }))},
	{"luna_host_page_out_bytes_total", counter, basic, "Bytes paged out to disk.", nil, each(hostOf, memory(func(m hsm.Memory) int64 { return m.PageOut }))},
	{"luna_host_major_faults_total", counter, basic, "Page faults that had to wait for a disk.", nil, each(hostOf, memory(func(m hsm.Memory) int64 { return m.Faults }))},
	{"luna_host_filesystem_size_bytes", gauge, basic, "Size of a file system.", []string{"mountpoint"}, each(hostOf, filesystems(func(f hsm.Filesystem) int64 { return f.Total }))},
	{"luna_host_filesystem_used_bytes", gauge, basic, "Used part of a file system.", []string{"mountpoint"}, each(hostOf, filesystems(func(f hsm.Filesystem) int64 { return f.Used }))},
	{"luna_host_filesystem_avail_bytes", gauge, basic, "Part of a file system that programs can still get.", []string{"mountpoint"}, each(hostOf, filesystems(func(f hsm.Filesystem) int64 { return f.Available }))},
	{"luna_host_network_up", gauge, basic, "1 if the link of a network interface carries.", []string{"interface"}, each(hostOf, interfaces(func(i hsm.Interface) float64 { return bit(i.Up) }))},
	{"luna_host_network_receive_bytes_total", counter, basic, "Bytes received.", []string{"interface"}, each(hostOf, interfaces(func(i hsm.Interface) float64 { return float64(i.ReceivedBytes) }))},
	{"luna_host_network_transmit_bytes_total", counter, basic, "Bytes sent.", []string{"interface"}, each(hostOf, interfaces(func(i hsm.Interface) float64 { return float64(i.SentBytes) }))},
	{"luna_host_network_receive_errors_total", counter, basic, "Errors on receiving.", []string{"interface"}, each(hostOf, interfaces(func(i hsm.Interface) float64 { return float64(i.ReceiveErrors) }))},
	{"luna_host_network_transmit_errors_total", counter, basic, "Errors on sending.", []string{"interface"}, each(hostOf, interfaces(func(i hsm.Interface) float64 { return float64(i.SendErrors) }))},
	{"luna_host_network_receive_drops_total", counter, basic, "Packets dropped on receiving.", []string{"interface"}, each(hostOf, interfaces(func(i hsm.Interface) float64 { return float64(i.ReceiveDropped) }))},
	{"luna_host_network_transmit_drops_total", counter, basic, "Packets dropped on sending.", []string{"interface"}, each(hostOf, interfaces(func(i hsm.Interface) float64 { return float64(i.SendDropped) }))},
	{"luna_host_temperature_celsius", gauge, basic, "A temperature that the kernel knows.", []string{"sensor"}, each(hostOf, hostSensors("degrees C"))},
	{"luna_host_fan_speed_rpm", gauge, basic, "Speed of a fan that the kernel knows.", []string{"sensor"}, each(hostOf, hostSensors("RPM"))},
	{"luna_host_top_process_cpu_ratio", gauge, basic, "Part of one CPU that one of the busiest processes used since the last poll.", []string{"pid", "process"},
		each(hostOf, func(h hsm.Host, emit *encoder) {
			for _, p := range h.Processes {
				emit.add(p.CPU, strconv.Itoa(int(p.PID)), p.Name)
			}
		})},
	{"luna_host_top_process_resident_bytes", gauge, basic, "Memory of one of the busiest processes.", []string{"pid", "process"},
		each(hostOf, func(h hsm.Host, emit *encoder) {
			for _, p := range h.Processes {
				emit.add(float64(p.Resident), strconv.Itoa(int(p.PID)), p.Name)
			}
		})},
	{"luna_host_daemon_processes", gauge, basic, "Processes of a daemon of the Luna client.", []string{"daemon"},
		each(hostOf, counts(func(h hsm.Host) map[string]int64 { return h.Daemons }))},
	{"luna_host_ntls_links", gauge, basic, "Established NTLS connections to an appliance.", []string{"appliance"},
		each(hostOf, counts(func(h hsm.Host) map[string]int64 { return h.NTLSLinks }))},
}
