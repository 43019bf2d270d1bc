//go:build race

package collectors

const raceDetector = true // everything is some ten times slower
