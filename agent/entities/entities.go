// Package entities keeps the numbers of devices and their parts in ENTITY-MIB: they are
// stored before SNMP serves them, and never given to anything else.
package entities

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/agent/cluster"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/entity"
)

// places is how many places there are for devices: a device has the number place + 1, or
// that and a multiple of places. The place is its shard, which is of one agent of a cluster at
// a time, so that two never give the same number; what is of one agent only has the last. It
// can never change.
const places = cluster.Shards + 1

// Entities are the numbers that were given. Its methods are safe for concurrent use once
// Open has returned.
type Entities struct {
	Shared func(device string) bool // whether all agents of a cluster have the device
	Owned  func(device string) bool // whether this one gives numbers to a shared device; nil: to all
	Host   func() string            // the device that has the cards

	journal *journal.Journal

	mu       sync.Mutex
	all      map[string]*mib.Entity // of all devices that ever were; replaced, never changed
	taken    map[uint32]string      // device by number
	shapes   map[string]shape
	followed map[string]followed
	stale    bool // other agents have written numbers
	changed  time.Time
}

// A shape is what a device was when its numbers were looked at last.
type shape struct {
	show, sensors uint64 // Seq
}

// Open reads what was given.
func (e *Entities) Open(j *journal.Journal) error {
	e.journal = j
	return e.load()
}

// Reload has what other agents gave read.
func (e *Entities) Reload() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stale = true
}

func (e *Entities) load() error {
	stored, err := e.journal.Entities()
	if err != nil {
		return err
	}
	all, taken := make(map[string]*mib.Entity, len(stored)), make(map[uint32]string, len(stored))
	var errs []error
	for _, device := range slices.Sorted(maps.Keys(stored)) {
		next := new(mib.Entity)
		err := json.Unmarshal(stored[device], next)
		other, twice := taken[next.Number]
		switch {
		case err == nil && next.Number > 0 && next.Number <= mib.MaxEntities && !twice:
		case err != nil:
			errs = append(errs, fmt.Errorf("ENTITY-MIB: the numbers of %s are damaged, and are given anew: %w", device, err))
			continue
		case !twice:
			errs = append(errs, fmt.Errorf("ENTITY-MIB: %s has the number %d, and gets another", device, next.Number))
			continue
		default:
			errs = append(errs, fmt.Errorf("ENTITY-MIB: %s has the number of %s, and gets another", device, other))
			continue
		}
		if before := e.all[device]; before != nil {
			next.Since = before.Since
			if before.Number == next.Number && maps.Equal(before.Parts, next.Parts) {
				next = before
			}
		}
		all[device], taken[next.Number] = next, device
	}
	e.all, e.taken, e.stale, e.shapes = all, taken, false, make(map[string]shape)
	return errors.Join(errs...)
}

// Add gives numbers to what has none, and returns what to serve: what could not be stored
// is not. The error says what is missing.
func (e *Entities) Add(src mib.Source) (*mib.Entities, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	if e.stale {
		errs = append(errs, e.load())
	}
	given, unnumbered := e.give(src.Snapshot)
	errs = append(errs, unnumbered, e.store(given, src.Now))
	src.Entities = &mib.Entities{Devices: e.all, Host: e.Host()}
	if src.Alarms != nil {
		src.Entities.Alarms = make(map[string][]*mib.Alarm)
		for _, a := range src.Alarms.Active {
			src.Entities.Alarms[a.Device] = append(src.Entities.Alarms[a.Device], a)
		}
	}
	e.follow(src)
	src.Entities.Devices, src.Entities.Changed = e.all, e.changed
	return src.Entities, errors.Join(errs...)
}

// followed is how the parts of a device were.
type followed struct {
	stamp []any
	parts map[uint32]entity.Part
}

// follow notes when parts change.
func (e *Entities) follow(src mib.Source) {
	if e.followed == nil {
		e.followed = make(map[string]followed)
	}
	changed := make(map[string]*mib.Entity)
	for _, d := range src.Snapshot.Devices {
		before, known := e.followed[d.Name]
		this := e.all[d.Name]
		if this == nil {
			continue
		}
		stamp := entity.Stamp(src, d)
		if known && slices.Equal(stamp, before.stamp) {
			continue
		}
		now := entity.Parts(src, d)
		e.followed[d.Name] = followed{stamp, now}
		if !known {
			continue
		}
		if since := e.since(this, before.parts, now, src.Now); since != nil {
			changed[d.Name] = &mib.Entity{Number: this.Number, Parts: this.Parts, Since: since}
		}
	}
	if len(changed) > 0 {
		e.all = maps.Clone(e.all)
		maps.Copy(e.all, changed)
	}
}

// since returns when the state of each part last changed, now included; nil: none has
// changed now. It notes whether what is there has.
func (e *Entities) since(this *mib.Entity, before, after map[uint32]entity.Part, now time.Time) (since map[uint32]time.Time) {
	for n, p := range after {
		old, known := before[n]
		if !known || old.Identity != p.Identity {
			e.changed = now
		}
		if known && old.Oper == p.Oper && old.Alarm == p.Alarm {
			continue
		}
		if since == nil {
			since = maps.Clone(this.Since)
		}
		if since == nil {
			since = make(map[uint32]time.Time)
		}
		since[n] = now
	}
	for n := range before {
		if _, there := after[n]; !there {
			e.changed = now
		}
	}
	return since
}

// give returns new numbers for devices that have changed and for which this agent gives them.
func (e *Entities) give(snap *hsm.Snapshot) (given map[string]*mib.Entity, err error) {
	given = make(map[string]*mib.Entity)
	var errs []error
	for _, d := range snap.Devices {
		now := shape{d.Show.Seq, d.Sensors.Seq}
		if before, seen := e.shapes[d.Name]; seen && before == now || !e.mine(d.Name) {
			continue
		}
		old := e.all[d.Name]
		next := old
		if next == nil {
			number, err := e.number(d.Name)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			next = &mib.Entity{Number: number}
		}
		next, err := entity.Allot(next, d)
		errs = append(errs, err)
		if next != old {
			given[d.Name] = next
		}
		e.shapes[d.Name] = now
	}
	return given, errors.Join(errs...)
}

// mine reports whether this agent gives a device its numbers.
func (e *Entities) mine(device string) bool {
	return e.Owned == nil || !e.Shared(device) || e.Owned(device)
}

// number takes the first free number of a device's place.
func (e *Entities) number(device string) (uint32, error) {
	place := cluster.Shards
	if e.Shared(device) {
		place = cluster.Shard(device)
	}
	for n := uint32(place + 1); n <= mib.MaxEntities; n += places {
		if _, taken := e.taken[n]; !taken {
			e.taken[n] = device
			return n, nil
		}
	}
	return 0, fmt.Errorf("ENTITY-MIB: no number is left for %s", device)
}

// store stores what was given, and has it served. After an error all is read again.
func (e *Entities) store(given map[string]*mib.Entity, now time.Time) error {
	if len(given) == 0 {
		return nil
	}
	texts := make(map[string]json.RawMessage, len(given))
	for device, next := range given {
		text, err := json.Marshal(next)
		if err != nil {
			return err
		}
		texts[device] = text
	}
	if err := e.journal.StoreEntities(texts); err != nil {
		e.stale = true
		return fmt.Errorf("ENTITY-MIB: numbers are not stored, and not served: %w", err)
	}
	e.all, e.changed = maps.Clone(e.all), now
	maps.Copy(e.all, given)
	return nil
}
