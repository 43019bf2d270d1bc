package history

import (
	"context"
	"time"

	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/exporters/glance"
)

// glanceInterval is how often the state of every device is noted. What changes between is
// noted when it does, by [Store.Changed].
const glanceInterval = time.Minute

// Open reads what is stored in a directory. What cannot be read begins anew, and is logged.
func (s *Store) Open(directory string) {
	s.directory = directory
	t := s.table()
	if t == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, unreadable := time.Now(), 0
	damaged, err := t.Each(func(key, value []byte) error {
		if !s.load(key, value, now) {
			unreadable++
		}
		return nil
	})
	if err != nil || damaged+unreadable > 0 {
		s.log.Error("a part of the history for charts cannot be read and begins anew", "parts", damaged+unreadable, "err", err)
	}
}

// table returns the stored history, which is opened when it can be; nil: it cannot.
func (s *Store) table() *journal.Table {
	if s.disk != nil {
		return s.disk
	}
	t, damage, err := journal.OpenTable(s.directory, "history", version)
	if damage != "" {
		s.log.Error("the history for charts was damaged and begins anew", "why", damage)
	}
	s.report(err)
	s.disk = t
	return t
}

// report logs when storing begins to fail, and when it works again.
func (s *Store) report(err error) {
	switch {
	case err != nil && !s.failing:
		s.log.Error("the history for charts is not stored, and is in memory only", "err", err)
	case err == nil && s.failing:
		s.log.Info("the history for charts is stored again")
	}
	s.failing = err != nil
}

// Run notes how the devices are, and stores what has changed at each Step, until ctx is
// done. It must be called once, after [Store.Open].
func (s *Store) Run(ctx context.Context, estate func(now time.Time) glance.Estate) error {
	clock := time.NewTicker(glanceInterval)
	defer clock.Stop()
	for stored := stepOf(time.Now()); ; {
		select {
		case <-ctx.Done():
			s.save(time.Now(), true)
			if s.disk != nil {
				return s.disk.Close()
			}
			return nil
		case <-clock.C:
		}
		now := time.Now()
		s.Glance(estate(now))
		if stepOf(now) != stored {
			stored = stepOf(now)
			s.save(now, false)
		}
	}
}

// save stores what has changed; with open, also what there is of the step that is not over.
func (s *Store) save(now time.Time, open bool) {
	late := s.disk == nil
	t := s.table()
	if t == nil {
		return
	}
	b := s.gather(now, open)
	if late { // what the file has was not read; nothing was gathered yet
		b.remove = []journal.Range{{From: []byte{0}, To: []byte{0xFF}}}
	}
	if len(b.values)+len(b.remove) == 0 {
		return
	}
	err := t.Write(b.values, b.remove...)
	if err != nil {
		s.restore(b)
	}
	s.report(err)
}
