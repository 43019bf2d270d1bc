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
	for more := true; more; {
		err := j.update(func(tx *change) (err error) {
			more, err = trim(tx, before, most, receivers)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func trim(tx *change, before time.Time, most int, receivers []string) (more bool, err error) {
	n := tx.Bucket(historyBucket).Stats().KeyN
	more, err = removeIf(tx, historyKind, "", func(a alarms.Alarm) bool {
		n--
		return n >= most || a.Cleared.Before(before)
	})
	if more || err != nil {
		return more, err
	}
	if more, err = removeIf(tx, silenceKind, "", func(s alarms.Silence) bool { return s.Over(before) }); more || err != nil {
		return more, err
	}
	for _, k := range []*kind{notifiedKind, queueKind} {
		if more, err = keepBuckets(tx, k, receivers); more || err != nil {
			return more, err
		}
	}
	return false, nil
}

// keepBuckets removes the buckets of receivers that have none of these names.
func keepBuckets(tx *change, k *kind, names []string) (more bool, err error) {
	var gone []string
	err = tx.Bucket(k.bucket).ForEachBucket(func(name []byte) error {
		if !slices.Contains(names, string(name)) {
			gone = append(gone, string(name))
		}
		return nil
	})
	for _, name := range gone {
		if more, err = removeIf(tx, k, name, func(json.RawMessage) bool { return true }); more || err != nil {
			return more, err
		}
		if err := tx.Bucket(k.bucket).DeleteBucket([]byte(name)); err != nil {
			return false, err
		}
	}
	return false, err
}
