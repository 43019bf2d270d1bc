// Package wait has the ways in which Lunawatch waits: until a time has passed or a
// context is done, longer after each failure, and not in step with others.
package wait

import (
	"context"
	"math/rand/v2"
	"time"
)

// Sleep waits for d. It returns false if ctx was done before.
func Sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Backoff returns the pause after a number of earlier failures in a row: first,
// doubled by each, and at most most.
func Backoff(failures int, first, most time.Duration) time.Duration {
	return min(first<<min(failures, 20), most)
}

// Jitter returns d, randomly longer or shorter by up to part of it, a ratio.
func Jitter(d time.Duration, part float64) time.Duration {
	return d + time.Duration(float64(d)*part*(2*rand.Float64()-1))
}

// Signal wakes who waits for c, or will. c must have room for one.
func Signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
