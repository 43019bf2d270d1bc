package hsm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// fill sets every exported field below v to something other than zero.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(t0))
		return
	case LocalTime:
		v.Set(reflect.ValueOf(LocalTime{t0}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	default:
		panic(fmt.Sprintf("no value for %s", v.Type()))
	}
}

func filled(name string) *Device {
	d := new(Device)
	fill(reflect.ValueOf(d).Elem())
	d.Name = name
	return d
}

// asTold is d as another agent gets it.
func asTold(t *testing.T, d *Device) *Device {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	got := new(Device)
	if err := json.Unmarshal(text, got); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestDeviceSurvivesJSON: another agent is told everything of a device but the Seqs, which
// are of each Store.
func TestDeviceSurvivesJSON(t *testing.T) {
	seqs := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Seq" }, cmp.Ignore())
	for name, d := range map[string]*Device{"filled": filled("a"), "empty": {Name: "a"}} {
		if diff := cmp.Diff(d, asTold(t, d), seqs, cmpopts.IgnoreUnexported(Device{})); diff != "" {
			t.Errorf("%s: of the agent that reads it (-), of the other (+):\n%s", name, diff)
		}
	}
}

// TestShift: times of the agent's clock are moved, and those of the HSM's are not, nor those
// of the host, which no other agent has.
func TestShift(t *testing.T) {
	before, after := filled("a"), filled("a")
	after.Shift(time.Hour)
	var r moved
	cmp.Equal(before, after, cmpopts.IgnoreUnexported(Device{}), cmp.Reporter(&r))
	want := []string{"Certificate.Value.NotAfter.Value", "Certificate.Value.NotBefore.Value", "HA.Value.Certificates.NotAfter", "HA.Value.Groups.Members.Since", "Host.Value.Boot", "Monitor.Value.LastReset.Value.Time"}
	if diff := cmp.Diff(want, slices.Compact(slices.Sorted(slices.Values(r.equal)))); diff != "" {
		t.Errorf("times that stay, want (-), got (+):\n%s", diff)
	}
	for _, d := range r.by {
		if d != time.Hour {
			t.Errorf("a time was moved by %s", d)
		}
	}
	zero := &Device{}
	if zero.Shift(time.Hour); !zero.Proven.At.IsZero() || !zero.Show.At.IsZero() {
		t.Errorf("what is not known became %+v", zero)
	}
}

// moved has the paths of the times that are equal, and how far the others are apart.
type moved struct {
	path  cmp.Path
	equal []string
	by    []time.Duration
}

func (m *moved) PushStep(s cmp.PathStep) { m.path = append(m.path, s) }
func (m *moved) PopStep()                { m.path = m.path[:len(m.path)-1] }

func (m *moved) Report(result cmp.Result) {
	x, y := m.path.Last().Values()
	if !x.IsValid() || x.Type() != reflect.TypeFor[time.Time]() || !x.CanInterface() {
		return
	}
	at := x.Interface().(time.Time)
	if !result.Equal() {
		m.by = append(m.by, y.Interface().(time.Time).Sub(at))
		return
	}
	var names []string
	for _, s := range m.path {
		if f, ok := s.(cmp.StructField); ok {
			names = append(names, f.Name())
		}
	}
	m.equal = append(m.equal, strings.Join(names, "."))
}

// readBy returns a device as an agent has read it at a time.
func readBy(t *testing.T, label string, at time.Time) *Device {
	d := asTold(t, (&Snapshot{}).With(seen(label, at)).Devices[0])
	d.Kind = NetworkHSM
	return d
}

// TestAdopt: what another agent has read is in the Store, unless this one has, or what is
// there is of a third and newer.
func TestAdopt(t *testing.T) {
	s := NewStore()
	says := func(label, from string) {
		t.Helper()
		d := s.Latest().Device("a")
		if d.Show.Value.Label.Value != label || d.From != from || d.Kind != NetworkHSM {
			t.Errorf("%q from %q of kind %q, want %q from %q", d.Show.Value.Label.Value, d.From, d.Kind, label, from)
		}
	}
	s.Adopt("lw2", readBy(t, "unknown", t0))
	if n := len(s.Latest().Devices); n != 0 {
		t.Errorf("%d devices that are not expected", n)
	}
	s.Expect(CardHSM, "a")
	s.Adopt("lw2", readBy(t, "a card of this host", t0))
	if d := s.Latest().Device("a"); d.From != "" || !d.Show.IsZero() {
		t.Errorf("a card was adopted: %+v", d)
	}
	s.Expect(NetworkHSM, "a")
	s.Adopt("lw2", readBy(t, "first", t0))
	says("first", "lw2")
	if d := s.Latest().Device("a"); d.Seq != s.Latest().Seq || d.Show.Seq != d.Seq || d.NTLS.Seq != d.Seq {
		t.Errorf("Seq %d of the device and %d, %d of sections; the Snapshot has %d", d.Seq, d.Show.Seq, d.NTLS.Seq, s.Latest().Seq)
	}
	s.Adopt("lw2", readBy(t, "again", t0.Add(-time.Second))) // its clock was set back
	says("again", "lw2")
	s.Adopt("lw3", readBy(t, "late", t0.Add(-time.Minute)))
	says("again", "lw2")
	s.Adopt("lw3", readBy(t, "newer", t0.Add(time.Minute)))
	says("newer", "lw3")
	told := *s.Latest().Device("a")
	told.Elsewhere = Elsewhere{Self: "lw3", Asked: t0, Answered: t0, Opinions: []Opinion{{Agent: "lw1", OK: true}}}
	s.Adopt("lw3", &told)
	s.Apply(seen("own", t0))
	if e := s.Latest().Device("a").Elsewhere; !e.IsZero() {
		t.Errorf("of its own outages it has what others found in those of lw3: %+v", e)
	}
	says("own", "")
	before := s.Latest()
	s.Adopt("lw3", readBy(t, "not ours", t0.Add(time.Hour)))
	says("own", "")
	if s.Latest() != before {
		t.Error("a Snapshot in which nothing is new")
	}
	s.Forget("a")
	s.Expect(NetworkHSM, "a")
	s.Adopt("lw3", readBy(t, "given up", t0))
	says("given up", "lw3")
}
