package alarms

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// A Journal keeps alarms, log cursors and waiting notifications on disk. What
// belongs together is one transaction.
type Journal struct{ db *bbolt.DB }

var (
	activeBucket = []byte("active")  // Key -> Alarm
	eventsBucket = []byte("events")  // device -> Events
	cursorBucket = []byte("cursors") // file -> cursor
	queueBucket  = []byte("queues")  // receiver -> sequence number -> Notification
	keptBucket   = []byte("kept")    // name -> value that outlives restarts
)

// OpenJournal opens or makes the journal in a directory. Its errors tell what
// to do.
func OpenJournal(directory string) (*Journal, error) {
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return nil, fmt.Errorf("state directory: %w; create it and make it writable for the agent's user", err)
	}
	file := filepath.Join(directory, "state.db")
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: time.Second})
	switch {
	case errors.Is(err, bbolt.ErrTimeout):
		return nil, fmt.Errorf("state %s is in use: another agent runs with this state_directory", file)
	case errors.Is(err, bbolt.ErrInvalid), errors.Is(err, bbolt.ErrChecksum), errors.Is(err, bbolt.ErrVersionMismatch):
		return nil, fmt.Errorf("state %s is damaged: %w; move it aside to start without history", file, err)
	case err != nil:
		return nil, fmt.Errorf("state directory: %w; make it writable for the agent's user", err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{activeBucket, eventsBucket, cursorBucket, queueBucket, keptBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("state %s: %w", file, err)
	}
	return &Journal{db}, nil
}

// Close closes the journal.
func (j *Journal) Close() error { return j.db.Close() }

// Load returns the alarms that stood when the journal was last written.
func (j *Journal) Load() (State, error) {
	s := NewState()
	err := j.db.View(func(tx *bbolt.Tx) error {
		err := tx.Bucket(activeBucket).ForEach(func(k, v []byte) error {
			var a Alarm
			if err := json.Unmarshal(v, &a); err != nil {
				return fmt.Errorf("alarm %s: %w", k, err)
			}
			s.Active[a.Key] = a
			return nil
		})
		if err != nil {
			return err
		}
		return tx.Bucket(eventsBucket).ForEach(func(k, v []byte) error {
			var e Events
			err := json.Unmarshal(v, &e)
			s.Events[string(k)] = e
			return err
		})
	})
	return s, err
}

// An Entry is what one step of the engine writes.
type Entry struct {
	Changes []Change
	Events  map[string]Events // devices whose counts changed
	File    string            // log whose cursor moved; "" if none
	Cursor  []byte
	Notify  map[string][]Notification // by receiver
}

// Write makes e durable, whole or not at all.
func (j *Journal) Write(e Entry) error {
	return j.db.Update(func(tx *bbolt.Tx) error {
		active := tx.Bucket(activeBucket)
		for _, c := range e.Changes {
			key := []byte(c.Alarm.Key.String())
			if c.Kind == Ended {
				if err := active.Delete(key); err != nil {
					return err
				}
			} else if err := put(active, key, c.Alarm); err != nil {
				return err
			}
		}
		for device, n := range e.Events {
			if err := put(tx.Bucket(eventsBucket), []byte(device), n); err != nil {
				return err
			}
		}
		if e.File != "" {
			if err := tx.Bucket(cursorBucket).Put([]byte(e.File), e.Cursor); err != nil {
				return err
			}
		}
		for receiver, list := range e.Notify {
			queue, err := tx.Bucket(queueBucket).CreateBucketIfNotExists([]byte(receiver))
			if err != nil {
				return err
			}
			for _, n := range list {
				n.Sequence, err = queue.NextSequence()
				if err != nil {
					return err
				}
				if err := put(queue, sequenceKey(n.Sequence), n); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func put(b *bbolt.Bucket, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, text)
}

func sequenceKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// Cursor returns where to go on in a log; nil if it was never read.
func (j *Journal) Cursor(file string) (cursor []byte) {
	j.db.View(func(tx *bbolt.Tx) error {
		cursor = slices.Clone(tx.Bucket(cursorBucket).Get([]byte(file)))
		return nil
	})
	return cursor
}

// Waiting returns the oldest notification that waits for a receiver, and how
// many do.
func (j *Journal) Waiting(receiver string) (oldest Notification, n int, err error) {
	err = j.db.View(func(tx *bbolt.Tx) error {
		queue := tx.Bucket(queueBucket).Bucket([]byte(receiver))
		if queue == nil {
			return nil
		}
		if _, text := queue.Cursor().First(); text != nil {
			n = queue.Stats().KeyN
			return json.Unmarshal(text, &oldest)
		}
		return nil
	})
	return oldest, n, err
}

// Done removes a delivered notification.
func (j *Journal) Done(receiver string, sequence uint64) error {
	return j.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(queueBucket).Bucket([]byte(receiver)).Delete(sequenceKey(sequence))
	})
}

// Count adds one to a number that outlives restarts, and returns it.
func (j *Journal) Count(name string) (n uint64, err error) {
	err = j.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(keptBucket)
		if old := b.Get([]byte(name)); len(old) == 8 {
			n = binary.BigEndian.Uint64(old)
		}
		n++
		return b.Put([]byte(name), sequenceKey(n))
	})
	return n, err
}

// Keep returns the value that was kept under a name, and makes it when there
// is none.
func (j *Journal) Keep(name string, value func() []byte) (kept []byte, err error) {
	err = j.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(keptBucket)
		if kept = slices.Clone(b.Get([]byte(name))); kept != nil {
			return nil
		}
		kept = value()
		return b.Put([]byte(name), kept)
	})
	return kept, err
}
