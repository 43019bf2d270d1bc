package alarms

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// A Journal keeps alarms, log cursors and waiting notifications on disk. What
// belongs together is one transaction. Its methods are safe for concurrent use.
type Journal struct {
	db     *bbolt.DB
	engine func() (Engine, error)
}

var (
	activeBucket = []byte("active")  // Key -> Alarm, both JSON
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
	db, err := open(file)
	if err == nil {
		err = db.Update(makeBuckets)
	}
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("state %s is in use: another agent runs with this state_directory", file)
	case errors.Is(err, errDamaged):
		return nil, fmt.Errorf("state %s is %w; move it aside to start without history", file, err)
	case err != nil:
		return nil, fmt.Errorf("state directory: %w; make it writable for the agent's user", err)
	}
	j := &Journal{db: db}
	j.engine = sync.OnceValues(j.startEngine)
	return j, nil
}

var errDamaged = errors.New("damaged")

// open opens a database that is whole, or makes a new one. It looks first
// without writing, so that a damaged one stays as it is.
func open(file string) (db *bbolt.DB, err error) {
	if info, err := os.Stat(file); err == nil && info.Size() > 0 {
		if err := check(file, info.Size()); err != nil {
			return nil, err
		}
	}
	return bbolt.Open(file, 0o600, &bbolt.Options{Timeout: lockTimeout})
}

// lockTimeout is how long another process may hold the state.
const lockTimeout = time.Second

// check reads the whole database. Damage makes bbolt panic, or reach for
// memory that is not there.
func check(file string, size int64) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true, PreLoadFreelist: true})
	switch {
	case errors.Is(err, berrors.ErrTimeout), errors.Is(err, fs.ErrPermission):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	defer db.Close()
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > size {
			return fmt.Errorf("%w: %d of %d bytes are left", errDamaged, size, tx.Size())
		}
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return readAll(b) })
	})
}

// readAll touches every key and value of a bucket.
func readAll(b *bbolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			return readAll(b.Bucket(k))
		}
		crc32.ChecksumIEEE(v)
		return nil
	})
}

func makeBuckets(tx *bbolt.Tx) error {
	for _, name := range [][]byte{activeBucket, eventsBucket, cursorBucket, queueBucket, keptBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the journal.
func (j *Journal) Close() error { return j.db.Close() }

// Load returns the alarms that stood when the journal was last written.
func (j *Journal) Load() (State, error) {
	s := NewState()
	err := j.db.View(func(tx *bbolt.Tx) error {
		err := tx.Bucket(activeBucket).ForEach(func(_, v []byte) error {
			var a Alarm
			err := json.Unmarshal(v, &a)
			s.Active[a.Key] = a
			return err
		})
		if err != nil {
			return err
		}
		return tx.Bucket(eventsBucket).ForEach(func(device, v []byte) error {
			var e Events
			err := json.Unmarshal(v, &e)
			s.Events[string(device)] = e
			return err
		})
	})
	if err != nil {
		return State{}, fmt.Errorf("state %s is %w: %w; move it aside to start without history", j.db.Path(), errDamaged, err)
	}
	return s, nil
}

// An Entry is what one step of the engine writes.
type Entry struct {
	Changes []Change
	Events  map[string]Events // devices whose counts changed
	File    string            // log whose cursor moved; "" if none
	Cursor  []byte
	Notify  map[string][]Notification // by receiver
}

// Write makes e durable, whole or not at all. Its error tells what to do.
func (j *Journal) Write(e Entry) error {
	return j.update(func(tx *bbolt.Tx) error {
		for _, c := range e.Changes {
			if err := putAlarm(tx.Bucket(activeBucket), c); err != nil {
				return err
			}
		}
		for device, n := range e.Events {
			if err := put(tx.Bucket(eventsBucket), []byte(device), n); err != nil {
				return err
			}
		}
		for receiver, list := range e.Notify {
			if err := enqueue(tx, receiver, list); err != nil {
				return err
			}
		}
		if e.File == "" {
			return nil
		}
		return tx.Bucket(cursorBucket).Put([]byte(e.File), e.Cursor)
	})
}

// update runs one transaction. bbolt keeps nothing of one that fails.
func (j *Journal) update(change func(*bbolt.Tx) error) error {
	if err := j.db.Update(change); err != nil {
		return fmt.Errorf("state %s not written: %w; free space there and make it writable", j.db.Path(), err)
	}
	return nil
}

func putAlarm(active *bbolt.Bucket, c Change) error {
	key, err := json.Marshal(c.Alarm.Key)
	if err != nil {
		return err
	}
	if c.Kind == Ended {
		return active.Delete(key)
	}
	return put(active, key, c.Alarm)
}

func enqueue(tx *bbolt.Tx, receiver string, list []Notification) error {
	queue, err := tx.Bucket(queueBucket).CreateBucketIfNotExists([]byte(receiver))
	if err != nil {
		return err
	}
	for _, n := range list {
		if n.Sequence, err = queue.NextSequence(); err != nil {
			return err
		}
		if err := put(queue, sequenceKey(n.Sequence), n); err != nil {
			return err
		}
	}
	return nil
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
// many do. A queue is emptied from its front only, so its ends tell its length.
// With an error that is of the notification, its Sequence is set.
func (j *Journal) Waiting(receiver string) (oldest Notification, n int, err error) {
	err = j.db.View(func(tx *bbolt.Tx) error {
		queue := tx.Bucket(queueBucket).Bucket([]byte(receiver))
		if queue == nil {
			return nil
		}
		first, text := queue.Cursor().First()
		if first == nil {
			return nil
		}
		last, _ := queue.Cursor().Last()
		sequence := binary.BigEndian.Uint64(first)
		n = int(binary.BigEndian.Uint64(last)-sequence) + 1
		err := json.Unmarshal(text, &oldest)
		oldest.Sequence = sequence
		return err
	})
	return oldest, n, err
}

// Done removes a notification that was delivered.
func (j *Journal) Done(receiver string, sequence uint64) error {
	return j.update(func(tx *bbolt.Tx) error {
		return tx.Bucket(queueBucket).Bucket([]byte(receiver)).Delete(sequenceKey(sequence))
	})
}

// Count adds one to a number that outlives restarts, and returns it.
func (j *Journal) Count(name string) (n uint64, err error) {
	err = j.update(func(tx *bbolt.Tx) error {
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
	err = j.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(keptBucket)
		if kept = slices.Clone(b.Get([]byte(name))); kept != nil {
			return nil
		}
		kept = value()
		return b.Put([]byte(name), kept)
	})
	return kept, err
}
