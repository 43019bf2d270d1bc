package proven

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestBy: what two readings of counters prove, and when.
func TestBy(t *testing.T) {
	const show, rest = "hsm information show", "rest counter"
	begin := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	crypto := func(n uint64) hsm.Information {
		return hsm.Information{OperationRequests: hsm.Some(n + 1e6), CryptoRequests: hsm.Some(n)}
	}
	all := func(n uint64) hsm.Information { return hsm.Information{OperationRequests: hsm.Some(n)} }
	bins := func(reset string, n uint64) hsm.Operations {
		return hsm.Operations{ResetTime: reset, Partitions: []hsm.PartitionOperations{{Serial: "1", Requests: map[string]uint64{"sign": n}}}}
	}
	for _, test := range []struct {
		name          string
		first, second hsm.Fact
		by            string        // that reads the second; the first is read by show
		after         time.Duration // the first
		failed        bool
		want          time.Duration // after the first; -1: nothing is proven
	}{
		{"a client's request", crypto(5), crypto(6), show, 50 * time.Second, false, 50 * time.Second},
		{"none, and a thousand of others", crypto(5), hsm.Information{OperationRequests: hsm.Some[uint64](2e6), CryptoRequests: hsm.Some[uint64](5)}, show, 50 * time.Second, false, -1},
		{"reset", crypto(5000), crypto(7), show, 50 * time.Second, false, -1},
		{"two hours apart", crypto(5), crypto(6), show, 2 * time.Hour, false, 0},
		{"another source", crypto(5), crypto(6), rest, 50 * time.Second, false, -1},
		{"a failure", crypto(5), crypto(6), show, 50 * time.Second, true, -1},
		{"not stated before", hsm.Information{}, crypto(6), show, 50 * time.Second, false, -1},
		{"not stated any more", crypto(5), all(1e9), show, 50 * time.Second, false, -1},
		{"requests of services", all(1000), all(1700), show, time.Minute, false, -1},
		{"ten times as many", all(1000), all(8000), show, time.Minute, false, -1},
		{"far above them", all(1000), all(12_000), show, time.Minute, false, time.Minute},
		{"far above them, after a day of services", all(1000), all(1000 + 1440*700), show, 24 * time.Hour, false, -1},
		{"a partition's request", bins("a", 5), bins("a", 6), show, 50 * time.Second, false, 50 * time.Second},
		{"no request to it", bins("a", 5), bins("a", 5), show, 50 * time.Second, false, -1},
		{"its counters were reset", bins("a", 5), bins("b", 6), show, 50 * time.Second, false, -1},
		{"a partition that is new", hsm.Operations{ResetTime: "a"}, bins("a", 6), show, 50 * time.Second, false, -1},
	} {
		first := hsm.Observation{Device: "a", Source: show, At: begin, Took: time.Second, MaxAge: 3 * time.Hour, Facts: []hsm.Fact{test.first}}
		d := new(hsm.Snapshot).With(first).Device("a")
		second := hsm.Observation{Device: "a", Source: test.by, At: begin.Add(test.after), Took: time.Second, Facts: []hsm.Fact{test.second}}
		if test.failed {
			second.Failure = hsm.Incomplete
		}
		got := time.Duration(-1)
		if p, ok := By(d, second); ok {
			got = p.At.Sub(begin.Add(-first.Took))
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
	if _, ok := By(nil, hsm.Observation{Source: show, Facts: []hsm.Fact{crypto(6)}}); ok {
		t.Error("the first reading of a device proves something")
	}
}
