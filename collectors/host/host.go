// Package host observes the machine that the agent runs on: CPU, memory, disks,
// network, sensors, and the programs and connections of the Luna client. It knows no
// HSMs.
package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
	"github.com/shirou/gopsutil/v3/net"
	ps "github.com/shirou/gopsutil/v3/process"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// lunaDaemons are the daemons of the vendor's client.
var lunaDaemons = []string{"luna-snmp", "pedclient", "pedserver", "cbs", "htlc"}

// ntlsPort is the TCP port of NTLS on appliances.
const ntlsPort = 1792

// topProcesses is how many processes are listed.
const topProcesses = 5

// A Collector polls the machine that it runs on. It implements
// [collectors.Collector].
type Collector struct {
	Device   string
	Interval time.Duration

	used map[int32]float64 // CPU seconds of each process at the last poll
	at   time.Time         // of the last poll
}

func (h *Collector) String() string { return "host " + h.Device }

// Run implements [collectors.Collector].
func (h *Collector) Run(ctx context.Context, report func(hsm.Observation)) error {
	tick := time.NewTicker(h.Interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		report(h.poll(ctx))
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

func (h *Collector) poll(ctx context.Context) hsm.Observation {
	start := time.Now()
	v, err := h.read(ctx)
	o := hsm.Observation{Device: h.Device, Source: "host", At: time.Now(), MaxAge: h.Interval*5/2 + 10*time.Second}
	o.Took = o.At.Sub(start)
	if err != nil {
		o.Failure, o.Err = hsm.Command, fmt.Errorf("host: %w", err)
		return o
	}
	o.Facts = []hsm.Fact{v}
	return o
}

// read reads everything. What the machine does not have is empty; what it has and
// cannot be read is an error.
func (h *Collector) read(ctx context.Context) (v hsm.Host, err error) {
	for _, part := range []struct {
		name string
		read func(context.Context, *hsm.Host) error
	}{
		{"system", readSystem},
		{"CPU", readCPU},
		{"memory", readMemory},
		{"file systems", readFilesystems},
		{"network", readNetwork},
		{"connections", readLinks},
		{"processes", h.readProcesses},
	} {
		if err := part.read(ctx, &v); err != nil {
			return v, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	readSensors(ctx, &v)
	return v, nil
}

func readSystem(ctx context.Context, v *hsm.Host) error {
	info, err := host.InfoWithContext(ctx)
	if err != nil {
		return err
	}
	l, err := load.AvgWithContext(ctx)
	if err != nil {
		return err
	}
	v.Name, v.Boot, v.Load = info.Hostname, time.Unix(int64(info.BootTime), 0).UTC(), [3]float64{l.Load1, l.Load5, l.Load15}
	return nil
}

func readCPU(ctx context.Context, v *hsm.Host) error {
	times, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return err
	}
	if len(times) != 1 {
		return errors.New("no times")
	}
	n, err := cpu.CountsWithContext(ctx, true)
	t := times[0]
	v.CPUs = int64(n)
	v.CPUSeconds = map[string]float64{
		"user": t.User, "system": t.System, "idle": t.Idle, "nice": t.Nice,
		"iowait": t.Iowait, "irq": t.Irq, "softirq": t.Softirq, "steal": t.Steal,
	}
	return err
}

func readMemory(ctx context.Context, v *hsm.Host) error {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return err
	}
	s, err := mem.SwapMemoryWithContext(ctx)
	if err != nil {
		return err
	}
	v.Memory = hsm.Memory{
		Total: int64(m.Total), Available: int64(m.Available), SwapTotal: int64(s.Total), SwapUsed: int64(s.Used),
		SwapIn: int64(s.Sin), SwapOut: int64(s.Sout), PageIn: int64(s.PgIn), PageOut: int64(s.PgOut), Faults: int64(s.PgMajFault),
	}
	return nil
}

func readFilesystems(ctx context.Context, v *hsm.Host) error {
	mounts, err := disk.PartitionsWithContext(ctx, false)
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	for _, m := range mounts {
		u, err := disk.UsageWithContext(ctx, m.Mountpoint)
		if err != nil || u.Total == 0 || seen[m.Mountpoint] {
			continue // unmounted since it was listed, or not permitted
		}
		seen[m.Mountpoint] = true
		v.Filesystems = append(v.Filesystems, hsm.Filesystem{
			Mount: m.Mountpoint, Device: m.Device, Total: int64(u.Total), Used: int64(u.Used), Available: int64(u.Free), UsedRatio: u.UsedPercent / 100,
		})
	}
	return nil
}

func readNetwork(ctx context.Context, v *hsm.Host) error {
	counters, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return err
	}
	for _, c := range counters {
		state, err := os.ReadFile(filepath.Join("/sys/class/net", c.Name, "operstate"))
		up := err == nil && strings.TrimSpace(string(state)) == "up"
		if c.Name == "lo" {
			continue
		}
		v.Interfaces = append(v.Interfaces, hsm.Interface{
			Name: c.Name, Up: up, ReceivedBytes: c.BytesRecv, SentBytes: c.BytesSent,
			ReceiveErrors: c.Errin, SendErrors: c.Errout, ReceiveDropped: c.Dropin, SendDropped: c.Dropout,
		})
	}
	return nil
}

func readLinks(ctx context.Context, v *hsm.Host) error {
	all, err := net.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return err
	}
	v.NTLSLinks = make(map[string]int64)
	for _, c := range all {
		if c.Raddr.Port == ntlsPort && c.Status == "ESTABLISHED" {
			v.NTLSLinks[c.Raddr.IP]++
		}
	}
	return nil
}

// readProcesses lists the processes that used most CPU time since the last poll; none
// at the first.
func (h *Collector) readProcesses(ctx context.Context, v *hsm.Host) error {
	all, err := ps.ProcessesWithContext(ctx)
	if err != nil {
		return err
	}
	now, used := time.Now(), make(map[int32]float64)
	v.Daemons = make(map[string]int64)
	for _, name := range lunaDaemons {
		v.Daemons[name] = 0
	}
	for _, p := range all {
		name, err := p.NameWithContext(ctx)
		if err != nil {
			continue // ended since it was listed
		}
		if daemon := strings.ToLower(name); slices.Contains(lunaDaemons, daemon) {
			v.Daemons[daemon]++
		}
		t, err := p.TimesWithContext(ctx)
		if err != nil {
			continue
		}
		used[p.Pid] = t.User + t.System
		before, known := h.used[p.Pid]
		if ratio := (used[p.Pid] - before) / now.Sub(h.at).Seconds(); known && ratio > 0 {
			v.Processes = append(v.Processes, hsm.Process{PID: p.Pid, Name: answer.CleanLine(name), CPU: ratio})
		}
	}
	h.used, h.at = used, now
	slices.SortFunc(v.Processes, func(a, b hsm.Process) int { return cmp.Or(cmp.Compare(b.CPU, a.CPU), cmp.Compare(a.PID, b.PID)) })
	v.Processes = v.Processes[:min(len(v.Processes), topProcesses)]
	for i := range v.Processes {
		p := ps.Process{Pid: v.Processes[i].PID}
		if m, err := p.MemoryInfoWithContext(ctx); err == nil {
			v.Processes[i].Resident = int64(m.RSS)
		}
	}
	return nil
}

// readSensors reads the sensors that the kernel has; a virtual machine has none.
func readSensors(ctx context.Context, v *hsm.Host) {
	temperatures, _ := host.SensorsTemperaturesWithContext(ctx)
	for _, t := range temperatures {
		if t.Temperature != 0 {
			v.Sensors = append(v.Sensors, hsm.HostSensor{Name: t.SensorKey, Unit: "degrees C", Reading: t.Temperature, Critical: hsm.Opt[float64]{Value: t.Critical, Known: t.Critical > 0}})
		}
	}
	fans, _ := filepath.Glob("/sys/class/hwmon/hwmon*/fan*_input")
	for _, file := range fans {
		text, err := os.ReadFile(file)
		rpm, bad := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
		if err == nil && bad == nil {
			v.Sensors = append(v.Sensors, hsm.HostSensor{Name: filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(filepath.Base(file), "_input"), Unit: "RPM", Reading: rpm})
		}
	}
}
