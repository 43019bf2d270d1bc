package watch_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
)

// TestConfigure changes the receivers of a Watch that runs: the queue of one that stays
// goes on, one that comes is notified of what is active, and one that goes leaves no
// alarm about itself.
func TestConfigure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stays, dead, comes := &alarmstest.Receiver{}, &alarmstest.Receiver{Answer: func(alarms.Notification) error { return errors.New("no answer") }}, &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"stays": stays, "dead": dead})
		defer a.Stop()
		a.Must(a.Kernel("1", "k7pf0: [HSM] ALM2003: Battery low voltage warning"))
		watchtest.Advance(a.Settings.DeliveryAfter + time.Minute)
		if got := a.ActiveGroups(); !slices.Contains(got, "delivery") {
			t.Fatalf("no alarm about the dead receiver: %v", got)
		}
		setup := a.Setup
		setup.Receivers = maps.Clone(setup.Receivers)
		delete(setup.Receivers, "dead")
		setup.Receivers["comes"] = notify.Receiver{Notifier: comes}
		a.Configure(setup, []string{"comes"})
		synctest.Wait()
		attempts, _ := dead.Attempts()
		a.Must(a.Kernel("2", "k7pf0: [HSM] ALM2007: HSM zeroized"))
		watchtest.Advance(10 * time.Minute)
		if more, _ := dead.Attempts(); len(more) != len(attempts) {
			t.Errorf("%d attempts after it was removed", len(more)-len(attempts))
		}
		if got := a.ActiveGroups(); slices.Contains(got, "delivery") {
			t.Errorf("its alarm stays: %v", got)
		}
		if _, there := a.Deliveries()["dead"]; there {
			t.Error("it is still counted")
		}
		want := []string{"raised minor a/battery", "raised major lunawatch/delivery/dead", "cleared major lunawatch/delivery/dead", "raised critical a/zeroize"}
		alarmstest.Same(t, "one that stays", want, stays.Received())
		alarmstest.Same(t, "one that comes", []string{"raised minor a/battery", "raised and cleared major lunawatch/delivery/dead", "raised critical a/zeroize"}, comes.Received())
	})
}
