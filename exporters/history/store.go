package history

import (
	"log/slog"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Store has the history of every HSM, by its name. It is made by [New], and safe for
// concurrent use. An HSM takes at most about 16 KB, and
// 4 KB more with probes.
type Store struct {
	log *slog.Logger

	directory string // of what is stored; what follows is of the goroutine of Run
	disk      *journal.Table
	failing   bool // it was not stored the last time

	mu       sync.Mutex // guards what follows; never held while a file is written
	devices  map[string]*device
	numbered map[uint32]*device
	free     uint32 // there is no free number below it
}

// A device is the history of one.
type device struct {
	number uint32 // of what is stored of it
	named  bool   // its number is stored
	counts counts
	rings  [len(measures)]*ring // nil: never read
	days   *days                // nil: nothing is known
}

// New returns an empty Store.
func New(log *slog.Logger) *Store {
	return &Store{log: log, devices: make(map[string]*device), numbered: make(map[uint32]*device)}
}

func (s *Store) device(name string) *device {
	d := s.devices[name]
	if d == nil {
		d = &device{number: s.number()}
		s.devices[name], s.numbered[d.number] = d, d
	}
	return d
}

// number returns the least number that no device has.
func (s *Store) number() uint32 {
	for s.numbered[s.free] != nil {
		s.free++
	}
	return s.free
}

// Observe takes what o has changed in d: its cost does not depend on how many other
// devices there are. nil is a device that was removed meanwhile.
func (s *Store) Observe(d *hsm.Device, o hsm.Observation) {
	if d == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.device(d.Name)
	for i, r := range x.counts.readings(d, o) {
		if r.at.IsZero() {
			continue
		}
		if x.rings[i] == nil {
			x.rings[i] = newRing(stepOf(r.at))
		}
		x.rings[i].add(r, offset(measures[i].Name))
	}
}

// Note takes how a device is at a time, in a word of [Hour].State, and why.
func (s *Store) Note(device, state, reason string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.device(device)
	if d.days == nil {
		d.days = newDays(hourOf(at))
	}
	d.days.note(hourOf(at), state, reason)
}

// Changed notes the alarms that changes are about, so that an hour has what was active for
// a moment only. What is not raised yet, and tests, do not count.
func (s *Store) Changed(changes []alarms.Change, at time.Time) {
	for _, c := range changes {
		if a := c.Alarm; c.Kind != alarms.Pending && c.Kind != alarms.Dropped && !a.Test && !a.IsTest() {
			s.Note(a.Device, glance.Row{State: glance.Warning, Severity: a.Severity}.Word(), a.Text, at)
		}
	}
}

// Glance notes how the devices of an estate are. Of one that was not asked yet, such as
// after a start, it is not known that its state is unknown.
func (s *Store) Glance(e glance.Estate) {
	for _, r := range e.Rows {
		if word := r.Word(); word != "unknown" || r.Tried {
			s.Note(r.Name, word, r.Reason, e.At)
		}
	}
}

// Series returns the last Span of a measure; false: it was never read of this device.
func (s *Store) Series(device string, m Measure, now time.Time) (Series, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, d := index(m), s.devices[device]
	if i < 0 || d == nil || d.rings[i] == nil {
		return Series{}, false
	}
	return d.rings[i].series(now, offset(m)), true
}

// Measures returns what was read of a device in the last Span or so, in the order of
// charts.
func (s *Store) Measures(device string) (list []Measure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.devices[device]; d != nil {
		for i, r := range d.rings {
			if r != nil {
				list = append(list, measures[i].Name)
			}
		}
	}
	return list
}

// Days returns the last [Hours] of a device, oldest first; none if nothing is known of it.
func (s *Store) Days(device string, now time.Time) []Hour {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices[device]
	if d == nil || d.days == nil {
		return nil
	}
	return d.days.until(now)
}
