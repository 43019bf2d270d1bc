package snmp

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/hsm"
)

// walkText is what an agent of one HSM with one partition serves.
const walkText = `.1.3.6.1.4.1.12383.3.1.1.1.0 = Counter64: 77
.1.3.6.1.4.1.23629.1.5.1.2.1.2.6.53.51.50.57.55.55 = STRING: "7.2.0"
.1.3.6.1.4.1.23629.1.5.1.2.1.3.6.53.51.50.57.55.55 = STRING: "vault \"seven\" 532977"
.1.3.6.1.4.1.23629.1.5.1.2.1.7.6.53.51.50.57.55.55 = INTEGER: 1
.1.3.6.1.4.1.23629.1.5.1.2.1.9.6.53.51.50.57.55.55 = Gauge32: 33554432
`

func TestWalkOfACapture(t *testing.T) {
	a, err := readWalk(walkText)
	if err != nil || a.String() != walkText {
		t.Fatalf("%v:\n%s", err, a)
	}
	stopped := walkText + "# stopped: .1.3.6.1.4.1.23629.1.5.1 .1.3.6.1.4.1.23629.1.5.1.2.1.9.6.53.51.50.57.55.55\n"
	a, err = readWalk(stopped)
	if err != nil || a.String() != stopped || a.whole(hsmObjects.entry) == nil || a.whole(operationObjects.entry) != nil {
		t.Errorf("%v: %+v", err, a.stopped)
	}
	redacted, err := RedactWalk(stopped, func(s string) string { return strings.ReplaceAll(s, "532977", "4711") })
	if err != nil || strings.Contains(redacted, "532977") || strings.Contains(redacted, ".53.51.50") || strings.Count(redacted, ".4.52.55.49.49") != 5 {
		t.Errorf("%v:\n%s", err, redacted)
	}
	native := ".1.3 = Counter32: 5\n.1.4 = Timeticks: (12) 0:00:00.12\n.1.5 = Hex-STRING: C3 28 \n.1.6 = IpAddress: 192.0.2.1\n"
	if a, err = readWalk(native); err != nil || !reflect.DeepEqual(a.vars, []varbind{{oid{1, 3}, uint(5)}, {oid{1, 4}, uint32(12)}, {oid{1, 5}, []byte("\xc3(")}, {oid{1, 6}, nil}}) {
		t.Errorf("%v: %+v", err, a)
	}
}

// TestTruncatedWalk cuts a walk at every byte: what remains is an error, or states no
// other values.
func TestTruncatedWalk(t *testing.T) {
	read := func(text string) (any, error) {
		a, err := readWalk(text)
		if err != nil {
			return nil, err
		}
		snap := &hsm.Snapshot{}
		agent := &Agent{Device: "a"}
		agent.poll(t.Context(), func(_ context.Context) (walked, error) { return a, nil }, func(o hsm.Observation) { snap = snap.With(o) })
		d := snap.Devices[0]
		stated := map[string]any{"information": d.Information.Value}
		if !d.Show.IsZero() {
			stated["show"] = d.Show.Value
		}
		return collectortest.PlainJSON(t, stated), nil
	}
	full, err := read(walkText)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(walkText) {
		part, err := read(walkText[:i])
		if whole := i == 0 || walkText[i-1] == '\n'; (err == nil) != whole {
			t.Errorf("%d bytes: %v", i, err)
		}
		if s := collectortest.Contradiction(part, full); err == nil && s != "" {
			t.Errorf("%d bytes: %s", i, s)
		}
	}
}

// FuzzWalk checks that a captured walk is read without a panic, and that what is
// written is read as the same again.
func FuzzWalk(f *testing.F) {
	f.Add(walkText)
	f.Add("# stopped: .1.2 .1.3\n.1.3 = Hex-STRING: C3 28 \n")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := readWalk(text)
		if err != nil {
			return
		}
		again, err := readWalk(a.String())
		if err != nil || again.String() != a.String() {
			t.Errorf("%v: %q, and again %q", err, a, again)
		}
		if same, err := RedactWalk(text, func(s string) string { return s }); err != nil || same != a.String() {
			t.Errorf("redacted by nothing: %v: %q, of %q", err, same, a)
		}
	})
}
