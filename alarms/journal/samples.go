package journal

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// StoreSamples stores the samples of series, in place of those that they had.
func (j *Journal) StoreSamples(all map[Series][]Sample) error {
	for part := range slices.Chunk(slices.Collect(maps.Keys(all)), mostWrites) {
		err := j.update(func(tx *change) error {
			for _, s := range part {
				key, err := json.Marshal(s)
				if err != nil {
					return err
				}
				if err := tx.put(trendKind, "", key, all[s]); err != nil {
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

// LoadSamples returns every series, and removes those that nothing was added to
// for [SamplesKept].
func (j *Journal) LoadSamples() (map[Series][]Sample, error) {
	all := make(map[Series][]Sample)
	for more := true; more; {
		clear(all)
		err := j.update(func(tx *change) (err error) {
			old := time.Now().Add(-SamplesKept)
			more, err = removeIf(tx, trendKind, "", func(list []Sample) bool { return len(list) == 0 || list[len(list)-1].At.Before(old) })
			if err != nil {
				return err
			}
			return each(tx.Bucket(trendBucket), func(key []byte, list []Sample) {
				var s Series
				if json.Unmarshal(key, &s) == nil {
					all[s] = list
				}
			})
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
