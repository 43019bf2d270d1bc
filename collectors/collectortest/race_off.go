//go:build !race

package collectortest

const RaceDetector = false
