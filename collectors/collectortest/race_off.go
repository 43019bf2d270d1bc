//go:build !race

package collectortest

// RaceDetector is whether the race detector is on.
const RaceDetector = false
