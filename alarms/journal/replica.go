package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms"
)

// Mine reports whether this agent is the one that evaluates a device.
func (j *Journal) Mine(device string) bool {
	return j.Share == nil || !j.Share.Has(device) || j.Share.Owns(device)
}

// A News is what other agents wrote of alarms.
type News struct {
	Changes  []alarms.Change
	Silences []alarms.Silence // new or changed
	Requests []Request        // that this agent is to do
	Lines    []Line           // that this agent may not have heard
}

// Apply stores what other agents wrote. If whole is set, it is all that agents share, but for
// devices that this one holds, and what is not in it was removed.
func (j *Journal) Apply(writes []Write, whole bool) (news News, err error) {
	err = j.local(func(tx *bbolt.Tx) error {
		news = News{}
		all := writes
		if whole {
			gone, err := j.missing(tx, writes)
			if err != nil {
				return err
			}
			all = append(gone, writes...)
		}
		cleared := make(map[alarms.Key]alarms.Alarm)
		for _, w := range all {
			var a alarms.Alarm
			if strings.HasPrefix(w.Key, historyKind.name+"/") && json.Unmarshal(w.Value, &a) == nil {
				cleared[a.Key] = a
			}
		}
		for _, w := range all {
			if err := j.apply(tx, w, cleared, &news, whole); err != nil {
				return err
			}
		}
		return nil
	})
	return news, err
}

// local runs a transaction that is of no other agent's interest.
func (j *Journal) local(run func(*bbolt.Tx) error) error {
	return j.update(func(c *change) error { return run(c.Tx) })
}

// apply stores one key.
func (j *Journal) apply(tx *bbolt.Tx, w Write, cleared map[alarms.Key]alarms.Alarm, news *News, whole bool) error {
	n, err := parse(w.Key)
	if err != nil {
		return nil //nolint:nilerr // an agent of a newer version shares more
	}
	if w.Value != nil && !n.right(n.key, w.Value) {
		return nil // what cannot be read would make the whole state unreadable
	}
	spool := tx.Bucket(spoolBucket)
	if of := spool.Get([]byte(w.Key)); of != nil && (len(of) == 0 || j.Share.Owns(string(of))) {
		return nil // what is here is newer
	} else if of != nil {
		if err := spool.Delete([]byte(w.Key)); err != nil {
			return err
		}
	}
	if n.kind == queueKind && (n.member != j.Share.Member || w.Value == nil) {
		if err := set(tx.Bucket(othersBucket), []byte(w.Key), w.Value); err != nil || n.member != j.Share.Member {
			return err
		}
	}
	if n.kind == queueKind && w.Value != nil && !whole {
		return nil // this agent wrote it, and may have delivered it since
	}
	b, err := n.in(tx, n.receiver)
	if err != nil {
		return err
	}
	old := bytes.Clone(b.Get(n.key))
	if bytes.Equal(old, w.Value) && (old == nil) == (w.Value == nil) {
		return nil
	}
	n.note(old, w.Value, cleared, news)
	return set(b, n.key, w.Value)
}

// note adds to news what a change of a key means.
func (n named) note(old, value []byte, cleared map[alarms.Key]alarms.Alarm, news *News) {
	switch n.kind {
	case activeKind:
		var before, after alarms.Alarm
		wasThere, is := json.Unmarshal(old, &before) == nil, json.Unmarshal(value, &after) == nil
		c := alarms.Change{Kind: alarms.Updated, Alarm: after}
		switch {
		case is && after.Number == 0:
			c.Kind = alarms.Pending
		case is && (!wasThere || before.Number != after.Number):
			c.Kind = alarms.Raised
		case is:
		case wasThere && cleared[before.Key].Number == before.Number && before.Number > 0:
			c = alarms.Change{Kind: alarms.Cleared, Alarm: cleared[before.Key]}
		case wasThere:
			c = alarms.Change{Kind: alarms.Dropped, Alarm: before}
		default:
			return
		}
		news.Changes = append(news.Changes, c)
	case silenceKind:
		var s alarms.Silence
		if json.Unmarshal(value, &s) == nil {
			news.Silences = append(news.Silences, s)
		}
	case lineKind:
		var l Line
		if json.Unmarshal(value, &l) == nil {
			l.name = string(n.key)
			news.Lines = append(news.Lines, l)
		}
	case requestKind:
		var r Request
		if json.Unmarshal(value, &r) == nil {
			r.name = string(n.key)
			news.Requests = append(news.Requests, r)
		}
	}
}

func set(b *bbolt.Bucket, key, value []byte) error {
	if value == nil {
		return b.Delete(key)
	}
	return b.Put(key, value)
}

// missing returns the removals that make all that is shared here what writes have.
func (j *Journal) missing(tx *bbolt.Tx, writes []Write) (gone []Write, err error) {
	there := make(map[string]bool)
	for _, w := range writes {
		there[w.Key] = true
	}
	err = j.shared(tx, func(w Write) error {
		if !there[w.Key] && (w.Device == "" || !j.Share.Holds(w.Device)) {
			gone = append(gone, Write{Key: w.Key})
		}
		return nil
	})
	return gone, err
}

// shared calls take with every key that agents share, and its value. What take is given is
// valid until the transaction ends.
func (j *Journal) shared(tx *bbolt.Tx, take func(Write) error) error {
	for _, k := range kinds {
		one := func(receiver string, b *bbolt.Bucket) error {
			return b.ForEach(func(key, value []byte) error {
				if value == nil || k.device != nil && !j.Share.Has(k.device(key, value)) {
					return nil
				}
				w := Write{Key: k.key(j.Share.Member, receiver, key), Value: value}
				if !k.anyone {
					w.Device = k.device(key, value)
				}
				return take(w)
			})
		}
		b := tx.Bucket(k.bucket)
		if !k.nested {
			if err := one("", b); err != nil {
				return err
			}
			continue
		}
		if err := b.ForEachBucket(func(name []byte) error { return one(string(name), b.Bucket(name)) }); err != nil {
			return err
		}
	}
	return tx.Bucket(othersBucket).ForEach(func(key, value []byte) error { return take(Write{Key: string(key), Value: value}) })
}

// Shared returns all that this journal holds of devices that agents share.
func (j *Journal) Shared() (all []Write, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		return j.shared(tx, func(w Write) error {
			all = append(all, Write{Key: w.Key, Value: bytes.Clone(w.Value), Device: w.Device})
			return nil
		})
	})
	return all, err
}

// Seed has other agents hold what this journal has of devices that this agent owns and for
// which is holds, and what is of no device: they have nothing yet.
func (j *Journal) Seed(is func(device string) bool) error {
	all, err := j.Shared()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(w Write) bool { return w.Device != "" && (!is(w.Device) || !j.Share.Owns(w.Device)) })
	for part := range slices.Chunk(all, mostWrites) {
		if err := j.Share.Commit(part); err != nil {
			return fmt.Errorf("%w: %w", errShared, err)
		}
	}
	return nil
}

// Flush has other agents hold what was spooled, as it is now, device by device. What
// another agent owns by now is that agent's to say, and stays as the others have it.
func (j *Journal) Flush() error {
	for {
		left, err := j.flush()
		if err != nil || left == 0 {
			return err
		}
	}
}

// flush does the part of Flush that one transaction takes.
func (j *Journal) flush() (left int, err error) {
	err = j.local(func(tx *bbolt.Tx) error {
		left = 0
		spool := tx.Bucket(spoolBucket)
		var part []Write
		var device []byte
		err := spool.ForEach(func(key, of []byte) error {
			switch {
			case len(part) == 0:
				device = bytes.Clone(of)
			case !bytes.Equal(device, of), len(part) == mostWrites:
				left++
				return nil
			}
			w := Write{Key: string(key), Device: string(of)}
			n, err := parse(w.Key)
			if err != nil {
				return err
			}
			b, at := tx.Bucket(n.bucket), n.key
			switch {
			case n.kind == queueKind && n.member != j.Share.Member:
				b, at = tx.Bucket(othersBucket), key
			case n.nested:
				b = b.Bucket([]byte(n.receiver))
			}
			if b != nil {
				w.Value = bytes.Clone(b.Get(at))
			}
			part = append(part, w)
			return nil
		})
		if err != nil || len(part) == 0 {
			return err
		}
		if len(device) == 0 || j.Share.Owns(string(device)) {
			if err := j.Share.Commit(part); err != nil {
				return fmt.Errorf("%w: %w", errShared, err)
			}
		}
		for _, w := range part {
			if err := spool.Delete([]byte(w.Key)); err != nil {
				return err
			}
		}
		return nil
	})
	return left, err
}

// Spooled returns how many keys other agents lack.
func (j *Journal) Spooled() (n int) {
	_ = j.view(func(tx *bbolt.Tx) error { // which never fails
		n = tx.Bucket(spoolBucket).Stats().KeyN
		return nil
	})
	return n
}

// Release puts notifications about devices that this agent does not own out of its queues:
// their owner delivers them.
func (j *Journal) Release() error {
	return j.local(func(tx *bbolt.Tx) error {
		others, queues := tx.Bucket(othersBucket), tx.Bucket(queueBucket)
		return queues.ForEachBucket(func(receiver []byte) error {
			queue, keys := queues.Bucket(receiver), [][]byte(nil)
			err := queue.ForEach(func(key, value []byte) error {
				if j.Mine(queueKind.device(key, value)) {
					return nil
				}
				keys = append(keys, bytes.Clone(key))
				return others.Put([]byte(queueKind.key(j.Share.Member, string(receiver), key)), bytes.Clone(value))
			})
			for _, key := range keys {
				err = errors.Join(err, queue.Delete(key))
			}
			return err
		})
	})
}

// Adopt queues the notifications about devices that this agent owns and that other agents
// have not delivered, and returns the receivers.
func (j *Journal) Adopt() ([]string, error) {
	receivers := make(map[string]bool)
	for {
		var part []Write
		err := j.update(func(tx *change) error {
			part = nil
			c := tx.Bucket(othersBucket).Cursor()
			for key, value := c.First(); key != nil && len(part) < mostWrites/3; key, value = c.Next() {
				if device := queueKind.device(nil, value); j.Share.Has(device) && j.Share.Owns(device) {
					part = append(part, Write{string(key), bytes.Clone(value), device})
				}
			}
			for _, w := range part {
				receiver, err := tx.adopt(w)
				if err != nil {
					return err
				}
				receivers[receiver] = true
			}
			return nil
		})
		if err != nil || len(part) == 0 {
			return slices.Collect(maps.Keys(receivers)), err
		}
	}
}

// adopt moves one notification from the queue of another agent to the own.
func (c *change) adopt(w Write) (receiver string, err error) {
	from, err := parse(w.Key)
	if err != nil {
		return "", err
	}
	var n alarms.Notification
	if err := json.Unmarshal(w.Value, &n); err != nil {
		return "", err
	}
	c.writes = append(c.writes, Write{Key: w.Key}, Write{Device: w.Device})
	if err := c.Bucket(othersBucket).Delete([]byte(w.Key)); err != nil {
		return "", err
	}
	return from.receiver, enqueue(c, from.receiver, []alarms.Notification{n})
}
