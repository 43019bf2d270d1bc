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

// A State is what a journal holds: alarms, and what receivers were notified of.
type State struct {
	alarms.State
	Unnotified map[alarms.Key]alarms.Alarm               // cleared, and some receiver was not notified of that
	Notified   map[string]map[alarms.Key]alarms.Notified // by receiver
	Silences   []alarms.Silence
	Others     map[alarms.Key]alarms.Alarm // active, of devices that other agents own

	// Ahead is how far in the future the stored times were, at most: the clock was
	// wrong. They are moved back.
	Ahead time.Duration
}

// PutOther makes a stored alarm of another agent's device part of s.
func (s *State) PutOther(a alarms.Alarm) {
	if s.Others == nil {
		s.Others = make(map[alarms.Key]alarms.Alarm)
	}
	s.Others[a.Key], s.Number = a, max(s.Number, a.Number)
}

// past returns a stored alarm with no time after now.
func (s *State) past(a alarms.Alarm, now time.Time) alarms.Alarm {
	ahead := a.Newest().Sub(now)
	if ahead <= 0 {
		return a
	}
	s.Ahead = max(s.Ahead, ahead)
	return a.Shifted(ahead)
}

// loadNotified reads what receivers were notified of, and the cleared alarms
// among that.
func (s *State) loadNotified(tx *bbolt.Tx, now time.Time, mine func(device string) bool) error {
	history := tx.Bucket(historyBucket)
	if last, _ := history.Cursor().Last(); last != nil {
		s.Number = max(s.Number, binary.BigEndian.Uint64(last))
	}
	return tx.Bucket(notifiedBucket).ForEachBucket(func(receiver []byte) error {
		notified := make(map[alarms.Key]alarms.Notified)
		s.Notified[string(receiver)] = notified
		return each(tx.Bucket(notifiedBucket).Bucket(receiver), func(text []byte, t alarms.Notified) {
			var key alarms.Key
			var a alarms.Alarm
			if json.Unmarshal(text, &key) != nil || !mine(key.Device) {
				return
			}
			if t.At.After(now) {
				s.Ahead, t.At = max(s.Ahead, t.At.Sub(now)), now
			}
			notified[key] = t
			if t.Active() && s.Active[key].Number != t.Number && json.Unmarshal(history.Get(sequenceKey(t.Number)), &a) == nil {
				s.Unnotified[key] = s.past(a, now)
			}
		})
	})
}

// Take makes e part of s.
func (s *State) Take(e Entry, now time.Time) {
	s.Apply(e.Changes)
	s.Settle(now)
	for _, c := range e.Changes {
		if c.Kind == alarms.Cleared {
			s.Unnotified[c.Alarm.Key] = c.Alarm
		}
	}
	maps.Copy(s.Events, e.Events)
	s.Silences = e.Silences(s.Silences)
	s.noteNotified(e.Notified)
}

// Silences returns list with e's silence, in place of one with its ID; list
// itself does not change.
func (e Entry) Silences(list []alarms.Silence) []alarms.Silence {
	if e.Silence == nil {
		return list
	}
	list = slices.DeleteFunc(slices.Clone(list), func(s alarms.Silence) bool { return s.ID == e.Silence.ID })
	return append(list, *e.Silence)
}

// noteNotified records what receivers were notified of, and forgets cleared
// alarms once every receiver was notified of that.
func (s *State) noteNotified(notified map[string]map[alarms.Key]alarms.Notified) {
	for receiver, list := range notified {
		for key, t := range list {
			if t == (alarms.Notified{}) {
				delete(s.Notified[receiver], key)
			} else {
				s.Notified[receiver][key] = t
			}
		}
	}
	maps.DeleteFunc(s.Unnotified, func(key alarms.Key, a alarms.Alarm) bool {
		for _, notified := range s.Notified {
			if notified[key].Active() && notified[key].Number <= a.Number {
				return false
			}
		}
		return true
	})
}
