package luna

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/mibtest"
)

// shown returns the values of a View by object and instance.
func shown(t *testing.T, src mib.Source) map[string]string {
	t.Helper()
	view, err := Tables().Build(src)
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]string)
	var last agentx.OID
	for oid, v := range view.All() {
		if oid.Compare(last) <= 0 {
			t.Errorf("%v after %v", oid, last)
		}
		values[Tables().Name(oid)] = v.String()
		last = oid
	}
	return values
}

// TestNeverRead: an HSM that was never read has a row that says so, and no value.
func TestNeverRead(t *testing.T) {
	s := &hsm.Snapshot{Devices: []*hsm.Device{{Name: "a", Kind: hsm.NetworkHSM}, {Name: "host", Kind: hsm.HostMachine}}}
	src := mib.Source{Snapshot: s, Now: mibtest.Now, Alarms: &mib.Alarms{Started: mibtest.Now.Add(-time.Minute)}, Conditions: map[string]*mib.Condition{
		"a": {State: mib.StateUnknown, Reason: "not read", Severity: mib.Cleared}, "host": {State: mib.StateOK, Severity: mib.Cleared},
	}}
	got := shown(t, src)
	for _, x := range []struct{ instance, want string }{
		{"lunaHsmName.1.97", `STRING: "a"`}, {"lunaHsmKind.1.97", "INTEGER: 1"}, {"lunaHsmState.1.97", "INTEGER: 4"}, {"lunaHsmReason.1.97", `STRING: "not read"`},
		{"lunaHsmReach.1.97", "INTEGER: 2"}, {"lunaHsmAlarms.1.97", "Gauge32: 0"}, {"lunaHsmWorstAlarm.1.97", "INTEGER: 1"}, {"lunaHsmVendorRow.1.97", "OID: .0.0"},
		{"lunaAgentUpTime.0", "Timeticks: (6000) 0:01:00.00"}, {"lunaAgentState.0", "INTEGER: 4"}, {"lunaAgentHsms.0", "Gauge32: 1"},
		{"lunaAgentHsmsUnknown.0", "Gauge32: 1"}, {"lunaAgentHsmsOk.0", "Gauge32: 0"},
	} {
		if got[x.instance] != x.want {
			t.Errorf("%s is %q, want %q", x.instance, got[x.instance], x.want)
		}
		delete(got, x.instance)
	}
	for _, rest := range []string{"lunaAgentHsmsWarning.0", "lunaAgentHsmsCritical.0", "lunaAgentShownAt.0"} {
		delete(got, rest)
	}
	if len(got) > 0 {
		t.Error("also there: ", fmt.Sprint(slices.Sorted(maps.Keys(got))))
	}
}
