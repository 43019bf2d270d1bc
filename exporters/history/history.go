// Package history keeps what was measured of HSMs, for charts: values of the last 24
// hours and states of the last 30 days, in bounded space and across restarts.
package history

import "time"

// What a series keeps, and how finely.
const (
	Step  = 5 * time.Minute // of one point
	Span  = 24 * time.Hour  // of a series
	Hours = 30 * 24         // of which the state is kept
)

// A Series is one measure of one HSM. NaN is a point in which nothing was read.
type Series struct {
	Start            time.Time // of the first point
	Min, Median, Max []float64 // one a Step, of equal length
}

// An Hour is the worst state of an HSM in one hour.
type Hour struct {
	Start  time.Time
	State  string // critical, major, minor, warning, well, stale, unknown; "": the agent did not run
	Reason string // of the worst, as its alarm says it
}
