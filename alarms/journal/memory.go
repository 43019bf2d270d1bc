package journal

import (
	"maps"
	"slices"

	"github.com/lunawatch/lunawatch/alarms"
)

// StoreMemory stores what is remembered of devices, in place of what was.
func (j *Journal) StoreMemory(devices map[string]alarms.Memory) error {
	for part := range slices.Chunk(slices.Collect(maps.Keys(devices)), mostWrites) {
		err := j.update(func(tx *change) error {
			for _, device := range part {
				if err := tx.put(memoryKind, "", []byte(device), devices[device]); err != nil {
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
