package watch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// BenchmarkObservation is what one answer of one HSM costs among many: the Snapshot
// and the alarms.
func BenchmarkObservation(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newEstate(b, hsm.NewStore())
			var answers []hsm.Observation
			lunash.NewPoller("a", lunash.Replay("../../collectors/formats/testdata/7.2"), 0, poll.DefaultIntervals()).
				Capture(b.Context(), func(_, _ string) {}, func(o hsm.Observation) { answers = append(answers, o) })
			apply := func(device, answer int) {
				o := answers[answer%len(answers)]
				o.Device, o.At = fmt.Sprintf("hsm%d", device), time.Now()
				o.Facts = slices.Clone(o.Facts)
				for i, f := range o.Facts {
					if show, ok := f.(hsm.Show); ok {
						show.Serial = fmt.Sprint(700000 + device)
						o.Facts[i] = show
					}
				}
				w.Store.Apply(o)
			}
			for device := range n {
				for answer := range answers {
					apply(device, answer)
				}
			}
			check.Must(b, w.evaluateSnapshot(w.Store.Latest(), time.Now()))
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				apply(i%n, i/n)
				check.Must(b, w.evaluateSnapshot(w.Store.Latest(), time.Now()))
			}
		})
	}
}
