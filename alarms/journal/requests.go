package journal

import (
	"crypto/rand"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Request is what an operator asked of an agent that does not own the alarm's device: its
// owner does it.
type Request struct {
	Alarm   alarms.Key `json:"alarm"`
	Number  uint64     `json:"number"` // of the alarm: not of one that was raised since
	Action  Action     `json:"action"`
	By      string     `json:"by"`
	Comment string     `json:"comment"`

	name string
}

// An Action is what operators do to an alarm.
type Action string

// The actions.
const (
	Clear         Action = "clear"
	Acknowledge   Action = "acknowledge"
	Unacknowledge Action = "unacknowledge"
)

// Ask has the owner of an alarm do what an operator asks. [Journal.Requests] has asked until
// it is done.
func (j *Journal) Ask(r Request) (asked Request, err error) {
	r.name = rand.Text()
	return r, j.update(func(tx *change) error { return tx.put(requestKind, "", []byte(r.name), r) })
}

// Answered removes a request: it was done, or there is nothing to do any more.
func (j *Journal) Answered(r Request) error {
	return j.update(func(tx *change) error { return tx.remove(requestKind, "", []byte(r.name)) })
}

// Requests returns what is asked of the owners of devices.
func (j *Journal) Requests() (list []Request, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		return each(tx.Bucket(requestBucket), func(name []byte, r Request) {
			r.name = string(name)
			list = append(list, r)
		})
	})
	return list, err
}
