package history

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// everything is an answer that has all measures, whose values change.
func everything(i int) (hsm.Show, hsm.Information, hsm.Monitor) {
	show := battery(3 + float64(i%100)/1000)
	show.Environment.TemperatureCelsius = hsm.Some(40 + float64(i%7))
	show.Storage = hsm.Storage{Total: hsm.Some[int64](1000), Used: hsm.Some(int64(i % 1000))}
	return show, hsm.Information{OperationRequests: hsm.Some(uint64(i * i)), OperationErrors: hsm.Some(uint64(i))},
		hsm.Monitor{IntervalSeconds: hsm.Some[int64](5), Samples: []hsm.Sample{{UtilizationInt: float64(i%100) / 100}}}
}

// filled returns a Store with a day of every measure of so many HSMs, two reads a step,
// and thirty bad days.
func filled(n int) (s *Store, now time.Time) {
	site := newSite()
	s = site.Store
	for i := range n {
		name := fmt.Sprintf("hsm%04d", i)
		d := &hsm.Device{Name: name, Kind: hsm.NetworkHSM}
		for h := range Hours {
			s.Note(name, []string{"well", "major", "warning"}[h%3], fmt.Sprintf("battery %d.%03d V, under the warning limit of 2.750 V", i%3, h), noon.Add(time.Duration(h-Hours)*time.Hour))
		}
		for j := range 2 * int(points) {
			now = noon.Add(time.Duration(j-2*int(points)) * Step / 2)
			o := hsm.Observation{Device: name, Source: "test", At: now, MaxAge: 12 * time.Minute, Took: time.Duration(j+1) * time.Millisecond}
			show, information, monitor := everything(i + j)
			d.Show = hsm.Section[hsm.Show]{At: now, Source: "test", MaxAge: o.MaxAge, Value: show}
			d.Information = hsm.Section[hsm.Information]{At: now, Source: "test", MaxAge: o.MaxAge, Value: information}
			d.Monitor = hsm.Section[hsm.Monitor]{At: now, Source: "test", MaxAge: o.MaxAge, Value: monitor}
			s.Observe(d, o)
		}
	}
	return s, now
}

// BenchmarkMemory measures what a thousand HSMs take.
func BenchmarkMemory(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		s, now := filled(1000)
		s.gather(now, false) // what waits to be stored is not counted
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1000, "B/HSM")
		s.Days("hsm0000", now)
	}
}

// BenchmarkObserve measures what an observation of one of a thousand HSMs costs.
func BenchmarkObserve(b *testing.B) {
	s, now := filled(1000)
	d := &hsm.Device{Name: "hsm0500", Kind: hsm.NetworkHSM}
	show, _, _ := everything(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := now.Add(time.Duration(i) * time.Second)
		o := hsm.Observation{Device: d.Name, Source: "test", At: at, MaxAge: time.Minute, Took: time.Second}
		d.Show = hsm.Section[hsm.Show]{At: at, Source: "test", MaxAge: time.Minute, Value: show}
		s.Observe(d, o)
	}
}

// BenchmarkSave measures what a Step of a thousand HSMs costs, and the longest that an
// observation waits for it.
func BenchmarkSave(b *testing.B) {
	s, now := filled(1000)
	dir := b.TempDir()
	s.Open(dir)
	s.save(now, false)
	var locked time.Duration
	for i := 1; b.Loop(); i++ {
		b.StopTimer()
		at := now.Add(time.Duration(i) * Step)
		for j := range 1000 {
			show, _, _ := everything(i)
			d := &hsm.Device{Name: fmt.Sprintf("hsm%04d", j), Kind: hsm.NetworkHSM, Show: hsm.Section[hsm.Show]{At: at, Source: "test", MaxAge: time.Minute, Value: show}}
			s.Observe(d, hsm.Observation{Device: d.Name, Source: "test", At: at, MaxAge: time.Minute, Took: time.Second})
		}
		b.StartTimer()
		begun := time.Now()
		batch := s.gather(at.Add(Step), false)
		locked = max(locked, time.Since(begun))
		check.Must(b, s.disk.Write(batch.values, batch.remove...))
	}
	info, err := os.Stat(filepath.Join(dir, "history.db"))
	check.Must(b, err)
	b.ReportMetric(float64(info.Size())/1000, "B/HSM_on_disk")
	b.ReportMetric(float64(locked.Microseconds()), "µs_locked")
}

// BenchmarkOpen measures what a start with a thousand HSMs costs.
func BenchmarkOpen(b *testing.B) {
	s, now := filled(1000)
	dir := b.TempDir()
	s.Open(dir)
	s.save(now, true)
	check.Must(b, s.disk.Close())
	for b.Loop() {
		again := newSite().Store
		again.Open(dir)
		if len(again.devices) != 1000 {
			b.Fatal(len(again.devices))
		}
		check.Must(b, again.disk.Close())
	}
}
