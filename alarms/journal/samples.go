package journal

import (
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"
)

// StoreSamples stores the samples of series, in place of those that they had.
func (j *Journal) StoreSamples(all map[Series][]Sample) error {
	return j.update(func(tx *bbolt.Tx) error {
		for s, samples := range all {
			key, err := json.Marshal(s)
			if err != nil {
				return err
			}
			if err := put(tx.Bucket(trendBucket), key, samples); err != nil {
				return err
			}
		}
		return nil
	})
}

// LoadSamples returns every series, and removes those that nothing was added to
// for [SamplesKept].
func (j *Journal) LoadSamples() (map[Series][]Sample, error) {
	all := make(map[Series][]Sample)
	err := j.update(func(tx *bbolt.Tx) error {
		old := time.Now().Add(-SamplesKept)
		b := tx.Bucket(trendBucket)
		err := removeIf(b, func(list []Sample) bool { return len(list) == 0 || list[len(list)-1].At.Before(old) })
		if err != nil {
			return err
		}
		return each(b, func(key []byte, list []Sample) {
			var s Series
			if json.Unmarshal(key, &s) == nil {
				all[s] = list
			}
		})
	})
	return all, err
}
