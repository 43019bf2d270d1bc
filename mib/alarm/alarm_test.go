package alarm

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/mibtest"
	"github.com/lunawatch/lunawatch/mib/vendor"
)

var berlin = time.FixedZone("CET", 3600)

// standing returns n active alarms.
func standing(n int) *mib.Alarms {
	a := &mib.Alarms{Started: mibtest.Now, Raised: map[mib.Severity]uint64{mib.Minor: 2, mib.Critical: 1}, LastNumber: uint64(n), LastRaise: mibtest.Now.Add(time.Minute)}
	for i := range n {
		a.Active = append(a.Active, &mib.Alarm{
			Number: uint64(i + 1), Model: 20, Key: fmt.Sprintf("luna%d/temp-warn", i), Device: fmt.Sprintf("luna%d", i), Serial: "532018",
			Group: "temp-warn", Codes: []string{"2001"}, Severity: mib.Minor, EventType: "environmentalAlarm", Cause: "temperatureUnacceptable",
			Text: "the card is at 77 C", Value: "77", Threshold: "75", Unit: "C", Raised: mibtest.Now.Add(time.Second).In(berlin), Last: mibtest.Now, Count: 1,
		})
	}
	return a
}

// TestAlarmTables reads one alarm in every table that has it.
func TestAlarmTables(t *testing.T) {
	alarms := standing(2)
	alarms.Active[1].Number, alarms.Active[1].Serial, alarms.Active[1].AckBy, alarms.Active[1].AckAt = 1<<32+6, "", "anna", mibtest.Now
	alarms.Models = []mib.Model{{Index: 20, Title: "Card too warm", EventType: "environmentalAlarm", Cause: "temperatureUnacceptable"}}
	alarms.Cleared = []*mib.Alarm{{Number: 9, Model: 20, Cleared: mibtest.Now.Add(time.Minute)}}
	alarms.LastClear = mibtest.Now.Add(2 * time.Minute)
	src := mib.Source{Snapshot: &hsm.Snapshot{}, Now: mibtest.Now, Alarms: alarms}
	raised := agentx.OID{0, 11, 2026 >> 8, 2026 & 255, 3, 1, 13, 0, 1, 0, '+', 1, 0}
	cleared := agentx.OID{0, 11, 2026 >> 8, 2026 & 255, 3, 1, 12, 1, 0, 0, '+', 0, 0, 9}
	first, second := raised.Append(1), raised.Append(7) // beyond 32 bits, numbers begin anew
	model := agentx.OID{1, 3, 6, 1, 2, 1, 118, 1, 1, 2, 1, 3, 0, 20, 4}
	for _, c := range []struct {
		name string
		oid  agentx.OID
		want agentx.Value
	}{
		{"resource: the HSM", alarmActive.Append(2, 1, 10).Append(first...), agentx.ObjectIdentifier(vendor.SerialNumber("532018"))},
		{"resource: none is known", alarmActive.Append(2, 1, 10).Append(second...), agentx.ObjectIdentifier(agentx.OID{0, 0})},
		{"model, minor", alarmActive.Append(2, 1, 13).Append(first...), agentx.ObjectIdentifier(model)},
		{"that row is there", model, agentx.ObjectIdentifier(lunawatchMIB.Append(0, 1))},
		{"and tells the severity", alarmModel.Append(2, 1, 5, 0, 20, 4), agentx.Integer(5)},
		{"in the sixteenth variable", alarmModel.Append(2, 1, 4, 0, 20, 4), agentx.Gauge32(16)},
		{"specific model", alarmModel.Append(2, 1, 7, 0, 20, 4), agentx.ObjectIdentifier(ituAlarmModel.Append(1, 1, 2, 0, 20, 5))},
		{"of that event type", ituAlarmModel.Append(1, 1, 2, 0, 20, 5), agentx.Integer(6)},
		{"and cause", ituAlarmModel.Append(1, 1, 3, 0, 20, 5), agentx.Integer(548)},
		{"variables", alarmActive.Append(2, 1, 8).Append(first...), agentx.Gauge32(23)},
		{"the first: uptime", alarmActive.Append(3, 1, 6, 0, 1, 1), agentx.TimeTicks(100)},
		{"the second: trap", alarmActive.Append(3, 1, 10, 0, 1, 2), agentx.ObjectIdentifier(lunawatchMIB.Append(0, 1))},
		{"the third: key", alarmActive.Append(3, 1, 8, 0, 1, 3), agentx.Text("luna0/temp-warn")},
		{"of type octetString", alarmActive.Append(3, 1, 3, 0, 1, 3), agentx.Integer(6)},
		{"the last: acknowledged by", alarmActive.Append(3, 1, 2, 0, 7, 22), agentx.ObjectIdentifier(lunawatchMIB.Append(1, 2, 1, 21, 7))},
		{"no more", alarmActive.Append(3, 1, 2, 0, 7, 23), agentx.Value{}},
		{"stand", alarmActive.Append(4, 1, 1, 0), agentx.Gauge32(2)},
		{"raised since the start", alarmActive.Append(4, 1, 2, 0), agentx.Gauge32(3)},
		{"last changed: a clear", alarmActive.Append(1, 0), agentx.TimeTicks(12000)},
		{"cleared", alarmClear.Append(2, 1, 10).Append(cleared...), agentx.ObjectIdentifier(alarmModel.Append(2, 1, 3, 0, 20, 1))},
		{"trend", ituAlarmActive.Append(1, 1, 1).Append(first...), agentx.Integer(2)},
		{"minor stand", ituAlarmActive.Append(2, 1, 4, 0), agentx.Gauge32(2)},
		{"critical stand", ituAlarmActive.Append(2, 1, 2, 0), agentx.Gauge32(0)},
		{"critical since the start", ituAlarmActive.Append(2, 1, 7, 0), agentx.Gauge32(1)},
		{"unacknowledged", lunaAgent.Append(4, 0), agentx.Gauge32(1)},
		{"worst", lunaAgent.Append(5, 0), agentx.Integer(5)},
		{"raised at, with zone", lunawatchMIB.Append(1, 2, 1, 19, 1), agentx.Text("\x07\xea\x03\x01\x0d\x00\x01\x00+\x01\x00")},
		{"not acknowledged", lunawatchMIB.Append(1, 2, 1, 22, 1), agentx.Value{}},
		{"acknowledged by", lunawatchMIB.Append(1, 2, 1, 21, 7), agentx.Text("anna")},
	} {
		got := mibtest.Value(t, Tables(), src, c.oid)
		if got.Type != c.want.Type || got.Number != c.want.Number || got.Octets != c.want.Octets || got.OID.Compare(c.want.OID) != 0 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestNoAlarmTables: without a source of alarms there is no table, which differs from an
// empty one.
func TestNoAlarmTables(t *testing.T) {
	v, err := Tables().Build(mib.Source{Snapshot: &hsm.Snapshot{}, Now: mibtest.Now})
	if err != nil || v.Len() != 0 {
		t.Errorf("%d instances, error %v", v.Len(), err)
	}
	if got := mibtest.Value(t, Tables(), mib.Source{Snapshot: &hsm.Snapshot{}, Now: mibtest.Now, Alarms: &mib.Alarms{}}, lunaAgent.Append(3, 0)); got.Type != agentx.TypeGauge32 {
		t.Errorf("count of no alarms: %v", got)
	}
}

func TestDateAndTime(t *testing.T) {
	for zone, want := range map[int]string{0: "+\x00\x00", 5*3600 + 45*60: "+\x05\x2d", -(3*3600 + 30*60): "-\x03\x1e"} {
		got := mib.DateAndTime(time.Date(2026, 12, 31, 23, 59, 58, 7e8, time.FixedZone("", zone)))
		if got != "\x07\xea\x0c\x1f\x17\x3b\x3a\x07"+want {
			t.Errorf("zone %d: %x", zone, got)
		}
	}
}

// TestAdmin cuts at 255 octets or less, at the end of a character.
func TestAdmin(t *testing.T) {
	for s, want := range map[string]int{"": 0, strings.Repeat("x", 300): 255, strings.Repeat("\u20ac", 86): 255, "x" + strings.Repeat("\u20ac", 86): 253, "\xff": 1} {
		got := mib.Admin(s).Octets
		if len(got) != want || !utf8.ValidString(got) {
			t.Errorf("%.10q: %d octets %q", s, len(got), got)
		}
	}
}

// TestSeverityVarbind compares alarmModelVarbindIndex and alarmActiveVariables with the
// notifications that are sent.
func TestSeverityVarbind(t *testing.T) {
	trap := LunaNotification(Notice{Kind: NoticeRaised, At: mibtest.Now}, *standing(1).Active[0])
	if got := Tables().Name(trap.Objects[severityVarbind-3].OID); got != "lunaAlarmSeverity.1" {
		t.Errorf("variable %d is %s", severityVarbind, got)
	}
	n := len(trap.Objects) - eventObjects + 2
	entry := alarmActiveTable.Entry.Append(8).Append(activeIndex(*standing(1).Active[0])...)
	if got := mibtest.Value(t, Tables(), mib.Source{Snapshot: &hsm.Snapshot{}, Now: mibtest.Now, Alarms: standing(1)}, entry); got.Number != uint64(n) {
		t.Errorf("%d variables, and alarmActiveVariables is %v", n, got)
	}
}

// TestResourceByNotification finds alarmActiveResourceId as a manager does: the first
// variable of the notification below alarmModelVarbindSubtree, where
// alarmModelResourcePrefix is 0.0 (RFC 3877).
func TestResourceByNotification(t *testing.T) {
	for _, serial := range []string{"532018", ""} {
		alarms := standing(1)
		a := *alarms.Active[0]
		a.Serial = serial
		alarms.Active[0], alarms.Models = &a, []mib.Model{{Index: a.Model}}
		src := mib.Source{Snapshot: &hsm.Snapshot{}, Now: mibtest.Now, Alarms: alarms}
		model := func(column uint32) agentx.Value {
			return mibtest.Value(t, Tables(), src, alarmModelTable.Entry.Append(column, defaultList, a.Model, uint32(a.Severity)))
		}
		if prefix := model(9); prefix.OID.Compare(agentx.OID{0, 0}) != 0 {
			t.Fatalf("alarmModelResourcePrefix is %v", prefix)
		}
		found := agentx.OID{0, 0}
		for _, v := range LunaNotification(Notice{Kind: NoticeRaised, At: mibtest.Now}, a).Objects {
			if v.OID.HasPrefix(model(8).OID) {
				found = v.OID
				break
			}
		}
		want := mibtest.Value(t, Tables(), src, alarmActiveTable.Entry.Append(10).Append(activeIndex(a)...))
		if found.Compare(want.OID) != 0 {
			t.Errorf("serial %q: a manager finds %v, and alarmActiveResourceId is %v", serial, found, want)
		}
	}
}

// TestIndex: a notification to a receiver whose level excludes numbers names no row.
func TestIndex(t *testing.T) {
	for number, want := range map[uint64]uint32{0: 0, 1: 1, 1<<32 - 1: 1<<32 - 1, 1 << 32: 1} {
		if got := index(mib.Alarm{Number: number}); got != want {
			t.Errorf("%d: %d, want %d", number, got, want)
		}
	}
}

var notificationType = regexp.MustCompile(`(?s)\n(\w+) NOTIFICATION-TYPE\n\s+OBJECTS\s+\{([^}]*)\}.*?::= \{ lunaNotifications (\d) \}`)

// TestNotificationsAsInModule: every notification has the objects that it has in
// LUNAWATCH-MIB, in that order; one of an alarm has the resource behind them.
func TestNotificationsAsInModule(t *testing.T) {
	if _, err := exec.LookPath("snmptranslate"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("SKIPPED: snmptranslate is missing: apt-get install snmp")
	}
	text, err := os.ReadFile("../../mibs/LUNAWATCH-MIB.txt")
	if err != nil {
		t.Fatal(err)
	}
	sent := make(map[string][]agentx.Varbind)
	for _, kind := range []NoticeKind{NoticeRaised, NoticeChanged, NoticeCleared, NoticeAcknowledged, NoticeHeartbeat} {
		trap := LunaNotification(Notice{Kind: kind, At: mibtest.Now}, *standing(1).Active[0])
		sent[fmt.Sprint(trap.OID[len(trap.OID)-1])] = trap.Objects
	}
	found := notificationType.FindAllStringSubmatch(string(text), -1)
	if len(found) != len(sent) {
		t.Fatalf("%d notifications in the module, %d are sent", len(found), len(sent))
	}
	for _, m := range found {
		var got []string
		for _, vb := range sent[m[3]] {
			out, err := exec.Command("snmptranslate", "-M", "../../mibs:../../mibs/base", "-m", "ALL", "-Os", vb.OID.String()).Output()
			if err != nil {
				t.Fatal(err)
			}
			name, _, _ := strings.Cut(strings.TrimSpace(string(out)), ".")
			got = append(got, name)
		}
		want := strings.Join(strings.Fields(m[2]), " ")
		if strings.Contains(want, "lunaAlarmSerial") {
			want += ", hsmSerialNumber"
		}
		if want != strings.Join(got, ", ") {
			t.Errorf("%s\nhas  %s\nsent %s", m[1], want, strings.Join(got, ", "))
		}
	}
}

// TestAlarmNotifications checks that those of ALARM-MIB point to rows that exist.
func TestAlarmNotifications(t *testing.T) {
	alarms := standing(1)
	alarms.Models = []mib.Model{{Index: 20}}
	src := mib.Source{Snapshot: &hsm.Snapshot{}, Now: mibtest.Now, Alarms: alarms}
	for kind, want := range map[NoticeKind]string{NoticeRaised: "118.0.2", NoticeChanged: "118.0.2", NoticeRepeated: "118.0.2", NoticeCleared: "118.0.3"} {
		trap, ok := StandardNotification(Notice{Kind: kind, At: mibtest.Now}, *alarms.Active[0])
		if !ok || trap.OID.String() != "1.3.6.1.2.1."+want {
			t.Errorf("%d: %v", kind, trap.OID)
		}
		if got := mibtest.Value(t, Tables(), src, trap.Objects[0].Value.OID); got.Type == 0 {
			t.Errorf("%d: no row %v", kind, trap.Objects[0].Value.OID)
		}
		for _, vb := range trap.Objects {
			if got := mibtest.Value(t, Tables(), src, vb.OID); got.Type != vb.Value.Type || kind != NoticeCleared && (got.Octets != vb.Value.Octets || got.OID.Compare(vb.Value.OID) != 0) {
				t.Errorf("%d: %v is %v in the table", kind, vb, got)
			}
		}
	}
	for _, kind := range []NoticeKind{NoticeAcknowledged, NoticeUnacknowledged, NoticeHeartbeat} {
		if trap, ok := StandardNotification(Notice{Kind: kind, At: mibtest.Now}, *alarms.Active[0]); ok {
			t.Errorf("%d: sent %v", kind, trap)
		}
	}
}

func BenchmarkAlarms(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		src := mib.Source{Snapshot: &hsm.Snapshot{}, Now: mibtest.Now, Alarms: standing(n)}
		b.Run(fmt.Sprintf("Build with %d alarms", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v, err := Tables().Build(src)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(v.Len()), "instances")
			}
		})
	}
}

// TestOneLine: a line end in a name that somebody chose begins no variable at a program
// that snmptrapd hands a notification to, line by line.
func TestOneLine(t *testing.T) {
	trap := LunaNotification(Notice{Kind: NoticeRaised}, mib.Alarm{Text: "used\nnow\r\x1b[2J\u0085\u2028end", Device: "a"})
	want := "used?now??[2J??end"
	if !slices.ContainsFunc(trap.Objects, func(v agentx.Varbind) bool { return string(v.Value.Octets) == want }) {
		t.Errorf("no variable is %q: %v", want, trap.Objects)
	}
}
