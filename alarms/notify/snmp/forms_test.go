package snmp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal/journaltest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/mib/alarm"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// warmCard is a notification of a card that is too warm.
func warmCard(kind alarms.Kind) alarms.Notification {
	a := alarms.Alarm{
		Key: alarms.Key{Device: "luna-a", Group: "temp-warn"}, Number: 7, Severity: alarms.Major, Type: "environmentalAlarm", Cause: "temperatureUnacceptable",
		Text: "the card is at 77.5 \u00b0C", Codes: []string{"2001"}, Raised: alarmstest.At(0), Count: 3, Serial: "532018",
		Evidence: []alarms.Evidence{{At: alarmstest.At(0), Measure: &alarms.Measure{Value: 77.5, Threshold: 75, Unit: "C"}}},
	}
	return alarms.Notification{ID: "luna-a/temp-warn 7 " + string(kind), Sequence: 41, Change: alarms.Change{Kind: kind, Alarm: a}, Address: "192.0.2.7:22", Label: "vault", At: alarmstest.At(9)}
}

// TestTraps compares what each form sends for each kind.
func TestTraps(t *testing.T) {
	const luna, alarm, vendor, cold = "1.3.6.1.4.1.8072.9999.9999.5862.0.", "1.3.6.1.2.1.118.0.", "1.3.6.1.4.1.23629.1.5.2.2.7", "1.3.6.1.6.3.1.1.5.1"
	for _, x := range []struct {
		form Forms
		kind alarms.Kind
		want string
	}{
		{nil, alarms.Raised, vendor}, {nil, alarms.Updated, vendor}, {nil, alarms.Repeated, vendor}, {nil, alarms.Cleared, vendor}, {nil, alarms.Started, cold},
		{nil, alarms.Acknowledged, ""}, {nil, alarms.Unacknowledged, ""}, {nil, alarms.Heartbeat, ""},
		{Forms{FormLunawatch}, alarms.Raised, luna + "1"}, {Forms{FormLunawatch}, alarms.Updated, luna + "2"}, {Forms{FormLunawatch}, alarms.Cleared, luna + "3"},
		{Forms{FormLunawatch}, alarms.Acknowledged, luna + "4"}, {Forms{FormLunawatch}, alarms.Unacknowledged, luna + "4"},
		{Forms{FormLunawatch}, alarms.Repeated, luna + "1"}, {Forms{FormLunawatch}, alarms.Heartbeat, luna + "5"}, {Forms{FormLunawatch}, alarms.Started, cold},
		{Forms{FormAlarmMIB}, alarms.Raised, alarm + "2"}, {Forms{FormAlarmMIB}, alarms.Cleared, alarm + "3"}, {Forms{FormAlarmMIB}, alarms.Acknowledged, ""},
		{Forms{FormLunawatch, FormAlarmMIB, FormVendor}, alarms.Raised, vendor + " " + alarm + "2 " + luna + "1"},
		{Forms{FormVendor, FormAlarmMIB, FormLunawatch}, alarms.Started, cold},
		{nil, alarms.RaisedAndCleared, vendor + " " + vendor}, {Forms{FormLunawatch}, alarms.RaisedAndCleared, luna + "1 " + luna + "3"},
	} {
		var got []string
		for _, trap := range x.form.Traps(warmCard(x.kind)) {
			got = append(got, trap.OID.String())
		}
		if strings.Join(got, " ") != x.want {
			t.Errorf("%v of %s: %v, want %s", x.form, x.kind, got, x.want)
		}
	}
	if n := len(Forms{FormVendor, FormLunawatch}.Traps(warmCard(alarms.Started))[0].Objects); n != 4 {
		t.Errorf("coldStart has %d objects, not those of lunaEvent: a gap would be seen", n)
	}
}

func TestForms(t *testing.T) {
	for text, want := range map[string]Forms{"form: lunawatch": {FormLunawatch}, "form: [vendor, alarm-mib]": {FormVendor, FormAlarmMIB}, "{}": nil} {
		var c struct {
			Form Forms `yaml:"form"`
		}
		if err := yaml.Unmarshal([]byte(text), &c); err != nil || !slices.Equal(c.Form, want) {
			t.Errorf("%s: %v, error %v", text, c.Form, err)
		}
	}
	for _, x := range []struct {
		form Forms
		r    notify.Route
		want string // "": nothing is wrong
	}{
		{nil, notify.Route{}, ""},
		{Forms{"typed"}, notify.Route{}, "none of vendor, lunawatch, alarm-mib"},
		{Forms{FormLunawatch}, notify.Route{Policy: notify.Policy{Level: notify.LevelCategory}}, "category"},
		{Forms{FormVendor, FormAlarmMIB}, notify.Route{Policy: notify.Policy{Level: notify.LevelCategory}}, "category"},
		{nil, notify.Route{Policy: notify.Policy{Level: notify.LevelCategory}}, ""},
		{Forms{FormLunawatch}, notify.Route{Policy: notify.Policy{Level: notify.LevelCoded}}, ""},
		{Forms{FormAlarmMIB}, notify.Route{Policy: notify.Policy{Level: notify.LevelCoded}}, "row of the alarm table"},
		{nil, notify.Route{Heartbeat: time.Minute}, "heartbeat needs form lunawatch"},
		{Forms{FormVendor, FormLunawatch}, notify.Route{Heartbeat: time.Minute}, ""},
	} {
		if err := errors.Join(x.form.Validate(), x.form.Fits(x.r)); (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%v: got %v, want %q", x.form, err, x.want)
		}
	}
}

// TestEveryGroupHasAModel: numbers are there and differ, and X.733 has a word
// for every group.
func TestEveryGroupHasAModel(t *testing.T) {
	seen := make(map[uint32]string)
	for _, g := range alarms.Groups() {
		n := g.Number
		if n == 0 || seen[n] != "" {
			t.Errorf("group %s has number %d, as %q has: give it the next", g.Name, n, seen[n])
		}
		seen[n] = g.Name
	}
	for _, m := range Models() {
		if !alarm.HasCause(m.Cause) {
			t.Errorf("%s: mib does not know cause %s", seen[m.Index], m.Cause)
		}
	}
	for _, c := range alarms.Catalogue() {
		if !alarm.HasCause(c.Cause) {
			t.Errorf("ALM%s: mib does not know cause %s", c.Code, c.Cause)
		}
	}
}

// TestTypedTraps sends each form to a real snmptrapd that knows our modules.
func TestTypedTraps(t *testing.T) {
	j := journaltest.Open(t, t.TempDir())
	var lines []string
	users := map[string][2]string{"low": {"SHA-256", "AES"}, "high": {"SHA-512", "AES-256"}}
	for name, p := range users {
		lines = append(lines, user(name, p[0], p[1], engineOf(t, j))...)
	}
	for _, address := range []string{"127.0.0.1", "::1"} {
		t.Run(address, func(t *testing.T) {
			l, err := net.ListenPacket("udp", net.JoinHostPort(address, "0"))
			if err != nil {
				t.Skipf("SKIPPED: %v", err)
			}
			free := l.LocalAddr().String()
			l.Close()
			d, err := netsnmp.StartTrapd(t.Context(), t.TempDir(), netsnmp.TrapdConfig{Address: free, Lines: lines, MIBDirs: []string{"../../../mibs", "../../../mibs/base"}})
			alarmstest.Peer(t, err)
			t.Cleanup(d.Stop)
			target := secrets(t, d.Address)
			target.Form = Forms{FormLunawatch, FormAlarmMIB}
			n := uint64(0)
			send := func(name string) {
				s := newSNMP(t, target, j)
				for _, kind := range []alarms.Kind{alarms.Raised, alarms.Cleared, alarms.Heartbeat, alarms.Started} {
					note := warmCard(kind)
					n++
					note.Sequence = n
					if err := s.Notify(t.Context(), note); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					typed(t, d, note)
				}
			}
			target.Version = "2c"
			send("2c trap")
			target.Version = "3"
			for name, p := range users {
				target.User, target.AuthProtocol, target.PrivProtocol = name, p[0], p[1]
				for _, target.Inform = range []bool{false, true} {
					send(fmt.Sprintf("3, %s, inform %v", name, target.Inform))
				}
			}
		})
	}
}

// typed waits for the notifications of n and reads all that they say.
func typed(t *testing.T, d *netsnmp.Trapd, n alarms.Notification) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	line, err := d.Wait(ctx, fmt.Sprintf("lunaEventSequence.0 = Gauge32: %d\t", n.Sequence))
	if err != nil {
		t.Fatal(err)
	}
	want := map[alarms.Kind][]string{
		alarms.Raised: {
			"OID: LUNAWATCH-MIB::lunaAlarmRaised", "lunaEventTime.0 = STRING: 2026-3-1,12:0:9.0,+0:0", "lunaEventKind.0 = INTEGER: raised(1)",
			`lunaEventId.0 = STRING: luna-a/temp-warn 7 raised`, `lunaAlarmKey.7 = STRING: luna-a/temp-warn`, `lunaAlarmDevice.7 = STRING: luna-a`,
			`lunaAlarmSerial.7 = STRING: 532018`, `lunaAlarmLabel.7 = STRING: vault`, `lunaAlarmPartition.7 = STRING: `, `lunaAlarmGroup.7 = STRING: temp-warn`,
			`lunaAlarmCodes.7 = STRING: 2001`, `lunaAlarmComponent.7 = STRING: firmware`, "lunaAlarmSeverity.7 = INTEGER: major(4)",
			"lunaAlarmEventType.7 = INTEGER: environmentalAlarm(6)", "lunaAlarmCause.7 = INTEGER: temperatureUnacceptable(548)",
			"lunaAlarmText.7 = STRING: the card is at 77.5 \u00b0C", `lunaAlarmAction.7 = STRING: Improve the cooling`, `lunaAlarmValue.7 = STRING: 77.5`,
			`lunaAlarmThreshold.7 = STRING: 75`, `lunaAlarmUnit.7 = STRING: C`, "lunaAlarmRaisedAt.7 = STRING: 2026-3-1,12:0:0.0,+0:0", "lunaAlarmCount.7 = Gauge32: 3",
			"lunaAlarmAcknowledgedBy.7 = STRING: ",
		},
		alarms.Cleared:   {"OID: LUNAWATCH-MIB::lunaAlarmCleared", "lunaAlarmSeverity.7 = INTEGER: cleared(1)", "lunaEventKind.0 = INTEGER: cleared(3)"},
		alarms.Heartbeat: {"OID: LUNAWATCH-MIB::lunaHeartbeat", "lunaEventKind.0 = INTEGER: heartbeat(8)"},
		alarms.Started:   {"OID: SNMPv2-MIB::coldStart", "lunaEventKind.0 = INTEGER: started(7)"},
	}[n.Change.Kind]
	for _, w := range want {
		if !strings.Contains(line, w) {
			t.Errorf("%s: no %q in\n%s", n.Change.Kind, w, line)
		}
	}
	if pointer := map[alarms.Kind]string{alarms.Raised: "alarmActiveState", alarms.Cleared: "alarmClearState"}[n.Change.Kind]; pointer != "" {
		if _, err := d.Wait(ctx, "OID: ALARM-MIB::"+pointer); err != nil {
			t.Fatal(err)
		}
	}
}
