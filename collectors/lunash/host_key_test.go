package lunash

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A sshd is an SSH server that prints a prompt.
type sshd struct {
	address             string
	connections, logins atomic.Int32
	shell               func(session int32, terminal io.ReadWriter) // nil: it reads nothing
	listener            net.Listener
	config              *ssh.ServerConfig
	greeting            string
}

func startSSHD(t *testing.T, shell func(int32, io.ReadWriter), keys ...ssh.Signer) *sshd {
	t.Helper()
	s := newSSHD(t, keys...)
	s.shell = shell
	go s.run()
	return s
}

// newSSHD returns a server that accepts any password, before it runs.
func newSSHD(t *testing.T, keys ...ssh.Signer) *sshd {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &sshd{address: listener.Addr().String(), listener: listener, greeting: "[a] lunash:>"}
	s.config = &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
		s.logins.Add(1)
		return nil, nil
	}}
	for _, k := range keys {
		s.config.AddHostKey(k)
	}
	return s
}

func (s *sshd) run() {
	for {
		tcp, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.connections.Add(1)
		go s.serve(tcp)
	}
}

func (s *sshd) serve(tcp net.Conn) {
	defer tcp.Close()
	_, channels, requests, err := ssh.NewServerConn(tcp, s.config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				r.Reply(true, nil)
			}
		}()
		io.WriteString(channel, s.greeting)
		if s.shell != nil {
			go s.shell(s.logins.Load(), channel)
		}
	}
}

// hostKeys returns an RSA, an ECDSA and an Ed25519 key.
func hostKeys(t *testing.T) (keys []ssh.Signer) {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, d, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []any{r, e, d} {
		signer, err := ssh.NewSignerFromKey(k)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, signer)
	}
	return keys
}

// TestHostKeyOfAnyType knows one key of an appliance that has three: by its
// fingerprint, in known_hosts, and beside the key that it replaces. When the
// appliance has another key of that type, it has changed, whatever else it shows,
// and it gets no password.
func TestHostKeyOfAnyType(t *testing.T) {
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, others := hostKeys(t), hostKeys(t)
	same, changed := startSSHD(t, nil, keys...), startSSHD(t, nil, others...)
	for i, k := range keys {
		pin := ssh.FingerprintSHA256(k.PublicKey())
		known := filepath.Join(dir, k.PublicKey().Type())
		lines := knownhosts.Line([]string{same.address, changed.address}, k.PublicKey()) + "\n"
		if err := os.WriteFile(known, []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]Client{
			"pin":         {HostKey: pin},
			"rotated pin": {HostKey: ssh.FingerprintSHA256(hostKeys(t)[i].PublicKey()) + " " + pin},
			"known_hosts": {KnownHostsFile: known},
		} {
			name = k.PublicKey().Type() + " " + name
			c.User, c.PasswordFile = "monitor", setting.File(password)
			c.Start()
			c.Address = same.address
			for again := range 2 {
				before := same.connections.Load()
				session, err := c.connect(t.Context(), time.Minute)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					break
				}
				session.close()
				if n := same.connections.Load() - before; again == 1 && n != 1 {
					t.Errorf("%s: %d connections, though the type is known", name, n)
				}
			}
			c.Address = changed.address
			if _, err := c.connect(t.Context(), time.Minute); collectors.FailureOf(err) != hsm.HostKey || !strings.Contains(err.Error(), "has changed") {
				t.Errorf("%s, changed: %v", name, err)
			}
		}
	}
	if n := changed.logins.Load(); n != 0 {
		t.Errorf("%d passwords were sent to a host with another key", n)
	}
}

// TestKnownHostsAreReadWhenTheyChange: a key that is taken out of the file is refused from
// then on, and one that is put in accepted.
func TestKnownHostsAreReadWhenTheyChange(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known_hosts")
	_, first, err := ed25519.GenerateKey(rand.Reader)
	check.Must(t, err)
	_, second, err := ed25519.GenerateKey(rand.Reader)
	check.Must(t, err)
	var of knownHosts
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 22}
	for i, step := range []ed25519.PrivateKey{first, second, first} {
		key, err := ssh.NewPublicKey(step.Public())
		check.Must(t, err)
		check.Must(t, os.WriteFile(file, []byte(knownhosts.Line([]string{"luna"}, key)+"\n"), 0o600))
		check.Must(t, os.Chtimes(file, time.Time{}, time.Unix(int64(i), 0)))
		for _, shown := range []ed25519.PrivateKey{first, second} {
			key, err := ssh.NewPublicKey(shown.Public())
			check.Must(t, err)
			accept, err := of.in(file)
			check.Must(t, err)
			if err := accept("luna:22", addr, key); (err == nil) != shown.Equal(step) {
				t.Errorf("step %d: %v", i, err)
			}
		}
	}
	check.Must(t, os.Remove(file))
	if _, err := of.in(file); !os.IsNotExist(err) {
		t.Errorf("without the file: %v", err)
	}
}
