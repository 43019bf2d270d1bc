package totals

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib"
)

// TestTotalsAreStored: what was served is stored, so a restart, even without a
// goodbye, does not make a total fall; an HSM that counts on meanwhile is not lost.
func TestTotalsAreStored(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	const object = "hsmOperationRequests"
	snap := &hsm.Snapshot{}
	read := func(n uint64) mib.Source {
		snap = snap.With(hsm.Observation{Device: "a", Kind: hsm.NetworkHSM, Source: "test", At: at, MaxAge: time.Minute,
			Facts: []hsm.Fact{hsm.Information{OperationRequests: hsm.Some(n)}}})
		return mib.Source{Snapshot: snap, Now: at}
	}
	var kept *Totals
	var j *journal.Journal
	for _, step := range []struct {
		later   time.Duration
		count   uint64
		restart string // before it
		want    uint64
	}{
		{0, 1000, "first", 1000},
		{time.Second, 1010, "", 1000}, // not stored yet
		{0, 1011, "killed", 1011},     // the first after a start is stored
		{storeEvery, 1020, "", 1020},
		{time.Second, 5, "", 1025}, // a reset is stored at once
		{time.Second, 6, "", 1025},
		{0, 6, "stopped", 1026},
		{storeEvery, 16, "", 1036},
	} {
		if step.restart != "" {
			if step.restart == "stopped" {
				check.Must(t, kept.Close())
			}
			if j != nil {
				check.Must(t, j.Close())
			}
			kept = new(Totals)
			var err error
			j, err = journal.Open(dir)
			check.Must(t, err)
			check.Must(t, kept.Open(j))
		}
		at = at.Add(step.later)
		served, err := kept.Add(read(step.count))
		if err != nil || served[object] != step.want {
			t.Errorf("%+v: %d, %v", step, served[object], err)
		}
		if due := kept.Due(); (served[object] != kept.sums.Sums[object]) != !due.IsZero() || due.After(at.Add(storeEvery)) {
			t.Errorf("%+v: due %v", step, due)
		}
	}
	check.Must(t, j.Close())
}
