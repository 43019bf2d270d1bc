package journal

import (
	"encoding/json"
	"strings"

	"go.etcd.io/bbolt"
)

// Entities returns the numbers of devices and their parts, as JSON, by device.
func (j *Journal) Entities() (all map[string]json.RawMessage, err error) {
	all = make(map[string]json.RawMessage)
	err = j.view(func(tx *bbolt.Tx) error {
		return each(tx.Bucket(entityBucket), func(device []byte, text json.RawMessage) { all[string(device)] = text })
	})
	return all, err
}

// StoreEntities stores the numbers of devices and their parts, as JSON, by device.
func (j *Journal) StoreEntities(devices map[string]json.RawMessage) error {
	return storeByDevice(j, entityKind, devices)
}

// OfEntity reports whether w is of what [Journal.Entities] returns.
func (w Write) OfEntity() bool { return strings.HasPrefix(w.Key, entityKind.name+"/") }
