package journal

import (
	"time"

	"go.etcd.io/bbolt"
)

// A Place is how far the lines of a device's logs are evaluated, by the last one that meant
// something: agents that heard the same lines find it among theirs.
type Place struct {
	Line   string    `json:"line"`   // as the device wrote it, without where it was heard
	Stated time.Time `json:"stated"` // as the line says, by the device's clock; zero: it does not say
}

// Places returns how far the lines of each device are evaluated.
func (j *Journal) Places() (all map[string]Place, err error) {
	all = make(map[string]Place)
	err = j.view(func(tx *bbolt.Tx) error {
		return each(tx.Bucket(placeBucket), func(device []byte, p Place) { all[string(device)] = p })
	})
	return all, err
}
