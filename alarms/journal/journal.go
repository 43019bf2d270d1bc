// Package journal stores alarms, notifications and log cursors on disk, in
// transactions. It knows nothing of rules, and of receivers only their names.
package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Journal stores alarms, their history, silences, log cursors and queued
// notifications on disk. What belongs together is one transaction. While the
// disk refuses it, everything is kept in memory. Its methods are safe for
// concurrent use.
type Journal struct {
	Opened time.Time // when Open was called
	Share  *Share    // nil: no other agent holds this state; set before anything is written

	file        string
	engine      func() (Engine, error)
	damage      string // what is wrong with the state that was found; "": nothing
	found       Incidents
	incidents   string // as they are stored; of the goroutine that stores them
	quarantined string // where a damaged file was moved; "": none was

	mu      sync.RWMutex // guards what follows; held for reading by every transaction
	db      *bbolt.DB
	disk    *bbolt.DB // that db in memory replaces, if it could be opened
	trouble error     // why db is in memory; nil: it is on disk
	since   time.Time // when trouble began
}

var (
	activeBucket   = []byte("active")   // Key -> Alarm, both JSON; those that are pending too
	historyBucket  = []byte("history")  // number -> cleared Alarm
	notifiedBucket = []byte("told")     // receiver -> Key -> Notified
	silenceBucket  = []byte("silences") // number -> Silence
	eventsBucket   = []byte("events")   // device -> Events
	cursorBucket   = []byte("cursors")  // file -> cursor
	auditBucket    = []byte("audit")    // file -> how far its audit records are read
	queueBucket    = []byte("queues")   // receiver -> sequence number -> Notification
	valueBucket    = []byte("kept")     // name -> value that survives restarts
	trendBucket    = []byte("trends")   // Series -> samples
	memoryBucket   = []byte("memory")   // device -> Memory
	placeBucket    = []byte("places")   // device -> Place
	lineBucket     = []byte("lines")    // name -> Line
	refusalBucket  = []byte("refusals") // account -> refusal of its password
	requestBucket  = []byte("requests") // name -> what an operator asks of the owner of a device
	entityBucket   = []byte("entities") // device -> its number and those of its parts
	othersBucket   = []byte("others")   // key of a Write -> Notification in the queue of another agent
	spoolBucket    = []byte("spool")    // key of a Write that other agents lack -> device
)

func makeBuckets(tx *change) error {
	for _, name := range [][]byte{activeBucket, historyBucket, notifiedBucket, silenceBucket, eventsBucket, cursorBucket, auditBucket, queueBucket, valueBucket, trendBucket, memoryBucket,
		placeBucket, requestBucket, refusalBucket, lineBucket, entityBucket, othersBucket, spoolBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// Open opens or creates the journal in a directory. A damaged one is
// quarantined, see [Journal.Damage]. Its errors say what to do.
func Open(directory string) (*Journal, error) {
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return nil, fmt.Errorf("state directory: %w; create it and make it writable for the agent's user", err)
	}
	file := filepath.Join(directory, "state.db")
	found, missing := readIncidents(directory)
	info, err := os.Stat(file)
	missing = missing && errors.Is(err, fs.ErrNotExist)
	var j *Journal
	if err == nil && info.Size() == 0 {
		err = fmt.Errorf("%w: it is empty", errDamaged)
	} else {
		j, err = openFile(file)
	}
	if errors.Is(err, errDamaged) {
		damaged := file + ".damaged-" + time.Now().UTC().Format("20060102T150405.000Z")
		if err := os.Rename(file, damaged); err != nil {
			return nil, fmt.Errorf("state %s is damaged and cannot be quarantined: %w", file, err)
		}
		if j, err = openFile(file); err == nil {
			j.quarantined, j.damage = damaged, "the state was damaged and is quarantined as "+damaged
		}
	} else if err == nil && missing {
		j.damage = "the state " + file + " is gone"
	}
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("state %s is in use: another agent runs with this state_directory", file)
	case err != nil:
		return nil, fmt.Errorf("state directory: %w; make it writable for the agent's user", err)
	}
	if j.damage != "" {
		j.found = found
	}
	return j, nil
}

// Read returns what the journal in a directory holds, and changes nothing there. It is
// an error if there is none, or an agent runs with it.
func Read(directory string) (State, error) {
	file := filepath.Join(directory, "state.db")
	info, err := os.Stat(file)
	if err != nil {
		return State{}, err
	}
	if err := check(file, info.Size()); err != nil {
		return State{}, err
	}
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true})
	if err != nil {
		return State{}, err
	}
	j := &Journal{file: file, db: db}
	defer j.Close()
	return j.Load()
}

// openFile opens an intact journal, or creates one.
func openFile(file string) (*Journal, error) {
	j := &Journal{file: file, Opened: time.Now()}
	j.engine = sync.OnceValues(j.startEngine)
	var err error
	if j.db, err = open(file); full(err) {
		j.trouble, j.since = err, j.Opened
		j.db, err = inMemory()
	}
	if err != nil {
		return nil, err
	}
	if err = j.update(makeBuckets); err == nil {
		_, err = j.Load()
	}
	if err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

// Quarantined returns where a damaged state was moved when the journal was
// opened; "": it was not damaged.
func (j *Journal) Quarantined() string { return j.quarantined }

// Damage says what was wrong with the state when the journal was opened, and
// which alarms receivers took to be active then; "": nothing was.
func (j *Journal) Damage() (what string, open Incidents) { return j.damage, j.found }

// Close closes the journal, which must not be used afterwards.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.disk != nil {
		j.disk.Close()
	}
	return j.db.Close()
}

// Load returns what the journal holds.
func (j *Journal) Load() (State, error) {
	state := State{State: alarms.NewState(), Unnotified: make(map[alarms.Key]alarms.Alarm), Notified: make(map[string]map[alarms.Key]alarms.Notified)}
	now := time.Now()
	err := j.view(func(tx *bbolt.Tx) error {
		if err := each(tx.Bucket(activeBucket), func(_ []byte, a alarms.Alarm) {
			if a = state.past(a, now); j.Mine(a.Device) {
				state.Put(a)
			} else {
				state.PutOther(a)
			}
		}); err != nil {
			return err
		}
		if err := each(tx.Bucket(eventsBucket), func(device []byte, e alarms.Events) { state.Events[string(device)] = e }); err != nil {
			return err
		}
		if err := each(tx.Bucket(memoryBucket), func(device []byte, m alarms.Memory) {
			if state.Memory == nil {
				state.Memory = make(map[string]alarms.Memory)
			}
			state.Memory[string(device)] = m
		}); err != nil {
			return err
		}
		if err := each(tx.Bucket(silenceBucket), func(_ []byte, s alarms.Silence) { state.Silences = append(state.Silences, s) }); err != nil {
			return err
		}
		return state.loadNotified(tx, now, j.Mine)
	})
	if err != nil {
		return State{}, fmt.Errorf("state %s is %w: %w", j.file, errDamaged, err)
	}
	if j.Share != nil {
		state.Numbered = j.Share.Number
	}
	state.Due = time.Unix(0, 0) // long ago, so that Settle finds it out
	state.Settle(now)
	return state, nil
}

// each reads every value of a bucket as JSON.
func each[T any](b *bbolt.Bucket, take func(key []byte, v T)) error {
	return b.ForEach(func(k, text []byte) error {
		var v T
		if err := json.Unmarshal(text, &v); err != nil {
			return err
		}
		take(k, v)
		return nil
	})
}

// An Entry is what one step of the engine writes, in one transaction.
type Entry struct {
	Changes  []alarms.Change
	Events   map[string]alarms.Events // devices whose counts changed
	File     string                   // log whose cursor moved; "" if none
	Cursor   []byte
	Audit    []byte                                    // how far the audit records of File are read; nil: it has none
	Notified map[string]map[alarms.Key]alarms.Notified // by receiver; a zero Notified is removed
	Notify   map[string][]alarms.Notification          // by receiver
	Silence  *alarms.Silence                           // new or changed; nil: none
	Places   map[string]Place                          // by device, of a shared journal
}

// Write stores e, whole or not at all. Its error says what to do.
func (j *Journal) Write(e Entry) error {
	return j.update(func(tx *change) error {
		for _, c := range e.Changes {
			if err := putAlarm(tx, c); err != nil {
				return err
			}
		}
		for device, n := range e.Events {
			if err := tx.put(eventsKind, "", []byte(device), n); err != nil {
				return err
			}
		}
		for receiver, notified := range e.Notified {
			if err := putNotified(tx, receiver, notified); err != nil {
				return err
			}
		}
		for receiver, list := range e.Notify {
			if err := enqueue(tx, receiver, list); err != nil {
				return err
			}
		}
		for device, p := range e.Places {
			if err := tx.put(placeKind, "", []byte(device), p); err != nil {
				return err
			}
		}
		if e.Silence != nil {
			if err := tx.put(silenceKind, "", sequenceKey(e.Silence.ID), e.Silence); err != nil {
				return err
			}
		}
		if e.File == "" {
			return nil
		}
		if e.Audit != nil {
			if err := tx.Bucket(auditBucket).Put([]byte(e.File), e.Audit); err != nil {
				return err
			}
		}
		return tx.Bucket(cursorBucket).Put([]byte(e.File), e.Cursor)
	})
}

func putAlarm(tx *change, c alarms.Change) error {
	key, err := json.Marshal(c.Alarm.Key)
	if err != nil {
		return err
	}
	switch c.Kind {
	case alarms.Dropped:
		return tx.remove(activeKind, "", key)
	case alarms.Cleared:
		if err := tx.remove(activeKind, "", key); err != nil {
			return err
		}
		return tx.put(historyKind, "", sequenceKey(c.Alarm.Number), c.Alarm)
	default:
		return tx.put(activeKind, "", key, c.Alarm)
	}
}

func putNotified(tx *change, receiver string, notified map[alarms.Key]alarms.Notified) error {
	if _, err := notifiedKind.in(tx.Tx, receiver); err != nil {
		return err
	}
	for k, t := range notified {
		key, err := json.Marshal(k)
		if err != nil {
			return err
		}
		if t == (alarms.Notified{}) {
			err = tx.remove(notifiedKind, receiver, key)
		} else {
			err = tx.put(notifiedKind, receiver, key, t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func enqueue(tx *change, receiver string, list []alarms.Notification) error {
	queue, err := queueKind.in(tx.Tx, receiver)
	if err != nil {
		return err
	}
	for _, n := range list {
		if n.Sequence, err = queue.NextSequence(); err != nil {
			return err
		}
		if err := tx.put(queueKind, receiver, sequenceKey(n.Sequence), n); err != nil {
			return err
		}
	}
	return nil
}

func sequenceKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// Audit returns how far the audit records of each log are read.
func (j *Journal) Audit() (files map[string][]byte, err error) {
	files = make(map[string][]byte)
	err = j.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(auditBucket).ForEach(func(file, text []byte) error {
			files[string(file)] = slices.Clone(text)
			return nil
		})
	})
	return files, err
}

// Cursor returns where to continue in a log; nil: it was never read.
func (j *Journal) Cursor(file string) (cursor []byte, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		cursor = slices.Clone(tx.Bucket(cursorBucket).Get([]byte(file)))
		return nil
	})
	return cursor, err
}

// Waiting returns the oldest notification in the queue of a receiver, and the
// queue's length: it is emptied from its front only, so its ends determine
// that. If the notification cannot be read, its Sequence is set with the error.
func (j *Journal) Waiting(receiver string) (oldest alarms.Notification, n int, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
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

// LastSequence returns the number of the last notification that was queued for a
// receiver; 0: there was none.
func (j *Journal) LastSequence(receiver string) (last uint64, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		if queue := tx.Bucket(queueBucket).Bucket([]byte(receiver)); queue != nil {
			last = queue.Sequence()
		}
		return nil
	})
	return last, err
}

// Queue returns the oldest notifications in the queue of a receiver, at most so
// many, up to one that cannot be read.
func (j *Journal) Queue(receiver string, most int) (list []alarms.Notification, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		queue := tx.Bucket(queueBucket).Bucket([]byte(receiver))
		if queue == nil {
			return nil
		}
		c := queue.Cursor()
		for key, text := c.First(); key != nil && len(list) < most; key, text = c.Next() {
			var n alarms.Notification
			if json.Unmarshal(text, &n) != nil {
				return nil
			}
			n.Sequence = binary.BigEndian.Uint64(key)
			list = append(list, n)
		}
		return nil
	})
	return list, err
}

// Done removes delivered notifications from the queue of a receiver: on an error none of
// the last hundred.
func (j *Journal) Done(receiver string, sequences ...uint64) error {
	for part := range slices.Chunk(sequences, mostWrites) {
		err := j.update(func(tx *change) error {
			for _, sequence := range part {
				if err := tx.remove(queueKind, receiver, sequenceKey(sequence)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Count adds one to a number that survives restarts, and returns it.
func (j *Journal) Count(name string) (n uint64, err error) {
	err = j.update(func(tx *change) error {
		b := tx.Bucket(valueBucket)
		if old := b.Get([]byte(name)); len(old) == 8 {
			n = binary.BigEndian.Uint64(old)
		}
		n++
		return b.Put([]byte(name), sequenceKey(n))
	})
	return n, err
}

// Replace stores a value under a name of its own.
func (j *Journal) Replace(name string, value []byte) error {
	return j.update(func(tx *change) error { return tx.Bucket(valueBucket).Put([]byte(name), value) })
}

// Keep returns the value that is stored under a name, and creates it if there
// is none.
func (j *Journal) Keep(name string, create func() []byte) (value []byte, err error) {
	err = j.update(func(tx *change) error {
		b := tx.Bucket(valueBucket)
		if value = slices.Clone(b.Get([]byte(name))); value != nil {
			return nil
		}
		value = create()
		return b.Put([]byte(name), value)
	})
	return value, err
}
