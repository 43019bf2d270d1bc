package journal

import (
	"encoding/json"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Retention is how long cleared alarms are kept.
type Retention struct {
	HistoryAge    time.Duration `yaml:"history_age" range:">0s.."`
	HistoryAlarms int           `yaml:"history_alarms" range:"1.."` // at most so many
}

// DefaultRetention returns the retention of an empty configuration.
func DefaultRetention() Retention {
	return Retention{HistoryAge: 90 * 24 * time.Hour, HistoryAlarms: 10000}
}

// Validate returns all that is wrong with r.
func (r Retention) Validate() error {
	return setting.Limits(r)
}

// History returns the newest cleared alarms, newest first, at most so many.
func (j *Journal) History(most int) (list []alarms.Alarm, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(historyBucket).Cursor()
		for k, text := c.Last(); k != nil && len(list) < most; k, text = c.Prev() {
			var a alarms.Alarm
			if err := json.Unmarshal(text, &a); err != nil {
				return err
			}
			list = append(list, a)
		}
		return nil
	})
	return list, err
}

// Trim removes alarms that cleared before a time, and the oldest beyond a
// number of them; silences that ended before it; and the queues of receivers
// other than these, with what they were notified of.
func (j *Journal) Trim(before time.Time, most int, receivers []string) error {
	return j.update(func(tx *bbolt.Tx) error {
		history := tx.Bucket(historyBucket)
		n := history.Stats().KeyN
		err := removeIf(history, func(a alarms.Alarm) bool {
			n--
			return n >= most || a.Cleared.Before(before)
		})
		if err != nil {
			return err
		}
		if err := removeIf(tx.Bucket(silenceBucket), func(s alarms.Silence) bool { return s.Over(before) }); err != nil {
			return err
		}
		if err := keepBuckets(tx.Bucket(notifiedBucket), receivers); err != nil {
			return err
		}
		return keepBuckets(tx.Bucket(queueBucket), receivers)
	})
}

// removeIf removes the values of a bucket for which is holds, and those that
// cannot be read.
func removeIf[T any](b *bbolt.Bucket, is func(T) bool) error {
	var keys [][]byte
	err := b.ForEach(func(k, text []byte) error {
		var v T
		if json.Unmarshal(text, &v) != nil || is(v) {
			keys = append(keys, slices.Clone(k))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// keepBuckets removes the buckets in b that have none of these names.
func keepBuckets(b *bbolt.Bucket, names []string) error {
	var gone [][]byte
	err := b.ForEachBucket(func(k []byte) error {
		if !slices.Contains(names, string(k)) {
			gone = append(gone, slices.Clone(k))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range gone {
		if err := b.DeleteBucket(k); err != nil {
			return err
		}
	}
	return nil
}
