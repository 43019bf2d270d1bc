package watch

import (
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/hsm"
)

func TestNotificationIDs(t *testing.T) {
	w := &Watch{Store: hsm.NewStore(), Journal: new(journal.Journal)}
	w.current.Store(&w.Setup)
	seen := make(map[string]bool)
	for _, c := range alarms.Eval(alarms.NewState(), alarmstest.Join(alarmstest.Raising(0, alarms.Major), alarmstest.Clearing(0), alarmstest.Raising(0, alarms.Major), alarmstest.Clearing(0)), alarms.Damping{}, alarmstest.At(0)) {
		n, _ := w.notification(c, alarms.Notified{}, alarmstest.At(0))
		if seen[n.ID] {
			t.Errorf("%q twice", n.ID)
		}
		seen[n.ID] = true
	}
	if len(seen) != 4 {
		t.Errorf("got %v", seen)
	}
}
