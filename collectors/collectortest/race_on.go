//go:build race

package collectortest

const RaceDetector = true // everything is some ten times slower
