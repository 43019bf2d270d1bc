package watch_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestCommitted: each change is handed over once, when it is stored, also of an alarm that
// clears at once.
func TestCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		a := watchtest.Start(t, t.TempDir(), nil, func(w *watch.Watch) {
			w.Committed = func(changes []alarms.Change, at time.Time) {
				for _, c := range changes {
					got = append(got, fmt.Sprint(c.Kind, " ", c.Alarm.Key, " ", at.Equal(time.Now())))
				}
			}
		})
		key := alarms.Key{Device: "a", Group: "configuration"}
		check.Must(t, a.Report([]alarms.Finding{{Key: key, Condition: alarms.Bad, Severity: alarms.Major, Text: "bad", Evidence: alarms.Evidence{At: time.Now(), Text: "bad"}}}))
		check.Must(t, a.Clear(key.String(), "bea", "looked"))
		a.Stop()
		if want := []string{"raised a/configuration true", "cleared a/configuration true"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
