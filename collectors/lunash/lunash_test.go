package lunash

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/simulator"
)

func TestMain(m *testing.M) { collectortest.Main(m) }

// luna returns a client of the appliance with that name.
func luna(t *testing.T, e collectortest.Estate, name string) *Client {
	t.Helper()
	l := (&Client{Address: e.Appliance(t, name).SSHAddress, User: simulator.User, PasswordFile: setting.File(e.PasswordFile), KnownHostsFile: e.KnownHosts}).Start()
	t.Cleanup(func() { l.Close() })
	return l
}

// TestEveryCommand sends each version all commands that it has, over SSH, and
// parses every answer without an unread line.
func TestEveryCommand(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	for _, a := range e.Appliances {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			p := NewPoller(a.Name, luna(t, e, a.Name), 0, poll.DefaultIntervals())
			asked := 0
			p.Capture(t.Context(), func(_, _ string) {}, func(o hsm.Observation) {
				asked++
				if o.Err != nil || len(o.Facts) != 1 || len(o.Unread) != 0 {
					t.Errorf("%s: %d facts, unread %q, %v", o.Source, len(o.Facts), o.Unread, o.Err)
				}
			})
			if asked < len(commands)-1 {
				t.Errorf("only %d commands were asked", asked)
			}
		})
	}
}

// TestLoginFailures checks that the error has the right step and names the remedy
// but not the password.
func TestLoginFailures(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("not the password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*Client)
		want   hsm.Failure
		text   string
	}{
		{"wrong password", func(l *Client) { l.PasswordFile = setting.File(wrong) }, hsm.Login, `user "monitor" was refused (over SSH); no more tries until ` + wrong + ` changes`},
		{"no password file", func(l *Client) { l.PasswordFile = setting.File(wrong + "x") }, hsm.Login, "no such file"},
		{"not a key", func(l *Client) { l.PrivateKeyFile = setting.File(wrong) }, hsm.Login, "private key " + wrong},
		{"unknown host key", func(l *Client) { l.KnownHostsFile = empty }, hsm.HostKey, "is not in " + empty},
		{"other fingerprint", func(l *Client) { l.HostKey = "SHA256:other" }, hsm.HostKey, "has changed: it shows SHA256:"},
		{"no known_hosts", func(l *Client) { l.KnownHostsFile = empty + "x" }, hsm.HostKey, "no such file"},
		{"nobody listens", func(l *Client) { l.Address = "127.0.0.1:1" }, hsm.Unreachable, "connection refused"},
		{"no common algorithm", func(l *Client) { l.Algorithms.Ciphers = []string{"aes128-cbc"} }, hsm.Login, `allow what the appliance offers under "algorithms"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := luna(t, e, "luna72")
			c.change(l)
			_, err := l.Run(t.Context(), "hsm show")
			if collectors.FailureOf(err) != c.want || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s: %v; want %s: %s", collectors.FailureOf(err), err, c.want, c.text)
			}
			if strings.Contains(err.Error(), "not the password") {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

func TestPublicKeyAndPin(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	l := luna(t, e, "luna62")
	for _, a := range e.Appliances {
		if a.Name == "luna62" {
			l.HostKey, l.KnownHostsFile = a.Fingerprint, ""
		}
	}
	if _, err := l.Run(t.Context(), "hsm show"); err != nil {
		t.Error(err)
	}
}

// TestWireFaults breaks answers in every way: none may be taken for a complete
// one, each error has the right step, and the next answer is complete again.
func TestWireFaults(t *testing.T) {
	for _, c := range []struct {
		fault string
		want  hsm.Failure
	}{
		{"hang", hsm.Timeout},
		{"drop", hsm.Unreachable},
		{"truncate", hsm.Incomplete},
		{"garbage", hsm.Timeout},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			e := collectortest.StartEstate(t, "")
			l := luna(t, e, "luna72")
			if _, err := poll.Ask(t.Context(), l, "hsm show"); err != nil {
				t.Fatal(err)
			}
			e.Fault(t, "luna72", c.fault)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			text, err := poll.Ask(ctx, l, "hsm show")
			if f := collectors.FailureOf(err); f != c.want && !(c.fault == "garbage" && f == hsm.Incomplete) {
				t.Errorf("%q: %s: %v, want %s", text.Text, f, err, c.want)
			}
			e.Fault(t, "luna72", "heal")
			if _, err := poll.Ask(t.Context(), l, "hsm show"); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

// TestOneAtATime sends many commands over one session; each caller gets its own
// answer.
func TestOneAtATime(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	l := luna(t, e, "luna72")
	ended := make(chan error)
	ask := func(command, want string) {
		text, err := poll.Ask(t.Context(), l, command)
		if err == nil && !strings.Contains(text.Text, want) {
			t.Errorf("%s: %q", command, text.Text)
		}
		ended <- err
	}
	for range 8 {
		go ask("hsm show", "HSM Details:")
		go ask("ntls information show", "Operational Status:")
	}
	for range 16 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestNothingElseIsSent tries commands that could change an appliance or smuggle
// a second command in: none of them reaches the session.
func TestNothingElseIsSent(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	l := luna(t, e, "luna72")
	if _, err := l.Run(t.Context(), "status disk"); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"hsm login", "hsm information reset", "hsm zeroize", "hsm factoryreset", "hsm tamper clear", "partition delete -partition a",
		"hsm showpolicies -exporttemplate x", "hsm information monitor -save", "hsm supportinfo", "hsm selftest", "service stop ntls",
		"hsm show\nhsm zeroize", "hsm show\rhsm zeroize", "hsm show; hsm zeroize", " hsm show", "hsm show ", "HSM SHOW", "",
		"client show -client a\nhsm zeroize", "client show -client \"a\" -force", "client show -client $(reboot)", "client show -client -force", `client show -client "-force"`, `client show -client " -force"`, "client delete -client a",
		"hsm information monitor -interval 5 -rounds 1 -save", "my password set", "exit",
	} {
		_, err := l.Run(t.Context(), command)
		if err == nil || !strings.Contains(err.Error(), "it was not sent") {
			t.Errorf("%q: %v", command, err)
		}
	}
	lunalogs, err := os.ReadFile(e.Appliances[2].Lunalogs)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(lunalogs)) {
		if strings.Contains(line, "Command:") && !strings.Contains(line, "Command: status disk") {
			t.Errorf("the appliance saw: %s", line)
		}
	}
}

// TestOldAlgorithms connects to an appliance that offers only the algorithms of
// version 5: this fails by default, and works with the algorithms of the
// reference configuration.
func TestOldAlgorithms(t *testing.T) {
	scenario := filepath.Join(t.TempDir(), "old.yaml")
	if err := os.WriteFile(scenario, []byte("appliances:\n- {name: old, model: \"5.4\", old_ssh: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := collectortest.StartEstate(t, scenario)
	l := luna(t, e, "old")
	if _, err := l.Run(t.Context(), "hsm show"); collectors.FailureOf(err) != hsm.Login || !strings.Contains(err.Error(), "no common algorithm") {
		t.Errorf("by default: %v", err)
	}
	l.Algorithms = Algorithms{
		KeyExchanges: []string{"diffie-hellman-group14-sha1"}, Ciphers: []string{"aes128-cbc"},
		MACs: []string{"hmac-sha1"}, HostKeys: []string{"ssh-rsa"},
	}
	if _, err := l.Run(t.Context(), "hsm show"); err != nil {
		t.Errorf("with old algorithms: %v", err)
	}
}
