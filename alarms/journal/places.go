package journal

import (
	"time"

	"go.etcd.io/bbolt"
)

// A Place is which lines of a device's logs are evaluated: the last ones that meant
// something, oldest first. Agents that heard the same lines find them among theirs.
type Place []Mark

// A Mark is one line.
type Mark struct {
	Line   string    `json:"line"`   // what it says, without where it was heard, in few letters
	Stated time.Time `json:"stated"` // as the line says, by the device's clock; zero: it does not say
}

// PlaceMost is how many lines a Place has at most.
const PlaceMost = 32

// Places returns which lines of each device are evaluated.
func (j *Journal) Places() (all map[string]Place, err error) {
	all = make(map[string]Place)
	err = j.view(func(tx *bbolt.Tx) error {
		return each(tx.Bucket(placeBucket), func(device []byte, p Place) { all[string(device)] = p })
	})
	return all, err
}
