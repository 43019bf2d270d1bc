package lunash

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// An openssh is Debian's sshd with a pretend LunaSH as the login shell of an account
// that exists in its mount namespace only.
type openssh struct {
	directory, address string
	keys               []ssh.Signer // of the host
	client             ssh.Signer   // its public key is authorized
	config             string       // further lines of sshd_config

	cmd *exec.Cmd
	mu  sync.Mutex
	log bytes.Buffer
}

// lunaShell answers a command with the file of that name.
const lunaShell = `#!/usr/bin/perl
$| = 1;
print "[luna72] lunash:>";
while (my $line = <STDIN>) {
	$line =~ s/\s+$//;
	my $answer = "\nError:  'unknown' is not a valid command.\n\n";
	if (open my $f, '<', "%s/answers/$line") { local $/; $answer = <$f> }
	print $answer, "[luna72] lunash:>";
}
`

// start runs sshd with the files of an account "monitor" mounted over those of the
// machine, which keeps its own.
const start = `set -e
mount --make-rprivate /
mount --bind passwd /etc/passwd
mount --bind shadow /etc/shadow
mount -t tmpfs none /run
mount -t tmpfs none /var/log
mkdir -m 755 /run/sshd
exec /usr/sbin/sshd -D -e -f sshd_config
`

const opensshPassword = "correct horse"

func startOpenSSH(t *testing.T, config string) *openssh {
	t.Helper()
	_, err := os.Stat("/usr/sbin/sshd")
	if os.Getenv("CI") != "true" && (err != nil || os.Geteuid() != 0) {
		t.Skip("SKIPPED: root and sshd are needed: apt-get install openssh-server")
	}
	check.Must(t, err)
	directory, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(directory) })
	check.Must(t, os.Chmod(directory, 0o755))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	defer listener.Close()
	s := &openssh{directory: directory, address: listener.Addr().String(), config: config}
	s.client = s.newKey(t, "client")
	s.write(t, "authorized_keys", string(ssh.MarshalAuthorizedKey(s.client.PublicKey())), 0o644)
	s.write(t, "password", opensshPassword+"\n", 0o600)
	s.write(t, "lunash", fmt.Sprintf(lunaShell, directory), 0o755)
	machine, err := os.ReadFile("/etc/passwd")
	check.Must(t, err)
	s.write(t, "passwd", string(machine)+fmt.Sprintf("monitor:x:65534:65534::/:%s/lunash\n", directory), 0o644)
	crypt := exec.Command("openssl", "passwd", "-6", "-stdin")
	crypt.Stdin = strings.NewReader(opensshPassword + "\n")
	hash, err := crypt.Output()
	check.Must(t, err)
	s.write(t, "shadow", "root:*:19000:0:99999:7:::\nsshd:!:19000::::::\nmonitor:"+strings.TrimSpace(string(hash))+":19000:0:99999:7:::\n", 0o600)
	check.Must(t, os.Mkdir(filepath.Join(directory, "answers"), 0o755))
	return s
}

func (s *openssh) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	check.Must(t, os.WriteFile(filepath.Join(s.directory, name), []byte(text), mode))
}

func (s *openssh) newKey(t *testing.T, name string) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	check.Must(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	check.Must(t, err)
	s.write(t, name, string(pem.EncodeToMemory(block)), 0o600)
	key, err := ssh.NewSignerFromKey(private)
	check.Must(t, err)
	return key
}

// run starts sshd with host keys of three types, the RSA and ECDSA ones new.
func (s *openssh) run(t *testing.T) {
	t.Helper()
	_, port, _ := net.SplitHostPort(s.address)
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %s\nUsePAM no\nPidFile none\nStrictModes no\nLogLevel DEBUG3\nAuthorizedKeysFile %s/authorized_keys\n%s\n", port, s.directory, s.config)
	for _, name := range []string{"ed25519", "rsa", "ecdsa"} {
		file := filepath.Join(s.directory, "host_"+name)
		os.Remove(file)
		check.Must(t, exec.Command("ssh-keygen", "-q", "-t", name, "-N", "", "-f", file).Run())
		text, err := os.ReadFile(file)
		check.Must(t, err)
		key, err := ssh.ParsePrivateKey(text)
		check.Must(t, err)
		s.keys = append(s.keys, key)
		config += "HostKey " + file + "\n"
	}
	s.write(t, "sshd_config", config, 0o600)
	s.log.Reset()
	s.cmd = exec.Command("unshare", "--mount", "sh", "-c", start)
	s.cmd.Dir, s.cmd.Stderr = s.directory, s
	check.Must(t, s.cmd.Start())
	t.Cleanup(s.stop)
	s.until(t, "Server listening on", 1)
}

func (s *openssh) stop() {
	if s.cmd != nil {
		s.killSessions()
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.cmd = nil
	}
}

// killSessions ends the processes that sshd started for its connections.
func (s *openssh) killSessions() (n int) {
	pid := s.cmd.Process.Pid
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for child := range strings.FieldsSeq(string(children)) {
		var pid int
		fmt.Sscan(child, &pid)
		if syscall.Kill(pid, syscall.SIGTERM) == nil {
			n++
		}
	}
	return n
}

// Write takes the log of sshd.
func (s *openssh) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *openssh) logged(words string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.log.String(), words)
}

// until waits until sshd has logged words n times.
func (s *openssh) until(t *testing.T, words string, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); s.logged(words) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.mu.Lock()
			t.Fatalf("sshd did not log %q %d times:\n%s", words, n, s.log.String())
		}
	}
}

// client returns a client with the password that knows the host key of one type.
func (s *openssh) connect(t *testing.T, key ssh.Signer) *Client {
	t.Helper()
	c := (&Client{Address: s.address, User: "monitor", PasswordFile: setting.File(s.directory + "/password"), HostKey: ssh.FingerprintSHA256(key.PublicKey())}).Start()
	t.Cleanup(func() { c.Close() })
	return c
}

// answers gives LunaSH the answers of a capture.
func (s *openssh) answers(t *testing.T, capture poll.Dir) {
	t.Helper()
	for _, c := range commands {
		if text, err := capture.Run(t.Context(), c.Name); err == nil {
			s.write(t, "answers/"+c.Name, string(text), 0o644)
		}
	}
}

// facts are what a poller reads, by its source.
func facts(t *testing.T, r collectors.Runner) map[string][]hsm.Fact {
	t.Helper()
	all := make(map[string][]hsm.Fact)
	NewPoller("a", r, 0, poll.DefaultIntervals()).Capture(t.Context(), func(_, _ string) {}, func(o hsm.Observation) {
		if o.Source != "client list" { // the capture has them in one file
			all[o.Source] = o.Facts
		}
	})
	return all
}

// TestOpenSSH reads a capture over a real PTY of Debian's sshd, with host keys of
// three types and a rekey every few kilobytes, and ends the session under way.
func TestOpenSSH(t *testing.T) {
	t.Parallel()
	s := startOpenSSH(t, "RekeyLimit 16K\nClientAliveInterval 1\nClientAliveCountMax 2")
	replay := Replay("../formats/testdata/7.2")
	s.answers(t, replay)
	var long strings.Builder
	for i := range 8000 {
		fmt.Fprintf(&long, "        line %d of an answer that lasts for several keys\n", i)
	}
	long.WriteString("\nCommand Result : 0 (Success)\n")
	s.write(t, "answers/partition list", long.String(), 0o644)
	s.run(t)
	want := facts(t, replay)
	for _, key := range s.keys {
		c := s.connect(t, key)
		if diff := cmp.Diff(want, facts(t, c)); diff != "" {
			t.Errorf("%s: -capture +sshd:\n%s", key.PublicKey().Type(), diff)
		}
		before := s.logged("rekeying")
		text, err := c.Run(t.Context(), "partition list")
		if err != nil || string(text) != long.String() {
			t.Errorf("%v: %d bytes, want %d", err, len(text), long.Len())
		}
		if s.logged("rekeying") == before {
			t.Error("the keys were not changed under way")
		}
		c.Close()
	}
	c := s.connect(t, s.keys[0])
	ask := func(when string, connections int) {
		t.Helper()
		before := s.logged("Accepted password")
		if text, err := c.Run(t.Context(), "hsm show"); err != nil || !bytes.Contains(text, []byte("Command Result : 0")) {
			t.Errorf("%s: %v", when, err)
		}
		if n := s.logged("Accepted password") - before; n != connections {
			t.Errorf("%s: %d logins, want %d", when, n, connections)
		}
	}
	ask("first", 1)
	s.until(t, "for keepalive", s.logged("for keepalive")+4) // twice what it lets pass unanswered
	ask("after ClientAlive", 0)
	if s.killSessions() == 0 {
		t.Fatal("sshd has no session")
	}
	ask("after the session was ended", 1)
	old := s.keys[0]
	s.stop()
	s.run(t)
	if _, err := s.connect(t, old).Run(t.Context(), "hsm show"); collectors.FailureOf(err) != hsm.HostKey {
		t.Errorf("with other host keys: %v", err)
	}
	if n := s.logged("Failed"); n != 0 {
		t.Errorf("%d failed logins", n)
	}
}

// TestOpenSSHReach: whether a real sshd is there is asked again and again, and nothing of
// it is in its log, but for what it logs to find faults in itself.
func TestOpenSSHReach(t *testing.T) {
	t.Parallel()
	s := startOpenSSH(t, "")
	s.answers(t, Replay("../formats/testdata/7.2"))
	s.run(t)
	c := s.connect(t, s.keys[0])
	c.Reach.Every = 50 * time.Millisecond
	if _, err := c.Run(t.Context(), "hsm show"); err != nil {
		t.Fatal(err)
	}
	const asked = "rtype keepalive@openssh.com"
	s.until(t, asked, 1)
	before := s.events()
	s.until(t, asked, 20)
	if now := s.events(); !slices.Equal(now, before) {
		t.Errorf("logged: %q", now[len(before):])
	}
	if n := s.logged("Accepted password"); n != 1 {
		t.Errorf("%d logins", n)
	}
}

// events returns what is logged at the usual level.
func (s *openssh) events() (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(s.log.String()) {
		if !strings.HasPrefix(line, "debug") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestOpenSSHLogins: a key needs no password; a refused password is tried once.
func TestOpenSSHLogins(t *testing.T) {
	t.Parallel()
	s := startOpenSSH(t, "KbdInteractiveAuthentication yes")
	s.answers(t, Replay("../formats/testdata/7.2"))
	s.run(t)
	s.write(t, "password", "a guess\n", 0o600)
	byKey := s.connect(t, s.keys[0])
	byKey.PrivateKeyFile = setting.File(s.directory + "/client")
	if _, err := byKey.Run(t.Context(), "hsm show"); err != nil || s.logged("Accepted publickey for monitor") != 1 {
		t.Errorf("with a key: %v", err)
	}
	guess := s.connect(t, s.keys[0])
	for range 5 {
		if _, err := guess.Run(t.Context(), "hsm show"); collectors.FailureOf(err) != hsm.Login || !strings.Contains(err.Error(), "no more tries") {
			t.Errorf("%v", err)
		}
	}
	if n := s.logged("Failed password for monitor"); n != 1 {
		t.Errorf("%d tries, want 1", n)
	}
	s.write(t, "password", opensshPassword, 0o600)
	if _, err := guess.Run(t.Context(), "hsm show"); err != nil {
		t.Errorf("with the right one: %v", err)
	}
}

// TestAskedTwice: an appliance that takes a password in two ways gets it once, and
// one that asks for a new one gets nothing.
func TestAskedTwice(t *testing.T) {
	const question = "monitor@luna72's password: "
	for _, c := range []struct {
		name      string
		questions []string // at the keyboard, each after the answer to the one before
		password  bool     // may be given as such, too
		given     int      // how often the password is
		says      string
	}{
		{"both ways", []string{question}, true, 1, "over SSH"},
		{"keyboard", []string{question}, false, 1, "over SSH"},
		{"expired", []string{question, "New password: "}, false, 1, `asks "New password: "`},
		{"at once", []string{"(current) UNIX password: "}, false, 0, `asks "(current) UNIX password: "`},
		{"a code", []string{"One-time code: "}, false, 0, `asks "One-time code: "`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var answers []string
			keys := hostKeys(t)[:1]
			s := newSSHD(t, keys...)
			s.config.PasswordCallback = nil
			if c.password {
				s.config.PasswordCallback = func(_ ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
					answers = append(answers, string(given))
					return nil, errors.New("refused")
				}
			}
			s.config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				for _, q := range c.questions {
					given, err := ask("", "", []string{q}, []bool{false})
					if err != nil {
						return nil, err
					}
					answers = append(answers, given...)
				}
				return nil, errors.New("refused")
			}
			go s.run()
			password := filepath.Join(t.TempDir(), "password")
			check.Must(t, os.WriteFile(password, []byte("secret"), 0o600))
			client := (&Client{Address: s.address, User: "monitor", PasswordFile: setting.File(password), HostKey: ssh.FingerprintSHA256(keys[0].PublicKey())}).Start()
			for range 3 {
				_, err := client.Run(t.Context(), "hsm show")
				if collectors.FailureOf(err) != hsm.Login || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
					t.Errorf("%v", err)
				}
			}
			if len(answers) != c.given {
				t.Errorf("answers %q, want %d", answers, c.given)
			}
		})
	}
}

// TestNewPasswordAtShell: a shell that asks for a new password gets nothing, and the
// account is not used again.
func TestNewPasswordAtShell(t *testing.T) {
	for _, dialogue := range []string{
		"Your password has expired.\r\nEnter new password:",
		"WARNING: You must change your password now and login again!\r\nCurrent password: ",
	} {
		typed := make(chan []byte, 10)
		keys := hostKeys(t)[:1]
		s := newSSHD(t, keys...)
		s.shell = func(_ int32, terminal io.ReadWriter) {
			io.WriteString(terminal, dialogue)
			for {
				b := make([]byte, 100)
				n, err := terminal.Read(b)
				if err != nil {
					return
				}
				typed <- b[:n]
			}
		}
		s.greeting = ""
		go s.run()
		password := filepath.Join(t.TempDir(), "password")
		check.Must(t, os.WriteFile(password, []byte("secret"), 0o600))
		client := (&Client{Address: s.address, User: "monitor", PasswordFile: setting.File(password), HostKey: ssh.FingerprintSHA256(keys[0].PublicKey())}).Start()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 3 {
			if _, err := client.Run(ctx, "hsm show"); collectors.FailureOf(err) != hsm.Login || !strings.Contains(err.Error(), "requires a new password") {
				t.Errorf("%v", err)
			}
		}
		if s.logins.Load() != 1 || len(typed) != 0 {
			t.Errorf("%d logins, typed %q", s.logins.Load(), <-typed)
		}
	}
}
