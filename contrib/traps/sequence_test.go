package traps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal/journaltest"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/snmppeer"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

const sequenceScript = "../heartbeat/lunawatch-sequence"

// A watcher is the script with a state of its own.
type watcher struct {
	t    *testing.T
	file string
}

// needsPerl skips a test without Perl; in CI it fails.
func needsPerl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("perl"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("Perl is required in CI: apt-get install perl")
	}
	t.Skip("NOT TESTED: apt-get install perl")
}

func newWatcher(t *testing.T) watcher {
	t.Helper()
	needsPerl(t)
	return watcher{t, filepath.Join(t.TempDir(), "state")}
}

// run returns the exit code, and what the script says.
func (w watcher) run(input string, args ...string) (code int, out, said string) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), sequenceScript, append([]string{"-state", w.file}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// The kinds of notification, as snmptrapd prints their OIDs with -On.
const (
	oidRaised    = ".1.3.6.1.4.1.8072.9999.9999.5862.0.1"
	oidHeartbeat = ".1.3.6.1.4.1.8072.9999.9999.5862.0.5"
	oidStarted   = ".1.3.6.1.6.3.1.1.5.1"
)

// input is what snmptrapd hands over: sequence n, made at a second of an hour.
func input(sender, oid string, n, second int) string {
	return fmt.Sprintf("manager\nUDP: [%s]:40000->[192.0.2.1]:162\n.1.3.6.1.2.1.1.3.0 0:0:01:00.00\n.1.3.6.1.6.3.1.1.4.1.0 %s\n"+
		".1.3.6.1.4.1.8072.9999.9999.5862.1.3.1.0 %d\n.1.3.6.1.4.1.8072.9999.9999.5862.1.3.2.0 \"07 EA 03 01 0C %02X %02X 00 2B 00 00 \"\n", sender, oid, n, second/60, second%60)
}

// named and playpen are what snmptrapd prints without -On: with our module, and with
// those that come with net-snmp.
var (
	named = strings.NewReplacer(".1.3.6.1.4.1.8072.9999.9999.5862.1.3.1.0", "LUNAWATCH-MIB::lunaEventSequence.0", oidHeartbeat, "LUNAWATCH-MIB::lunaHeartbeat",
		".1.3.6.1.6.3.1.1.4.1.0", "SNMPv2-MIB::snmpTrapOID.0")
	playpen = strings.NewReplacer(".1.3.6.1.4.1.8072.9999.9999.", "NET-SNMP-MIB::netSnmpPlaypen.", ".1.3.6.1.6.3.1.1.4.1.0", "SNMPv2-MIB::snmpTrapOID.0")
)

var ages = regexp.MustCompile(`'=\d+s;`)

// TestSequence tells stories of what arrives, and what the plugin then says.
func TestSequence(t *testing.T) {
	const a, b = "192.0.2.7", "2001:db8::7"
	beat := func(n int) string { return input(a, oidHeartbeat, n, n) }
	for _, x := range []struct {
		name   string
		inputs []string
		code   int
		says   string
	}{
		{"first ever", []string{beat(41)}, 0, "OK - all notifications arrived, 192.0.2.7 at 41 | '192.0.2.7 heartbeat'=0s;;900;0 '192.0.2.7 missing'=0;0\n"},
		{"in order", []string{beat(41), input(a, oidRaised, 42, 50), beat(43)}, 0, "at 43"},
		{"a gap", []string{beat(41), beat(45)}, 1, "WARNING - 192.0.2.7: did not arrive: 42 to 44 | '192.0.2.7 heartbeat'=0s;;900;0 '192.0.2.7 missing'=3;0\n"},
		{"two gaps", []string{beat(41), beat(43), beat(46)}, 1, "did not arrive: 42, 44 to 45 |"},
		{"a retry", []string{beat(41), beat(42), beat(42), beat(41)}, 0, "at 42"},
		{"out of order", []string{beat(41), beat(44), beat(43), beat(42), beat(45)}, 0, "at 45"},
		{"one of a gap comes late", []string{beat(41), beat(45), beat(43)}, 1, "did not arrive: 42, 44 |"},
		{"a restart of the agent", []string{beat(41), input(a, oidStarted, 42, 60), beat(43)}, 0, "at 43"},
		{"a restart lost one", []string{beat(41), input(a, oidStarted, 43, 60)}, 1, "did not arrive: 42 |"},
		{"another journal", []string{beat(41), input(a, oidStarted, 1, 60), input(a, oidHeartbeat, 2, 61)}, 1, "192.0.2.7: numbers began again"},
		{"two agents", []string{beat(41), input(b, oidHeartbeat, 7, 1), beat(42), input(b, oidHeartbeat, 9, 2)}, 1, "WARNING - 2001:db8::7: did not arrive: 8 |"},
		{"no heartbeat yet", []string{input(a, oidRaised, 1, 1)}, 3, "UNKNOWN - 192.0.2.7: no heartbeat yet |"},
		{"nothing", nil, 3, "UNKNOWN - no notification ever arrived\n"},
		{"names", []string{named.Replace(beat(5))}, 0, "at 5"},
		{"names of net-snmp's modules only", []string{playpen.Replace(beat(5))}, 0, "at 5"},
	} {
		w := newWatcher(t)
		for _, in := range x.inputs {
			if code, _, stderr := w.run(in, "note"); code != 0 {
				t.Errorf("%s: note ends with %d: %s", x.name, code, stderr)
			}
		}
		code, out, stderr := w.run("", "check")
		out = ages.ReplaceAllString(out, "'=0s;") // a slow machine takes seconds
		if code != x.code || !strings.Contains(out, x.says) || stderr != "" {
			t.Errorf("%s: %d, %q, %q; want %d, %q", x.name, code, out, stderr, x.code, x.says)
		}
	}
}

// TestSequenceOfCluster: agents of a cluster number together, whichever of them sends.
func TestSequenceOfCluster(t *testing.T) {
	w := newWatcher(t)
	for n, sender := range []string{"192.0.2.7", "192.0.2.8", "192.0.2.7"} {
		w.run(input(sender, oidHeartbeat, n+1, n), "note", "-as", "lunawatch")
	}
	if code, out, _ := w.run("", "check"); code != 0 || !strings.Contains(out, "lunawatch at 3 ") {
		t.Errorf("%d, %s", code, out)
	}
}

// TestSequenceSeen: a gap stays until somebody has read the alarms, and the heartbeat
// is critical when it is too old.
func TestSequenceSeen(t *testing.T) {
	w := newWatcher(t)
	w.run(input("192.0.2.7", oidHeartbeat, 1, 1), "note")
	_, _, stderr := w.run(input("192.0.2.7", oidHeartbeat, 3, 3), "note")
	if !strings.Contains(stderr, "192.0.2.7: lunaEventSequence 2 to 2 did not arrive: read lunaAlarmTable") {
		t.Errorf("note says %q", stderr)
	}
	for range 2 {
		if code, _, _ := w.run("", "check"); code != 1 {
			t.Errorf("check of a gap ends with %d", code)
		}
	}
	w.run("", "seen")
	if code, out, _ := w.run("", "check"); code != 0 {
		t.Errorf("after it was seen: %d, %s", code, out)
	}
	old := fmt.Sprintf("lunawatch-sequence 1\n192.0.2.7\t3\t1\t%d\t0\t0\t2-2\nend\n", time.Now().Add(-time.Hour).Unix())
	check.Must(t, os.WriteFile(w.file, []byte(old), 0o600))
	if code, out, _ := w.run("", "check"); code != 2 || !regexp.MustCompile(`CRITICAL - 192\.0\.2\.7: no heartbeat for 36\d\d s; 192\.0\.2\.7: did not arrive: 2 \| '192\.0\.2\.7 heartbeat'=36\d\ds;;900;0`).MatchString(out) {
		t.Errorf("overdue: %d, %s", code, out)
	}
	if code, out, _ := w.run("", "check", "-max", "86400"); code != 1 {
		t.Errorf("in time, with a gap: %d, %s", code, out)
	}
}

// TestSequenceHostile: what is no notification changes nothing, and nothing that it says
// is run, is a path, or ends up in the state.
func TestSequenceHostile(t *testing.T) {
	w := newWatcher(t)
	w.run(input("192.0.2.7", oidHeartbeat, 1, 1), "note")
	before, err := os.ReadFile(w.file)
	check.Must(t, err)
	mark := filepath.Join(t.TempDir(), "run")
	good := input("192.0.2.7", oidHeartbeat, 2, 2)
	for name, in := range map[string]string{
		"empty": "", "one line": "x", "binary": string([]byte{0, 1, 2, 255, 254, 10, 10, 0}), "long": strings.Repeat("x", 3<<20),
		"no number":     strings.Replace(good, "1.3.1.0 2", "1.3.1.0 $(touch "+mark+")", 1),
		"too large":     strings.Replace(good, "1.3.1.0 2", "1.3.1.0 99999999999", 1),
		"above 32 bits": strings.Replace(good, "1.3.1.0 2", "1.3.1.0 4294967296", 1),
		"negative":      strings.Replace(good, "1.3.1.0 2", "1.3.1.0 -5", 1),
		"a path":        strings.Replace(good, "[192.0.2.7]", "[../../../../"+mark+"]", 1),
		"a command":     strings.Replace(good, "[192.0.2.7]", "[`touch "+mark+"`]", 1),
		"vendor":        "h\nUDP: [192.0.2.7]:1->[192.0.2.1]:162\n.1.3.6.1.6.3.1.1.4.1.0 .1.3.6.1.4.1.23629.1.5.2.2.7\n.1.3.6.1.4.1.23629.1.5.2.2.1 \"[x / 1]\"\n",
	} {
		if code, _, stderr := w.run(in, "note"); code != 1 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: %d, %q", name, code, stderr)
		}
		after, err := os.ReadFile(w.file)
		check.Must(t, err)
		if !bytes.Equal(before, after) {
			t.Errorf("%s: the state is %q", name, after)
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("something of a notification was run")
	}
	if code, _, _ := w.run(good+".1.3.6.1.4.1.8072.9999.9999.5862.1.2.1.14.7 \"x\n.1.3.6.1.4.1.8072.9999.9999.5862.1.3.1.0 9\"\n", "note"); code != 0 {
		t.Errorf("a text that holds another number: %d", code)
	}
	if code, out, _ := w.run("", "check"); code != 0 || !strings.Contains(out, "192.0.2.7 at 2 ") {
		t.Errorf("the first number counts: %d, %s", code, out)
	}
}

// TestSequenceDamaged: a state that cannot be read is kept aside, and not taken for good.
func TestSequenceDamaged(t *testing.T) {
	w := newWatcher(t)
	for _, text := range []string{"", "garbage\n", "lunawatch-sequence 1\n192.0.2.7\tx\nend\n", "lunawatch-sequence 1\n192.0.2.7\t3\t1\t1\t0\t0\t\n"} {
		check.Must(t, os.WriteFile(w.file, []byte(text), 0o600))
		if code, _, _ := w.run("", "check"); code != 3 {
			t.Errorf("%q: check ends with %d", text, code)
		}
		if code, _, stderr := w.run(input("192.0.2.7", oidHeartbeat, 5, 5), "note"); code != 0 || !strings.Contains(stderr, "was damaged") {
			t.Errorf("%q: note ends with %d: %s", text, code, stderr)
		}
		if code, out, _ := w.run("", "check"); code != 1 || !strings.Contains(out, "the file of the state was damaged") {
			t.Errorf("%q: then %d, %s", text, code, out)
		}
	}
}

// TestSequenceTooMany: senders without end do not fill the disk, and are not taken for good.
func TestSequenceTooMany(t *testing.T) {
	w := newWatcher(t)
	var b strings.Builder
	b.WriteString("lunawatch-sequence 1\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "10.0.%d.%d\t1\t1\t%d\t0\t0\t\n", i/256, i%256, time.Now().Unix())
	}
	check.Must(t, os.WriteFile(w.file, []byte(b.String()+"end\n"), 0o600))
	if code, _, stderr := w.run(input("192.0.2.7", oidHeartbeat, 1, 1), "note"); code != 1 || !strings.Contains(stderr, "more than 1000 senders") {
		t.Errorf("%d: %s", code, stderr)
	}
	if code, out, _ := w.run("", "check"); code != 3 || !strings.Contains(out, "more than 1000 senders") {
		t.Errorf("%d: %.200s", code, out)
	}
}

// TestSequenceAtOnce: handlers that run at the same time lose nothing of each other.
func TestSequenceAtOnce(t *testing.T) {
	w := newWatcher(t)
	const n = 40
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { w.run(input("192.0.2.7", oidHeartbeat, i+1, 1), "note") })
	}
	all.Wait()
	w.run(input("192.0.2.7", oidHeartbeat, n+1, 2), "note")
	if code, out, _ := w.run("", "check"); code != 0 || !strings.Contains(out, fmt.Sprintf(" at %d ", n+1)) {
		t.Errorf("%d: %s", code, out)
	}
}

// TestSequenceUsage: a wrong command line is unknown, not good.
func TestSequenceUsage(t *testing.T) {
	w := newWatcher(t)
	for _, args := range [][]string{{}, {"status"}, {"check", "-max", "1h"}, {"check", "note"}, {"note", "-as", "../x y"}, {"-state"}} {
		if code, _, stderr := w.run("", args...); code != 3 || !strings.Contains(stderr, "usage:") {
			t.Errorf("%q: %d, %s", args, code, stderr)
		}
	}
}

// TestSequenceUnderSnmptrapd has a real snmptrapd run the script, as README.md says, for
// what our own code sends.
func TestSequenceUnderSnmptrapd(t *testing.T) {
	for name, modules := range map[string][]string{"without modules": nil, "with modules": {"../../mibs", "../../mibs/base"}} {
		w := newWatcher(t)
		script, err := filepath.Abs(sequenceScript)
		check.Must(t, err)
		dir := t.TempDir()
		lines := []string{"authCommunity log,execute public"}
		for line := range strings.Lines(section(t, "trap handlers of the watcher")) {
			lines = append(lines, strings.Replace(strings.TrimSpace(line), "/usr/local/lib/lunawatch/lunawatch-sequence", script+" -state "+w.file, 1))
		}
		trapd, err := netsnmp.StartTrapd(t.Context(), dir, netsnmp.TrapdConfig{Community: "nobody", MIBDirs: modules, Lines: lines})
		alarmstest.Peer(t, err)
		t.Cleanup(trapd.Stop)
		check.Must(t, os.WriteFile(filepath.Join(dir, "community"), []byte("public\n"), 0o600))
		n, err := snmp.New(snmp.Target{Peer: snmppeer.Peer{Address: trapd.Address, Version: "2c", CommunityFile: setting.File(filepath.Join(dir, "community"))},
			Form: snmp.Forms{snmp.FormVendor, snmp.FormLunawatch}}, journaltest.Open(t, t.TempDir()))
		check.Must(t, err)
		send := func(kind alarms.Kind, sequence uint64) {
			note := alarmstest.Complete(kind)
			note.Sequence, note.At = sequence, note.At.Add(time.Duration(sequence)*time.Second)
			check.Must(t, n.Notify(t.Context(), note))
		}
		said := func(code int, text string) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			for {
				got, out, _ := w.run("", "check")
				if got == code && strings.Contains(out, text) {
					return
				}
				if ctx.Err() != nil {
					log, _ := os.ReadFile(trapd.LogPath)
					t.Fatalf("%s: %d, %s; want %d, %s\n%s", name, got, out, code, text, log)
				}
			}
		}
		send(alarms.Started, 1)
		send(alarms.Raised, 2)
		send(alarms.Heartbeat, 3)
		said(0, "127.0.0.1 at 3 ")
		send(alarms.Heartbeat, 3)
		send(alarms.Cleared, 6)
		said(1, "127.0.0.1: did not arrive: 4 to 5 |")
	}
}

// section returns the indented block of contrib/README.md behind a mark.
func section(t *testing.T, mark string) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	check.Must(t, err)
	_, rest, found := strings.Cut(string(text), "<!-- tried: "+mark+" -->\n")
	if !found {
		t.Fatalf("contrib/README.md has no block %q", mark)
	}
	var block strings.Builder
	for line := range strings.Lines(rest) {
		code, indented := strings.CutPrefix(line, "    ")
		if !indented && strings.TrimSpace(line) != "" {
			break
		}
		if indented {
			block.WriteString(code)
		}
	}
	return block.String()
}
