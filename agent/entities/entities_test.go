package entities

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/cluster"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// estate returns appliances with a battery each.
func estate(names ...string) mib.Source {
	s := &hsm.Snapshot{}
	for _, name := range names {
		s.Devices = append(s.Devices, appliance(name))
	}
	slices.SortFunc(s.Devices, func(a, b *hsm.Device) int { return strings.Compare(a.Name, b.Name) })
	return mib.Source{Snapshot: s, Now: now, Alarms: &mib.Alarms{Started: now}}
}

func appliance(name string) *hsm.Device {
	show := hsm.Show{Serial: "77", Environment: &hsm.Environment{BatteryVolts: hsm.Some(3.0)}}
	return &hsm.Device{Name: name, Kind: hsm.NetworkHSM, Show: hsm.Section[hsm.Show]{At: now, MaxAge: time.Minute, Seq: 1, Value: show}}
}

// An agent is one that gives numbers.
type agent struct {
	Entities
	journal *journal.Journal
	commits int
	refuse  error
	sent    []journal.Write // to the other agents, which have not heard it yet
}

// start opens the journal in a directory. owned are the devices that other agents do not
// have; nil: there are no other agents.
func start(t *testing.T, dir string, owned func(device string) bool) *agent {
	t.Helper()
	j, err := journal.Open(dir)
	check.Must(t, err)
	a := &agent{journal: j}
	a.Shared, a.Host = func(device string) bool { return device != "host" }, func() string { return "host" }
	a.Owned = owned
	owns := func(device string) bool { return owned == nil || owned(device) }
	j.Share = &journal.Share{Member: dir, Has: a.Shared, Owns: owns, Holds: owns, Commit: func(writes []journal.Write) error {
		a.commits++
		if a.refuse != nil {
			return a.refuse
		}
		a.sent = append(a.sent, writes...)
		return nil
	}}
	check.Must(t, a.Open(j))
	t.Cleanup(func() { j.Close() })
	return a
}

// hear has a hear what another agent has sent.
func (a *agent) hear(t *testing.T, other *agent) {
	t.Helper()
	_, err := a.journal.Apply(other.sent, false)
	check.Must(t, err)
	if slices.ContainsFunc(other.sent, journal.Write.OfEntity) {
		a.Reload()
	}
	other.sent = nil
}

// numbers returns the number of each device.
func (a *agent) numbers(t *testing.T, src mib.Source) map[string]uint32 {
	t.Helper()
	served, err := a.Add(src)
	check.Must(t, err)
	all := make(map[string]uint32)
	for _, d := range src.Snapshot.Devices {
		if e := served.Devices[d.Name]; e != nil {
			all[d.Name] = e.Number
		}
	}
	return all
}

// TestANumberIsKept: over a restart, and while the HSM is not there. Nothing is written
// when nothing is new.
func TestANumberIsKept(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, nil)
	first := a.numbers(t, estate("a", "b"))
	if first["a"] == 0 || first["a"] == first["b"] {
		t.Fatalf("numbers %v", first)
	}
	written := a.commits
	a.numbers(t, estate("a"))
	again := estate("a", "b")
	for seq := range uint64(3) { // is read again, and nothing is new
		again.Snapshot.Devices[0].Show.Seq = seq + 2
		a.numbers(t, again)
	}
	if a.commits != written {
		t.Errorf("%d transactions when nothing was new", a.commits-written)
	}
	check.Must(t, a.journal.Close())
	a = start(t, dir, nil)
	other := a.numbers(t, estate("c"))
	back := a.numbers(t, estate("c", "b", "a"))
	if back["a"] != first["a"] || back["b"] != first["b"] || back["c"] != other["c"] || back["c"] == back["a"] || back["c"] == back["b"] {
		t.Errorf("%v, and before the restart %v", back, first)
	}
	if a.commits != 1 {
		t.Errorf("%d transactions after the restart, for one new device", a.commits)
	}
}

// TestWhatIsNotStoredIsNotServed: else a restart would give its number to another.
func TestWhatIsNotStoredIsNotServed(t *testing.T) {
	a := start(t, t.TempDir(), nil)
	a.refuse = errors.New("etcd says no")
	for range 2 {
		served, err := a.Add(estate("a"))
		if err == nil || !strings.Contains(err.Error(), "not stored, and not served") || served.Devices["a"] != nil {
			t.Errorf("%v, %v", served.Devices, err)
		}
	}
	a.refuse = nil
	if n := a.numbers(t, estate("a")); n["a"] != uint32(cluster.Shard("a")+1) {
		t.Errorf("%v", n)
	}
}

// TestAgentsOfACluster: each gives numbers to its own devices at once, and all show the same.
func TestAgentsOfACluster(t *testing.T) {
	half := func(first bool) func(string) bool {
		return func(device string) bool { return (cluster.Shard(device) < cluster.Shards/2) == first }
	}
	one, two := start(t, t.TempDir(), half(true)), start(t, t.TempDir(), half(false))
	var names []string
	for i := range 600 {
		names = append(names, fmt.Sprint("hsm", i))
	}
	src := estate(append(names, "host")...)
	src.Snapshot.Device("host").Kind = hsm.HostMachine
	alone := one.numbers(t, src)
	for name := range alone {
		if name != "host" && !half(true)(name) {
			t.Errorf("%s has the number %d of an agent that does not own it", name, alone[name])
		}
	}
	two.numbers(t, src)
	one.hear(t, two)
	two.hear(t, one)
	got, other := one.numbers(t, src), two.numbers(t, src)
	taken := make(map[uint32]string)
	for _, name := range append(names, "host") {
		if n := got[name]; n == 0 || n != other[name] || taken[n] != "" || alone[name] != 0 && alone[name] != n {
			t.Errorf("%s has %d and %d, and %q has that too", name, n, other[name], taken[n])
		}
		taken[got[name]] = name
	}
	if got["host"] != places {
		t.Errorf("the host has %d", got["host"])
	}
}

// TestTenThousand: names with any character, and numbers that fit.
func TestTenThousand(t *testing.T) {
	var names []string
	for i := range 10000 {
		names = append(names, fmt.Sprintf("a/%d %%ü\x00", i))
	}
	dir := t.TempDir()
	a := start(t, dir, nil)
	first := a.numbers(t, estate(names...))
	taken := make(map[uint32]bool)
	for name, n := range first {
		if n == 0 || n > 100*places || taken[n] {
			t.Fatalf("%q has %d", name, n)
		}
		taken[n] = true
	}
	check.Must(t, a.journal.Close())
	a = start(t, dir, nil)
	for name, n := range a.numbers(t, estate(names...)) {
		if n != first[name] {
			t.Fatalf("%q had %d and has %d", name, first[name], n)
		}
	}
	if len(first) != len(names) || a.commits > 0 {
		t.Errorf("%d numbers, %d transactions", len(first), a.commits)
	}
}

// TestDamage: of two devices with one number, and of one with none, the rest goes on.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, nil)
	before := a.numbers(t, estate("a", "b", "c", "d"))
	stored, err := a.journal.Entities()
	check.Must(t, err)
	stored["b"], stored["c"] = stored["a"], []byte(`{"number":-1}`)
	stored["d"] = []byte(`{"number":0}`)
	check.Must(t, a.journal.StoreEntities(stored))
	if err := a.Open(a.journal); err == nil || !strings.Contains(err.Error(), "b has the number of a") || !strings.Contains(err.Error(), "numbers of c are damaged") || !strings.Contains(err.Error(), "d has the number 0") {
		t.Errorf("%v", err)
	}
	after := a.numbers(t, estate("a", "b", "c", "d"))
	if after["a"] != before["a"] || after["b"] == after["a"] || after["c"] == 0 || after["d"] == 0 {
		t.Errorf("%v, and before %v", after, before)
	}
}

// TestSince: the state of a part changed when what is shown of it did, not when it was read.
func TestSince(t *testing.T) {
	a := start(t, t.TempDir(), nil)
	src := estate("a")
	at := func(later time.Duration, change func(*hsm.Device)) (battery, hsm time.Time, changed time.Time) {
		d := *src.Snapshot.Devices[0]
		change(&d)
		d.Show.Seq++
		src.Snapshot.Devices[0], src.Now = &d, now.Add(later)
		served, err := a.Add(src)
		check.Must(t, err)
		return served.Devices["a"].Since[3], served.Devices["a"].Since[2], served.Changed
	}
	read := func(d *hsm.Device) { d.Show.At = src.Now }
	if battery, _, changed := at(0, read); !battery.IsZero() || !changed.Equal(now) {
		t.Errorf("at first: %v, %v", battery, changed)
	}
	if battery, _, changed := at(time.Second, read); !battery.IsZero() || !changed.Equal(now) {
		t.Errorf("read again: %v, %v", battery, changed)
	}
	src.Alarms = &mib.Alarms{Started: now, Active: []*mib.Alarm{{Device: "a", Group: "battery", Severity: mib.Minor}}}
	if battery, module, _ := at(2*time.Second, read); !battery.Equal(now.Add(2*time.Second)) || !module.IsZero() {
		t.Errorf("alarm: battery %v, HSM %v", battery, module)
	}
	if battery, module, _ := at(5*time.Minute, func(*hsm.Device) {}); !battery.Equal(now.Add(5*time.Minute)) || !module.Equal(now.Add(5*time.Minute)) {
		t.Errorf("stale: battery %v, HSM %v", battery, module)
	}
	if _, _, changed := at(6*time.Minute, func(d *hsm.Device) { d.Show.Value.Firmware = "7.3" }); !changed.Equal(now.Add(6 * time.Minute)) {
		t.Errorf("another firmware: %v", changed)
	}
}

// BenchmarkAdd looks at the numbers of an estate in which one HSM was read.
func BenchmarkAdd(b *testing.B) {
	j, err := journal.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	e := &Entities{Shared: func(string) bool { return true }, Host: func() string { return "" }}
	if err := e.Open(j); err != nil {
		b.Fatal(err)
	}
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprint("hsm", i))
	}
	src := estate(names...)
	for b.Loop() {
		src.Snapshot.Devices[500].Show.Seq++
		if _, err := e.Add(src); err != nil {
			b.Fatal(err)
		}
	}
}
