package exporters

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors/formats"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// fast are the captures of what is asked in the fast group of polls, slow those
// of the others.
var (
	fast = []string{"hsm-show", "hsm-information-show", "hsm-information-monitor", "ntls-information-show", "status-sysstat", "status-cpu", "status-mem", "partition-show"}
	slow = []string{"status-sensors", "status-disk", "hsm-displaylicenses", "hsm-showpolicies", "client-list", "ntls-certificate-show", "hsm-tamper-show"}
)

// facts are what captured answers of an appliance with release 7.2 state, by
// capture; partitions says of how many partitions.
func facts(t testing.TB, partitions int) map[string]hsm.Fact {
	t.Helper()
	all := make(map[string]hsm.Fact)
	for _, name := range append(append([]string(nil), fast...), slow...) {
		text, err := os.ReadFile(filepath.Join("..", "collectors", "formats", "testdata", "7.2", name+".txt"))
		check.Must(t, err)
		format, _ := formats.Named(name)
		all[name], _, err = format.Parse(string(text))
		check.Must(t, err)
	}
	one := all["partition-show"].(hsm.Partitions)[0]
	var list hsm.Partitions
	for i := range partitions {
		p := one
		p.Serial = fmt.Sprint(1254481516011 + i)
		p.Name = fmt.Sprintf("partition%02d", i)
		list = append(list, p)
	}
	all["partition-show"] = list
	return all
}

// An estate is a store that pretends to be polled.
type estate struct {
	store *hsm.Store
	facts map[string]hsm.Fact
	names []string
	now   time.Time
	polls int
}

func newEstate(t testing.TB, devices, partitions int) *estate {
	t.Helper()
	e := &estate{store: hsm.NewStore(), facts: facts(t, partitions), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for i := range devices {
		e.names = append(e.names, fmt.Sprintf("hsm%04d", i))
	}
	e.store.Expect(hsm.NetworkHSM, e.names...)
	for _, name := range e.names {
		e.poll(name, append(append([]string(nil), fast...), slow...)...)
	}
	return e
}

// poll has a device state its facts, in which counters, a temperature and what
// partitions hold have moved.
func (e *estate) poll(name string, captures ...string) {
	e.polls++
	n := e.polls
	for _, capture := range captures {
		fact := e.facts[capture]
		switch v := fact.(type) {
		case hsm.Show:
			environment := *v.Environment
			environment.TemperatureCelsius = hsm.Some(float64(30 + n%9))
			v.Environment = &environment
			fact = v
		case hsm.Information:
			v.OperationRequests = hsm.Some(uint64(4_000_000 + 977*n))
			fact = v
		case hsm.Partitions:
			v = append(hsm.Partitions(nil), v...)
			for i := range v {
				v[i].ObjectCount = hsm.Some(int64((n * (i + 3)) % 997))
				v[i].Storage.Used = hsm.Some(int64(n * (i + 7) % 300_000))
			}
			fact = v
		}
		e.now = e.now.Add(time.Microsecond)
		e.store.Apply(hsm.Observation{Device: name, Source: capture, At: e.now, Took: time.Duration(n%900) * time.Millisecond, MaxAge: time.Hour, Facts: []hsm.Fact{fact}})
	}
}
