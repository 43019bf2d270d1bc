package watch_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestAlive has the evaluation say that it runs while nothing changes, and no longer
// once it hangs.
func TestAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var beats atomic.Int64
		var hangs atomic.Bool
		mended := make(chan struct{})
		a := watchtest.Start(t, t.TempDir(), nil, func(w *watch.Watch) {
			w.AliveEvery = 30 * time.Second
			w.Alive = func() { beats.Add(1) }
			w.Parent = func(string) string {
				if hangs.Load() {
					<-mended
				}
				return ""
			}
		})
		defer a.Stop()
		beats.Store(0)
		watchtest.Advance(10 * time.Minute)
		if n := beats.Load(); n != 20 {
			t.Errorf("%d signs of life in ten idle minutes, want 20", n)
		}
		hangs.Store(true)
		for _, name := range []string{"b", "c"} { // more than one, so that they are put into an order by Parent
			a.Store.Expect(hsm.NetworkHSM, name)
		}
		watchtest.Advance(10 * time.Minute)
		before := beats.Load()
		watchtest.Advance(10 * time.Minute)
		if n := beats.Load() - before; n != 0 {
			t.Errorf("%d signs of life while the evaluation hangs", n)
		}
		close(mended)
	})
}
