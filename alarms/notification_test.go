package alarms

import (
	"testing"

	"github.com/lunawatch/lunawatch/hsm"
)

func TestNotificationIDs(t *testing.T) {
	w := &Watch{Store: hsm.NewStore()}
	seen := make(map[string]bool)
	for _, c := range Eval(NewState(), join(isBad(0, Major), isGood(0), isBad(0, Major), isGood(0)), Damping{}, at(0)) {
		n := w.notification(c, at(0))
		if seen[n.ID] {
			t.Errorf("%q twice", n.ID)
		}
		seen[n.ID] = true
	}
	if len(seen) != 4 {
		t.Errorf("got %v", seen)
	}
}
