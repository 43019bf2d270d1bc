package agent

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

const (
	alarmActiveTable = ".1.3.6.1.2.1.118.1.2.2.1."
	alarmClearTable  = ".1.3.6.1.2.1.118.1.3.2.1."
	lunawatchObjects = ".1.3.6.1.4.1.8072.9999.9999.5862.1."
	lunaAlarmTable   = lunawatchObjects + "2.1."
)

// An alarmRow is what every view shows of an alarm.
type alarmRow struct {
	Number   string
	Key      string
	Severity string
	Raised   string // octets, in hexadecimal
}

var ituSeverities = map[alarms.Severity]string{
	alarms.Indeterminate: "2", alarms.Critical: "3", alarms.Major: "4", alarms.Minor: "5", alarms.Warning: "6",
}

// list is what "alarms list" shows.
func (e *estate) list() (all []alarmRow) {
	for _, a := range e.agent.watch.Active() {
		t := a.Raised
		_, zone := t.Zone()
		all = append(all, alarmRow{
			strconv.FormatUint(a.Number, 10), a.Key.String(), ituSeverities[a.Severity],
			fmt.Sprintf("%04X%02X%02X%02X%02X%02X%02X2B%02X%02X", t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond()/1e8, zone/3600, zone/60%60),
		})
	}
	return byNumber(all)
}

func byNumber(all []alarmRow) []alarmRow {
	slices.SortFunc(all, func(a, b alarmRow) int {
		return strings.Compare(fmt.Sprintf("%9s", a.Number), fmt.Sprintf("%9s", b.Number))
	})
	return all
}

var typeName = regexp.MustCompile(`^(Hex-)?[A-Za-z0-9]+: `)

// column is a walk of one column: the value by instance.
func (e *estate) column(t *testing.T, table string, column int) map[string]string {
	t.Helper()
	prefix := table + strconv.Itoa(column)
	all := make(map[string]string)
	for line := range strings.Lines(e.snmp(t, "snmpbulkwalk", "-On", "-Cr20", strings.TrimPrefix(prefix, "."))) {
		if oid, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok && strings.HasPrefix(oid, prefix+".") {
			all[strings.TrimPrefix(oid, prefix+".")] = strings.Trim(typeName.ReplaceAllString(value, ""), `"`)
		}
	}
	return all
}

// lunaAlarms is what a walk of lunaAlarmTable shows.
func (e *estate) lunaAlarms(t *testing.T) (all []alarmRow) {
	severity, raised := e.column(t, lunaAlarmTable, 11), e.column(t, lunaAlarmTable, 19)
	for number, key := range e.column(t, lunaAlarmTable, 2) {
		all = append(all, alarmRow{number, key, severity[number], strings.ReplaceAll(raised[number], " ", "")})
	}
	return byNumber(all)
}

// activeAlarms is what a walk of alarmActiveTable shows: time and number are
// in the index, and the severity is in the pointer to the model; for the key
// it takes the first of the alarm's own variables.
func (e *estate) activeAlarms(t *testing.T) (all []alarmRow) {
	states := map[string]string{"2": "2", "3": "6", "4": "5", "5": "4", "6": "3"}
	keys := e.column(t, ".1.3.6.1.2.1.118.1.2.3.1.", 8)
	for index, pointer := range e.column(t, alarmActiveTable, 13) {
		ids := strings.Split(index, ".")
		var raised strings.Builder
		for _, octet := range ids[2:13] {
			n, _ := strconv.Atoi(octet)
			fmt.Fprintf(&raised, "%02X", n)
		}
		number := ids[13]
		all = append(all, alarmRow{number, keys["0."+number+".3"], states[pointer[strings.LastIndexByte(pointer, '.')+1:]], raised.String()})
	}
	return byNumber(all)
}

// agree waits until both tables equal the list of alarms.
func (e *estate) agree(t *testing.T) {
	t.Helper()
	var luna, active string
	deadline := time.Now().Add(testTimeout)
	for {
		before := e.list()
		luna, active = cmp.Diff(before, e.lunaAlarms(t)), cmp.Diff(before, e.activeAlarms(t))
		if luna == "" && active == "" && len(before) > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: a walk equals the list\nlunaAlarmTable\n%s\nalarmActiveTable\n%s", testTimeout, luna, active)
		}
	}
}

// TestLostTraps has a manager lose traps, find that out, and be right again
// after a walk.
func TestLostTraps(t *testing.T) {
	t.Parallel()
	e := startEstate(t, `
receivers:
- {name: noc, snmp: {address: $TRAPD, version: 2c, community_file: $DIR/community, form: [lunawatch, alarm-mib]}, heartbeat: 1s, only: {hsms: [luna72]}}
- {name: snmpd, agentx: {form: lunawatch}, only: {hsms: [luna54]}}
`)
	e.until(t, "coldStart and a heartbeat", func() bool {
		all := strings.Join(e.trapd.Lines(), "\n")
		return strings.Contains(all, "OID: .1.3.6.1.6.3.1.1.5.1\t"+lunawatchObjects+"3.1.0 = Gauge32: 1\t") && strings.Contains(all, "5862.0.5\t")
	})
	e.trapd.Stop()
	hole, err := net.ListenPacket("udp", e.trapd.Address) // takes traps and loses them
	check.Must(t, err)
	before := sequences(e.trapd, lunawatchObjects+"3.1.0 = Gauge32: ")
	e.inject(t, "luna72", "battery 2.70")
	e.inject(t, "luna72", "temperature 78")
	e.inject(t, "luna54", "fan-fail Fan1A")
	for device, group := range map[string]string{"luna72": "battery", "luna54": "appliance-fan"} {
		e.until(t, group+" is active", func() bool { return e.active(device, group) })
	}
	e.until(t, "temp-warn is active", func() bool { return e.active("luna72", "temp-warn") })
	e.agree(t)
	// A notification that is still queued would reach the next snmptrapd.
	check.Must(t, hole.SetReadDeadline(time.Now().Add(testTimeout)))
	var lost []byte
	missing := func(key string) bool { return !bytes.Contains(lost, []byte(key)) }
	for trap := make([]byte, 64<<10); slices.ContainsFunc([]string{"luna72/battery", "luna72/temp-warn", "luna54/appliance-fan"}, missing); {
		n, _, err := hole.ReadFrom(trap)
		check.Must(t, err)
		lost = append(lost, trap[:n]...)
	}

	hole.Close()
	modules, err := filepath.Abs("../mibs")
	check.Must(t, err)
	back, err := netsnmp.StartTrapd(t.Context(), t.TempDir(), netsnmp.TrapdConfig{Address: e.trapd.Address, MIBDirs: []string{modules, filepath.Join(modules, "base")}})
	peer(t, err)
	t.Cleanup(back.Stop)
	e.until(t, "the next heartbeat shows the gap", func() bool {
		// Only noc has heartbeats; what snmpd sends has numbers of its own.
		after := sequences(back, "lunaHeartbeat\tLUNAWATCH-MIB::lunaEventSequence.0 = Gauge32: ")
		return len(after) > 0 && after[0] > before[len(before)-1]+2
	})
	if made := e.column(t, lunawatchObjects+"4.1.", 2)["3.110.111.99"]; made == "" || made == "0" {
		t.Errorf("last sequence of noc: %q", made)
	}

	number := ""
	for _, a := range e.agent.watch.Active() {
		if a.Key.String() == "luna72/battery" {
			number = strconv.FormatUint(a.Number, 10)
		}
	}
	e.inject(t, "luna72", "battery 3.08")
	e.inject(t, "luna54", "fan-restore Fan1A")
	e.until(t, "battery has cleared", func() bool { return !e.active("luna72", "battery") })
	e.agree(t)
	e.until(t, "it is in alarmClearTable", func() bool {
		for index := range e.column(t, alarmClearTable, 10) {
			if strings.HasSuffix(index, "."+number) {
				return true
			}
		}
		return false
	})
	for _, want := range [][]string{
		{"OID: LUNAWATCH-MIB::lunaAlarmCleared", "lunaAlarmKey." + number + " = STRING: luna72/battery", "lunaAlarmSeverity." + number + " = INTEGER: cleared(1)", "lunaEventKind.0 = INTEGER: cleared(3)"},
		{"OID: ALARM-MIB::alarmClearState", "alarmActiveModelPointer"},
		{"OID: LUNAWATCH-MIB::lunaAlarmCleared", "lunaAlarmDevice", "STRING: luna54", "appliance-fan"}, // through snmpd
	} {
		e.until(t, fmt.Sprint(want), func() bool {
			return slices.ContainsFunc(back.Lines(), func(line string) bool {
				return !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(line, w) })
			})
		})
	}
	set, err := exec.Command("snmpset", "-v2c", "-c", "secret", "-M", "", "-m", "", e.snmpd.Address, "1.3.6.1.2.1.118.1.3.1.0", "u", "5").CombinedOutput()
	if err == nil || !strings.Contains(string(set), "notWritable") {
		t.Errorf("snmpset of alarmClearMaximum: %s", set)
	}
}

// sequences are the sequence numbers that a manager has seen.
func sequences(d *netsnmp.Trapd, name string) (all []int) {
	for _, line := range d.Lines() {
		if _, tail, ok := strings.Cut(line, name); ok {
			number, _, _ := strings.Cut(tail, "\t")
			n, err := strconv.Atoi(number)
			if err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}
