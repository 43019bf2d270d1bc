// Package wait is how Lunawatch waits: until a time has passed or its context is done, after failures
// longer and longer, and never in step with others.
package wait

import (
	"context"
	"math/rand/v2"
	"time"
)

// Sleep waits for d, and reports false if ctx was done before.
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

// Backoff returns the pause after a number of earlier failures in a row: first, doubled by each, at
// most so long.
func Backoff(failures int, first, most time.Duration) time.Duration {
	return min(first<<min(failures, 20), most)
}

// Jitter returns d, longer or shorter by at most a part of it.
func Jitter(d time.Duration, part float64) time.Duration {
	return d + time.Duration(float64(d)*part*(2*rand.Float64()-1))
}
