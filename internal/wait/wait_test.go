package wait

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		if !Sleep(ctx, time.Minute) || time.Since(start) != time.Minute {
			t.Errorf("Sleep ended after %s", time.Since(start))
		}
		time.AfterFunc(time.Second, cancel)
		if start = time.Now(); Sleep(ctx, time.Minute) || time.Since(start) != time.Second {
			t.Errorf("Sleep continued for %s, after its context", time.Since(start))
		}
		if Sleep(ctx, 0) {
			t.Error("Sleep for no time returns true although its context is done")
		}
	})
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 8: 256 * time.Second, 9: 5 * time.Minute, 1000: 5 * time.Minute} {
		if got := Backoff(n, time.Second, 5*time.Minute); got != want {
			t.Errorf("Backoff after %d failures: %s, want %s", n, got, want)
		}
	}
}

func TestJitter(t *testing.T) {
	for range 1000 {
		if d := Jitter(time.Minute, 0.05); d < 57*time.Second || d > 63*time.Second {
			t.Fatalf("Jitter by 5 %% returned %s for a minute", d)
		}
	}
}
