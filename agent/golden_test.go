package agent

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"

	"github.com/lunawatch/lunawatch/agent/conditions"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/luna"
	"github.com/lunawatch/lunawatch/mib/modules"
)

// replayed returns what one poll of the captured answers of three versions
// makes known. It must run in a synctest bubble, so that all times are fixed.
func replayed(t *testing.T) *hsm.Store {
	t.Helper()
	store := hsm.NewStore()
	store.Expect(hsm.NetworkHSM, "luna54", "luna62", "luna72")
	ctx, cancel := context.WithCancel(t.Context())
	for _, version := range []string{"5.4", "6.2", "7.2"} {
		answers := lunash.Replay(filepath.Join("..", "collectors", "formats", "testdata", version))
		p := lunash.NewPoller("luna"+strings.ReplaceAll(version, ".", ""), answers, 0, poll.DefaultIntervals())
		go p.Run(ctx, store.Apply)
	}
	synctest.Wait()
	cancel()
	synctest.Wait()
	return store
}

// TestGolden holds every view of the captured estate against its golden file.
func TestGolden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, now := replayed(t), time.Now()
		shown := goldenAlarms(now)
		src := mib.Source{Snapshot: store.Latest(), Now: now, Alarms: shown}
		src.Conditions = new(conditions.Conditions).Of(src.Snapshot, shown.Active, func() []alarms.Active { return []alarms.Active{{Alarm: goldenBattery(now)}} }, now)
		view, err := modules.Tables().Build(src)
		if err != nil {
			t.Fatal(err)
		}
		var walk bytes.Buffer
		for _, i := range Instances(view) {
			fmt.Fprintf(&walk, ".%s = %s # %s\n", i.OID, i.Value, i.Name)
		}
		check.Golden(t, "walk.txt", walk.Bytes())
		checkOrder(t, view)

		check.Golden(t, "metrics.txt", scraped(store, "/metrics"))

		var text bytes.Buffer
		for _, d := range store.Latest().Devices {
			exporters.ShowText(&text, d, now)
			exporters.InformationText(&text, d, now)
			exporters.PartitionsText(&text, d, now)
		}
		check.Golden(t, "text.txt", text.Bytes())
	})
}

// goldenBattery is an active alarm.
func goldenBattery(now time.Time) alarms.Alarm {
	return alarms.Alarm{
		Key: alarms.Key{Device: "luna72", Group: "battery"}, Number: 12, Severity: alarms.Critical, Type: "equipmentAlarm", Cause: "powerProblem",
		Text: "the battery is at 2.48 V", Codes: []string{"2003", "2004"}, Serial: "532018", Raised: now.Add(-time.Hour), Last: now, Count: 4,
		Evidence: []alarms.Evidence{{At: now, Measure: &alarms.Measure{Value: 2.48, Threshold: 2.5, Unit: "V"}}},
		Ack:      &alarms.Ack{By: "anna", Comment: "spare is on its way", At: now.Add(-time.Minute)},
	}
}

// goldenAlarms is one active alarm and one that has cleared.
func goldenAlarms(now time.Time) *mib.Alarms {
	battery := goldenBattery(now)
	fan := alarms.Alarm{
		Key: alarms.Key{Device: "luna54", Group: "appliance-fan", Object: "Fan1A"}, Number: 11, Severity: alarms.Minor, Raised: now.Add(-time.Hour), Cleared: now.Add(-time.Minute),
	}
	models := slices.DeleteFunc(snmp.Models(), func(m mib.Model) bool { return m.Title != alarms.GroupNamed("battery").Title })
	return &mib.Alarms{
		Started: now.Add(-24 * time.Hour), Version: "v0", Active: []*mib.Alarm{new(snmp.MIBRow(battery))}, Cleared: []*mib.Alarm{new(snmp.MIBRow(fan))}, Models: models,
		Raised: map[mib.Severity]uint64{mib.Minor: 2}, LastNumber: 12, LastRaise: battery.Raised, LastClear: fan.Cleared,
		Receivers: []mib.AlarmReceiver{{Name: "noc", Sequence: 41, Waiting: 1, Delivered: 40}},
	}
}

// checkOrder holds a View to what SNMP asks of it: OIDs strictly ascending,
// Get of each instance, and Next of each giving the following one.
func checkOrder(t *testing.T, v *mib.View) {
	t.Helper()
	var last agentx.OID
	for oid, value := range v.All() {
		if last != nil {
			next, _, ok := v.Next(last, false, nil)
			if last.Compare(oid) >= 0 || !ok || next.Compare(oid) != 0 {
				t.Errorf("after %v comes %v, Next says %v", last, oid, next)
			}
		}
		want := agentx.AppendValue(nil, value)
		if got, ok := v.Get(oid); !ok || !bytes.Equal(got, want) {
			t.Errorf("Get(%v) = %x, want %x", oid, got, want)
		}
		last = oid
	}
	if next, _, ok := v.Next(last, false, nil); ok {
		t.Errorf("after the last comes %v", next)
	}
}

// TestStale lets every value pass its maximum age: nothing that was measured
// may remain in any view, and the age must show why.
func TestStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := replayed(t)
		time.Sleep(3 * time.Hour)
		view, err := modules.Tables().Build(mib.Source{Snapshot: store.Latest(), Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if view.Len() != 0 {
			t.Errorf("%d instances remain, the first %v", view.Len(), Instances(view)[0])
		}
		src := mib.Source{Snapshot: store.Latest(), Now: time.Now(), Alarms: new(mib.Alarms)}
		src.Conditions = new(conditions.Conditions).Of(src.Snapshot, nil, func() []alarms.Active { return nil }, src.Now)
		view, err = luna.Tables().Build(src)
		check.Must(t, err)
		for _, i := range Instances(view) {
			name, _, _ := strings.Cut(i.Name, ".")
			if !slices.Contains(remaining, name) && !strings.HasPrefix(name, "lunaAgent") && !strings.HasPrefix(name, "lunaSource") && !strings.HasPrefix(name, "lunaHsmProven") {
				t.Errorf("%s remains", i.Name)
			}
		}
		text := string(scraped(store, "/metrics"))
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "luna_source_") && !strings.HasPrefix(line, "luna_data_") {
				t.Errorf("remains: %s", line)
			}
		}
		if want := `luna_data_stale{device="luna72",section="show"} 1`; !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	})
}

// TestMetricNames holds the names and help texts to Prometheus' own rules.
func TestMetricNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := replayed(t)
		store.Apply(hsm.Observation{Device: "host", Source: "host", At: time.Now(), MaxAge: time.Minute, Facts: []hsm.Fact{hsm.Host{
			CPUSeconds: map[string]float64{"user": 1}, Filesystems: []hsm.Filesystem{{Mount: "/"}}, Interfaces: []hsm.Interface{{Name: "eth0"}},
			Sensors: []hsm.HostSensor{{Unit: "RPM"}, {Unit: "degrees C"}}, Processes: []hsm.Process{{PID: 1}},
			Daemons: map[string]int64{"cbs": 1}, NTLSLinks: map[string]int64{"192.0.2.1": 2},
		}}})
		store.Apply(hsm.Observation{Device: "host", Source: "ha", At: time.Now(), MaxAge: time.Minute, Facts: []hsm.Fact{hsm.HA{
			Groups:       []hsm.HAGroupState{{Label: "g", Redundancy: hsm.Some[int64](1), Members: []hsm.HAMemberState{{Serial: "1", State: hsm.HAStateDown, Since: time.Now(), Attempt: hsm.Some[int64](1), Reachable: hsm.Some(true)}}}},
			Certificates: []hsm.ClientCertificate{{Role: "client", Subject: "CN=c"}},
		}}})
		problems, err := promlint.New(bytes.NewReader(scraped(store, "/metrics"))).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	})
}

// scraped returns what is served under a path, without some groups of metrics.
func scraped(store *hsm.Store, path string, excluded ...string) []byte {
	w := httptest.NewRecorder()
	web := exporters.Web(store, nil, exporters.NewPrometheus(store, time.Now, excluded...), prometheus.NewRegistry(), "/metrics")
	web.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Body.Bytes()
}

func gather(t *testing.T, g prometheus.Gatherer) []byte {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&out, f); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}
