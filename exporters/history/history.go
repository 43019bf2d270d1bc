// Package history keeps what was measured of HSMs, for charts: values of the last 24
// hours and states of the last 30 days, in bounded space and across restarts.
package history

import "time"

// What a series keeps, and how finely.
const (
	Step  = 5 * time.Minute // of one point
	Span  = 24 * time.Hour  // of a series
	Hours = 30 * 24         // of which the state is kept

	points = int64(Span / Step)
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

// stepOf and hourOf count steps and hours since 1970, in UTC.
func stepOf(at time.Time) int64 { return floor(at.Unix(), int64(Step/time.Second)) }
func hourOf(at time.Time) int64 { return floor(at.Unix(), 3600) }

func startOf(step int64) time.Time { return time.Unix(step*int64(Step/time.Second), 0).UTC() }

// floor divides towards the past, before 1970 too.
func floor(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

// slot returns where in a ring of so many something is.
func slot(n, of int64) int64 { return ((n % of) + of) % of }
