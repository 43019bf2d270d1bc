package ha

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/simulator"
)

func TestMain(m *testing.M) { collectortest.Main(m) }

const groupNumber, memberOne, memberTwo = "1200000001", "200000001", "200000002"

func config(retries string) hsm.ClientConfig {
	c, _, err := ParseClientConfig("VirtualToken = {\n VirtualToken00Label = pay;\n VirtualToken00SN = " + groupNumber + ";\n VirtualToken00Members = " + memberOne + ", " + memberTwo +
		";\n}\nHAConfiguration = {\n reconnAtt = " + retries + ";\n haLogPath = /var/log/ha;\n}\n")
	if err != nil {
		panic(err)
	}
	return c
}

// at returns the time of a second of the test.
func at(second int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(second) * time.Second)
}

// TestHAState combines lines of the log with answers of LunaCM. Process 7 runs; 8
// does not.
func TestHAState(t *testing.T) {
	for _, x := range []struct {
		name  string
		lines []string // second, process and message
		asked int      // second of the answer of LunaCM; 0: none
		sees  string   // statuses of the members in it
		now   int
		want  string // state, attempt and processes of the first member; the second; the group
	}{
		{"nothing known", nil, 0, "", 10, "unknown [], unknown; redundancy ?"},
		{"LunaCM only", nil, 5, "alive alive", 10, "alive [], alive; redundancy 1"},
		{"LunaCM sees one down", nil, 5, "down alive", 10, "down [], alive; redundancy 0"},
		{"LunaCM sees none", nil, 5, "down down", 10, "down [], down; redundancy 0 offline"},
		{"LunaCM has a new word", nil, 5, "dozing alive", 10, "unknown [], alive; redundancy ?"},
		{"LunaCM has a new word of one that was lost", []string{"7 7 has dropped member: " + memberOne}, 9, "dozing alive", 10, "down [7], alive; redundancy 0"},
		{"an old client's standby", nil, 5, "alive standby", 10, "alive [], alive; redundancy 1"},
		{"lost since", []string{"7 7 has dropped member: " + memberOne}, 5, "alive alive", 10, "down [7], alive; redundancy 0"},
		{"lost, by the log alone", []string{"7 8 has dropped member: " + memberOne}, 0, "", 10, "down [], unknown; redundancy ?"},
		{"seen back by LunaCM", []string{"3 7 has dropped member: " + memberOne}, 5, "alive alive", 10, "alive [7], alive; redundancy 1"},
		{"an attempt", []string{"3 7 has dropped member: " + memberOne, "6 7 recovery attempt #2 failed for member: " + memberOne + ". Code: 0x30 : CKR_DEVICE_ERROR."}, 5, "down alive", 10, "recovering 2 [7] CKR_DEVICE_ERROR, alive; redundancy 0"},
		{"attempts go on, though LunaCM reaches it", []string{"3 7 recovery attempt #2 failed for member: " + memberOne + ". Code: 0x30 : CKR_DEVICE_ERROR."}, 5, "alive alive", 10, "recovering 2 [7] CKR_DEVICE_ERROR, alive; redundancy 0"},
		{"attempts have ended unseen", []string{"3 7 recovery attempt #2 failed for member: " + memberOne + ". Code: 0x30 : CKR_DEVICE_ERROR."}, 300, "alive alive", 310, "alive [7], alive; redundancy 1"},
		{"given up", []string{"3 7 recovery attempt #3 failed for member: " + memberOne + ". Code: 0x30 : CKR_DEVICE_ERROR.", "4 7 exceeded maximum number of autorecovery attempts for member: " + memberOne + ". Autorecovery will be disabled"}, 5, "down alive", 10, "exhausted 3 [7] CKR_DEVICE_ERROR, alive; redundancy 0"},
		{"given up by a process that runs, though it is back", []string{"4 7 exceeded maximum number of autorecovery attempts for member: " + memberOne}, 500, "alive alive", 600, "exhausted [7], alive; redundancy 0"},
		{"given up by a process that is gone, and back", []string{"4 8 exceeded maximum number of autorecovery attempts for member: " + memberOne}, 5, "alive alive", 10, "alive [], alive; redundancy 1"},
		{"given up by a process that is gone, and down", []string{"4 8 exceeded maximum number of autorecovery attempts for member: " + memberOne}, 5, "down alive", 10, "down [], alive; redundancy 0"},
		{"given up by a process that has ended", []string{"4 7 exceeded maximum number of autorecovery attempts for member: " + memberOne, "5 7 management thread terminated"}, 6, "alive alive", 10, "alive [], alive; redundancy 1"},
		{"a number used again", []string{"4 7 exceeded maximum number of autorecovery attempts for member: " + memberOne, "5 7 management thread started"}, 6, "alive alive", 10, "alive [], alive; redundancy 1"},
		{"no login", []string{"6 7 can not login to member: " + memberOne + ", autorecovery will be disabled. Code: a0 : CKR_PIN_INCORRECT"}, 5, "alive alive", 10, "exhausted [7] CKR_PIN_INCORRECT, alive; redundancy 0"},
		{"deactivated", []string{"6 7 member: " + memberOne + " deactivated", "7 7 recovery attempt " + memberOne + " is not activated and cannot be reintroduced back into the HA group"}, 5, "alive alive", 10, "deactivated [7], alive; redundancy 0"},
		{"excluded stays excluded", []string{"6 7 member " + memberOne + " is not activated and is excluded from the HA group", "7 7 recovery attempt " + memberOne + " is not activated and cannot be reintroduced back into the HA group"}, 5, "alive alive", 10, "excluded [7], alive; redundancy 0"},
		{"activated again", []string{"6 7 member: " + memberOne + " deactivated", "7 7 recovery attempt #5 member " + memberOne + " is now activated and will be reintroduce back into the HA group."}, 5, "alive alive", 10, "recovering 5 [7], alive; redundancy 0"},
		{"recovered", []string{"6 7 has dropped member: " + memberOne, "8 7 recovery attempt #1 succeeded for member: " + memberOne}, 7, "down alive", 10, "alive [], alive; redundancy 1"},
		{"recovered by one, lost by another", []string{"6 7 has dropped member: " + memberOne, "8 8 recovery attempt #1 succeeded for member: " + memberOne}, 5, "alive alive", 10, "down [7], alive; redundancy 0"},
		{"revoked", []string{"6 7 member: " + memberOne + " revoked"}, 5, "alive alive", 10, "revoked [7], alive; redundancy 0"},
		{"all gone", []string{"6 7 has dropped member: " + memberOne, "6 7 all members gone offline."}, 0, "", 10, "down [7], unknown; redundancy ? offline"},
		{"all were gone", []string{"6 8 all members gone offline."}, 8, "alive alive", 10, "alive [], alive; redundancy 1"},
	} {
		log := new(logState)
		for _, l := range x.lines {
			var second int
			var pid int64
			_, err := fmt.Sscan(l, &second, &pid)
			if err != nil {
				t.Fatal(err)
			}
			_, message, _ := strings.Cut(l, " ")
			_, message, _ = strings.Cut(message, " ")
			log.add(ParseLine(fmt.Sprintf("%s : [%d] HA group: %s %s", at(second).Format("Mon Jan _2 15:04:05 2006"), pid, groupNumber, message)), time.UTC)
		}
		s := sources{config: config("3"), log: log, running: func(pid int64, _ time.Time) bool { return pid == 7 }}
		if words := strings.Fields(x.sees); len(words) > 0 {
			s.asked = at(x.asked)
			s.polled = &hsm.HAGroups{Groups: []hsm.HAGroup{{Serial: groupNumber, Members: []hsm.HAMember{
				{Serial: memberOne, Status: hsm.HAMemberStatus(words[0])}, {Serial: memberTwo, Status: hsm.HAMemberStatus(words[1]), Standby: hsm.Opt[bool]{Value: words[1] == "standby", Known: true}},
			}}}}
		}
		g := s.state(at(x.now)).Groups[0]
		one := string(g.Members[0].State)
		if a := g.Members[0].Attempt; a.Known {
			one += fmt.Sprint(" ", a.Value)
		}
		got := strings.TrimSpace(fmt.Sprintf("%s %v %s", one, g.Members[0].LostBy, g.Members[0].Code)) + ", " + string(g.Members[1].State) + "; redundancy "
		if g.Redundancy.Known {
			got += fmt.Sprint(g.Redundancy.Value)
		} else {
			got += "?"
		}
		if g.Offline {
			got += " offline"
		}
		if got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
}

// TestHASince checks that the time when a member was lost stays, whichever source
// reports it.
func TestHASince(t *testing.T) {
	log, s := new(logState), sources{config: config("0"), running: func(int64, time.Time) bool { return false }}
	s.log = log
	log.add(ParseLine(at(3).Format("Mon Jan _2 15:04:05 2006")+" : [7] HA group: "+groupNumber+" has dropped member: "+memberOne), time.UTC)
	s.before = s.state(at(4))
	s.polled, s.asked = &hsm.HAGroups{Groups: []hsm.HAGroup{{Serial: groupNumber, Members: []hsm.HAMember{{Serial: memberOne, Status: hsm.HADown}, {Serial: memberTwo, Status: hsm.HAAlive}}}}}, at(60)
	s.before = s.state(at(61))
	g := s.before.Groups[0]
	if !g.Members[0].Since.Equal(at(3)) || !g.RecoveryDisabled {
		t.Errorf("%+v", g)
	}
	s.polled.Groups[0].Members[0].Status, s.asked = hsm.HAAlive, at(90)
	if g := s.state(at(91)).Groups[0]; !g.Members[0].Since.Equal(at(90)) || g.RecoveryDisabled {
		t.Errorf("back: %+v", g)
	}
}

const scenario = `
appliances:
  - {name: luna1, model: "7.2"}
  - {name: luna2, model: "7.2"}
ha:
  - {label: pay, members: [luna1/payments, luna2/payments], attempts: 3}
  - {label: sign, members: [luna1/timestamp], attempts: 3}
`

// TestNoPasswordIsTried checks that none is given at the prompts of hagroup
// listgroups.
func TestNoPasswordIsTried(t *testing.T) {
	t.Parallel()
	e := collectortest.StartEstate(t, collectortest.WriteNew(t, "ha.yaml", scenario, 0o644))
	l := &lunacm.Program{Path: e.LunaCM(t)}
	answers, err := l.Ask(t.Context(), "hagroup listgroups")
	if err != nil {
		t.Fatal(err)
	}
	groups, unread, err := readGroups(listGroups, answers[0])
	if err != nil || len(unread) > 0 || len(groups.Groups) != 2 || len(groups.Groups[0].Members) != 2 || groups.Groups[0].Members[1].Status != hsm.HAAlive {
		t.Errorf("%+v, %q, %v", groups, unread, err)
	}
	attemptsLeft := func() string {
		answers, err := l.Ask(t.Context(), "slot set -slot 1", "role show -name co")
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(answers[1], "before lockout:")
		return strings.Fields(text)[0]
	}
	if n := attemptsLeft(); n != "10" {
		t.Errorf("%s login attempts left", n)
	}
	guess := strings.NewReader("hagroup listgroups\nsecret\n\nexit\n")
	if err := simulator.LunaCMOf(filepath.Dir(e.ControlSocket)).Run(t.Context(), guess, new(strings.Builder)); err != nil || attemptsLeft() != "9" {
		t.Errorf("a password that was tried is not noticed: %v, %s login attempts left", err, attemptsLeft())
	}
}

// TestHAConfigChanges checks that changes of the configuration are noticed without a
// restart, and that the log which it names then is read.
func TestHAConfigChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	conf := func(members, logs string) string {
		return "VirtualToken = {\n VirtualToken00Label = pay;\n VirtualToken00SN = " + groupNumber + ";\n VirtualToken00Members = " + members + ";\n}\nHAConfiguration = {\n haLogPath = " + dir + "/" + logs + ";\n}\n"
	}
	for _, sub := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	line := func(text string) string {
		return time.Now().Format("Mon Jan _2 15:04:05 2006") + " : [4000000] HA group: " + groupNumber + " " + text + "\n"
	}
	write("conf", conf(memberOne, "a"))
	write("a/haErrorLog.txt", line("has dropped member: "+memberOne)+"what is this\n")
	write("b/haErrorLog.txt", line("recovery attempt #1 succeeded for member: "+memberTwo))
	h := &Collector{Device: "host", Config: filepath.Join(dir, "conf"), Interval: time.Hour, Log: slog.New(slog.DiscardHandler), check: 20 * time.Millisecond}
	steps := []struct {
		want string
		then func()
	}{
		{"200000001 down, 1 unknown", func() { write("conf", conf(memberOne+", "+memberTwo, "b")) }},
		{"200000001 unknown, 200000002 alive, 0 unknown", func() { os.Remove(filepath.Join(dir, "conf")) }},
		{"client configuration: open", func() {}},
	}
	collectortest.WatchCollector(t, h, func(s *hsm.Snapshot) bool {
		d := collectortest.DeviceOf(s, "host")
		got := d.Sources[source].Error
		if got == "" && len(d.HA.Value.Groups) == 1 {
			for _, m := range d.HA.Value.Groups[0].Members {
				got += m.Serial + " " + string(m.State) + ", "
			}
			got += fmt.Sprintf("%d unknown", d.HA.Value.UnknownLines)
		}
		if strings.HasPrefix(got, steps[0].want) {
			steps[0].then()
			steps = steps[1:]
		}
		return len(steps) == 0
	})
}

// TestClientCertificates reads every certificate in the files that the
// configuration names; one of them is missing.
func TestClientCertificates(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	one := func(name string, days int) string {
		template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: at(0).AddDate(0, 0, days)}
		der, err := x509.CreateCertificate(nil, &template, &template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	w := &watcher{Collector: new(Collector)}
	w.config.ServerCA = collectortest.WriteNew(t, "CAFile.pem", "# appliances\n"+one("luna1", 10)+one("luna2", 20)+"-----BEGIN", 0o644)
	w.config.ClientCert = "/nonexistent"
	var got []string
	for _, c := range w.certificates(w.config) {
		got = append(got, fmt.Sprintf("%s %s %d", c.Role, c.Subject, int(c.NotAfter.Sub(at(0)).Hours()/24)))
	}
	if want := "server CN=luna1 10; server CN=luna2 20"; strings.Join(got, "; ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestHAStandbyInUse: a standby member is in use if no other member is alive. This
// is unknown if the state of another is.
func TestHAStandbyInUse(t *testing.T) {
	for statuses, want := range map[string]hsm.Opt[bool]{
		"alive standby":   hsm.Some(false),
		"down standby":    hsm.Some(true),
		"down down":       hsm.Some(false), // the standby member is also down
		"unknown standby": {},
		"standby standby": hsm.Some(false), // nothing was lost
	} {
		words := strings.Fields(statuses)
		p := hsm.HAGroups{Groups: []hsm.HAGroup{{Serial: groupNumber, Members: []hsm.HAMember{{Serial: memberOne}, {Serial: memberTwo}}}}}
		for i, w := range words {
			m := &p.Groups[0].Members[i]
			if m.Standby = hsm.Some(w == "standby" || statuses == "down down" && i == 1); w != "unknown" {
				m.Status = hsm.HAMemberStatus(w)
			}
		}
		s := sources{config: config("3"), log: new(logState), polled: &p, asked: at(5), running: func(int64, time.Time) bool { return false }}
		if g := s.state(at(10)).Groups[0]; g.StandbyInUse != want {
			t.Errorf("%s: %+v, want %+v", statuses, g.StandbyInUse, want)
		}
	}
}

// TestHALogRotatedAway: lines that were rotated away before the start count.
func TestHALogRotatedAway(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "haErrorLog.txt")
	line := func(second int, message string) string {
		return fmt.Sprintf("%s : [%d] HA group: %s %s\n", at(second).In(time.Local).Format("Mon Jan _2 15:04:05 2006"), os.Getpid(), groupNumber, message)
	}
	for i, f := range []struct{ name, text string }{
		{"haErrorLog_20260301-120000.txt", line(0, "has dropped member: "+memberTwo)},
		{"haErrorLog_20260301-120100.txt", line(60, "has dropped member: "+memberOne) + line(61, "recovery attempt #1 succeeded for member: "+memberTwo)},
		{"haErrorLog.txt", line(120, "recovery attempt #2 failed for member: "+memberOne+". Code: 0x30 : CKR_DEVICE_ERROR.")},
	} {
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, []byte(f.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at(60*i), at(60*i)); err != nil {
			t.Fatal(err)
		}
	}
	sum := new(logState)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	f := follow.Follower{File: log, Log: slog.New(slog.DiscardHandler), FromStart: true, Rotated: true, Read: wholeLine}
	n := 0
	err := f.Run(ctx, nil, func(lines []hsm.LogLine, _ []byte) error {
		for _, l := range lines {
			sum.add(ParseLine(l.Message), time.Local)
			if n++; n == 4 {
				cancel()
			}
		}
		return nil
	})
	if err != nil || n != 4 {
		t.Fatalf("%d lines, %v", n, err)
	}
	pid := int64(os.Getpid())
	one, two := sum.reports[memberKey{groupNumber, memberOne}][pid], sum.reports[memberKey{groupNumber, memberTwo}][pid]
	if one.state != hsm.HAStateRecovering || !one.since.Equal(at(60)) || two.state != hsm.HAStateAlive {
		t.Errorf("%+v\n%+v", one, two)
	}
}

// TestHAByVTL asks the tool of old clients, here a script that checks its arguments
// and standard input.
func TestHAByVTL(t *testing.T) {
	const old = `
================ HA Global Configuration Settings ===============
           HA Auto Recovery:  enabled
Maximum Auto Recovery Retry:  -1
================ HA Group and Member Information ================
             HA Group Label:  pay
            HA Group Number:  ` + groupNumber + `
            HA Group Slot #:  3
              Group Members:  ` + memberOne + `, ` + memberTwo + `
            Standby members:  <none>
Slot #     Member S/N      Member Label      Status
======     ==========      ============      ======
1          ` + memberOne + `        pay1              alive
------     ` + memberTwo + `        ------------      down`
	vtl := collectortest.WriteNew(t, "vtl", "#!/bin/sh\n[ \"$*\" = 'haAdmin -show' ] || exit 1\ncat << END\n"+old+"\nEND\nread x && echo 'it was given input'\n", 0o755)
	groups, unread, err := readVTL(t, vtl)
	if err != nil || len(unread) > 0 || len(groups.Groups) != 1 {
		t.Fatalf("%+v, %q, %v", groups, unread, err)
	}
	if m := groups.Groups[0].Members; len(m) != 2 || m[0].Status != hsm.HAAlive || m[1].Status != hsm.HADown || !hsm.Is(groups.AutoRecovery.MaxRetries, -1) {
		t.Errorf("%+v", groups)
	}
	if _, _, err := readVTL(t, filepath.Join(t.TempDir(), "vtl")); collectors.FailureOf(err) != hsm.Unreachable {
		t.Errorf("no such tool: %v", err)
	}
	if _, _, err := readVTL(t, collectortest.WriteNew(t, "vtl", "#!/bin/sh\necho no groups here\n", 0o755)); collectors.FailureOf(err) != hsm.Unrecognised {
		t.Errorf("another answer: %v", err)
	}
}

func readVTL(t *testing.T, path string) (*hsm.HAGroups, []string, error) {
	h := &Collector{VTL: path}
	text, err := h.groupsText(t.Context())
	if err != nil {
		return nil, nil, err
	}
	return readGroups(h.groupsSource(), text)
}
