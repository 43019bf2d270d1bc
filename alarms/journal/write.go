package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Write is one key of the shared state that a transaction sets or removes.
type Write struct {
	Key    string // below the state of the cluster; "": nothing is written, but the owner of Device must
	Value  []byte // nil: the key is removed
	Device string // whose owner alone may write it; "": every agent may
}

// A Share has other agents hold what this one stores of the devices that they share.
type Share struct {
	Member string                   // this agent's name
	Has    func(device string) bool // whether agents share a device
	Owns   func(device string) bool // whether this agent is the one that writes of it
	// Holds reports whether this agent is the owner by the last that etcd said, although it
	// may not act as one now: what the others share of the device is what this one wrote.
	Holds func(device string) bool
	// Number returns the number of an alarm of a device, after the last of all: no other
	// agent gives it to another alarm.
	Number func(device string, last uint64) uint64
	// Commit writes for all agents, whole or not at all. [ErrSpooled] means that it is
	// to be done by Flush: nobody else can own what this agent owns.
	Commit func([]Write) error
}

// ErrSpooled is an error of [Share.Commit].
var ErrSpooled = errors.New("not written for the other agents yet")

// errShared is that of everything that other agents are the reason of.
var errShared = errors.New("not stored for all agents")

// ErrNotOwned means that another agent is the one that writes of a device.
var ErrNotOwned = fmt.Errorf("%w: another agent owns the device", errShared)

// mostWrites is how many keys one shared transaction writes at most: etcd takes 128.
const mostWrites = 100

// A kind is one of the maps that agents share.
type kind struct {
	name   string
	bucket []byte
	nested bool // a bucket for each receiver
	number bool // keys are numbers
	anyone bool // written by every agent: nothing in it is ever changed, or the last change counts
	device func(key, value []byte) string
	right  func(key, value []byte) bool // whether they can be read
}

// kinds is what agents share. Cursors and the sequences of audit records belong to files of
// one host.
var kinds = []*kind{activeKind, historyKind, notifiedKind, silenceKind, eventsKind, queueKind, trendKind, memoryKind, placeKind, requestKind, refusalKind, lineKind, entityKind}

var (
	activeKind   = &kind{name: "active", bucket: activeBucket, device: deviceInKey[alarms.Key], right: isAlarm}
	historyKind  = &kind{name: "history", bucket: historyBucket, number: true, anyone: true, device: deviceInValue(func(a alarms.Alarm) string { return a.Device }), right: isJSON[number, alarms.Alarm]}
	notifiedKind = &kind{name: "notified", bucket: notifiedBucket, nested: true, device: deviceInKey[alarms.Key], right: isJSON[alarms.Key, alarms.Notified]}
	silenceKind  = &kind{name: "silences", bucket: silenceBucket, number: true, anyone: true, right: isJSON[number, alarms.Silence]}
	eventsKind   = &kind{name: "events", bucket: eventsBucket, device: deviceIsKey, right: isJSON[text, alarms.Events]}
	queueKind    = &kind{name: "queues", bucket: queueBucket, nested: true, number: true, anyone: true, device: deviceInValue(func(n alarms.Notification) string { return n.Change.Alarm.Device }), right: isJSON[number, alarms.Notification]}
	trendKind    = &kind{name: "trends", bucket: trendBucket, device: deviceInKey[Series], right: isJSON[Series, []Sample]}
	memoryKind   = &kind{name: "memory", bucket: memoryBucket, device: deviceIsKey, right: isJSON[text, alarms.Memory]}
	placeKind    = &kind{name: "places", bucket: placeBucket, device: deviceIsKey, right: isJSON[text, Place]}
	lineKind     = &kind{name: "lines", bucket: lineBucket, anyone: true, right: isJSON[text, Line]}
	refusalKind  = &kind{name: "refusals", bucket: refusalBucket, anyone: true, right: isJSON[text, json.RawMessage]}
	entityKind   = &kind{name: "entities", bucket: entityBucket, device: deviceIsKey, right: isJSON[text, json.RawMessage]}
	requestKind  = &kind{name: "requests", bucket: requestBucket, anyone: true, right: isJSON[text, Request]}
)

// Keys that are not JSON.
type (
	number struct{} // eight bytes
	text   struct{}
)

// isJSON reports whether a key is a K and a value a V, as JSON.
func isJSON[K, V any](key, value []byte) bool {
	var k K
	var v V
	switch any(k).(type) {
	case number:
		return len(key) == 8 && json.Unmarshal(value, &v) == nil
	case text:
		return json.Unmarshal(value, &v) == nil
	}
	return json.Unmarshal(key, &k) == nil && json.Unmarshal(value, &v) == nil
}

// isAlarm reports whether an alarm has its own key.
func isAlarm(key, value []byte) bool {
	var k alarms.Key
	var a alarms.Alarm
	return json.Unmarshal(key, &k) == nil && json.Unmarshal(value, &a) == nil && a.Key == k
}

func deviceIsKey(key, _ []byte) string { return string(key) }

func deviceInKey[T any](key, _ []byte) string {
	var k struct{ Device string }
	if json.Unmarshal(key, &k) != nil {
		return ""
	}
	return k.Device
}

func deviceInValue[T any](device func(T) string) func(key, value []byte) string {
	return func(_, value []byte) string {
		var v T
		if json.Unmarshal(value, &v) != nil {
			return ""
		}
		return device(v)
	}
}

// A change is a transaction of the journal, with what it writes for other agents.
type change struct {
	*bbolt.Tx
	share  *Share // nil: there are none
	writes []Write
}

// put stores v as JSON, in the bucket of a receiver if the kind has those.
func (c *change) put(k *kind, receiver string, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	b, err := k.in(c.Tx, receiver)
	if err != nil {
		return err
	}
	if err := c.record(k, receiver, key, text, text); err != nil {
		return err
	}
	return b.Put(key, text)
}

// remove removes a key.
func (c *change) remove(k *kind, receiver string, key []byte) error {
	b, err := k.in(c.Tx, receiver)
	if err != nil {
		return err
	}
	if old := b.Get(key); old != nil {
		if err := c.record(k, receiver, key, nil, old); err != nil {
			return err
		}
	}
	return b.Delete(key)
}

// in returns the bucket of a kind, or of one receiver in that.
func (k *kind) in(tx *bbolt.Tx, receiver string) (*bbolt.Bucket, error) {
	b := tx.Bucket(k.bucket)
	if k.nested {
		return b.CreateBucketIfNotExists([]byte(receiver))
	}
	return b, nil
}

// record has a write of a shared device done for other agents too. known is the value, or
// what it was.
func (c *change) record(k *kind, receiver string, key, value, known []byte) error {
	if c.share == nil {
		return nil
	}
	var device string
	if k.device != nil {
		device = k.device(key, known)
		if !c.share.Has(device) {
			return nil
		}
	}
	if k.anyone {
		device = ""
	} else if !c.share.Owns(device) {
		return fmt.Errorf("%s: %w", device, ErrNotOwned)
	}
	c.writes = append(c.writes, Write{k.key(c.share.Member, receiver, key), value, device})
	return nil
}

// key returns the name of a key among all agents.
func (k *kind) key(member, receiver string, key []byte) string {
	path := []string{k.name}
	if k == queueKind {
		path = append(path, url.PathEscape(member))
	}
	if k.nested {
		path = append(path, url.PathEscape(receiver))
	}
	last := string(key)
	if k.number {
		last = fmt.Sprintf("%016x", binary.BigEndian.Uint64(key))
	}
	return strings.Join(append(path, last), "/")
}

// A named key is what Write.Key says.
type named struct {
	*kind
	member, receiver string
	key              []byte
}

// parse is the inverse of key.
func parse(text string) (n named, err error) {
	name, rest, _ := strings.Cut(text, "/")
	for _, k := range kinds {
		if k.name == name {
			n.kind = k
		}
	}
	if n.kind == nil {
		return n, fmt.Errorf("%q is nothing that agents of this version share", text)
	}
	var errs []error
	next := func() string {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		part, err := url.PathUnescape(part)
		errs = append(errs, err)
		return part
	}
	if n.kind == queueKind {
		n.member = next()
	}
	if n.nested {
		n.receiver = next()
	}
	n.key = []byte(rest)
	if n.number {
		var number uint64
		_, err := fmt.Sscanf(rest, "%016x", &number)
		errs = append(errs, err)
		n.key = sequenceKey(number)
	}
	if err := errors.Join(errs...); err != nil || rest == "" {
		return n, fmt.Errorf("%q is no key of the shared state: %w", text, err)
	}
	return n, nil
}

// commit has the writes of a transaction done for other agents, before it is true here.
func (c *change) commit() error {
	if len(c.writes) == 0 {
		return nil
	}
	err := c.share.Commit(c.writes)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, ErrSpooled):
		return fmt.Errorf("%w: %w", errShared, err)
	}
	spool := c.Bucket(spoolBucket)
	for _, w := range c.writes {
		if w.Key == "" {
			continue
		}
		if err := spool.Put([]byte(w.Key), []byte(w.Device)); err != nil {
			return err
		}
	}
	return nil
}

// removeIf removes the values of a kind, in the bucket of a receiver if it has those, for
// which is holds, and those that cannot be read. In a shared journal others' values stay
// with the others, and so many are removed at most that one transaction takes them; more
// reports whether there are others.
func removeIf[T any](c *change, k *kind, receiver string, is func(T) bool) (more bool, err error) {
	b, err := k.in(c.Tx, receiver)
	if err != nil {
		return false, err
	}
	var keys [][]byte
	err = b.ForEach(func(key, text []byte) error {
		var v T
		if json.Unmarshal(text, &v) == nil && !is(v) {
			return nil
		}
		if more = c.share != nil && len(c.writes)+len(keys) >= mostWrites; !more {
			keys = append(keys, bytes.Clone(key))
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	for _, key := range keys {
		if err := c.remove(k, receiver, key); errors.Is(err, ErrNotOwned) {
			err = b.Delete(key)
			if err != nil {
				return false, err
			}
		} else if err != nil {
			return false, err
		}
	}
	return more, nil
}
