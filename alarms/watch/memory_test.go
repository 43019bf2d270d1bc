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
