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
		began := time.Now()
		if !Sleep(ctx, time.Minute) || time.Since(began) != time.Minute {
			t.Errorf("Sleep ended after %s", time.Since(began))
		}
		time.AfterFunc(time.Second, cancel)
		if began = time.Now(); Sleep(ctx, time.Minute) || time.Since(began) != time.Second {
			t.Errorf("Sleep went on for %s, past its context", time.Since(began))
		}
		if Sleep(ctx, 0) {
			t.Error("Sleep for no time reports that a context that is done is not")
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
			t.Fatalf("Jitter of 5 %% made %s of a minute", d)
		}
	}
}
