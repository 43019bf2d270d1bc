package simulator

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestFleet asks every appliance of a fleet of all models as an agent does.
func TestFleet(t *testing.T) {
	dir := t.TempDir()
	_, r, stop := runEstate(t, Config{StateDir: dir, Fleet: Fleet{Size: 7, Models: []string{"7.2", "6.2", "5.4"}}})
	defer stop()
	password := strings.TrimSpace(readFile(t, r.PasswordFile))
	serials, labels, partitions, keys := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]string{}
	for i, a := range r.Appliances {
		if want := fmt.Sprintf("hsm-%04d", i+1); a.Name != want {
			t.Errorf("appliance %d is called %s, want %s", i, a.Name, want)
		}
		if want := []string{"7.2", "6.2", "5.4"}[i%3]; a.Model != want {
			t.Errorf("%s is a %s, want a %s", a.Name, a.Model, want)
		}
		if key, seen := keys[a.Model]; seen && key != a.Fingerprint {
			t.Errorf("%s has host key %s, another %s has %s", a.Name, a.Fingerprint, a.Model, key)
		}
		keys[a.Model] = a.Fingerprint
		if a.RESTAddress != "" || a.Syslog != "" || a.Lunalogs != "" {
			t.Errorf("%s has what was not asked for: %+v", a.Name, a)
		}
		conn, err := net.Dial("tcp", a.SSHAddress)
		if err != nil {
			t.Fatal(err)
		}
		term := openTerminal(t, conn, ssh.Password(password), 200)
		show := term.must("hsm show")
		serials[field(show, "Serial #:")] = true
		labels[field(show, "HSM Label:")] = true
		for line := range strings.SplitSeq(term.must("partition show"), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "Partition SN:") {
				partitions[line] = true
			}
		}
		if !strings.Contains(show, fmt.Sprint(a.Serial)) {
			t.Errorf("%s does not show its serial number %d:\n%s", a.Name, a.Serial, show)
		}
		term.client.Close()
	}
	if len(serials) != 7 || len(labels) != 7 || len(partitions) != 7*20 {
		t.Errorf("%d serial numbers, %d labels, %d partitions of 7 HSMs", len(serials), len(labels), len(partitions))
	}
	if entries, err := filepath.Glob(filepath.Join(dir, "hsm-*")); err != nil || len(entries) > 0 {
		t.Errorf("files that were not asked for: %v, %v", entries, err)
	}
}

// field returns the value behind a label of an answer.
func field(answer, label string) string {
	_, rest, _ := strings.Cut(answer, label)
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}

// TestFleetWithLogsAndREST asks for both.
func TestFleetWithLogsAndREST(t *testing.T) {
	_, r, stop := runEstate(t, Config{StateDir: t.TempDir(), Fleet: Fleet{Size: 2, REST: true, Syslog: true}})
	defer stop()
	for _, a := range r.Appliances {
		if a.RESTAddress == "" || a.RESTFingerprint != r.Appliances[0].RESTFingerprint {
			t.Errorf("%s: REST at %q with certificate %s", a.Name, a.RESTAddress, a.RESTFingerprint)
		}
		for _, path := range []string{a.Syslog, a.Lunalogs, a.RESTCertificate} {
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", a.Name, err)
			}
		}
	}
}

func TestFleetFaults(t *testing.T) {
	for _, c := range []struct {
		fleet Fleet
		want  string
	}{
		{Fleet{Size: -1}, "a fleet has 1 to 9999 appliances, not -1"},
		{Fleet{Size: 10000}, "a fleet has 1 to 9999 appliances, not 10000"},
		{Fleet{Size: 1, Models: []string{"7.2", "8.1"}}, `unknown model "8.1"; known are 5.4, 6.2, 7.2`},
	} {
		if _, err := New(Config{ListenAddress: "127.0.0.1:0", StateDir: t.TempDir(), Fleet: c.fleet}); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v, want %q", c.fleet, err, c.want)
		}
	}
	if err := (Fleet{Size: 1000}).fits(1024); err == nil || !strings.Contains(err.Error(), "needs 2100 open files, and the limit is 1024") {
		t.Errorf("1000 appliances with 1024 files: %v", err)
	}
	if err := (Fleet{Size: 1000}).fits(2100); err != nil {
		t.Errorf("1000 appliances with 2100 files: %v", err)
	}
	if err := (Fleet{Size: 1000, REST: true}).fits(2100); err == nil {
		t.Error("1000 appliances with REST fit into 2100 files")
	}
}

// TestInjectMany injects into the appliances of a pattern.
func TestInjectMany(t *testing.T) {
	dir := t.TempDir()
	e, _, stop := runEstate(t, Config{StateDir: dir, Fleet: Fleet{Size: 12}})
	defer stop()
	for _, c := range []struct {
		pattern string
		want    []string // those that hang; nil: an error
		says    string
	}{
		{"hsm-0003", []string{"hsm-0003"}, ""},
		{"hsm-000[1-4]", []string{"hsm-0001", "hsm-0002", "hsm-0003", "hsm-0004"}, ""},
		{"hsm-1*", nil, `no appliance called "hsm-1*"; there are hsm-0001, hsm-0002, hsm-0003, hsm-0004, hsm-0005 and 7 more`},
		{"hsm-[", nil, `"hsm-[" is no pattern of names`},
	} {
		err := InjectInto(t.Context(), dir, c.pattern, Event{Name: "hang"})
		if c.want == nil {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", c.pattern, err, c.says)
			}
			continue
		}
		var got []string
		for _, a := range e.appliances {
			if w, _ := a.wireNow(); w.answer == hang {
				got = append(got, a.spec.name)
			}
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, and %v hang, want %v", c.pattern, err, got, c.want)
		}
		if err := InjectInto(t.Context(), dir, "", Event{Name: "heal"}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCounts counts a login and two commands of one appliance of two.
func TestCounts(t *testing.T) {
	dir := t.TempDir()
	_, r, stop := runEstate(t, Config{StateDir: dir, Fleet: Fleet{Size: 2}})
	defer stop()
	counts := func() Counts {
		t.Helper()
		c, err := CountsOf(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if got, want := counts(), (Counts{Appliances: 2}); got != want {
		t.Errorf("before: %+v, want %+v", got, want)
	}
	conn, err := net.Dial("tcp", r.Appliances[1].SSHAddress)
	if err != nil {
		t.Fatal(err)
	}
	term := openTerminal(t, conn, ssh.Password(strings.TrimSpace(readFile(t, r.PasswordFile))), 200)
	term.must("hsm show")
	term.must("status mem")
	if got, want := counts(), (Counts{Appliances: 2, Answered: 1, Connections: 1, Logins: 1, Commands: 2}); got != want {
		t.Errorf("after two commands: %+v, want %+v", got, want)
	}
	term.client.Close()
	for deadline := time.Now().Add(10 * time.Second); counts().Connections > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("still connected: %+v", counts())
		}
	}
}

// TestAdvancesWhenAsked: an appliance without logs is left alone for an hour, has all of it
// behind it when it is asked, and comes back from a reboot by itself.
func TestAdvancesWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		specs, err := (Fleet{Size: 1}).specs()
		if err != nil {
			t.Fatal(err)
		}
		a := newAppliance(specs[0], 1, "", slog.New(slog.DiscardHandler))
		go evolve(ctx, []*appliance{a})
		begun, commands := a.state.now, a.state.commands
		time.Sleep(time.Hour)
		synctest.Wait()
		if now := a.state.now; now != begun {
			t.Errorf("it has advanced by %s, and nobody asked", now.Sub(begun))
		}
		a.do(func(s *state) {
			if s.now.Sub(begun) != time.Hour || s.commands < commands+3600 {
				t.Errorf("asked after an hour: %s and %.0f commands have passed", s.now.Sub(begun), s.commands-commands)
			}
		})
		if err := a.inject(Event{Name: "reboot", Args: []string{"60s"}}); err != nil {
			t.Fatal(err)
		}
		if w, _ := a.wireNow(); !w.away() {
			t.Error("it does not reboot")
		}
		time.Sleep(62 * time.Second)
		synctest.Wait()
		if w, _ := a.wireNow(); w.away() {
			t.Error("it is not back after the reboot")
		}
	})
}

// BenchmarkAdvance is the CPU time of a minute of one appliance.
//
//	go test ./simulator -run '^$' -bench Advance
func BenchmarkAdvance(b *testing.B) {
	specs, err := (Fleet{Size: 1}).specs()
	if err != nil {
		b.Fatal(err)
	}
	s := newState(specs[0], 1, time.Now())
	for b.Loop() {
		s.advance(s.now.Add(time.Minute))
	}
}
