// Package exporters shows a Snapshot and alarms to people and to Prometheus. It
// knows nothing of how they are read: no scrape, page or command ever waits for
// a device.
package exporters

import (
	"cmp"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A metric is one family. Device names the HSM as configured and is a label of
// every family in the tables.
type metric struct {
	name   string
	kind   kind
	group  group
	help   string
	labels []string // besides device
	reader
}

// A kind is the type of a metric, as the exposition format names it.
type kind string

const (
	gauge   kind = "gauge"
	counter kind = "counter"
)

// A group is of families that a site can leave out: they are many and hardly
// ever change.
type group string

const (
	basic          group = "" // is never left out
	policyGroup    group = "policy"
	roleGroup      group = "role"
	thresholdGroup group = "threshold"
	infoGroup      group = "info" // what something is called; what may be wrong with it is basic
)

// Groups returns the names of the groups of families that [NewPrometheus] can
// exclude.
func Groups() []string {
	return []string{string(policyGroup), string(roleGroup), string(thresholdGroup), string(infoGroup)}
}

// metrics lists every family about the devices, sorted by name.
var metrics = slices.SortedFunc(slices.Values(slices.Concat(
	hsmMetrics, partitionMetrics, operationMetrics, ntlsMetrics, applianceMetrics, hostMetrics, haMetrics, sourceMetrics,
)), func(a, b metric) int { return cmp.Compare(a.name, b.name) })

// A reader reads the series of one family from one device.
type reader struct {
	stamp func(d *hsm.Device, now time.Time) stamp
	read  func(d *hsm.Device, now time.Time, emit *encoder)
}

// A stamp identifies what a reader reads: while it is equal, so are the series. The zero
// stamp is of nothing that is fresh.
type stamp struct {
	fresh bool
	seq   uint64 // of the Snapshot in which that last changed
	at    int64  // ns since 1970, of what changes with time
}

// changed is the stamp of a reader of the device as a whole.
func changed(d *hsm.Device, _ time.Time) stamp { return stamp{fresh: true, seq: d.Seq} }

// always is the stamp of a reader whose series change with time.
func always(d *hsm.Device, now time.Time) stamp {
	return stamp{fresh: true, seq: d.Seq, at: now.UnixNano()}
}

// A part is a section of devices.
type part[T any] func(*hsm.Device) hsm.Section[T]

var (
	showOf        = part[hsm.Show](func(d *hsm.Device) hsm.Section[hsm.Show] { return d.Show })
	informationOf = part[hsm.Information](func(d *hsm.Device) hsm.Section[hsm.Information] { return d.Information })
	monitorOf     = part[hsm.Monitor](func(d *hsm.Device) hsm.Section[hsm.Monitor] { return d.Monitor })
	tamperOf      = part[hsm.Tamper](func(d *hsm.Device) hsm.Section[hsm.Tamper] { return d.Tamper })
	licensesOf    = part[[]hsm.License](func(d *hsm.Device) hsm.Section[[]hsm.License] { return d.Licenses })
	policiesOf    = part[hsm.Policies](func(d *hsm.Device) hsm.Section[hsm.Policies] { return d.Policies })
	partitionsOf  = part[[]hsm.Partition](func(d *hsm.Device) hsm.Section[[]hsm.Partition] { return d.Partitions })
	operationsOf  = part[hsm.Operations](func(d *hsm.Device) hsm.Section[hsm.Operations] { return d.Operations })
	ntlsOf        = part[hsm.NTLS](func(d *hsm.Device) hsm.Section[hsm.NTLS] { return d.NTLS })
	certificateOf = part[hsm.Certificate](func(d *hsm.Device) hsm.Section[hsm.Certificate] { return d.Certificate })
	clientsOf     = part[[]hsm.Client](func(d *hsm.Device) hsm.Section[[]hsm.Client] { return d.Clients })
	servicesOf    = part[[]hsm.Service](func(d *hsm.Device) hsm.Section[[]hsm.Service] { return d.Services })
	systemOf      = part[hsm.System](func(d *hsm.Device) hsm.Section[hsm.System] { return d.System })
	sensorsOf     = part[hsm.Sensors](func(d *hsm.Device) hsm.Section[hsm.Sensors] { return d.Sensors })
	diskOf        = part[hsm.Disk](func(d *hsm.Device) hsm.Section[hsm.Disk] { return d.Disk })
	cpuOf         = part[hsm.CPU](func(d *hsm.Device) hsm.Section[hsm.CPU] { return d.CPU })
	ramOf         = part[hsm.RAM](func(d *hsm.Device) hsm.Section[hsm.RAM] { return d.RAM })
	hostOf        = part[hsm.Host](func(d *hsm.Device) hsm.Section[hsm.Host] { return d.Host })
	haOf          = part[hsm.HA](func(d *hsm.Device) hsm.Section[hsm.HA] { return d.HA })
)

func (p part[T]) stamp(d *hsm.Device, now time.Time) stamp {
	s := p(d)
	if !s.Fresh(now) {
		return stamp{}
	}
	return stamp{fresh: true, seq: s.Seq}
}

// of reads one number from a section, if it is fresh and states the number.
func of[T any, N int64 | uint64 | float64](p part[T], get func(T) hsm.Opt[N]) reader {
	return each(p, func(v T, emit *encoder) { number(get(v), emit) })
}

// flag reads one true (1) or false (0) from a section.
func flag[T any](p part[T], get func(T) hsm.Opt[bool]) reader {
	return each(p, func(v T, emit *encoder) { truth(get(v), emit) })
}

// each calls read with the value of a section, if it is fresh.
func each[T any](p part[T], read func(T, *encoder)) reader {
	return reader{p.stamp, func(d *hsm.Device, now time.Time, emit *encoder) {
		if v, ok := p(d).Get(now); ok {
			read(v, emit)
		}
	}}
}

func number[N int64 | uint64 | float64](n hsm.Opt[N], emit *encoder, labels ...string) {
	if n.Known {
		emit.add(float64(n.Value), labels...)
	}
}

func truth(b hsm.Opt[bool], emit *encoder, labels ...string) {
	if b.Known {
		emit.add(bit(b.Value), labels...)
	}
}

// state emits one series per state, 1 for the one that holds. A state that is
// not listed gets a series of its own.
func state[S ~string](s S, all []S, emit *encoder, labels ...string) {
	if s == "" {
		return
	}
	for _, x := range all {
		emit.add(bit(x == s), append(slices.Clone(labels), string(x))...)
	}
	if !slices.Contains(all, s) {
		emit.add(1, append(slices.Clone(labels), string(s))...)
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
