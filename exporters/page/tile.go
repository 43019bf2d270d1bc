package page

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/page/chart"
	"github.com/lunawatch/lunawatch/hsm"
)

// A tile is one HSM on the page of the estate.
type tile struct {
	ID, Href, Name, Word, Reason string
	Device                       bool // it is watched; else there are only alarms of it
	HSM                          bool
	More                         int    // alarms beside the one that Reason says
	Model, Firmware, Serial      string // as they were read last; "": never
	Known                        stamp  // when that was, if it may not be believed any more
	Read, Since                  stamp
	Gauges                       []gauge
	Spark                        chart.Line
	Facts                        []fact
	Days                         chart.Month
}

// A gauge is a value beside its threshold, as a bar of 100 units.
type gauge struct {
	Name, Text, Limit string  // with units
	Known, Bad        bool    // Bad: beyond the limit
	Fill, Mark        float64 // 0 to 100; Mark: where the limit is, 0: there is none
}

// A scale is how a gauge is drawn: which values its ends are, and which side of the limit
// is bad.
type scale struct {
	name, format string
	low, high    float64
	below        bool // bad is below the limit
}

var (
	loadScale        = scale{"Load", "%.0f %%", 0, 100, false}
	temperatureScale = scale{"Temperature", "%.0f °C", 0, 100, false}
	batteryScale     = scale{"Battery", "%.2f V", 2, 3.6, true}
	storageScale     = scale{"Storage", "%.0f %%", 0, 100, false}
)

// of returns the gauge of a value; limit 0: there is none.
func (s scale) of(value hsm.Opt[float64], limit float64) gauge {
	g := gauge{Name: s.name, Text: said(value, s.format), Known: value.Known}
	place := func(v float64) float64 { return 100 * min(1, max(0, (v-s.low)/(s.high-s.low))) }
	if value.Known {
		g.Fill = place(value.Value)
	}
	if limit != 0 {
		g.Mark, g.Limit = place(limit), fmt.Sprintf(s.format, limit)
		g.Bad = value.Known && (value.Value < limit == s.below) && value.Value != limit
	}
	return g
}

func percent(o hsm.Opt[float64]) hsm.Opt[float64] {
	return hsm.Opt[float64]{Value: 100 * o.Value, Known: o.Known}
}

func gauges(r glance.Row, d *hsm.Device, t rules.Thresholds) []gauge {
	battery, temperature, load, storage := chart.Limits(d, t)
	return []gauge{
		loadScale.of(percent(r.Utilization), load), temperatureScale.of(r.Temperature, temperature),
		batteryScale.of(r.Battery, battery), storageScale.of(percent(r.Storage), storage),
	}
}

func tileID(name string) string { return "hsm-" + url.PathEscape(name) }

// tileOf returns the tile of a row; d is nil where its device is not watched.
func tileOf(r glance.Row, d *hsm.Device, t rules.Thresholds, now time.Time) tile {
	v := tile{
		ID: tileID(r.Name), Href: devicePath(r.Name), Name: r.Name, Word: r.Word(), Reason: r.Reason, More: max(0, r.Alarms-1), Device: d != nil,
		Read: stampOf(r.Newest, now), Since: stampOf(r.Since, now),
	}
	if r.Reason == "" || r.Since.IsZero() {
		v.Since = stamp{}
	}
	if d == nil || d.Kind == hsm.HostMachine {
		return v
	}
	v.HSM, v.Gauges = true, gauges(r, d, t)
	if x := d.Show.Value; !d.Show.IsZero() {
		v.Model, v.Firmware, v.Serial = stated(x.Model), stated(x.Firmware), stated(x.Serial)
		if !d.Show.Fresh(now) {
			v.Known = stampOf(d.Show.At, now)
		}
	}
	v.Facts = []fact{{"Partitions", partitionsText(d, t, now)}}
	if !r.Proven.IsZero() {
		v.Facts = append(v.Facts, fact{"Worked for a client", glance.Ago(r.Proven, now) + " ago"})
	}
	if d.Kind == hsm.NetworkHSM {
		v.Facts = append(v.Facts, fact{"NTLS", ntlsText(d, now)})
	}
	return v
}

func ntlsText(d *hsm.Device, now time.Time) string {
	n, fresh := d.NTLS.Get(now)
	if !fresh {
		return unknown
	}
	text := stated(string(n.Status))
	if n.ConnectedClients.Known {
		text += ", " + counted(int(n.ConnectedClients.Value), "client", "clients")
	}
	return text
}

// partitionsText says how many partitions are activated, of those that are expected or
// else of those that there are.
func partitionsText(d *hsm.Device, t rules.Thresholds, now time.Time) string {
	list, fresh := d.Partitions.Get(now)
	if !fresh {
		if show, known := d.Show.Get(now); known && show.PartitionsCreated.Known {
			return fmt.Sprintf("%d, activation %s", show.PartitionsCreated.Value, unknown)
		}
		return unknown
	}
	active, told := 0, 0
	for _, p := range list {
		if p.Activated.Known {
			told++
		}
		if hsm.Is(p.Activated, true) {
			active++
		}
	}
	expected := max(len(list), len(t.Expected[d.Name].Partitions))
	switch {
	case expected == 0:
		return "none"
	case told == 0:
		return fmt.Sprintf("%d of %d, activation %s", len(list), expected, unknown)
	}
	return fmt.Sprintf("%d of %d active", active, expected)
}

// words are the states of an HSM, worst first.
var words = []string{"critical", "major", "minor", "warning", "stale", "unknown", "well"}

func isWord(s string) bool { return slices.Contains(words, s) }
