package vendor

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/mibtest"
)

// cells are what public Checkmk plugins read at once; they fail if one is missing.
func cells() (all []agentx.OID) {
	for i := range uint32(4) {
		all = append(all, chrysalisUTSP.Append(1, i+1, 0))
	}
	for i := range uint32(6) {
		all = append(all, chrysalisUTSP.Append(2, i+1, 0))
	}
	return all
}

func whole(requests uint64) []hsm.Fact {
	n := func(v uint64) hsm.Opt[uint64] { return hsm.Some(v) }
	return []hsm.Fact{
		hsm.Information{OperationRequests: n(requests), OperationErrors: n(requests / 9), CriticalEvents: n(0), NoncriticalEvents: n(requests / 99)},
		hsm.NTLS{Status: hsm.NTLSUp, ConnectedClients: n(3), Links: n(4), SuccessfulConnections: n(requests / 2), FailedConnections: n(1)},
		hsm.Certificate{NotAfter: hsm.Some(mibtest.Now.AddDate(1, 0, 0))},
	}
}

// TestTotals: a reset and an absence do not make a total fall, and no cell is missing
// while one HSM is read.
func TestTotals(t *testing.T) {
	var totals Totals
	s := &hsm.Snapshot{}
	for _, name := range []string{"a", "b", "c"} {
		s = s.With(hsm.Observation{Device: name, Kind: hsm.NetworkHSM, At: mibtest.Now.Add(-time.Hour)})
	}
	for i, step := range []struct {
		read map[string]uint64 // others are away
		want uint64
	}{
		{map[string]uint64{"a": 1000, "b": 500}, 1500},
		{map[string]uint64{"a": 1010, "b": 500, "c": 100}, 1610},
		{map[string]uint64{"a": 7, "b": 505}, 1622}, // a was reset, c is away
		{map[string]uint64{"c": 130}, 1652},         // only c
		{map[string]uint64{"a": 8, "b": 0, "c": 130}, 1653},
	} {
		at := mibtest.Now.Add(time.Duration(i) * time.Hour)
		for name, n := range step.read {
			s = s.With(hsm.Observation{Device: name, Source: "test", At: at, MaxAge: time.Minute, Facts: whole(n)})
		}
		src := mib.Source{Snapshot: s, Now: at}
		totals.Add(src)
		src.Totals = totals.Clone()
		if got := mibtest.Value(t, Tables(), src, chrysalisUTSP.Append(1, 1, 0)); got.Number != step.want {
			t.Errorf("step %d: %v requests, want %d", i, got, step.want)
		}
		for _, oid := range cells() {
			if mibtest.Value(t, Tables(), src, oid).Type == 0 {
				t.Errorf("step %d: no instance %v", i, oid)
			}
		}
		src.Now = at.Add(time.Hour / 2)
		if got := mibtest.Value(t, Tables(), src, chrysalisUTSP.Append(1, 1, 0)); got.Type != 0 {
			t.Errorf("step %d: all stale, and yet %v", i, got)
		}
	}
}

// TestTotalsNeverFall plays readings, resets, absences and restarts at random.
func TestTotalsNeverFall(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		var totals, stored Totals
		counts := make([]uint64, 4)
		s := &hsm.Snapshot{}
		last := make(map[string]uint64)
		for step := range 200 {
			at := mibtest.Now.Add(time.Duration(step) * 10 * time.Second)
			for i := range counts {
				switch random.IntN(8) {
				case 0:
					counts[i] = random.Uint64N(10)
				case 1: // away
					continue
				}
				counts[i] += random.Uint64N(1000)
				s = s.With(hsm.Observation{Device: fmt.Sprint("hsm", i), Kind: hsm.NetworkHSM, Source: "test", At: at, MaxAge: 25 * time.Second, Facts: whole(counts[i])})
			}
			_, reset := totals.Add(mib.Source{Snapshot: s, Now: at})
			for name, n := range totals.Sums {
				if n < last[name] {
					t.Fatalf("seed %d, step %d: %s fell from %d to %d", seed, step, name, last[name], n)
				}
				last[name] = n
			}
			if reset || random.IntN(6) == 0 {
				b, err := json.Marshal(totals)
				if err != nil {
					t.Fatal(err)
				}
				stored = Totals{}
				if err := json.Unmarshal(b, &stored); err != nil {
					t.Fatal(err)
				}
			}
			if random.IntN(20) == 0 { // killed: what was not stored is counted again from the HSMs
				b, _ := json.Marshal(stored)
				totals = Totals{}
				if err := json.Unmarshal(b, &totals); err != nil {
					t.Fatal(err)
				}
				if totals.Add(mib.Source{Snapshot: s, Now: at}); at.IsZero() {
					t.Fatal()
				}
			}
		}
	}
}
