package collectors

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/simulator"
)

// An estate is a simulated site, of three appliances unless a scenario file
// says otherwise.
type estate struct {
	*simulator.Estate
	simulator.Ready
}

func startEstate(t *testing.T, scenario string) estate {
	t.Helper()
	dir, err := os.MkdirTemp("", "lw")
	if err != nil {
		t.Fatal(err)
	}
	sim, err := simulator.New(simulator.Config{ListenAddress: "127.0.0.1:0", StateDir: dir, Scenario: scenario, MonitorSecond: 10 * time.Millisecond, RSAKeys: rsaKeys})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	return estate{sim, <-sim.Ready()}
}

// luna returns a session to the appliance of that name.
func (e estate) luna(t *testing.T, name string) *LunaSH {
	t.Helper()
	for _, a := range e.Appliances {
		if a.Name == name {
			l := (&LunaSH{Address: a.SSHAddress, User: simulator.User, PasswordFile: e.PasswordFile, KnownHostsFile: e.KnownHosts}).Start()
			t.Cleanup(func() { l.Close() })
			return l
		}
	}
	t.Fatalf("no appliance %s", name)
	return nil
}

func (e estate) inject(t *testing.T, appliance string, words ...string) {
	t.Helper()
	if err := e.Inject(appliance, simulator.Event{Name: words[0], Args: words[1:]}); err != nil {
		t.Fatal(err)
	}
}

// TestEveryCommand asks each version everything it knows, over SSH, and reads
// every answer without a line left over.
func TestEveryCommand(t *testing.T) {
	e := startEstate(t, "")
	for _, a := range e.Appliances {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			p := &Poller{Device: a.Name, Runner: e.luna(t, a.Name), Intervals: DefaultIntervals}
			for _, c := range lunash {
				if p.major < c.since {
					continue
				}
				facts, unread, err := p.ask(t.Context(), c)
				if err != nil {
					t.Errorf("%s: %v", c.name, err)
					continue
				}
				if len(facts) != 1 || len(unread) != 0 {
					t.Errorf("%s: %d facts, unread %q", c.name, len(facts), unread)
				}
			}
		})
	}
}

// TestLoginFailures checks which step is blamed, that the remedy is named, and
// that the password is not.
func TestLoginFailures(t *testing.T) {
	e := startEstate(t, "")
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
		change func(*LunaSH)
		want   hsm.Failure
		says   string
	}{
		{"wrong password", func(l *LunaSH) { l.PasswordFile = wrong }, hsm.Login, `user "monitor" was refused; check the password`},
		{"no password file", func(l *LunaSH) { l.PasswordFile = wrong + "x" }, hsm.Login, "no such file"},
		{"not a key", func(l *LunaSH) { l.PrivateKeyFile = wrong }, hsm.Login, "private key " + wrong},
		{"unknown host key", func(l *LunaSH) { l.KnownHostsFile = empty }, hsm.HostKey, "is not in " + empty},
		{"other fingerprint", func(l *LunaSH) { l.HostKey = "SHA256:other" }, hsm.HostKey, "has changed: it shows SHA256:"},
		{"no known_hosts", func(l *LunaSH) { l.KnownHostsFile = empty + "x" }, hsm.HostKey, "no such file"},
		{"nobody listens", func(l *LunaSH) { l.Address = "127.0.0.1:1" }, hsm.Unreachable, "connection refused"},
		{"no common algorithm", func(l *LunaSH) { l.Algorithms.Ciphers = []string{"aes128-cbc"} }, hsm.Login, `allow what the appliance offers under "algorithms"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := e.luna(t, "luna72")
			c.change(l)
			_, err := l.Run(t.Context(), "hsm show")
			if failure(err) != c.want || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v; want %s: %s", failure(err), err, c.want, c.says)
			}
			if strings.Contains(err.Error(), "not the password") {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

func TestPublicKeyAndPin(t *testing.T) {
	e := startEstate(t, "")
	l := e.luna(t, "luna62")
	for _, a := range e.Appliances {
		if a.Name == "luna62" {
			l.HostKey, l.KnownHostsFile = a.Fingerprint, ""
		}
	}
	if _, err := l.Run(t.Context(), "hsm show"); err != nil {
		t.Error(err)
	}
}

// TestWireFaults breaks answers in every way: none may be taken for a whole
// one, each is blamed on the right step, and the next answer is whole again.
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
			e := startEstate(t, "")
			l := e.luna(t, "luna72")
			if _, err := answer(t.Context(), l, "hsm show"); err != nil {
				t.Fatal(err)
			}
			e.inject(t, "luna72", c.fault)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			text, err := answer(ctx, l, "hsm show")
			if f := failure(err); f != c.want && !(c.fault == "garbage" && f == hsm.Incomplete) {
				t.Errorf("%q: %s: %v, want %s", text, f, err, c.want)
			}
			e.inject(t, "luna72", "heal")
			if _, err := answer(t.Context(), l, "hsm show"); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

// TestOneAtATime has many ask over one session; each gets its own answer.
func TestOneAtATime(t *testing.T) {
	e := startEstate(t, "")
	l := e.luna(t, "luna72")
	ended := make(chan error)
	ask := func(command, want string) {
		text, err := answer(t.Context(), l, command)
		if err == nil && !strings.Contains(string(text), want) {
			t.Errorf("%s: %q", command, text)
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

// TestNothingElseIsSent tries what could change an appliance, and what could
// smuggle a second command in: nothing of it reaches the session.
func TestNothingElseIsSent(t *testing.T) {
	e := startEstate(t, "")
	l := e.luna(t, "luna72")
	if _, err := l.Run(t.Context(), "status disk"); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"hsm login", "hsm information reset", "hsm zeroize", "hsm factoryreset", "hsm tamper clear", "partition delete -partition a",
		"hsm showpolicies -exporttemplate x", "hsm information monitor -save", "hsm supportinfo", "hsm selftest", "service stop ntls",
		"hsm show\nhsm zeroize", "hsm show\rhsm zeroize", "hsm show; hsm zeroize", " hsm show", "hsm show ", "HSM SHOW", "",
		"client show -client a\nhsm zeroize", "client show -client \"a\" -force", "client show -client $(reboot)", "client delete -client a",
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

// TestOldAlgorithms reaches an appliance that offers only what version 5 did:
// not by default, and with the algorithms of the reference configuration.
func TestOldAlgorithms(t *testing.T) {
	scenario := filepath.Join(t.TempDir(), "old.yaml")
	if err := os.WriteFile(scenario, []byte("appliances:\n- {name: old, model: \"5.4\", old_ssh: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := startEstate(t, scenario)
	l := e.luna(t, "old")
	if _, err := l.Run(t.Context(), "hsm show"); failure(err) != hsm.Login || !strings.Contains(err.Error(), "no common algorithm") {
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
