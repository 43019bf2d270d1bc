package agent

import (
	"cmp"
	"fmt"
	"log"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/wait"
	"github.com/lunawatch/lunawatch/simulator"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// TestRandomFaults injects and mends faults of the appliances, and treats every port of
// the agent badly. At each mark everything is mended, and the agent must get back to
// where it was: it reads every HSM, has no alarm, and does not grow. There are three
// marks, and with LUNAWATCH_STRESS=1 as many as fit into half an hour. LUNAWATCH_SEED
// repeats the choices, but not their timing. It has the process for itself while it
// counts, so it is not parallel.
func TestRandomFaults(t *testing.T) {
	s := startSoak(t)
	all, phase := time.Duration(0), 1500*time.Millisecond
	if os.Getenv("LUNAWATCH_STRESS") != "" {
		all, phase = 30*time.Minute, 90*time.Second
		s.kinds = slices.Concat(faults, slowFaults)
	}
	var marks []footprint
	for len(marks) < 3 || time.Since(s.begun) < all {
		s.disturb(phase)
		s.settle()
		marks = append(marks, s.measure())
		t.Log(marks[len(marks)-1])
		s.profile(len(marks))
	}
	t.Log("\n" + table(marks))
	s.compare(marks)
}

// A soak is an estate in which something breaks all the time.
type soak struct {
	*estate
	t      *testing.T
	random *rand.Rand
	begun  time.Time
	kinds  []fault
	faults int            // so far
	had    map[string]int // events, by appliance
	broken map[place]breakage
	held   []net.Conn // that noise left open
	hook   *fickle
	udp    string // address of the syslog listener
	tcp    string
	logged *os.File
}

// A place is a part of an appliance, which has one fault at a time.
type place struct{ appliance, part string }

// A breakage is a fault that is not mended yet.
type breakage struct {
	fault
	since time.Time
}

func startSoak(t *testing.T) *soak {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("LUNAWATCH_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		check.Must(t, err)
	}
	t.Logf("LUNAWATCH_SEED=%d", seed)
	s := &soak{t: t, random: rand.New(rand.NewPCG(seed, 1)), begun: time.Now(), kinds: faults, had: make(map[string]int), broken: make(map[place]breakage), hook: startFickle(t)}
	for _, address := range []*string{&s.udp, &s.tcp} {
		var err error
		*address, err = netsnmp.FreeAddress()
		check.Must(t, err)
	}
	var err error
	s.logged, err = os.Create(filepath.Join(t.ArtifactDir(), "agent.log"))
	check.Must(t, err)
	t.Cleanup(func() { s.logged.Close() })
	s.estate = startEstate(t, fmt.Sprintf(soakConfig, s.hook.URL, s.udp, s.tcp), withRESTOf, withSerialOf)
	s.trapd.Stop() // it would keep every trap
	log.SetOutput(s.log)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	return s
}

// soakConfig has alarms of events clear soon, and bounds the history, so that a short
// test sees what a long run of the agent has.
const soakConfig = `
alarms: {unreachable_after: 1, silent_after: 1, event_age: 2s, history_alarms: 100}
receivers:
- {name: hook, webhook: {url: %q}}
- {name: snmpd, agentx: {form: [vendor, lunawatch]}}
syslog: {udp: %q, tcp: %q}
`

// withSerialOf adds the serial number of an appliance's HSM: that it is back clears the
// alarm of another one.
func withSerialOf(_ *estate, a simulator.ReadyAppliance) string {
	return fmt.Sprintf(", expect: {serial: %q}", strconv.FormatUint(a.Serial, 10))
}

// disturb does something bad, or mends something, again and again for a time.
func (s *soak) disturb(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		s.step()
		wait.Sleep(s.t.Context(), time.Duration(200+s.random.IntN(300))*time.Millisecond)
	}
}

func (s *soak) step() {
	if s.random.IntN(2) == 0 {
		noises[s.random.IntN(len(noises))].make(s)
	}
	if ripe := s.ripe(); len(ripe) > 0 && s.random.IntN(2) == 0 {
		s.mend(ripe[s.random.IntN(len(ripe))])
		return
	}
	a := s.ready.Appliances[s.random.IntN(len(s.ready.Appliances))]
	if possible := s.possible(a); len(possible) > 0 {
		s.fault(a.Name, possible[s.random.IntN(len(possible))])
	}
}

// possible returns the faults that an appliance can have now.
func (s *soak) possible(a simulator.ReadyAppliance) (list []fault) {
	for _, f := range s.kinds {
		_, busy := s.broken[place{a.Name, f.part}]
		if !busy && f.fits(a) && (f.most == 0 || s.had[a.Name+f.events[0]] < f.most) {
			list = append(list, f)
		}
	}
	return list
}

// ripe returns the places whose faults may be mended.
func (s *soak) ripe() (list []place) {
	for at, b := range s.broken {
		if time.Since(b.since) >= b.lasts {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.appliance, b.appliance), cmp.Compare(a.part, b.part))
	})
	return list
}

func (s *soak) fault(appliance string, f fault) {
	s.faults++
	s.had[appliance+f.events[0]]++
	for _, event := range f.events {
		s.inject(s.t, appliance, event)
	}
	if len(f.mend) > 0 || f.lasts > 0 {
		s.broken[place{appliance, f.part}] = breakage{f, time.Now()}
	}
}

// mend ends a fault. What the appliance refuses it does once it has got so far by
// itself, such as a restart once it is cool.
func (s *soak) mend(at place) {
	for _, event := range s.broken[at].mend {
		words := strings.Fields(strings.ReplaceAll(event, "SERIAL", s.serial(at.appliance)))
		s.until(s.t, at.appliance+" takes "+event, func() bool {
			return simulator.InjectInto(s.t.Context(), filepath.Join(s.dir, "sim"), at.appliance, simulator.Event{Name: words[0], Args: words[1:]}) == nil
		})
	}
	delete(s.broken, at)
	for _, b := range s.broken {
		if b.events[0] == refused[0] {
			return // it is the same file, and one try more
		}
	}
	check.Must(s.t, os.Chtimes(s.ready.PasswordFile, time.Time{}, time.Now())) // a refused password is tried again
}

func (s *soak) serial(appliance string) string {
	i := slices.IndexFunc(s.ready.Appliances, func(a simulator.ReadyAppliance) bool { return a.Name == appliance })
	return strconv.FormatUint(s.ready.Appliances[i].Serial, 10)
}

// settle mends everything, and waits until that shows.
func (s *soak) settle() {
	s.hook.set(works)
	for len(s.held) > 0 {
		s.release()
	}
	s.until(s.t, "every fault is mended", func() bool {
		for _, at := range s.ripe() {
			s.mend(at)
		}
		return len(s.broken) == 0
	})
	mended, last := time.Now(), []string(nil)
	for open := s.open(mended); len(open) > 0; open = s.open(mended) {
		if last = open; time.Since(mended) > settleTimeout {
			s.t.Fatalf("not settled within %s:\n%s", settleTimeout, strings.Join(open, "\n"))
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Logf("settled after %s; at last: %.300q", time.Since(mended).Round(time.Millisecond), last)
	text := s.log.take()
	s.logged.WriteString(text)
	if strings.Contains(text, "panic") {
		s.t.Errorf("a panic in the log:\n%s", text)
	}
}

// settleTimeout is longer than an unanswered command and the pause after a receiver's
// failures together.
const settleTimeout = 4 * time.Minute

// open returns what is not yet as it should be, after all was mended at a time.
func (s *soak) open(mended time.Time) (list []string) {
	for _, d := range s.agent.store.Latest().HSMs() {
		list = append(list, failing(d, mended)...)
	}
	for _, a := range s.agent.watch.Active() {
		if a.Group != "syslog-refused" { // for refusalAge
			list = append(list, fmt.Sprintf("alarm %s: %s", a.Key, a.Text))
		}
	}
	for name, d := range s.agent.watch.Deliveries() {
		if d.Waiting > 0 {
			list = append(list, fmt.Sprintf("%d notifications wait for %s: %s", d.Waiting, name, d.Error))
		}
	}
	if !s.agent.session.Stats().Connected {
		list = append(list, "no session with snmpd")
	}
	return list
}

// failing returns the sources of a device that fail, or were not read after a time.
func failing(d *hsm.Device, since time.Time) (list []string) {
	if _, asked := d.Sources["hsm show"]; !asked {
		list = append(list, d.Name+" is not read")
	}
	for name, source := range d.Sources {
		if source.Failure != hsm.None || !source.Success.After(since) {
			list = append(list, fmt.Sprintf("%s %s: %s %s, read at %s", d.Name, name, source.Failure, source.Error, source.Success))
		}
	}
	return list
}

// A footprint is what the process has when nothing is wrong.
type footprint struct {
	after       time.Duration
	faults      int
	goroutines  int
	descriptors int // without those of logs
	logs        int // open files of logs; a follower has up to nine, rotated ones included
	rss, heap   int // KiB
}

func (f footprint) String() string {
	return fmt.Sprintf("%.1f\t%d\t%d\t%d\t%d\t%d\t%d", f.after.Minutes(), f.faults, f.goroutines, f.descriptors, f.logs, f.rss, f.heap)
}

func table(marks []footprint) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "minute\tfaults\tgoroutines\tdescriptors\tlogs\tRSS KiB\theap KiB\t")
	for _, m := range marks {
		fmt.Fprintln(w, m.String()+"\t")
	}
	w.Flush()
	return b.String()
}

// measure returns the least of many moments of two rounds of polls: what a poll needs
// while it runs does not count.
func (s *soak) measure() footprint {
	polled := func() time.Time { return s.agent.sources("luna72")["hsm show"].Success }
	least := s.count()
	for range 2 {
		last := polled()
		s.until(s.t, "luna72 is polled", func() bool {
			least = least.orLess(s.count())
			return polled().After(last)
		})
	}
	return least
}

// orLess returns f with what is less in other.
func (f footprint) orLess(other footprint) footprint {
	f.goroutines, f.descriptors, f.logs = min(f.goroutines, other.goroutines), min(f.descriptors, other.descriptors), min(f.logs, other.logs)
	f.rss, f.heap = min(f.rss, other.rss), min(f.heap, other.heap)
	return f
}

func (s *soak) count() footprint {
	runtime.GC()
	debug.FreeOSMemory()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	m := footprint{after: time.Since(s.begun), faults: s.faults, goroutines: runtime.NumGoroutine(), rss: resident(s.t), heap: int(memory.HeapInuse >> 10)}
	all, err := os.ReadDir("/proc/self/fd")
	check.Must(s.t, err)
	for _, fd := range all {
		if target, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(target, filepath.Join(s.dir, "sim")+"/luna") {
			m.logs++
		} else {
			m.descriptors++
		}
	}
	return m
}

// resident returns VmRSS of this process, in KiB.
func resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	check.Must(t, err)
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	check.Must(t, err)
	return n
}

// profile stores what is running, and what is on the heap, beside the log, for -artifacts.
func (s *soak) profile(n int) {
	for name, debug := range map[string]int{"goroutine": 1, "heap": 0} {
		f, err := os.Create(fmt.Sprintf("%s/%s.%d", filepath.Dir(s.logged.Name()), name, n))
		check.Must(s.t, err)
		check.Must(s.t, pprof.Lookup(name).WriteTo(f, debug))
		check.Must(s.t, f.Close())
	}
}

// compare fails the test if the process has grown since the first mark, by the least of
// the last third of the marks. What is allowed: sessions that just end, or are opened
// again, for goroutines and descriptors; for memory, what is bounded but not yet full at
// first, such as the thousand lines of each HSM by which duplicates are known.
func (s *soak) compare(marks []footprint) {
	first, last := marks[0], marks[len(marks)*2/3:]
	for _, x := range []struct {
		what  string
		of    func(footprint) int
		limit int
	}{
		{"goroutines", func(m footprint) int { return m.goroutines }, first.goroutines + 10},
		{"descriptors", func(m footprint) int { return m.descriptors }, first.descriptors + 10},
		{"open logs", func(m footprint) int { return m.logs }, 10 * len(s.ready.Appliances)},
		{"KiB of heap", func(m footprint) int { return m.heap }, first.heap * 12 / 10},
		{"KiB resident", func(m footprint) int { return m.rss }, first.rss * 13 / 10},
	} {
		if n := x.of(slices.MinFunc(last, func(a, b footprint) int { return x.of(a) - x.of(b) })); n > x.limit {
			s.t.Errorf("%d %s at the end, %d at first, more than %d", n, x.what, x.of(first), x.limit)
		}
	}
}
