package watch_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestMemorySurvivesARestart: a partition that is deactivated, and a unit that
// is exchanged, while the agent is down.
func TestMemorySurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		polled := func(a *watchtest.Running, serial string, active bool) {
			a.Store.Apply(hsm.Observation{Device: "a", Source: "hsm show", At: time.Now(), MaxAge: time.Hour, Facts: []hsm.Fact{
				hsm.Show{Serial: serial}, hsm.Partitions{{Serial: "1", Activated: hsm.Some(active)}}}})
			synctest.Wait()
		}
		a := watchtest.Start(t, dir, nil)
		polled(a, "70001", true)
		alarmstest.Same(t, "activated", nil, a.ActiveGroups())
		a.Stop()
		watchtest.Advance(time.Hour)

		a = watchtest.Start(t, dir, nil)
		polled(a, "70001", false)
		alarmstest.Same(t, "deactivated meanwhile", []string{"partition-deactivated"}, a.ActiveGroups())
		a.Stop()
		watchtest.Advance(time.Hour)

		a = watchtest.Start(t, dir, nil)
		polled(a, "70002", false)
		alarmstest.Same(t, "exchanged meanwhile", []string{"unit-replaced"}, a.ActiveGroups())
		a.Stop()
	})
}

// TestProofSurvivesARestart: what proved an HSM is at most ten minutes older after a
// restart, and not known of another unit under its name.
func TestProofSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := watchtest.Start(t, dir, nil)
		var newest time.Time
		for range 100 {
			newest = time.Now()
			a.Store.Apply(hsm.Observation{Device: "a", Source: "hsm show", At: newest, MaxAge: time.Hour, Facts: []hsm.Fact{
				hsm.Show{Serial: "70001"}, hsm.Proof{At: newest, By: "x"}}})
			synctest.Wait()
			watchtest.Advance(time.Minute)
		}
		a.Stop()
		watchtest.Advance(24 * time.Hour)

		a = watchtest.Start(t, dir, nil)
		got := a.Store.Latest().Device("a").Proven
		if lost := newest.Sub(got.At); lost < 0 || lost > 10*time.Minute || got.By != "x" {
			t.Errorf("after a restart: %+v, and the newest was at %s", got, newest)
		}
		a.Store.Apply(hsm.Observation{Device: "a", Source: "hsm show", At: time.Now(), MaxAge: time.Hour, Facts: []hsm.Fact{hsm.Show{Serial: "70002"}}})
		synctest.Wait()
		a.Stop()

		a = watchtest.Start(t, dir, nil)
		if got := a.Store.Latest().Device("a").Proven; !got.IsZero() {
			t.Errorf("of another unit: %+v", got)
		}
		a.Stop()
	})
}
