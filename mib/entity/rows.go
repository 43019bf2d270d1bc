package entity

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A row is one part of a device, as all tables show it.
type row struct {
	mib.EntityPart
	found  // what sources say of it; of a section that was never read nothing but its key
	index  uint32
	device *hsm.Device
	entity *mib.Entity
	src    *mib.Source
}

// rows returns the parts of a device that exist, by their numbers: those that the sources
// stated last, and those of which nothing was read since the start.
func rows(src *mib.Source, d *hsm.Device, e *mib.Entity) []row {
	stated := make(map[string]found)
	for f := range parts(d) {
		if before, again := stated[f.key]; again {
			f.status = before.status + "," + f.status
		}
		stated[f.key] = f
	}
	var all []row
	for key, p := range e.Parts {
		f, known := stated[key]
		if !known {
			f = found{key: key, section: sectionOf(key)}
			if !f.unread(d) {
				continue
			}
		}
		all = append(all, row{EntityPart: p, found: f, index: e.Index(p.Number), device: d, entity: e, src: src})
	}
	slices.SortFunc(all, func(a, b row) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

// sectionOf returns the section that a part is of, by its key.
func sectionOf(key string) section {
	for _, known := range []string{"supply ", "fan ", "sensor "} {
		if len(key) > len(known) && key[:len(known)] == known {
			return ofSensors
		}
	}
	return ofShow
}

// read returns when the values of a part were read, and for how long they hold.
func (f found) read(d *hsm.Device) (at time.Time, maxAge time.Duration) {
	if f.section == ofSensors {
		return d.Sensors.At, d.Sensors.MaxAge
	}
	return d.Show.At, d.Show.MaxAge
}

func (f found) unread(d *hsm.Device) bool {
	at, _ := f.read(d)
	return at.IsZero()
}

// fresh reports whether what the sources say of a part may be believed.
func (r row) fresh() bool {
	d, now := r.device, r.src.Now
	switch {
	case r.key == chassisKey:
		return d.Show.Fresh(now) || d.Sensors.Fresh(now) || d.Host.Fresh(now)
	case r.section == ofSensors:
		return d.Sensors.Fresh(now)
	}
	return d.Show.Fresh(now)
}

// fullName is unlike that of every other part of the estate.
func (r row) fullName() string {
	if r.Name == "" {
		return r.device.Name
	}
	return r.device.Name + " " + r.Name
}

// ofDevices makes a part of a table of each device, in the order of their numbers. reads is
// the stamp of what its rows show besides the numbers.
func ofDevices[R any](reads func(*mib.Source, *hsm.Device) []any, of func([]row) iter.Seq2[agentx.OID, R]) func(mib.Source) iter.Seq[mib.Part[R]] {
	return func(src mib.Source) iter.Seq[mib.Part[R]] {
		return func(yield func(mib.Part[R]) bool) {
			for _, d := range numbered(src) {
				stamp := func() []any { return append(reads(&src, d.Device), d.Entity) }
				rows := func(yield func(agentx.OID, R) bool) { of(rows(&src, d.Device, d.Entity))(yield) }
				if !yield(mib.Part[R]{Name: d.Name, Stamp: stamp, Rows: rows}) {
					return
				}
			}
		}
	}
}

// A device is one that has a number.
type device struct {
	*hsm.Device
	*mib.Entity
}

// numbered returns the devices that have numbers, by them. A host is one if it has cards.
func numbered(src mib.Source) (all []device) {
	if src.Entities == nil {
		return nil
	}
	cards := slices.ContainsFunc(src.Snapshot.Devices, func(d *hsm.Device) bool { return d.Kind == hsm.CardHSM })
	all = make([]device, 0, len(src.Snapshot.Devices))
	for _, d := range src.Snapshot.Devices {
		if e := src.Entities.Devices[d.Name]; e != nil && (d.Kind != hsm.HostMachine || cards && d.Name == src.Entities.Host) {
			all = append(all, device{d, e})
		}
	}
	slices.SortFunc(all, func(a, b device) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

// eachRow yields the rows with their index.
func eachRow(all []row) iter.Seq2[agentx.OID, row] {
	return func(yield func(agentx.OID, row) bool) {
		for _, r := range all {
			if !yield(agentx.OID{r.index}, r) {
				return
			}
		}
	}
}

// A reading is which value of a section rows show.
type reading struct {
	seq   uint64
	fresh bool
}

// identity is the stamp of what does not become stale.
func identity(src *mib.Source, d *hsm.Device) []any {
	return []any{d.Show.Seq, d.Sensors.Seq, src.Entities.Host}
}

// values is the stamp of what was measured.
func values(src *mib.Source, d *hsm.Device) []any {
	return []any{reading{d.Show.Seq, d.Show.Fresh(src.Now)}, reading{d.Sensors.Seq, d.Sensors.Fresh(src.Now)}, d.Host.Fresh(src.Now)}
}
