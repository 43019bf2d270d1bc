package journal

import (
	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms"
)

// StoreMemory stores what is remembered of devices, in place of what was.
func (j *Journal) StoreMemory(devices map[string]alarms.Memory) error {
	return j.update(func(tx *bbolt.Tx) error {
		for device, m := range devices {
			if err := put(tx.Bucket(memoryBucket), []byte(device), m); err != nil {
				return err
			}
		}
		return nil
	})
}
