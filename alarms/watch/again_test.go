package watch_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
)

// TestSilenceComesAgain: a silence of every day hides what is raised in it, also the second
// time and after a restart; what lasts is notified when it ends. Ended by hand, it does
// not come again.
func TestSilenceComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, r := t.TempDir(), &alarmstest.Receiver{}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		from := time.Now().Add(2 * time.Hour) // at 02:00
		id, err := a.Silence(alarms.Silence{Match: alarms.Match{Groups: []string{"stm"}}, Author: "kim", Reason: "restart", From: from, Until: from.Add(time.Hour), Every: &again.Every{Days: 1}})
		a.Must(err)
		shown := func(at time.Time) {
			t.Helper()
			if list := a.Silences(); len(list) != 1 || !list[0].From.Equal(at) || list[0].Until.Sub(at) != time.Hour {
				t.Errorf("at %s: %+v", time.Now(), list)
			}
		}
		shown(from)
		watchtest.Advance(4 * time.Hour) // 04:00: over for the first time
		shown(from.Add(24 * time.Hour))
		a.Stop()
		a = watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		defer func() { a.Stop() }()
		watchtest.Advance(22*time.Hour + 30*time.Minute) // 02:30 of the next day
		a.Must(a.Kernel("1", alarmstest.TransportLine))
		alarmstest.Same(t, "within it", nil, r.Received())
		if list := a.Active(); len(list) == 0 || list[0].Silence == nil || !list[0].Silence.Until.Equal(from.Add(25*time.Hour)) {
			t.Errorf("%+v", list)
		}
		watchtest.Advance(31 * time.Minute)
		alarmstest.Same(t, "when it ends", []string{"raised major a/stm"}, r.Received())
		a.Must(a.Unsilence(id))
		if list := a.Silences(); len(list) != 0 {
			t.Errorf("ended: %+v", list)
		}
		a.Must(a.Kernel("2", alarmstest.RecoveredLine))
		watchtest.Advance(23*time.Hour + 29*time.Minute) // 02:30 again
		a.Must(a.Kernel("3", alarmstest.TransportLine))
		if got := r.Received(); !slices.Equal(got, []string{"raised major a/stm", "cleared major a/stm", "raised major a/stm"}) {
			t.Errorf("after it was ended: %q", got)
		}
	})
}

// TestFormerState: a silence in a state file of before any came again holds, and ends.
func TestFormerState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, r := t.TempDir(), &alarmstest.Receiver{}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		a.Stop()
		now := time.Now()
		files, err := filepath.Glob(filepath.Join(dir, "*.db"))
		a.Must(err)
		for _, file := range files {
			db, err := bbolt.Open(file, 0o600, nil)
			a.Must(err)
			a.Must(db.Update(func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("silences")).Put([]byte{0, 0, 0, 0, 0, 0, 0, 4}, fmt.Appendf(nil,
					`{"id":4,"match":{"groups":["stm"],"severity":"none"},"author":"kim (uid 7)","reason":"move","from":%q,"until":%q}`, now.Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339)))
			}))
			a.Must(db.Close())
		}
		a = watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		defer func() { a.Stop() }()
		if list := a.Silences(); len(list) != 1 || list[0].ID != 4 || list[0].Every != nil || list[0].Author != "kim (uid 7)" {
			t.Fatalf("of %q: %+v", files, list)
		}
		a.Must(a.Kernel("1", alarmstest.TransportLine))
		alarmstest.Same(t, "within it", nil, r.Received())
		watchtest.Advance(61 * time.Minute)
		alarmstest.Same(t, "when it ends", []string{"raised major a/stm"}, r.Received())
		watchtest.Advance(48 * time.Hour)
		if list := a.Silences(); len(list) != 0 {
			t.Errorf("it comes again: %+v", list)
		}
	})
}
