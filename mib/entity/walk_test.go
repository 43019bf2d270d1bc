package entity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/mibtest"
)

// luna72 is the appliance of the demonstration with release 7.2, as LunaSH describes it.
func luna72(t testing.TB) (facts struct {
	Show    hsm.Show    `json:"show"`
	Sensors hsm.Sensors `json:"sensors"`
}) {
	t.Helper()
	text, err := os.ReadFile("testdata/luna72.json")
	check.Must(t, err)
	check.Must(t, json.Unmarshal(text, &facts))
	return facts
}

// seen returns a source in which a device was just read, for a minute, by an agent that
// started an hour ago, with numbers for all its parts.
func seen(t testing.TB, name string, kind hsm.Kind, facts ...hsm.Fact) mib.Source {
	t.Helper()
	s := (&hsm.Snapshot{}).With(hsm.Observation{Device: name, Kind: kind, Source: "test", At: mibtest.Now, MaxAge: time.Minute, Facts: facts})
	e, err := Allot(&mib.Entity{Number: 266}, s.Device(name))
	check.Must(t, err)
	return mib.Source{
		Snapshot: s, Now: mibtest.Now, Alarms: &mib.Alarms{Started: mibtest.Now.Add(-time.Hour)},
		Entities: &mib.Entities{Devices: map[string]*mib.Entity{name: e}, Changed: mibtest.Now.Add(-time.Minute), Alarms: map[string][]*mib.Alarm{}},
	}
}

// TestWalk: what a manager walks of one appliance, as snmpwalk -On prints it without modules.
func TestWalk(t *testing.T) {
	facts := luna72(t)
	view, err := Tables().Build(seen(t, "luna72", hsm.NetworkHSM, facts.Show, facts.Sensors))
	check.Must(t, err)
	var walk bytes.Buffer
	for oid, value := range view.All() {
		fmt.Fprintf(&walk, ".%v = %s\n", oid, strings.TrimSuffix(value.String(), " "))
	}
	check.Golden(t, "luna72.walk", walk.Bytes())
}
