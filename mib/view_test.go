package mib

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lunawatch/lunawatch/mib/agentx"
)

var root = agentx.OID{1, 3, 6, 1, 4, 1, 99999}

// synthetic is n rows of three columns; every seventh instance is a hole.
func synthetic(n int) []Row {
	var rows []Row
	for column := range uint32(3) {
		for row := range uint32(n) {
			if (column+row)%7 != 6 {
				rows = append(rows, Row{root.Append(column+1, row+1), agentx.Counter64(uint64(row) << column)})
			}
		}
	}
	return rows
}

// scattered is n rows of OIDs of many lengths, in no order and of all types.
func scattered(n int) []Row {
	random := rand.New(rand.NewPCG(1, 2))
	values := []agentx.Value{agentx.Integer(-3), agentx.Text("five!"), agentx.ObjectIdentifier(root), agentx.Gauge32(7),
		agentx.IPAddress([4]byte{192, 0, 2, 1}), agentx.TimeTicks(8), agentx.Counter32(9), agentx.Opaque("x"), agentx.Null(), agentx.Counter64(1 << 60)}
	seen := make(map[string]bool)
	var rows []Row
	for len(rows) < n {
		oid := slices.Clone(root)
		for range random.IntN(10) {
			oid = append(oid, random.Uint32N(3)<<random.UintN(31))
		}
		if !seen[oid.String()] {
			seen[oid.String()] = true
			rows = append(rows, Row{oid, values[len(rows)%len(values)]})
		}
	}
	return rows
}

func newView(t testing.TB, rows []Row) *View {
	t.Helper()
	v, err := NewView(slices.Clone(rows))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestView checks the properties that a manager relies on: instances strictly ascend, each is found by Get, Next of
// each is the following one, and Next of an OID between two is the second.
func TestView(t *testing.T) {
	for name, rows := range map[string][]Row{"empty": nil, "one": synthetic(1)[:1], "table": synthetic(50), "scattered": scattered(500)} {
		t.Run(name, func(t *testing.T) {
			v := newView(t, rows)
			if v.Len() != len(rows) {
				t.Fatalf("%d instances of %d rows", v.Len(), len(rows))
			}
			at, first := agentx.OID{}, true
			for oid, value := range v.All() {
				if !first && at.Compare(oid) >= 0 {
					t.Fatalf("%v after %v", oid, at)
				}
				want := agentx.AppendValue(nil, value)
				if got, ok := v.Get(oid); !ok || !bytes.Equal(got, want) {
					t.Fatalf("Get(%v) is %x, want %x", oid, got, want)
				}
				for _, from := range []agentx.OID{at, at.Append(0), before(oid)} {
					if from.Compare(at) < 0 || from.Compare(oid) >= 0 {
						continue
					}
					found, got, ok := v.Next(from, false, nil)
					if !ok || found.Compare(oid) != 0 || !bytes.Equal(got, want) {
						t.Fatalf("Next(%v) is %v, want %v", from, found, oid)
					}
				}
				if found, _, ok := v.Next(oid, true, nil); !ok || found.Compare(oid) != 0 {
					t.Fatalf("Next(%v) with include is %v", oid, found)
				}
				at, first = oid, false
			}
			if found, _, ok := v.Next(at, false, nil); ok && len(rows) > 0 {
				t.Fatalf("%v after the last", found)
			}
		})
	}
}

// before is an OID just before o that has no instance.
func before(o agentx.OID) agentx.OID {
	p := slices.Clone(o)
	if p[len(p)-1] == 0 {
		return p[:len(p)-1]
	}
	p[len(p)-1]--
	return append(p, 1<<32-1)
}

// TestViewHoldsRows compares the instances with the rows.
func TestViewHoldsRows(t *testing.T) {
	want := scattered(300)
	var got []Row
	for oid, value := range newView(t, want).All() {
		got = append(got, Row{oid, value})
	}
	slices.SortFunc(want, func(a, b Row) int { return a.OID.Compare(b.OID) })
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-in +out):\n%s", diff)
	}
}

func TestViewHoles(t *testing.T) {
	v := newView(t, synthetic(20))
	hole := root.Append(1, 7)
	if b, ok := v.Get(hole); ok {
		t.Errorf("Get of a hole is %x", b)
	}
	for _, include := range []bool{false, true} {
		if found, _, ok := v.Next(hole, include, nil); !ok || found.Compare(root.Append(1, 8)) != 0 {
			t.Errorf("Next of a hole is %v", found)
		}
	}
	if found, _, _ := v.Next(root.Append(1, 6), false, nil); found.Compare(root.Append(1, 8)) != 0 {
		t.Errorf("Next before a hole is %v", found)
	}
}

func TestAllStops(t *testing.T) {
	n := 0
	for range newView(t, synthetic(20)).All() {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d", n)
	}
}

func TestNewViewErrors(t *testing.T) {
	for _, test := range []struct {
		want string
		bad  Row
	}{
		{"twice", Row{root.Append(1, 1), agentx.Integer(1)}},
		{"0 sub-identifiers", Row{nil, agentx.Integer(1)}},
		{"129 sub-identifiers", Row{make(agentx.OID, 129), agentx.Integer(1)}},
		{"type 0", Row{root, agentx.Value{}}},
		{"No Such Instance", Row{root, agentx.NoSuchInstance()}},
		{"cannot be", Row{root, agentx.ObjectIdentifier(make(agentx.OID, 129))}},
		{"cannot be", Row{root, agentx.Value{Type: agentx.TypeIPAddress, Octets: "123"}}},
	} {
		if _, err := NewView(append(synthetic(2), test.bad)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want something of %q", err, test.want)
		}
	}
}

// TestViewAllocation: few allocations to build, none to answer.
func TestViewAllocation(t *testing.T) {
	rows := synthetic(10000)
	if n := testing.AllocsPerRun(3, func() { newView(t, rows) }); n > 10 {
		t.Errorf("%v allocations to build a View of %d rows", n, len(rows))
	}
	v := newView(t, rows)
	oid, into := root.Append(2, 5000), make(agentx.OID, agentx.MaxSubIDs)
	if n := testing.AllocsPerRun(100, func() { v.Get(oid); v.Next(oid, false, into) }); n != 0 {
		t.Errorf("%v allocations to answer", n)
	}
}

func BenchmarkView(b *testing.B) {
	for _, n := range []int{1000, 10000, 100000} {
		rows := synthetic(n * 7 / 18)
		v, oid, into := newView(b, rows), root.Append(2, uint32(n/7)), make(agentx.OID, agentx.MaxSubIDs)
		b.Run(fmt.Sprintf("Next of %d", v.Len()), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v.Next(oid, false, into)
			}
		})
		b.Run(fmt.Sprintf("NewView of %d", v.Len()), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				newView(b, rows)
			}
		})
	}
}
