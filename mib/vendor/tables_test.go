package vendor

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/mibtest"
)

func information(requests, critical uint64) hsm.Fact {
	return hsm.Information{OperationRequests: hsm.Some(requests), CriticalEvents: hsm.Some(critical)}
}

// TestSums adds up the scalars of several HSMs, as far as they are known.
func TestSums(t *testing.T) {
	requests, critical := chrysalisUTSP.Append(1, 1, 0), chrysalisUTSP.Append(1, 3, 0)
	both := mibtest.Seen(map[string][]hsm.Fact{"a": {information(7, 0)}, "b": {information(math.MaxUint64-10, 5)}})
	if got := mibtest.Value(t, Tables(), mib.Source{Snapshot: both, Now: mibtest.Now}, requests); got.Number != math.MaxUint64-3 || got.Type != agentx.TypeCounter64 {
		t.Errorf("sum: %v", got)
	}
	half := mibtest.Seen(map[string][]hsm.Fact{"a": {information(7, 0)}, "b": {}})
	if got := mibtest.Value(t, Tables(), mib.Source{Snapshot: half, Now: mibtest.Now}, requests); got.Number != 7 {
		t.Errorf("one HSM never read: %v, want what is known", got)
	}
	if got := mibtest.Value(t, Tables(), mib.Source{Snapshot: both, Now: mibtest.Now.Add(2 * time.Minute)}, requests); got.Type != 0 {
		t.Errorf("stale, yet a sum: %v", got)
	}
	if got := mibtest.Value(t, Tables(), mib.Source{Snapshot: both, Now: mibtest.Now}, critical); got.Number != 5 {
		t.Errorf("critical events as reported: %v", got)
	}
	counted := func(device string) (uint64, uint64) { return 2, 9 }
	if got := mibtest.Value(t, Tables(), mib.Source{Snapshot: both, Now: mibtest.Now, Events: counted}, critical); got.Number != 7 {
		t.Errorf("critical events counted where the HSM reports 0: %v, want 2 of a and 5 of b", got)
	}
}

// TestACardHasNoNTLS: the NTLS objects and the counters of requests are those of the
// appliances, because no card states them.
func TestACardHasNoNTLS(t *testing.T) {
	s := mibtest.Seen(map[string][]hsm.Fact{"a": {information(7, 0), hsm.NTLS{Status: hsm.NTLSUp, Links: hsm.Some[uint64](3)}}})
	card := hsm.Observation{Device: "card", Kind: hsm.CardHSM, Source: "hsm showinfo", At: mibtest.Now, MaxAge: time.Minute, Facts: []hsm.Fact{hsm.Show{Serial: "532018", Firmware: "7.2.0"}}}
	src := mib.Source{Snapshot: s.With(card), Now: mibtest.Now}
	if got := mibtest.Value(t, Tables(), src, chrysalisUTSP.Append(2, 1, 0)); got.Number != 1 {
		t.Errorf("status: %v", got)
	}
	if got := mibtest.Value(t, Tables(), src, chrysalisUTSP.Append(2, 3, 0)); got.Number != 3 {
		t.Errorf("links: %v", got)
	}
	if got := mibtest.Value(t, Tables(), src, chrysalisUTSP.Append(1, 1, 0)); got.Number != 7 || got.Type != agentx.TypeCounter64 {
		t.Errorf("requests: %v, want those of the appliance", got)
	}
	only := mib.Source{Snapshot: (&hsm.Snapshot{}).With(card), Now: mibtest.Now}
	if got := mibtest.Value(t, Tables(), only, chrysalisUTSP.Append(1, 1, 0)); got.Type != 0 {
		t.Errorf("requests of a card alone: %v", got)
	}
	card.Facts, card.Source = []hsm.Fact{information(5, 0)}, "snmp hsmOperations"
	stating := src.Snapshot.With(card)
	if got := mibtest.Value(t, Tables(), mib.Source{Snapshot: stating, Now: mibtest.Now}, chrysalisUTSP.Append(1, 1, 0)); got.Number != 12 {
		t.Errorf("requests of a card that states them: %v", got)
	}
	if got := mibtest.Value(t, Tables(), src, append(safenetHSM.Append(2, 1, 2), mib.Text(nil, "532018")...)); string(got.Octets) != "7.2.0" {
		t.Errorf("firmware of the card: %v", got)
	}
}

func TestNTLSOperStatus(t *testing.T) {
	status := func(s hsm.NTLSStatus) []hsm.Fact { return []hsm.Fact{hsm.NTLS{Status: s}} }
	for _, c := range []struct {
		a, b []hsm.Fact
		want int32 // 0: no instance
	}{
		{status(hsm.NTLSUp), status(hsm.NTLSUp), 1},
		{status(hsm.NTLSUp), status(hsm.NTLSDown), 2},
		{status(hsm.NTLSDown), nil, 2},
		{status(hsm.NTLSUp), nil, 3},
		{status(hsm.NTLSUp), status(hsm.NTLSUnknown), 3},
		{nil, nil, 0},
	} {
		got := mibtest.Value(t, Tables(), mib.Source{Snapshot: mibtest.Seen(map[string][]hsm.Fact{"a": c.a, "b": c.b}), Now: mibtest.Now}, chrysalisUTSP.Append(2, 1, 0))
		if got.Int() != c.want {
			t.Errorf("%v and %v: %v, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestHSMTable(t *testing.T) {
	show := hsm.Show{
		Serial: "77", Label: hsm.Some(""), Storage: hsm.Storage{Total: hsm.Some[int64](1 << 32), Used: hsm.Some[int64](math.MaxUint32)},
		PartitionsAllowed: hsm.Some[int64](20), Partitions: []hsm.NamedPartition{{Serial: "771", Name: "p"}},
	}
	src := mib.Source{Now: mibtest.Now, Snapshot: mibtest.Seen(map[string][]hsm.Fact{"a": {show,
		hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: math.MaxUint64, Commands: 3, Utilization: 0}}},
		hsm.Clients{{Name: "c", Partitions: []string{"p", "gone"}}, {Name: "c"}},
		hsm.Partitions{{Serial: "771", Name: "p"}, {Serial: "772", Name: "q", Label: hsm.Some("")}},
	}})}
	index := agentx.OID{2, '7', '7'}
	for _, c := range []struct {
		name string
		oid  agentx.OID
		want agentx.Value
	}{
		{"a label that is known and empty", safenetHSM.Append(2, 1, 3).Append(index...), agentx.Text("")},
		{"a size beyond 32 bits", safenetHSM.Append(2, 1, 9).Append(index...), agentx.Value{}},
		{"the largest size", safenetHSM.Append(2, 1, 10).Append(index...), agentx.Gauge32(math.MaxUint32)},
		{"a label nobody stated, and a name", safenetHSM.Append(4, 1, 2).Append(index...).Append(3, '7', '7', '1'), agentx.Text("p")},
		{"an empty label and a name", safenetHSM.Append(4, 1, 2).Append(index...).Append(3, '7', '7', '2'), agentx.Text("")},
		{"a model nobody stated", safenetHSM.Append(2, 1, 4).Append(index...), agentx.Value{}},
		{"partitions counted from the list", safenetHSM.Append(2, 1, 13).Append(index...), agentx.Gauge32(1)},
		{"partitions free", safenetHSM.Append(2, 1, 14).Append(index...), agentx.Gauge32(19)},
		{"the largest counter", safenetHSM.Append(2, 1, 19).Append(index...), agentx.Counter64(math.MaxUint64)},
		{"a client", safenetHSM.Append(7, 1, 1, 1, 'c'), agentx.Text("c")},
		{"its partition, by serial number", safenetHSM.Append(8, 1, 2, 1, 'c', 2, '7', '7', 3, '7', '7', '1'), agentx.Text("771")},
	} {
		if got := mibtest.Value(t, Tables(), src, c.oid); got.Type != c.want.Type || got.Number != c.want.Number || got.Octets != c.want.Octets {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestNoIndexTooLong: for a name that does not fit into an OID, only its row is missing,
// and the error says which.
func TestNoIndexTooLong(t *testing.T) {
	for _, c := range []struct {
		octets int
		fits   bool
	}{{113, true}, {114, true}, {115, false}, {117, false}, {200, false}, {5000, false}} {
		name := strings.Repeat("x", c.octets)
		src := mib.Source{Now: mibtest.Now, Snapshot: mibtest.Seen(map[string][]hsm.Fact{"a": {hsm.Show{Serial: "77"}, hsm.Clients{{Name: name}, {Name: "ok"}}}})}
		view, err := Tables().Build(src)
		if view == nil || (err == nil) != c.fits || err != nil && !strings.Contains(err.Error(), `hsmClientName: no row for "xxx`) {
			t.Fatalf("%d octets: %v, %.200v", c.octets, view, err)
		}
		for _, row := range []struct {
			oid  agentx.OID
			want bool
		}{{mib.Text(safenetHSM.Append(7, 1, 1), "ok"), true}, {mib.Text(safenetHSM.Append(7, 1, 1), name), c.fits}} {
			if _, ok := view.Get(row.oid); ok != row.want {
				t.Errorf("%d octets: row of %.9v: %v", c.octets, row.oid[len(safenetHSM):], ok)
			}
		}
	}
}

// TestOneSerialTwice: of two devices with the same serial number only the first is
// shown, and nothing of it is mixed with the other.
func TestOneSerialTwice(t *testing.T) {
	device := func(label, partition, client string) []hsm.Fact {
		return []hsm.Fact{hsm.Show{Serial: "77", Label: hsm.Some(label)}, hsm.Partitions{{Serial: partition, Name: partition}}, hsm.Licenses{{ID: partition}}, hsm.Clients{{Name: client}}}
	}
	view, err := Tables().Build(mib.Source{Now: mibtest.Now, Snapshot: mibtest.Seen(map[string][]hsm.Fact{"a": device("first", "771", "x"), "b": device("second", "772", "y")})})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		oid  agentx.OID
		want bool
	}{
		{mib.Text(safenetHSM.Append(2, 1, 3), "77"), true},
		{mib.Text(mib.Text(safenetHSM.Append(4, 1, 1), "77"), "771"), true},
		{mib.Text(mib.Text(safenetHSM.Append(4, 1, 1), "77"), "772"), false},
		{mib.Text(mib.Text(safenetHSM.Append(3, 1, 1), "77"), "772"), false},
		{mib.Text(safenetHSM.Append(7, 1, 1), "y"), false},
	} {
		if _, ok := view.Get(c.oid); ok != c.want {
			t.Errorf("%v: %v", c.oid, ok)
		}
	}
}

// TestBusyTimeIsCounted: there is no hsmBusyTime without a source that counts it.
func TestBusyTimeIsCounted(t *testing.T) {
	for _, c := range []struct {
		counted hsm.Opt[float64]
		want    agentx.Value
	}{
		{hsm.Some(41.9), agentx.Counter64(41)},
		{hsm.Opt[float64]{}, agentx.Value{}},
	} {
		m := hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: 1e6, Utilization: 0.0127}}, BusySeconds: c.counted}
		src := mib.Source{Now: mibtest.Now, Snapshot: mibtest.Seen(map[string][]hsm.Fact{"a": {hsm.Show{Serial: "77"}, m}})}
		if got := mibtest.Value(t, Tables(), src, safenetHSM.Append(2, 1, 20, 2, '7', '7')); got.Type != c.want.Type || got.Number != c.want.Number {
			t.Errorf("%+v: %v, want %v", c.counted, got, c.want)
		}
	}
}
