package agentx

import (
	"net"
	"testing"
	"time"
)

// A null connection discards what is written to it.
type null struct{ net.Conn }

func (null) Write(b []byte) (int, error)      { return len(b), nil }
func (null) SetWriteDeadline(time.Time) error { return nil }

// requestPath returns a function that answers one PDU with a number of ranges, as if just read from the connection.
func requestPath(t testing.TB, kind PDUType, ranges int) func() {
	t.Helper()
	view := testView()
	c := testConfig()
	h := Handler(encoded{view, AppendValue(nil, view[0].Value)})
	c.Current = func() Handler { return h }
	c, err := c.complete()
	if err != nil {
		t.Fatal(err)
	}
	l := newLink(null{}, &c, new(counts))
	l.opened, l.id = true, 5
	p := &peer{session: 5}
	var body []byte
	if kind == PDUGetBulk {
		body = []byte{0, 0, 50, 0}
	}
	for range ranges {
		body = append(body, p.ranges(testRoot.Append(1, 1))...)
	}
	request := p.request(kind, body)
	return func() {
		l.w = copy(l.in, request)
		if err := l.serve(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoAllocation: the request path allocates nothing, for any request.
func TestNoAllocation(t *testing.T) {
	for _, kind := range []PDUType{PDUGet, PDUGetNext, PDUGetBulk} {
		for _, ranges := range []int{1, 50} {
			answer := requestPath(t, kind, ranges)
			if n := testing.AllocsPerRun(100, answer); n != 0 {
				t.Errorf("%v of %d ranges: %v allocations", kind, ranges, n)
			}
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	for _, bench := range []struct {
		name     string
		kind     PDUType
		ranges   int
		varbinds int
	}{
		{"Get", PDUGet, 1, 1},
		{"GetNext", PDUGetNext, 1, 1},
		{"GetNext of 10", PDUGetNext, 10, 10},
		{"GetBulk of 50", PDUGetBulk, 1, 50},
	} {
		b.Run(bench.name, func(b *testing.B) {
			answer := requestPath(b, bench.kind, bench.ranges)
			b.ReportAllocs()
			for b.Loop() {
				answer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*bench.varbinds), "ns/varbind")
		})
	}
}
