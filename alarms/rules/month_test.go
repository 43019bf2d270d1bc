package rules

import (
	"math"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestOrdinaryMonthOfPolls polls an ordinary appliance every five minutes for a month:
// load by the hour of the day, requests that fail now and then, wrong PINs, a
// partition that is created and used later, counters that are reset, a fan that
// cannot be read for a while. Nothing is raised.
func TestOrdinaryMonthOfPolls(t *testing.T) {
	const every, polls = 5 * time.Minute, 30 * 24 * 12
	step := 1
	if collectortest.RaceDetector {
		step = 10
	}
	state, limits := alarms.NewState(), DefaultThresholds()
	requests, failed := uint64(9e6), uint64(40)
	for i := 0; i < polls; i += step {
		second := i * int(every.Seconds())
		day := 2 * math.Pi * float64(i%288) / 288
		load := 0.4 + 0.3*math.Sin(day)
		requests, failed = requests+uint64(60000*load), failed+uint64(i%7)
		if i == 4000 {
			requests, failed = 12, 0 // hsm information reset
		}
		d := alarmstest.Ordinary(second, i, load)
		d.Information = alarmstest.ReadAt(second, hsm.Information{OperationRequests: hsm.Some(3 * requests), OperationErrors: hsm.Some(300 + failed),
			CryptoRequests: hsm.Some(requests), CryptoErrors: hsm.Some(failed), CriticalEvents: hsm.Some[uint64](0)})
		now := alarmstest.At(second + 10)
		changes := alarms.Eval(state, EvaluateSnapshot(&hsm.Snapshot{Devices: []*hsm.Device{d}}, state, limits, now), alarms.Damping{}, now)
		state.Apply(changes)
		state.Memory = map[string]alarms.Memory{"a": Remember(Poll{Device: d, Now: now, Thresholds: limits, Memory: state.Memory["a"]})}
		if len(changes) > 0 {
			t.Fatalf("day %d: %q: %s", i/288, alarmstest.Describe(changes), changes[0].Alarm.Text)
		}
	}
}
