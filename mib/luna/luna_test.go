package luna

import (
	"errors"
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

// read is an estate of one HSM and one host of which everything is known.
func read() mib.Source {
	s := new(hsm.Snapshot)
	with := func(device string, kind hsm.Kind, o hsm.Observation) {
		o.Device, o.Kind, o.MaxAge = device, kind, time.Minute
		s = s.With(o)
	}
	with("a", hsm.NetworkHSM, hsm.Observation{Source: "hsm show", At: mibtest.Now.Add(-25 * time.Second), Facts: []hsm.Fact{
		hsm.Show{Serial: "12", SOLoginAttemptsLeft: hsm.Some[int64](3), AuditRole: hsm.AuditNo, Environment: &hsm.Environment{BatteryVolts: hsm.Some(3.0931)}},
		hsm.Operations{Partitions: []hsm.PartitionOperations{{Serial: "12001", Requests: map[string]uint64{"sign": 5, "verify": 2}}}},
		hsm.Partitions{{Serial: "12001", Name: "p", Roles: []hsm.Role{{Name: "Crypto User", LockedOut: hsm.Some(true)}},
			Policies: &hsm.Policies{Policies: []hsm.Policy{{Description: "Allow auto-activation", Value: "On"}}}, Storage: hsm.Storage{Used: hsm.Some[int64](5 << 30)}}},
		hsm.Sensors{Sensors: []hsm.Sensor{{Name: "Fan1A", Unit: "RPM", Reading: hsm.Some(4100.0), LowerCritical: hsm.Some(2000.0)}, {Name: "X", Unit: "discrete"}}},
		hsm.Monitor{IntervalSeconds: hsm.Some[int64](5), Samples: []hsm.Sample{{Utilization: 0.0103, UtilizationInt: 0.5}}},
	}})
	with("a", hsm.NetworkHSM, hsm.Observation{Source: "rest", At: mibtest.Now, Failure: hsm.Login, Layer: hsm.LayerAccount, Err: errors.New("refused")})
	with("a", hsm.NetworkHSM, hsm.Observation{Source: "snmp", At: mibtest.Now, Failure: hsm.Unreachable, Layer: hsm.LayerRoute, Err: errors.New("x")})
	with("h", hsm.HostMachine, hsm.Observation{Source: "ha", At: mibtest.Now, Facts: []hsm.Fact{hsm.HA{Groups: []hsm.HAGroupState{{
		Label: "g", Serial: "112", Expected: 2, Alive: 1, Members: []hsm.HAMemberState{{Serial: "12001", State: hsm.HAStateExhausted, MaxAttempts: hsm.Some[int64](-1), LostBy: []int64{7, 8}}},
	}}}}})
	started := mibtest.Now.Add(-time.Hour)
	return mib.Source{Snapshot: s, Now: mibtest.Now, Alarms: &mib.Alarms{Started: started}, Conditions: map[string]*mib.Condition{
		"a": {
			State: mib.StateWarning, Severity: mib.Minor, Discontinuity: started.Add(time.Second), Battery: mib.Limits{Lower: hsm.Some(2.75), LowerFatal: hsm.Some(2.5)},
			Sensors: map[mib.Sensor]mib.State{mib.CardBattery: mib.StateOK, {Part: mib.BoardSensor, Name: "Fan1A"}: mib.StateCritical},
		},
		"h": {State: mib.StateOK, Severity: mib.Cleared},
	}}
}

// TestValues compares instances, in the units of the module, with what was read; "" is no
// such instance.
func TestValues(t *testing.T) {
	got := shown(t, read())
	for _, x := range []struct{ instance, want string }{
		{"lunaHsmReach.1.97", "INTEGER: 4"}, // the outermost: no route
		{"lunaHsmBattery.1.97", "INTEGER: 3093"},
		{"lunaHsmBatteryThreshold.1.97", "INTEGER: 2750"},
		{"lunaHsmTemperature.1.97", ""},
		{"lunaHsmUtilization.1.97", "Gauge32: 103"},
		{"lunaHsmUtilizationInterval.1.97", "Gauge32: 5000"},
		{"lunaHsmDiscontinuity.1.97", "Timeticks: (100) 0:00:01.00"},
		{"lunaHsmZeroized.1.97", ""}, // not stated
		{"lunaHsmAge.1.97", "Gauge32: 20"},
		{"lunaPartitionAutoActivation.1.97.5.49.50.48.48.49", "INTEGER: 1"},
		{"lunaPartitionStorageUsed.1.97.5.49.50.48.48.49", "Counter64: 5368709120"},
		{"lunaPartitionObjects.1.97.5.49.50.48.48.49", ""},
		{"lunaPartitionRequests.1.97.5.49.50.48.48.49", "Counter64: 7"},
		{"lunaOperationRequests.1.97.5.49.50.48.48.49.4.115.105.103.110", "Counter64: 5"},
		{"lunaRoleAttemptsLeft.1.97.0.6.72.83.77.32.83.79", "Gauge32: 3"},
		{"lunaRoleInitialized.1.97.0.7.65.117.100.105.116.111.114", "INTEGER: 2"},
		{"lunaRoleLockedOut.1.97.5.49.50.48.48.49.11.67.114.121.112.116.111.32.85.115.101.114", "INTEGER: 1"},
		{"lunaSensorValue.1.97.1.7.66.97.116.116.101.114.121", "INTEGER: 3093"},
		{"lunaSensorLowerFatal.1.97.1.7.66.97.116.116.101.114.121", "INTEGER: 2500"},
		{"lunaSensorState.1.97.1.7.66.97.116.116.101.114.121", "INTEGER: 1"},
		{"lunaSensorValue.1.97.2.5.70.97.110.49.65", "INTEGER: 4100000"},
		{"lunaSensorState.1.97.2.5.70.97.110.49.65", "INTEGER: 3"},
		{"lunaSensorValue.1.97.2.1.88", ""},
		{"lunaSensorState.1.97.2.1.88", "INTEGER: 4"},
		{"lunaHaGroupAlive.1.104.1.103", "Gauge32: 1"},
		{"lunaHaGroupRedundancy.1.104.1.103", ""},
		{"lunaHaMemberState.1.104.1.103.5.49.50.48.48.49", "INTEGER: 8"},
		{"lunaHaMemberAttemptsMax.1.104.1.103.5.49.50.48.48.49", "INTEGER: -1"},
		{"lunaHaMemberLostBy.1.104.1.103.5.49.50.48.48.49", "Gauge32: 2"},
		{"lunaSourceFailure.1.97.4.114.101.115.116", "INTEGER: 4"},
		{"lunaSourceReach.1.97.4.114.101.115.116", "INTEGER: 9"},
		{"lunaSourceSucceededAt.1.97.4.114.101.115.116", ""},
		{"lunaSourceAge.1.97.8.104.115.109.32.115.104.111.119", "Gauge32: 20"},
		{"lunaSourceFailure.1.104.2.104.97", "INTEGER: 1"},
		{"lunaAgentHsms.0", "Gauge32: 1"},
		{"lunaAgentState.0", "INTEGER: 2"},
	} {
		if got[x.instance] != x.want {
			t.Errorf("%s is %q, want %q", x.instance, got[x.instance], x.want)
		}
	}
}

// TestLayersAndFailures: every layer, failure and membership has its number.
func TestLayersAndFailures(t *testing.T) {
	for _, l := range hsm.Layers() {
		if layers[l] <= reachUnknown {
			t.Errorf("layer %s has no number", l)
		}
	}
	for _, f := range hsm.Failures() {
		if failures[f] == 0 {
			t.Errorf("failure %s has no number", f)
		}
	}
	for i, m := range hsm.HAMemberships() {
		if memberships[m] != int32(i+1) {
			t.Errorf("membership %s has the number %d", m, memberships[m])
		}
	}
}
