package journal

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms"
)

// State is what a journal remembers.
type State struct {
	alarms.State
	Unnotified map[alarms.Key]alarms.Alarm               // ended, and some receiver was not told of that
	Notified   map[string]map[alarms.Key]alarms.Notified // by receiver
	Silences   []alarms.Silence
}

func (k *State) loadNotified(tx *bbolt.Tx) error {
	history := tx.Bucket(historyBucket)
	if last, _ := history.Cursor().Last(); last != nil {
		k.Number = max(k.Number, binary.BigEndian.Uint64(last))
	}
	return tx.Bucket(notifiedBucket).ForEachBucket(func(receiver []byte) error {
		told := make(map[alarms.Key]alarms.Notified)
		k.Notified[string(receiver)] = told
		return each(tx.Bucket(notifiedBucket).Bucket(receiver), func(text []byte, t alarms.Notified) {
			var key alarms.Key
			var a alarms.Alarm
			if json.Unmarshal(text, &key) != nil {
				return
			}
			told[key] = t
			if _, stands := k.Active[key]; !stands && json.Unmarshal(history.Get(sequenceKey(t.Number)), &a) == nil {
				k.Unnotified[key] = a
			}
		})
	})
}

// Take makes e part of k.
func (k *State) Take(e Entry, now time.Time) {
	k.Apply(e.Changes)
	k.Settle(now)
	for _, c := range e.Changes {
		if c.Kind == alarms.Cleared {
			k.Unnotified[c.Alarm.Key] = c.Alarm
		}
	}
	maps.Copy(k.Events, e.Events)
	k.Silences = e.Silences(k.Silences)
	k.noteNotified(e.Notified)
}

// Silences returns a list with the one of e, if it has one.
func (e Entry) Silences(list []alarms.Silence) []alarms.Silence {
	if e.Silence == nil {
		return list
	}
	list = slices.DeleteFunc(slices.Clone(list), func(s alarms.Silence) bool { return s.ID == e.Silence.ID })
	return append(list, *e.Silence)
}

// noteNotified notes what receivers were told, and forgets the alarms that ended and
// of which all know it.
func (k *State) noteNotified(told map[string]map[alarms.Key]alarms.Notified) {
	for receiver, list := range told {
		for key, t := range list {
			if t == (alarms.Notified{}) {
				delete(k.Notified[receiver], key)
			} else {
				k.Notified[receiver][key] = t
			}
		}
	}
	maps.DeleteFunc(k.Unnotified, func(key alarms.Key, _ alarms.Alarm) bool {
		for _, told := range k.Notified {
			if told[key].Active() {
				return false
			}
		}
		return true
	})
}
