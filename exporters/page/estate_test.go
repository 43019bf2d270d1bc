package page

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/hsm"
)

// A pretence is an estate of which every part can be set, and its site.
type pretence struct {
	site  *Site
	store *hsm.Store

	mu      sync.Mutex // guards what follows
	at      time.Time
	alarms  AlarmState
	changed chan struct{}
	days    map[string]string // by HSM: its last word
	late    time.Duration     // how old what is read next is
	made    int               // how often alarms were asked for
}

var noon = time.Date(2026, time.March, 4, 12, 42, 7, 0, time.FixedZone("CET", 3600))

func newPretence(at time.Time) *pretence {
	e := &pretence{store: hsm.NewStore(), at: at, changed: make(chan struct{}), days: make(map[string]string)}
	e.alarms = AlarmState{Deliveries: map[string]notify.Delivery{"pager": {Delivered: 12}, "noc": {Delivered: 3, Waiting: 2, Oldest: at.Add(-20 * time.Minute), Error: "connection refused"}}, Notified: map[uint64]map[string]alarms.Notified{}}
	e.site = &Site{Store: e.store, Alarms: e.state, Changed: e.changes, Thresholds: rules.DefaultThresholds, Own: prometheus.NewRegistry(), Version: "v1.2.3",
		Started: func() time.Time { return at.Add(-50 * time.Hour) }, Metrics: "/metrics", Now: e.now}
	return e
}

func (e *pretence) now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.at
}

func (e *pretence) state() AlarmState {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.made++
	s := e.alarms
	s.Active, s.Notified = slices.Clone(s.Active), maps.Clone(s.Notified)
	return s
}

func (e *pretence) changes() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}

// change changes the alarms, and says so.
func (e *pretence) change(f func(*AlarmState)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f(&e.alarms)
	close(e.changed)
	e.changed = make(chan struct{})
}

// read has facts read of an HSM now.
func (e *pretence) read(name, source string, facts ...hsm.Fact) {
	e.store.Apply(hsm.Observation{Device: name, Source: source, At: e.now().Add(-e.late), Took: 340 * time.Millisecond, MaxAge: 2 * time.Minute, Facts: facts})
}

// raise adds an active alarm with the next number.
func (e *pretence) raise(device, group, text string, severity alarms.Severity, ago time.Duration) *alarms.Active {
	g := alarms.GroupNamed(group)
	n := uint64(len(e.alarms.Active) + 1)
	a := alarms.Active{Title: g.Title, Action: g.Action, Alarm: alarms.Alarm{Key: alarms.Key{Device: device, Group: group}, Number: n, Severity: severity, Text: text, Type: "equipmentAlarm",
		Cause: "thresholdCrossed", Raised: e.at.Add(-ago), Last: e.at.Add(-time.Minute), Count: 3, Serial: "518842", Evidence: []alarms.Evidence{{At: e.at.Add(-ago), Text: text}}}}
	e.alarms.Notified[n] = map[string]alarms.Notified{"pager": {Number: n, Kind: alarms.Raised, Severity: severity, At: e.at.Add(-ago)}, "noc": {Number: n, Kind: alarms.Raised, Severity: severity, At: e.at.Add(-ago)}}
	e.alarms.Active = append(e.alarms.Active, a)
	e.days[device] = severityWord(severity)
	slices.SortFunc(e.alarms.Active, func(a, b alarms.Active) int { return a.Compare(b.Alarm) })
	return &e.alarms.Active[slices.IndexFunc(e.alarms.Active, func(a alarms.Active) bool { return a.Number == n })]
}

// add adds an HSM that is well.
func (e *pretence) add(i int, name string) {
	show := hsm.Show{Label: hsm.Some("hsm-" + name), Serial: fmt.Sprint(518840 + i), Firmware: []string{"7.4.0", "7.8.4", "7.4.2"}[i%3], Model: "Luna K7", SoftwareVersion: "7.4.0-226",
		SOLoginAttemptsLeft: hsm.Some[int64](3), Zeroized: hsm.Some(false), Tamper: hsm.TamperNone, FIPS: hsm.Some(true), PartitionsCreated: hsm.Some[int64](3), PartitionsAllowed: hsm.Some[int64](20),
		Storage:     hsm.Storage{Total: hsm.Some[int64](33554432), Used: hsm.Some(int64(9_000_000 + 700_000*(i%7)))},
		Environment: &hsm.Environment{BatteryVolts: hsm.Some(3.05 + float64(i%5)/100), BatteryWarning: hsm.Some(2.75), TemperatureCelsius: hsm.Some(float64(38 + i%9)), TemperatureWarning: hsm.Some(75.0), Fans: []hsm.Fan{{Name: "Fan 1", Status: "active"}}},
	}
	e.store.Expect(hsm.NetworkHSM, name)
	e.read(name, "hsm show", show)
	e.read(name, "hsm information monitor", hsm.Monitor{IntervalSeconds: hsm.Some[int64](5), Samples: []hsm.Sample{{UtilizationInt: .05 + .07*float64(i%11)}}})
	e.read(name, "ntls show", hsm.NTLS{Status: hsm.NTLSUp, ConnectedClients: hsm.Some(uint64(4 + i%3))})
	var partitions hsm.Partitions
	for p := range 3 {
		partitions = append(partitions, hsm.Partition{Name: fmt.Sprintf("pay%d", p), Label: hsm.Some(fmt.Sprintf("pay%d", p)), Serial: fmt.Sprintf("12%05d%02d", i, p), Activated: hsm.Some(true), ObjectCount: hsm.Some(int64(40 * (p + 1))),
			Storage: hsm.Storage{Total: hsm.Some[int64](325896), Used: hsm.Some[int64](20480)},
			Roles:   []hsm.Role{{Name: "Crypto Officer", Initialized: hsm.Some(true), Activated: hsm.Some(true), LockedOut: hsm.Some(false), LoginAttemptsLeft: hsm.Some[int64](10)}}})
	}
	e.read(name, "partition show", partitions)
	e.read(name, "client list", hsm.Clients{{Name: "app1", Address: "192.0.2.11", Partitions: []string{"pay0", "pay1"}}, {Name: "app2", Partitions: nil}})
	e.read(name, "hsm displaylicenses", hsm.Licenses{{ID: "621000026-000", Description: "K7 base configuration"}})
	e.read(name, "hsm showpolicies", hsm.Policies{Policies: []hsm.Policy{{ID: hsm.Some[int64](12), Description: "Allow non-FIPS algorithms", Value: "Off"}}})
}

// fails has a source of an HSM fail.
func (e *pretence) fails(name, source, why string) {
	e.store.Apply(hsm.Observation{Device: name, Source: source, At: e.now(), Failure: hsm.Unreachable, Layer: hsm.LayerPortRefused, Err: collectors.Failf(hsm.Unreachable, "%s", why)})
}

// remembers gives the site a history of every HSM.
func (e *pretence) remembers() {
	e.site.Measures = func(string) []history.Measure {
		return []history.Measure{"answer_seconds", "battery_volts", "errors_per_second", "operations_per_second", "storage_ratio", "temperature_celsius", "utilization_ratio"}
	}
	e.site.Series = func(device string, m history.Measure, now time.Time) (history.Series, bool) {
		d := e.store.Latest().Device(device)
		if d == nil {
			return history.Series{}, false
		}
		return seriesOf(d, m, now), true
	}
	e.site.Days = func(device string, now time.Time) (list []history.Hour) {
		e.mu.Lock()
		last := e.days[device]
		e.mu.Unlock()
		for i := range history.Hours {
			h := history.Hour{Start: now.Truncate(time.Hour).Add(time.Duration(i-history.Hours+1) * time.Hour), State: "well"}
			switch n := i + 13*len(device) + 29*int(device[len(device)-1]); {
			case n%503 < 3:
				h.State, h.Reason = "warning", "utilization at 92 %"
			case n%611 == 0:
				h.State, h.Reason = "stale", "stale: monitor"
			case n%1009 < 5:
				h.State = ""
			}
			if i == history.Hours-1 && last != "" {
				h.State, h.Reason = last, "as the alarm says"
			}
			list = append(list, h)
		}
		return list
	}
}

// seriesOf makes up a day, with a gap in it.
func seriesOf(d *hsm.Device, m history.Measure, now time.Time) (s history.Series) {
	s.Start = now.Truncate(history.Step).Add(-history.Span)
	phase := float64(d.Name[len(d.Name)-1])
	for i := range int(history.Span / history.Step) {
		day, jitter := math.Sin(2*math.Pi*float64(i)/288+phase), math.Sin(float64(i*i%97)+phase)
		v, width := map[history.Measure]float64{
			"utilization_ratio": .35 + .2*day + .05*jitter, "operations_per_second": 900 + 400*day + 60*jitter, "errors_per_second": math.Max(0, .02*jitter), "temperature_celsius": 41 + 3*day,
			"battery_volts": 3.07 - float64(i)/288/200, "storage_ratio": .27 + float64(i)/288/50, "answer_seconds": .4 + .1*day + .04*jitter,
		}[m], 0.0
		if m == "answer_seconds" {
			width = .12 + .1*math.Abs(jitter)
		}
		if i > 130 && i < 142 {
			v = math.NaN()
		}
		s.Min, s.Median, s.Max = append(s.Min, v-width/2), append(s.Median, v), append(s.Max, v+width)
	}
	return s
}

// small is an estate of three HSMs, of which one is dead and one has a weak battery, and
// a host whose HA group has lost a member.
func small(at time.Time) *pretence {
	e := newPretence(at)
	for i, name := range []string{"luna-a", "luna-b", "luna-c"} {
		e.add(i, name)
	}
	e.remembers()
	e.weakBattery("luna-c")
	a := e.raise("luna-b", "zeroize", "HSM is zeroized", alarms.Critical, 11*time.Minute)
	a.Evidence = append(a.Evidence, alarms.Evidence{At: at.Add(-10 * time.Minute), Text: "ALM2003: hsm zeroized", Log: &alarms.LogPlace{Host: "luna-b", File: "messages", Process: "kernel"}})
	e.store.Expect(hsm.HostMachine, "app1")
	e.read("app1", "ha", hsm.HA{Recovery: hsm.HARecovery{Enabled: hsm.Some(true), MaxRetries: hsm.Some[int64](10)}, Groups: []hsm.HAGroupState{{
		Label: "pay-hsm", Serial: "1120001", Expected: 2, Alive: 1, Standby: 1, StandbyInUse: hsm.Some(false), Redundancy: hsm.Some[int64](1), Members: []hsm.HAMemberState{
			{Serial: "120000000", Label: hsm.Some("pay0"), State: hsm.HAStateAlive, Since: at.Add(-40 * time.Hour), Reachable: hsm.Some(true)},
			{Serial: "120000100", Label: hsm.Some("pay0"), State: hsm.HAStateRecovering, Since: at.Add(-11 * time.Minute), Attempt: hsm.Some[int64](3), MaxAttempts: hsm.Some[int64](10), LostBy: []int64{4711}, Reachable: hsm.Some(false), Code: "CKR_DEVICE_ERROR"},
			{Serial: "120000200", Label: hsm.Some("pay0"), State: hsm.HAStateAlive, Standby: true, Reachable: hsm.Opt[bool]{}},
		}}}})
	e.raise("app1", "ha-member", "HA member pay0 of pay-hsm is lost", alarms.Major, 11*time.Minute)
	return e
}

// weakBattery has the battery of an HSM be weak.
func (e *pretence) weakBattery(name string) {
	show := e.store.Latest().Device(name).Show.Value
	environment := *show.Environment
	environment.BatteryVolts = hsm.Some(2.71)
	show.Environment = &environment
	e.read(name, "hsm show", show)
	a := e.raise(name, "battery", "battery at 2.710 V, threshold 2.750 V", alarms.Major, 30*time.Hour)
	a.Ack = &alarms.Ack{By: "bea", Comment: "unit comes Monday", At: e.at.Add(-20 * time.Hour)}
	a.Evidence[0].Measure = &alarms.Measure{Value: 2.71, Threshold: 2.75, Unit: "V"}
}

// large is an estate of so many HSMs, of which some are not well.
func large(at time.Time, n int) *pretence {
	e := newPretence(at)
	for i := range n {
		if e.late = 0; i == 123 { // the one that is dead
			e.late = 4 * time.Minute
		}
		e.add(i, fmt.Sprintf("luna-%03d", i))
	}
	e.late = 0
	e.remembers()
	if n < 18 {
		return e
	}
	e.weakBattery("luna-017")
	e.raise("luna-123", "unreachable", "not reachable for 4 min: port refused", alarms.Critical, 4*time.Minute)
	e.fails("luna-123", "hsm show", "dial tcp 192.0.2.123:22: connection refused")
	e.raise("luna-201", "utilization", "utilization at 93 %", alarms.Warning, 50*time.Minute)
	e.raise("luna-044", "hsm-storage", "91 % used", alarms.Minor, 300*time.Minute)
	e.store.Expect(hsm.NetworkHSM, "luna-new")
	return e
}

// get returns the answer to a request for a path.
func (e *pretence) get(t *testing.T, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	e.site.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}
