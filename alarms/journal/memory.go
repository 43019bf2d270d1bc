package journal

import (
	"maps"
	"slices"

	"github.com/lunawatch/lunawatch/alarms"
)

// StoreMemory stores what is remembered of devices, in place of what was.
func (j *Journal) StoreMemory(devices map[string]alarms.Memory) error {
	return storeByDevice(j, memoryKind, devices)
}

// storeByDevice stores values whose key is the device.
func storeByDevice[V any](j *Journal, k *kind, devices map[string]V) error {
	for part := range slices.Chunk(slices.Collect(maps.Keys(devices)), mostWrites) {
		err := j.update(func(tx *change) error {
			for _, device := range part {
				if err := tx.put(k, "", []byte(device), devices[device]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
