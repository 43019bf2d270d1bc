package main

import (
	"maps"
	"math"
	"path"
	"slices"
)

// A rhythm is when each HSM was read, in Unix seconds, oldest first.
type rhythm map[string][]float64

// add takes the last reads that a scrape states. A scrape that states the same read
// again adds nothing.
func (r *rhythm) add(reads map[string]float64) {
	if *r == nil {
		*r = make(rhythm)
	}
	for device, at := range reads {
		known := (*r)[device]
		if len(known) == 0 || at > known[len(known)-1] {
			(*r)[device] = append(known, at)
		}
	}
}

// without removes the HSMs whose names match a pattern; "" is that of none.
func (r rhythm) without(pattern string) rhythm {
	maps.DeleteFunc(r, func(device string, _ []float64) bool {
		matches, _ := path.Match(pattern, device)
		return matches
	})
	return r
}

// lateness returns by how many seconds each read of the window came later than an interval
// after the one before; below zero: earlier. One that should have come before the end of
// the window, and did not, is late by what has passed since.
func (r rhythm) lateness(interval, from, end float64) []float64 {
	var all []float64
	for _, reads := range r {
		for i := 1; i < len(reads); i++ {
			if reads[i] >= from {
				all = append(all, reads[i]-reads[i-1]-interval)
			}
		}
		if missing := end - reads[len(reads)-1] - interval; missing > 0 {
			all = append(all, missing)
		}
	}
	return all
}

// quantile returns the value that a share q of the values do not exceed, by nearest rank.
func quantile(values []float64, q float64) (value float64, known bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)], true
}
