package checkmk

import (
	"maps"
	"os"
	"strings"
	"testing"
)

// public are Checkmk's own checks: of its source, or in our words.
func public() []string {
	if os.Getenv("CHECKMK_SOURCE") != "" {
		return []string{"cmk.plugins.safenet.agent_based.safenet_hsm", "cmk.plugins.safenet.agent_based.safenet_ntls"}
	}
	return []string{"testdata.public"}
}

// safenet are the services of Checkmk's safenet_hsm and safenet_ntls.
var safenet = []string{
	"HSM Operation Stats", "HSM Safenet Event Stats", "NTLS Operation Status", "NTLS Expiration Date", "NTLS Links", "NTLS Clients",
	"NTLS Connection Rate: successful", "NTLS Connection Rate: failed",
}

// safenetHolds requires that Checkmk's checks of the vendor's objects go on with two of
// three HSMs away: they read all objects in one go, and fail if one is missing.
func safenetHolds(t *testing.T, all, two walk) {
	t.Helper()
	steps := run(t, api(t), public(), step{walk: all, now: 1000}, step{walk: all, now: 1060}, step{walk: two, now: 1120}).Steps
	for _, name := range safenet {
		for i, at := range []string{"all three", "all three", "two away"} {
			x := steps[i][name]
			want := ok
			if i == 2 && name == "NTLS Operation Status" {
				want = unknown // ntlsOperStatus is unknown while one cannot be read
			}
			if first := i == 0 && strings.Contains(x.Summary, "stale"); x.Check == "" || !first && (x.State != want || strings.Contains(x.Summary, "stale")) {
				t.Errorf("%s of Checkmk, %s: %d %s", name, at, x.State, x.Summary)
			}
		}
	}
	if got := run(t, api(t), public(), step{walk: all}).Steps[0]; len(got) != len(safenet) {
		t.Errorf("Checkmk's own checks have %d services, want %d: its sections for ENTITY-SENSOR-MIB are for other systems", len(got), len(safenet))
	}
}

// entityHolds: what Checkmk's sections for ENTITY-SENSOR-MIB would make of it, on a host
// whose sysDescr they know. They are those in our words only.
func entityHolds(t *testing.T, all, two walk) {
	t.Helper()
	known := func(w walk) walk {
		w = maps.Clone(w)
		w[".1.3.6.1.2.1.1.1.0"] = []byte("Palo Alto Networks")
		return w
	}
	steps := run(t, []string{"testdata/standin"}, []string{"testdata.public"}, step{walk: known(all)}, step{walk: known(two)}).Steps
	kinds := map[string]int{}
	for name, x := range steps[0] {
		if strings.HasPrefix(x.Check, "entity_sensors") {
			kinds[x.Check]++
			if x.State != ok {
				t.Errorf("%s is %d with nothing wrong: %s", name, x.State, x.Summary)
			}
		}
	}
	// What the board reads is valid for longer than what the card does.
	if away := steps[1]["Temperature Sensor luna72 HSM"]; away.State != unknown || away.Summary != "Item not found in monitoring data" {
		t.Errorf("the temperature of the card is %d with luna72 away: %s", away.State, away.Summary)
	}
	rows := map[string]int{}
	for oid, kind := range all {
		if strings.HasPrefix(oid, ".1.3.6.1.2.1.99.1.1.1.1.") {
			rows[string(kind)]++
		}
	}
	if kinds["entity_sensors_temp"] != rows["8"] || kinds["entity_sensors_fan"] != rows["10"] || rows["8"] == 0 || rows["10"] == 0 {
		t.Errorf("%v of rows by type %v: two sensors have one name once Checkmk has cut it", kinds, rows)
	}
	if x := steps[0]["Temperature Sensor luna72 HSM"]; x.Metrics["temp"] < 20 || x.Metrics["temp"] > 60 {
		t.Errorf("the temperature of the card is %v", x)
	}
}

// TestMissingCell: why the vendor's scalars are all there while one HSM can be read.
func TestMissingCell(t *testing.T) {
	w := walk{".1.3.6.1.2.1.1.2.0": []byte(".1.3.6.1.4.1.8072.3.2.10")}
	for _, end := range []string{"1", "2", "3", "4"} {
		w[".1.3.6.1.4.1.12383.3.1.1."+end+".0"] = []byte("7")
	}
	without := maps.Clone(w)
	delete(without, ".1.3.6.1.4.1.12383.3.1.1.2.0")
	steps := run(t, api(t), public(), step{walk: w, now: 1000}, step{walk: w, now: 1060}, step{walk: without, now: 1120}).Steps
	if x := steps[1]["HSM Operation Stats"]; x.State != ok || x.Check == "" {
		t.Errorf("with all cells: %v", x)
	}
	if x := steps[2]["HSM Operation Stats"]; x.State != unknown || !strings.Contains(x.Summary, "ValueError") {
		t.Errorf("without one: %v", x)
	}
}
