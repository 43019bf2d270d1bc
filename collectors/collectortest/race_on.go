//go:build race

package collectortest

// RaceDetector is whether the race detector is on. Everything is about ten times
// slower then.
const RaceDetector = true
