package poll

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestSpread: a thousand devices are polled in every part of the interval, each always
// in the same, and start within half a minute.
func TestSpread(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 17, 0, time.UTC)
	const interval = time.Minute
	var inSecond, starts [60]int
	for i := range 1000 {
		name := fmt.Sprint("hsm", i)
		first := Next(name, at, interval)
		if !first.After(at) || first.Sub(at) > interval {
			t.Errorf("%s: %s after %s", name, first, at)
		}
		for n := range 3 {
			if next := Next(name, first.Add(time.Duration(n)*interval), interval); !next.Equal(first.Add(time.Duration(n+1) * interval)) {
				t.Errorf("%s: poll %d at %s", name, n, next)
			}
		}
		inSecond[int(first.Sub(at)/time.Second)%60]++
		starts[int(Start(name, 1000)/time.Second)]++
	}
	if most := slices.Max(inSecond[:]); most > 40 || slices.Min(inSecond[:]) == 0 {
		t.Errorf("polls by second: %v", inSecond)
	}
	if slices.Max(starts[20:]) > 0 || slices.Max(starts[:20]) > 90 {
		t.Errorf("starts by second: %v", starts)
	}
	if d := Start("hsm1", 1); d != 0 {
		t.Errorf("the only device starts after %s", d)
	}
	if d := Start("hsm1", 1_000_000); d > startWithin {
		t.Errorf("one of a million starts after %s", d)
	}
}

// TestRoundsOfADevice: rounds are half an interval apart or more, then a whole one; what
// is polled slowly is polled in a round of what is polled fast.
func TestRoundsOfADevice(t *testing.T) {
	for _, name := range []string{"a", "b", "luna1", "luna2"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
			defer cancel()
			var rounds [paces][]time.Time
			i := Intervals{Fast: time.Minute, Slow: 15 * time.Minute, Hourly: time.Hour, Counted: time.Minute}
			i.Poll(ctx, name, Reach{}, func(due func(Pace) bool) hsm.Failure {
				for p := range rounds {
					if due(Pace(p)) {
						rounds[p] = append(rounds[p], time.Now())
					}
				}
				time.Sleep(7 * time.Second) // of the bubble
				return hsm.None
			})
			for p, list := range rounds {
				for n := 1; n < len(list); n++ {
					apart := list[n].Sub(list[n-1])
					if n > 1 && apart != i[p] || apart < i[p]/2 || apart > i[p]*3/2+i[Fast] {
						t.Errorf("%s: pace %d: round %d %s after the one before", name, p, n, apart)
					}
					if !slices.ContainsFunc(rounds[Fast], list[n].Equal) {
						t.Errorf("%s: pace %d: round %d is one of its own", name, p, n)
					}
				}
				if len(list) < int(3*time.Hour/i[p])-1 {
					t.Errorf("%s: pace %d: %d rounds in three hours", name, p, len(list))
				}
			}
		})
	}
}
