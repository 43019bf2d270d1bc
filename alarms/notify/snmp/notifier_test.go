package snmp

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/journal/journaltest"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/snmppeer"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

const (
	authSecret = "correct-horse-auth"
	privSecret = "battery-staple-priv"
)

// secrets writes the files of secrets and returns a target that names them.
func secrets(t *testing.T, address string) Target {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string) setting.File {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text+"\r\nnot this\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return setting.File(path)
	}
	return Target{Peer: snmppeer.Peer{
		Address: address, Version: "3", User: "noc", CommunityFile: file("community", "public"),
		AuthPasswordFile: file("auth", authSecret), PrivPasswordFile: file("priv", privSecret),
	}}
}

// trapd starts a real snmptrapd with more lines in its configuration.
func trapd(t *testing.T, lines ...string) *netsnmp.Trapd {
	t.Helper()
	d, err := netsnmp.StartTrapd(t.Context(), t.TempDir(), netsnmp.TrapdConfig{Lines: lines, Output: "-On"})
	alarmstest.Peer(t, err)
	t.Cleanup(d.Stop)
	return d
}

// sample is a notification that differs from all others.
func sample(process string) alarms.Notification {
	e := alarms.Evidence{At: alarmstest.At(0), Log: &alarms.LogPlace{Host: "luna-a", File: "messages", Time: "2026 Mar  1 12:00:00", Process: process}}
	a := alarms.Alarm{Key: alarms.Key{Device: "a", Group: "stm"}, Severity: alarms.Major, Evidence: []alarms.Evidence{e}}
	return alarms.Notification{Change: alarms.Change{Kind: alarms.Raised, Alarm: a}, Address: "192.0.2.7:22", At: alarmstest.At(0)}
}

func arrives(t *testing.T, d *netsnmp.Trapd, process string, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	lines, err := d.WaitCount(ctx, "/ "+process+" / 1]", n)
	if err != nil {
		t.Fatalf("%s: %v", process, err)
	}
	for _, line := range lines {
		trap := ".1.3.6.1.6.3.1.1.4.1.0 = OID: .1.3.6.1.4.1.23629.1.5.2.2.7"
		object := `.1.3.6.1.4.1.23629.1.5.2.2.1 = STRING: "[luna-a:192.0.2.7 / messages / 2026 Mar  1 12:00:00 / ` + process + ` / 1]"`
		if !strings.HasPrefix(line, ".1.3.6.1.2.1.1.3.0 = Timeticks: ") || !strings.Contains(line, trap) || !strings.HasSuffix(line, object) {
			t.Errorf("%s: %s", process, line)
		}
	}
}

func TestVersion2(t *testing.T) {
	d := trapd(t)
	target := secrets(t, d.Address)
	target.Version = "2c"
	for _, inform := range []bool{false, true} {
		target.Inform = inform
		s := newSNMP(t, target, journaltest.Open(t, t.TempDir()))
		process := fmt.Sprintf("inform-%v", inform)
		for range 2 {
			if err := s.Notify(t.Context(), sample(process)); err != nil {
				t.Fatal(err)
			}
		}
		arrives(t, d, process, 2)
	}
}

// user are the lines of snmptrapd.conf for informs of a user, and for traps of
// an engine.
func user(name, auth, priv string, e journal.Engine) []string {
	secrets := fmt.Sprintf("%s %s %q %s %q", name, auth, authSecret, priv, privSecret)
	return []string{
		"createUser " + secrets,
		"createUser -e 0x" + hex.EncodeToString([]byte(e.ID)) + " " + secrets,
		"authUser log " + name + " priv",
	}
}

func newSNMP(t *testing.T, target Target, j *journal.Journal) *Notifier {
	t.Helper()
	s, err := New(target, j)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func engineOf(t *testing.T, j *journal.Journal) journal.Engine {
	t.Helper()
	e, err := j.Engine()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestVersion3 sends traps and informs by every pair of protocols to a real
// snmptrapd.
func TestVersion3(t *testing.T) {
	t.Parallel()
	j := journaltest.Open(t, t.TempDir())
	var lines []string
	type pair struct{ auth, priv, user string }
	var pairs []pair
	for _, auth := range []string{"SHA-224", "SHA-256", "SHA-384", "SHA-512"} {
		for _, priv := range []string{"AES", "AES-192", "AES-256"} {
			p := pair{auth, priv, strings.ToLower(auth + priv)}
			pairs = append(pairs, p)
			lines = append(lines, user(p.user, auth, priv, engineOf(t, j))...)
		}
	}
	d := trapd(t, lines...)
	target := secrets(t, d.Address)
	for _, p := range pairs {
		t.Run(p.auth+" "+p.priv, func(t *testing.T) {
			if log, err := os.ReadFile(d.LogPath); err == nil && strings.Contains(string(log), "unknown privProtocol") && p.priv != "AES" {
				t.Skipf("SKIPPED: this build of snmptrapd knows no %s", p.priv)
			}
			for _, inform := range []bool{false, true} {
				target.User, target.Inform, target.AuthProtocol, target.PrivProtocol = p.user, inform, p.auth, p.priv
				process := fmt.Sprintf("%s inform %v", p.user, inform)
				s := newSNMP(t, target, j)
				for range 2 {
					if err := s.Notify(t.Context(), sample(process)); err != nil {
						t.Fatal(err)
					}
				}
				arrives(t, d, process, 2)
			}
		})
	}
}

// TestBootsGrow has one snmptrapd believe an agent that starts again, and two
// receivers of one agent.
func TestBootsGrow(t *testing.T) {
	dir := t.TempDir()
	j := journaltest.Open(t, dir)
	d := trapd(t, user("noc", "SHA-256", "AES", engineOf(t, j))...)
	target := secrets(t, d.Address)
	for start := range 3 {
		for receiver := range 2 {
			s := newSNMP(t, target, j)
			if s.engine.Boots != uint32(start+1) {
				t.Errorf("start %d, receiver %d: boots %d", start, receiver, s.engine.Boots)
			}
			if g, err := s.client(); err != nil || g.ContextEngineID != s.engine.ID {
				t.Errorf("context engine %x, error %v", g.ContextEngineID, err)
			}
			s.engine.Started = s.engine.Started.Add(time.Duration(start-3) * time.Hour) // each start is younger
			process := fmt.Sprintf("start %d receiver %d", start, receiver)
			if err := s.Notify(t.Context(), sample(process)); err != nil {
				t.Fatal(err)
			}
			arrives(t, d, process, 1)
		}
		j.Close()
		j = journaltest.Open(t, dir)
	}
}

// TestEngineTimeGoesOn has the receiver see time pass: a trap of an engine
// whose time does not advance is dropped after 150 s.
func TestEngineTimeGoesOn(t *testing.T) {
	j := journaltest.Open(t, t.TempDir())
	e := engineOf(t, j)
	d := trapd(t, user("noc", "SHA-256", "AES", e)...)
	s := newSNMP(t, secrets(t, d.Address), j)
	for i, age := range []time.Duration{0, 1000 * time.Second, 100_000 * time.Second} {
		s.engine.Started = time.Now().Add(-age)
		process := fmt.Sprintf("after %v", age)
		if err := s.Notify(t.Context(), sample(process)); err != nil {
			t.Fatal(err)
		}
		arrives(t, d, process, 1)
		if i == 0 {
			continue
		}
		s.engine.Started = time.Now() // back in time: this one is lost
		if err := s.Notify(t.Context(), sample("lost")); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range d.Lines() {
		if strings.Contains(line, "/ lost /") {
			t.Error("snmptrapd does not check engine time: this test shows nothing")
		}
	}
}

// TestInformRecovers has a receiver come back as another engine.
func TestInformRecovers(t *testing.T) {
	j := journaltest.Open(t, t.TempDir())
	lines := user("noc", "SHA-256", "AES", engineOf(t, j))
	d := trapd(t, lines...)
	target := secrets(t, d.Address)
	target.Inform = true
	s := newSNMP(t, target, j)
	if err := s.Notify(t.Context(), sample("before")); err != nil {
		t.Fatal(err)
	}
	d.Stop()
	if err := s.Notify(t.Context(), sample("while")); err == nil {
		t.Error("delivered to nobody")
	} else if !strings.Contains(err.Error(), d.Address) {
		t.Errorf("%v does not name the receiver", err)
	}
	back, err := netsnmp.StartTrapd(t.Context(), t.TempDir(), netsnmp.TrapdConfig{Address: d.Address, Lines: lines, Output: "-On"})
	alarmstest.Peer(t, err)
	t.Cleanup(back.Stop)
	if err := s.Notify(t.Context(), sample("after")); err != nil {
		t.Fatal(err)
	}
	arrives(t, back, "after", 1)
}

// TestWrongSecrets has errors name the receiver, and never a secret.
func TestWrongSecrets(t *testing.T) {
	t.Parallel()
	j := journaltest.Open(t, t.TempDir())
	d := trapd(t, user("noc", "SHA-256", "AES", engineOf(t, j))...)
	const wrong = "not-the-right-one"
	for name, change := range map[string]func(*Target){
		"auth": func(s *Target) { alarmstest.Overwrite(t, s.AuthPasswordFile, wrong) },
		"priv": func(s *Target) { alarmstest.Overwrite(t, s.PrivPasswordFile, wrong) },
		"user": func(s *Target) { s.User = "nobody" },
	} {
		target := secrets(t, d.Address)
		target.Inform = true
		change(&target)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // it may not answer at all
		err := newSNMP(t, target, j).Notify(ctx, sample(name))
		cancel()
		if err == nil || !strings.Contains(err.Error(), d.Address) {
			t.Errorf("%s: got %v", name, err)
		}
		keepsSecrets(t, err)
	}
}

func keepsSecrets(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{authSecret, privSecret, "not-the-right-one", "sh0rt"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("an error holds a secret: %v", err)
		}
	}
}

// TestUnusableTargets are found before anything is sent.
func TestUnusableTargets(t *testing.T) {
	j := journaltest.Open(t, t.TempDir())
	for want, change := range map[string]func(*Target){
		`version: "1" is neither`:                 func(s *Target) { s.Version = "1" },
		`version: "" is neither`:                  func(s *Target) { s.Version = "" },
		"version 3 needs user, ":                  func(s *Target) { s.User = "" },
		`auth_protocol: "MD5" is none of`:         func(s *Target) { s.AuthProtocol = "MD5" },
		`priv_protocol: "DES" is none of`:         func(s *Target) { s.PrivProtocol = "DES" },
		"is not an address of the form host:port": func(s *Target) { s.Address = "192.0.2.1" },
		`port "snmp" is not a number`:             func(s *Target) { s.Address = "192.0.2.1:snmp" },
		"auth_password_file: open /none":          func(s *Target) { s.AuthPasswordFile = "/none" },
		"priv_password_file: ":                    func(s *Target) { alarmstest.Overwrite(t, s.PrivPasswordFile, "sh0rt\n") },
		"holds fewer than 8 characters":           func(s *Target) { alarmstest.Overwrite(t, s.AuthPasswordFile, "sh0rt\nand more on another line") },
		"community_file: open /none: no s":        func(s *Target) { s.Version, s.CommunityFile = "2c", "/none" },
	} {
		target := secrets(t, "192.0.2.1:162")
		change(&target)
		_, err := New(target, j)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		keepsSecrets(t, err)
	}
	for _, name := range []string{"SHA-256", "sha256", "SHA512", "sha-224", ""} {
		target := secrets(t, "192.0.2.1:162")
		target.AuthProtocol, target.PrivProtocol = name, strings.Replace(name, "SHA-256", "aes-256", 1)
		if !strings.HasPrefix(target.PrivProtocol, "aes") {
			target.PrivProtocol = "AES-128"
		}
		newSNMP(t, target, j)
	}
}
