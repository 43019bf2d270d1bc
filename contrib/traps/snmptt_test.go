package traps

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal/journaltest"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/snmppeer"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// patience bounds a wait for a condition; no test's result depends on it.
const patience = time.Minute

// snmpttPath returns where SNMPTT is; without it the test is skipped, and in CI it fails.
func snmpttPath(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"snmptt", "/usr/sbin/snmptt"} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("a real SNMPTT is required in CI: apt-get install snmptt")
	}
	t.Skip("NOT TESTED against a real SNMPTT: apt-get install snmptt")
	return ""
}

// A said is a notification, and what SNMPTT must log of it.
type said struct {
	form snmp.Form
	note alarms.Notification
	want []string
}

// key is how a message begins to name the alarm.
const key = `lunaAlarmKey="hsm-a/partition-storage`

// saids are all notifications in all states. SNMPTT takes brackets, question marks and
// what is not ASCII out of values.
func saids() (list []said) {
	severities := map[alarms.Severity]string{alarms.Warning: warning, alarms.Minor: minor, alarms.Major: major, alarms.Critical: critical}
	kinds := map[alarms.Kind]string{alarms.Raised: "lunaAlarmRaised", alarms.Repeated: "lunaAlarmRaised", alarms.Updated: "lunaAlarmChanged"}
	for severity, word := range severities {
		for kind, name := range kinds {
			n := alarmstest.Complete(kind)
			n.Change.Alarm.Severity = severity
			list = append(list, said{snmp.FormLunawatch, n, []string{` ` + name + ` ` + word + ` lunaEventSequence="`, key, `lunaAlarmDevice="hsm-a"`, `lunaAlarmGroup="partition-storage"`, `lunaAlarmValue="0.96"`, `lunaAlarmText="96 % of the storage is usednow" lunaAlarmAction="Delete objects, or resize the partition."`}})
		}
		n := alarmstest.Complete(alarms.Raised)
		n.Change.Alarm.Severity = severity
		list = append(list, said{snmp.FormAlarmMIB, n, []string{" alarmActiveState " + word + ` alarmActiveEntry=".1.3.6.1.2.1.118.1.2.2.1.13.`, `alarmActiveDescription="hsm-a: 96 % of the storage is usednow`}})
	}
	for kind, want := range map[alarms.Kind]string{
		alarms.Cleared: ` lunaAlarmCleared NORMAL `, alarms.Acknowledged: ` lunaAlarmAcknowledged NORMAL `, alarms.Unacknowledged: ` lunaAlarmAcknowledged NORMAL `,
	} {
		list = append(list, said{snmp.FormLunawatch, alarmstest.Complete(kind), []string{want, key}})
	}
	list = append(list, said{snmp.FormLunawatch, alarmstest.Complete(alarms.Heartbeat), []string{` lunaHeartbeat NORMAL lunaEventSequence="`}},
		said{snmp.FormLunawatch, alarmstest.Complete(alarms.Started), []string{` coldStart NORMAL lunaEventSequence="`}},
		said{snmp.FormAlarmMIB, alarmstest.Complete(alarms.Cleared), []string{` alarmClearState NORMAL alarmActiveEntry=".1.3.6.1.2.1.118.1.2.2.1.13.`}})
	for group, name := range map[string]string{"appliance-fan": "fan", "power-supply": "powerSupply", "motherboard": "motherboard", "disk": "diskDrive", "ntls": "ntls", "stm": "crypto"} {
		for kind, word := range map[alarms.Kind]string{alarms.Raised: major, alarms.Cleared: normal} {
			n := alarmstest.Complete(kind)
			n.Change.Alarm.Group = group
			flag := map[alarms.Kind]string{alarms.Raised: "1", alarms.Cleared: "0"}[kind]
			list = append(list, said{snmp.FormVendor, n, []string{fmt.Sprintf(` %sAttentionNotify %s ssLogReference="hsm-a:192.0.2.7 / lunawatch / 2026 Mar  1 12:01:10 / %s / %s"`, name, word, group, flag)}})
		}
	}
	return list
}

// TestSNMPTT sends every notification in every state to a real snmptrapd, which hands
// it to a real SNMPTT with the files that ship: once as snmptrapd without modules says
// it, and once as it says it with them.
func TestSNMPTT(t *testing.T) {
	path := snmpttPath(t)
	for name, modules := range map[string][]string{"without modules": nil, "with modules": {"../../mibs", "../../mibs/base"}} {
		for _, conf := range []string{"../snmptt/lunawatch.conf", "../zabbix/traps/snmptt.conf"} {
			t.Run(name+" "+conf, func(t *testing.T) {
				t.Parallel()
				r := newReceiver(t, path, conf, modules)
				for i, s := range saids() {
					r.send(t, s, uint64(i+1))
				}
				r.holds(t)
			})
		}
	}
}

// A receiver is snmptrapd with SNMPTT as its handler.
type receiver struct {
	trapd     *netsnmp.Trapd
	log       string // of SNMPTT
	target    snmp.Target
	notifiers map[snmp.Form]*snmp.Notifier
	sent      []said
	zabbix    bool
	modules   bool
}

func newReceiver(t *testing.T, snmptt, conf string, modules []string) *receiver {
	t.Helper()
	dir := t.TempDir()
	conf, err := filepath.Abs(conf)
	check.Must(t, err)
	r := &receiver{log: filepath.Join(dir, "snmptt.log"), notifiers: make(map[snmp.Form]*snmp.Notifier), zabbix: strings.Contains(conf, "zabbix"), modules: modules != nil}
	ini := "[General]\nmode = standalone\nmultiple_event = 1\ndns_enable = 0\ndate_time_format = %Y-%m-%dT%H:%M:%S%z\n[Logging]\nlog_enable = 1\nlog_file = " + r.log +
		"\nlog_system_enable = 0\nunknown_trap_log_enable = 1\nunknown_trap_log_file = " + r.log + ".unknown\nsyslog_enable = 0\nsyslog_system_enable = 0\n[TrapFiles]\nsnmptt_conf_files = <<END\n" + conf + "\nEND\n"
	check.Must(t, os.WriteFile(filepath.Join(dir, "snmptt.ini"), []byte(ini), 0o600))
	check.Must(t, os.WriteFile(filepath.Join(dir, "community"), []byte("public\n"), 0o600))
	r.trapd, err = netsnmp.StartTrapd(t.Context(), dir, netsnmp.TrapdConfig{Community: "nobody", Output: "-On", MIBDirs: modules, Lines: []string{
		"authCommunity log,execute public", "traphandle default " + snmptt + " --ini=" + filepath.Join(dir, "snmptt.ini"),
	}})
	alarmstest.Peer(t, err)
	t.Cleanup(r.trapd.Stop)
	r.target = snmp.Target{Peer: snmppeer.Peer{Address: r.trapd.Address, Version: "2c", CommunityFile: setting.File(filepath.Join(dir, "community"))}}
	return r
}

func (r *receiver) send(t *testing.T, s said, sequence uint64) {
	t.Helper()
	if r.notifiers[s.form] == nil {
		r.target.Form = snmp.Forms{s.form}
		n, err := snmp.New(r.target, journaltest.Open(t, t.TempDir()))
		check.Must(t, err)
		r.notifiers[s.form] = n
	}
	s.note.Sequence = sequence
	check.Must(t, r.notifiers[s.form].Notify(t.Context(), s.note))
	r.sent = append(r.sent, s)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for len(r.lines(t)) < len(r.sent) {
		unknown, _ := os.ReadFile(r.log + ".unknown")
		if ctx.Err() != nil || len(unknown) > 0 {
			t.Fatalf("SNMPTT did not log %+v\nlines: %q\nunknown: %s", s, r.lines(t), unknown)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// lines are what SNMPTT has logged.
func (r *receiver) lines(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(r.log)
	if os.IsNotExist(err) {
		return nil
	}
	check.Must(t, err)
	whole := string(text[:strings.LastIndex(string(text), "\n")+1])
	return strings.Split(strings.TrimSuffix(whole, "\n"), "\n")[:strings.Count(whole, "\n")]
}

// holds compares what was sent with what was logged, and Zabbix's template with that.
func (r *receiver) holds(t *testing.T) {
	t.Helper()
	lines := r.lines(t)
	if len(lines) != len(r.sent) {
		t.Fatalf("%d lines of %d notifications: %q", len(lines), len(r.sent), lines)
	}
	for i, s := range r.sent {
		for _, want := range s.want {
			if !r.modules && strings.HasPrefix(want, key) {
				want = `lunaAlarmKey="68 73 6D ` // without a display hint snmptrapd prints octets beyond ASCII
			}
			if !strings.Contains(lines[i], want) {
				t.Errorf("no %s in\n%s", want, lines[i])
			}
		}
		if r.zabbix {
			r.trapper(t, s, lines[i])
		}
	}
	t.Logf("%d notifications, the first: %s", len(lines), lines[0])
}

var zabbixLine = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}) .*ZBXTRAP (\S+) `)

// trapper has the template's items take a line, as Zabbix's trapper does.
func (r *receiver) trapper(t *testing.T, s said, line string) {
	t.Helper()
	if m := zabbixLine.FindStringSubmatch(line); m == nil || m[2] != "127.0.0.1" {
		t.Errorf("Zabbix finds no address in %s", line)
	}
	text, err := os.ReadFile("../zabbix/traps/template.yaml")
	check.Must(t, err)
	var x export
	check.Must(t, yaml.Unmarshal(text, &x))
	var taken []item
	for _, i := range x.Zabbix.Templates[0].Items {
		pattern := strings.TrimSuffix(strings.TrimPrefix(i.Key, `snmptrap["`), `"]`)
		if regexp.MustCompile(pattern).MatchString(line) {
			taken = append(taken, i)
		}
	}
	if len(taken) != 1 {
		t.Errorf("%d items take %s", len(taken), line)
		return
	}
	raised := s.note.Change.Kind == alarms.Raised || s.note.Change.Kind == alarms.Repeated || s.note.Change.Kind == alarms.Updated
	cleared := s.note.Change.Kind == alarms.Cleared
	begun, ended, name := triggered(t, taken[0], line)
	if raised && (begun != 1 || ended != 0) || cleared && (begun != 0 || ended == 0) || !raised && !cleared && begun+ended != 0 {
		t.Errorf("%d triggers begin and %d end at %s", begun, ended, line)
	}
	if whole := map[snmp.Form]string{snmp.FormLunawatch: `storage/p "1" `, snmp.FormAlarmMIB: ".1.3.6.1.2.1.118.1.2.2.1.13.", snmp.FormVendor: "hsm-a:192.0.2.7  "}[s.form]; (raised || cleared) &&
		!strings.Contains(name, whole) && !strings.Contains(name, "70 20 22 31 22 20 C3 A9  5D") {
		t.Errorf("%q names the alarm in %s", name, line)
	}
}

var (
	finds   = regexp.MustCompile(`^find\(.*,,"regexp","([^"]+)"\)=1$`)
	regsubs = regexp.MustCompile(`^\{\{ITEM\.VALUE\}\.regsub\("(.*)", "\\1\\2"\)\}$`)
)

// triggered returns how many triggers of an item a line begins and ends, and their tag.
func triggered(t *testing.T, i item, line string) (begun, ended int, name string) {
	t.Helper()
	match := func(expression string) bool {
		m := finds.FindStringSubmatch(expression)
		return m != nil && regexp.MustCompile(m[1]).MatchString(line)
	}
	for _, g := range i.Triggers {
		if match(g.Expression) {
			begun++
		}
		if match(g.Recovery) {
			ended++
		}
		for _, tag := range g.Tags {
			m := regsubs.FindStringSubmatch(tag.Value)
			if m == nil {
				t.Fatalf("%s: %s", g.Name, tag.Value)
			}
			if parts := regexp.MustCompile(strings.ReplaceAll(m[1], `\"`, `"`)).FindStringSubmatch(line); parts != nil {
				name = parts[1] + parts[2]
			}
		}
	}
	return begun, ended, name
}
