package poll

import "time"

// Timing is how soon it is noticed between polls that an appliance is gone. Nothing of
// it asks the HSM, and while what is watched stays open nothing of it is in the
// appliance's log.
type Timing struct {
	Every   time.Duration // between two questions whether it is there
	Timeout time.Duration // of the answer to one
	Connect time.Duration // of a new connection, after one was lost
}

// DefaultTiming notices an appliance that is silent within 15 s: Every, Timeout, and two
// attempts to connect with a second between them.
func DefaultTiming() Timing {
	return Timing{Every: 5 * time.Second, Timeout: 3 * time.Second, Connect: 2500 * time.Millisecond}
}
