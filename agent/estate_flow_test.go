package agent

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// TestOneTruth reads the same HSMs through every door. Meanwhile the
// appliances are stopped, so that their counters are.
func TestOneTruth(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	var differ string
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(differ)
		}
	})
	e.until(t, "snmpwalk and snmpbulkwalk and lunawatch walk agree", func() bool {
		check.Must(t, e.sim.Signal(syscall.SIGSTOP))
		defer e.sim.Signal(syscall.SIGCONT) // not for long, or the values are stale
		list, err := e.client.Walk(t.Context())
		check.Must(t, err)
		var direct strings.Builder
		for _, i := range list {
			if strings.HasPrefix(i.OID, subtreeHSM) {
				direct.WriteString("." + i.OID + " = " + i.Value + "\n")
			}
		}
		walk, bulk := e.snmp(t, "snmpwalk", "-On", subtreeHSM), e.snmp(t, "snmpbulkwalk", "-On", "-Cr50", subtreeHSM)
		differ = fmt.Sprintf("%d objects\nsnmpbulkwalk\n%s\nlunawatch walk\n%s", len(list), cmp.Diff(walk, bulk), cmp.Diff(walk, direct.String()))
		return len(list) > 400 && walk == bulk && walk == direct.String()
	})
	body := get(t, "http://"+e.web+"/metrics")
	for _, want := range []string{`luna_hsm_info{device="luna72"`, `luna_agentx_connected 1`, `luna_partition_objects{`} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// TestTraps has one alarm of the log and one of a poll arrive at snmptrapd by
// every way.
func TestTraps(t *testing.T) {
	t.Parallel()
	e := startEstate(t, `
receivers:
- {name: snmpd, agentx: {}}
- {name: inform2, snmp: {address: $TRAPD, version: 2c, inform: true, community_file: $DIR/community}}
- {name: inform3, snmp: {address: $TRAPD, version: "3", inform: true, user: noc, auth_password_file: $DIR/auth, priv_password_file: $DIR/priv}}
`)
	e.inject(t, "luna72", "log 2026 Nov 21 02:00:00 luna72  kern info  kernel: k7pf0: [HSM] ALM2012: HSM in secure transport mode")
	arrived := func(reference string, n int) bool {
		count := 0
		for _, line := range e.trapd.Lines() {
			if strings.Contains(line, ".1.3.6.1.4.1.23629.1.5.2.2.7") && strings.Contains(line, reference) {
				count++
			}
		}
		return count >= n
	}
	e.until(t, "three traps of ALM2012", func() bool { return arrived("/ messages /", 3) && arrived("/ kernel / 1]", 3) })
	e.until(t, "it has cleared, as the next poll shows", func() bool { return arrived("/ stm / 0]", 3) })
	if e.active("luna72", "stm") {
		t.Error("the alarm is still active")
	}
}

// TestStory plays faults of HSMs and of the way to them; each must raise
// an alarm, which clears with it.
func TestStory(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "alarms: {unreachable_after: 1, silent_after: 1}\n")
	type fault struct{ hsm, fault, group, mend string }
	for _, chapter := range [][]fault{{
		{"luna72", "temperature 78", "temp-warn", "temperature 38"},
		{"luna72", "battery 2.70", "battery", "battery 3.08"},
		{"luna72", "stm on", "stm", "stm off"},
		{"luna62", "so-login-fail 1", "so-login-attempts", "so-login"},
		{"luna62", "ntls down", "ntls", "ntls up"},
		{"luna54", "certificate 5", "ntls-certificate", "certificate 900"},
		{"luna54", "fan-fail Fan1A", "appliance-fan", "fan-restore Fan1A"},
		{"luna54", "disk-full 85", "log-disk", "disk-full 5"},
	}, {
		{"luna54", "gone", "unreachable", "heal"},
		{"luna62", "wrong-password", "unreachable", "heal"},
		{"luna72", "host-key", "unreachable", "heal"},
	}} {
		for _, f := range chapter {
			e.inject(t, f.hsm, f.fault)
		}
		for _, f := range chapter {
			e.until(t, f.hsm+" "+f.group+" is active", func() bool { return e.active(f.hsm, f.group) })
		}
		for _, f := range chapter {
			e.inject(t, f.hsm, f.mend)
		}
		check.Must(t, os.Chtimes(e.ready.PasswordFile, time.Time{}, time.Now())) // a refused password is tried again
		for _, f := range chapter {
			e.until(t, f.hsm+" "+f.group+" has cleared", func() bool { return !e.active(f.hsm, f.group) })
		}
	}
	secret, err := os.ReadFile(e.ready.PasswordFile)
	check.Must(t, err)
	if strings.Contains(e.log.String(), strings.TrimSpace(string(secret))) {
		t.Error("the log holds the password")
	}
}

// TestForwardedLog has an ALM line arrive over the network.
func TestForwardedLog(t *testing.T) {
	t.Parallel()
	address, err := netsnmp.FreeAddress()
	check.Must(t, err)
	e := startEstate(t, "syslog: {udp: \""+address+"\"}\n")
	c, err := net.Dial("udp", address)
	check.Must(t, err)
	defer c.Close()
	_, err = c.Write([]byte("<6>Mar  1 12:00:00 luna72 kernel: k7pf0: [HSM] ALM2024: Stored data integrity verify error"))
	check.Must(t, err)
	e.until(t, "the line's alarm is active", func() bool { return e.active("luna72", "integrity") })
	if err := e.client.ClearAlarm(t.Context(), "luna72/nothing", "kim", "?"); err == nil || !strings.Contains(err.Error(), "no active alarm") {
		t.Errorf("clear of nothing: %v", err)
	}
	check.Must(t, e.client.ClearAlarm(t.Context(), "luna72/integrity", "kim", "restored from backup"))
	if e.active("luna72", "integrity") {
		t.Error("it is active after it was cleared by hand")
	}
	if e.active("luna54", "integrity") || e.active("luna62", "integrity") {
		t.Error("the line is of another HSM too")
	}
}

// get returns what is served at a URL.
func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	check.Must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	check.Must(t, err)
	return string(body)
}

// TestMeasuringBesidePolls measures the utilization of an HSM for as long as one may,
// twice at once: its polls go on, and a third has to wait.
func TestMeasuringBesidePolls(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	serial := e.agent.store.Latest().HSMs()[0].Serial()
	polled := func() time.Time { return e.agent.store.Latest().HSMs()[0].Sources["hsm show"].Success }
	var measured atomic.Int32
	for range maxMeasuring {
		go func() {
			for done := false; !done && t.Context().Err() == nil; { // it may find the place taken by the look below
				for m, err := range e.client.Monitor(t.Context(), serial, 999*time.Second, 1) { // of monitorSecond
					done = err == nil && len(m.Samples) == 1
				}
			}
			measured.Add(1)
		}()
	}
	busy := e.agent.site.Load().measuring[e.agent.store.Latest().HSMs()[0].Name]
	e.until(t, "both measure", func() bool {
		free := busy.TryAcquire(1)
		if free {
			busy.Release(1)
		}
		return !free
	})
	for _, err := range e.client.Monitor(t.Context(), serial, 5*time.Second, 1) {
		if err == nil || !strings.Contains(err.Error(), "2 others measure") {
			t.Errorf("a third: %v", err)
		}
	}
	for range 3 {
		last := polled()
		e.until(t, "it is polled", func() bool { return polled().After(last) })
	}
	if measured.Load() > 0 {
		t.Error("the measuring ended before the polls")
	}
	e.until(t, "both have measured", func() bool { return measured.Load() == maxMeasuring })
}
