package login

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A site has an appliance that counts logins, and files with its password.
type site struct {
	t               *testing.T
	home, directory string
	account         *Account
	tries           int
}

func newSite(t *testing.T) *site {
	s := &site{t: t, home: t.TempDir()}
	s.directory = filepath.Join(s.home, "refused-logins")
	s.restart()
	return s
}

func (s *site) restart() {
	s.account = &Account{User: "monitor", Host: "10.0.0.1", Directory: s.directory}
}

// file writes a password file that changed at a minute of some hour.
func (s *site) file(name, password string, minute int) setting.File {
	s.t.Helper()
	path := filepath.Join(s.home, name)
	check.Must(s.t, os.WriteFile(path, []byte(password+"\n"), 0o600))
	at := time.Date(2026, 3, 4, 5, minute, 0, 0, time.UTC)
	check.Must(s.t, os.Chtimes(path, at, at))
	return setting.File(path)
}

// login logs in; the appliance accepts the password "right".
func (s *site) login(file setting.File) error {
	t, err := s.account.Begin(s.t.Context(), file)
	if err != nil {
		return err
	}
	defer t.End()
	s.tries++
	if t.Password != "right" {
		return t.Refused(errors.New("status 401"))
	}
	t.Accepted()
	return nil
}

func (s *site) want(when string, tries int) {
	s.t.Helper()
	if s.tries != tries {
		s.t.Errorf("%s: %d tries, want %d", when, s.tries, tries)
	}
}

// TestOneTryPerPassword is the promise: whatever asks, and however often, a refused
// password reaches the appliance once.
func TestOneTryPerPassword(t *testing.T) {
	s := newSite(t)
	ssh, rest := s.file("ssh", "wrong", 1), s.file("rest", "wrong", 2)
	texts := make(map[string]bool)
	for range 5 {
		for range 3 {
			for _, file := range []setting.File{ssh, rest} {
				err := s.login(file)
				if collectors.FailureOf(err) != hsm.Login {
					t.Fatalf("%v", err)
				}
				texts[err.Error()] = true
			}
		}
		s.restart()
	}
	s.want("two files, five restarts", 1)
	for text := range texts {
		if len(texts) > 1 || strings.Contains(text, "wrong") || !strings.Contains(text, "until "+string(ssh)+" changes") || !strings.Contains(text, `"monitor" was refused (status 401)`) {
			t.Errorf("%d texts, one is %s", len(texts), text)
		}
	}
	s.file("rest", "wrong", 3)
	s.login(rest)
	s.login(rest)
	s.login(ssh)
	s.want("one of them was touched", 2)
	s.file("ssh", "other", 1)
	s.login(ssh)
	s.login(ssh)
	s.want("its content changed, its time did not", 3)
	s.file("ssh", "right", 1)
	check.Must(t, s.login(ssh))
	check.Must(t, s.login(ssh))
	s.want("the right one", 5)
}

// TestAcceptedForgets: an account that was put in order and refuses again later is
// another refusal.
func TestAcceptedForgets(t *testing.T) {
	s := newSite(t)
	s.login(s.file("a", "wrong", 1))
	check.Must(t, s.login(s.file("a", "right", 2)))
	s.login(s.file("a", "wrong", 1))
	s.want("wrong, right, wrong", 3)
}

// TestCredential: systemd writes a credential anew at each start, which is no change;
// the remedy is another.
func TestCredential(t *testing.T) {
	s := newSite(t)
	t.Setenv("CREDENTIALS_DIRECTORY", s.home)
	file := setting.Credential("a")
	s.file("a", "wrong", 1)
	err := s.login(file)
	for minute := range 5 {
		s.file("a", "wrong", 2+minute)
		s.restart()
		s.login(file)
	}
	s.want("five starts", 1)
	remedy := "remove " + s.account.path()
	if !strings.Contains(err.Error(), remedy) {
		t.Errorf("%v does not say %s", err, remedy)
	}
	check.Must(t, os.Remove(s.account.path()))
	s.login(file)
	s.want("as the remedy says", 2)
	s.file("a", "other", 9)
	s.login(file)
	s.want("another password", 3)
}

// TestNoRecord: what cannot be remembered on disk is remembered until the process
// ends. Nothing is written through a second name of a file.
func TestNoRecord(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(s *site)
	}{
		{"no directory", func(s *site) { s.directory = ""; s.restart() }},
		{"no state directory", func(s *site) { s.directory += "/absent/a"; s.restart() }},
		{"a file in its place", func(s *site) { check.Must(t, os.WriteFile(s.directory, nil, 0o600)) }},
		{"a link", func(s *site) {
			check.Must(t, os.Mkdir(s.directory, 0o700))
			check.Must(t, os.Symlink(string(s.file("victim", "mine", 1)), s.account.path()))
		}},
		{"a second name", func(s *site) {
			check.Must(t, os.Mkdir(s.directory, 0o700))
			check.Must(t, os.Link(string(s.file("victim", "mine", 1)), s.account.path()))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			wrong := s.file("a", "wrong", 1)
			c.make(s)
			for range 3 {
				s.login(wrong)
			}
			s.want("three rounds", 1)
			s.file("a", "wrong", 2)
			s.login(wrong)
			s.want("touched", 2)
			if text, err := os.ReadFile(s.home + "/victim"); err == nil && string(text) != "mine\n" {
				t.Errorf("another file was overwritten: %s", text)
			}
		})
	}
}

// TestDamagedRecord is as none.
func TestDamagedRecord(t *testing.T) {
	s := newSite(t)
	file := s.file("a", "wrong", 1)
	s.login(file)
	for _, text := range []string{"", "{", "null", `{"sum":""}`, strings.Repeat("x", 1<<20)} {
		check.Must(t, os.WriteFile(s.account.path(), []byte(text), 0o600))
		before := s.tries
		s.login(file)
		s.login(file)
		s.want("a damaged record", before+1)
	}
}

// TestOneAtATime: a second process waits, as long as its context lasts.
func TestOneAtATime(t *testing.T) {
	s := newSite(t)
	file := s.file("a", "wrong", 1)
	first, err := s.account.Begin(t.Context(), file)
	check.Must(t, err)
	s.restart()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.account.Begin(ctx, file); collectors.FailureOf(err) != hsm.Timeout {
		t.Errorf("while another logs in: %v", err)
	}
	waited := make(chan error)
	go func() {
		_, err := s.account.Begin(t.Context(), file)
		waited <- err
	}()
	first.Refused(errors.New("status 401"))
	first.End()
	if err := <-waited; collectors.FailureOf(err) != hsm.Login {
		t.Errorf("after the other was refused: %v", err)
	}
}

// TestRecordHoldsNoPassword looks for it, and at who may read the record.
func TestRecordHoldsNoPassword(t *testing.T) {
	s := newSite(t)
	s.login(s.file("a", "tell-tale", 1))
	text, err := os.ReadFile(s.account.path())
	check.Must(t, err)
	info, err := os.Stat(s.account.path())
	check.Must(t, err)
	if strings.Contains(string(text), "tell-tale") || !strings.Contains(string(text), "was refused") || info.Mode().Perm() != 0o600 {
		t.Errorf("%s %s", info.Mode(), text)
	}
}

// TestEmptyPassword: a file without a password is no try to log in. The error names the
// file and the remedy.
func TestEmptyPassword(t *testing.T) {
	s := newSite(t)
	for _, text := range []string{"", "\r", " \t", "\nright"} {
		file := s.file("a", text, 1)
		err := s.login(file)
		if collectors.FailureOf(err) != hsm.Login || !strings.Contains(err.Error(), string(file)+" is empty; write the secret into its first line") {
			t.Errorf("%q: %v", text, err)
		}
	}
	s.want("four files without a password", 0)
}
