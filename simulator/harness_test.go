package simulator

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto/rsa"

	"golang.org/x/crypto/ssh"
)

var update = flag.Bool("update", false, "rewrite golden files")

const testPassword = "not a secret"

// testKeys are made once: keys are the slow part of a simulation.
var testKeys = sync.OnceValue(func() (keys struct {
	ntls *rsa.PrivateKey
	host [2]ssh.Signer
}) {
	for i := range keys.host {
		key, err := newECDSA()
		if err != nil {
			panic(err)
		}
		if keys.host[i], err = ssh.NewSignerFromKey(key); err != nil {
			panic(err)
		}
	}
	key, err := newRSA()
	if err != nil {
		panic(err)
	}
	keys.ntls = key.(*rsa.PrivateKey)
	return keys
})

// testSpecs is the built-in estate by version.
func testSpecs(t *testing.T) map[string]spec {
	t.Helper()
	specs, _, err := readScenario("")
	if err != nil {
		t.Fatal(err)
	}
	byVersion := map[string]spec{}
	for _, sp := range specs {
		byVersion[sp.model.version] = sp
	}
	return byVersion
}

// simulated is one appliance without a network, for use in a synctest bubble.
type simulated struct {
	*appliance
	t       *testing.T
	mu      sync.Mutex
	current *memoryListener
}

func simulate(t *testing.T, version string) *simulated {
	t.Helper()
	keys := testKeys()
	a := newAppliance(testSpecs(t)[version], 1, t.TempDir(), slog.New(slog.DiscardHandler))
	a.keys = keys.host
	a.state.spec.ntlsKey = keys.ntls
	a.users = users{password: testPassword, authorized: map[string]bool{}}
	s := &simulated{appliance: a, t: t}
	a.listen = func() (net.Listener, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.current = &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
		return s.current, nil
	}
	ln, _ := a.listen()
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.serve(t.Context(), ln)
	}()
	go evolve(t.Context(), []*appliance{a})
	t.Cleanup(func() { <-done })
	return s
}

func (s *simulated) inject(line string) {
	s.t.Helper()
	e, err := parseEvent(line)
	if err == nil {
		err = s.appliance.inject(e)
	}
	if err != nil {
		s.t.Fatalf("%s: %v", line, err)
	}
}

// logged is the whole text of a log file.
func (s *simulated) logged(name string) string {
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	return string(b)
}

func (s *simulated) dial() (net.Conn, error) {
	s.mu.Lock()
	ln := s.current
	s.mu.Unlock()
	return ln.dial()
}

// login opens a terminal.
func (s *simulated) login() *terminal {
	s.t.Helper()
	conn, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	return openTerminal(s.t, conn, ssh.Password(testPassword), 200)
}

// A terminal is the client's end of a session.
type terminal struct {
	t      *testing.T
	client *ssh.Client
	in     io.WriteCloser
	out    io.Reader
	banner string
}

func clientConfig(auth ssh.AuthMethod) *ssh.ClientConfig {
	return &ssh.ClientConfig{User: User, Auth: []ssh.AuthMethod{auth}, HostKeyCallback: ssh.InsecureIgnoreHostKey()}
}

func openTerminal(t *testing.T, conn net.Conn, auth ssh.AuthMethod, width int) *terminal {
	t.Helper()
	c, channels, requests, err := ssh.NewClientConn(conn, "luna:22", clientConfig(auth))
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, client: ssh.NewClient(c, channels, requests)}
	t.Cleanup(func() { term.client.Close() })
	session, err := term.client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.RequestPty("xterm", 40, width, ssh.TerminalModes{ssh.ECHO: 0}); err != nil {
		t.Fatal(err)
	}
	term.in, _ = session.StdinPipe()
	term.out, _ = session.StdoutPipe()
	if err := session.Shell(); err != nil {
		t.Fatal(err)
	}
	if term.banner, err = term.read(); err != nil {
		t.Fatal(err)
	}
	return term
}

var promptEnd = regexp.MustCompile(`\[[a-z0-9-]+\] lunash:>$`)

// read returns the output up to and including the next prompt.
func (term *terminal) read() (string, error) {
	var all []byte
	b := make([]byte, 4096)
	for {
		n, err := term.out.Read(b)
		all = append(all, b[:n]...)
		if err != nil || promptEnd.Match(all) {
			return string(all), err
		}
	}
}

// ask runs a command and returns all output, including CR and prompt.
func (term *terminal) ask(line string) (string, error) {
	if _, err := io.WriteString(term.in, line+"\n"); err != nil {
		return "", err
	}
	return term.read()
}

// must runs a command and returns its output without echo, prompt and CR.
func (term *terminal) must(line string) string {
	term.t.Helper()
	out, err := term.ask(line)
	if err != nil {
		term.t.Fatalf("%s: %v; read %q", line, err, out)
	}
	echo, rest, found := strings.Cut(out, "\r\n")
	if !found || echo != line {
		term.t.Fatalf("%s: echo is %q", line, echo)
	}
	if strings.Count(rest, "\n") != strings.Count(rest, "\r\n") {
		term.t.Fatalf("%s: a line ends without CR in %q", line, rest)
	}
	return promptEnd.ReplaceAllString(strings.ReplaceAll(rest, "\r", ""), "")
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s differs; run go test -update and read the diff\n%s", path, text)
	}
}

// A memoryListener is a listener for connections in memory.
type memoryListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

func (l *memoryListener) dial() (net.Conn, error) {
	a, b := newStream(), newStream()
	select {
	case l.conns <- &memoryConn{a, b}:
		return &memoryConn{b, a}, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "192.0.2.7:40847" }

// A stream is one direction of a connection.
type stream struct {
	mu     sync.Mutex
	change *sync.Cond
	data   bytes.Buffer
	closed bool
}

func newStream() *stream {
	s := &stream{}
	s.change = sync.NewCond(&s.mu)
	return s
}

func (s *stream) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.data.Len() == 0 && !s.closed {
		s.change.Wait()
	}
	return s.data.Read(b)
}

func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	s.change.Broadcast()
	return s.data.Write(b)
}

func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.change.Broadcast()
}

type memoryConn struct{ in, out *stream }

func (c *memoryConn) Read(b []byte) (int, error)       { return c.in.Read(b) }
func (c *memoryConn) Write(b []byte) (int, error)      { return c.out.Write(b) }
func (c *memoryConn) Close() error                     { c.in.close(); c.out.close(); return nil }
func (c *memoryConn) LocalAddr() net.Addr              { return memoryAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr             { return memoryAddr{} }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }

// leftovers returns the stacks of goroutines that still run code of this package.
func leftovers() []string {
	b := make([]byte, 1<<20)
	b = b[:runtime.Stack(b, true)]
	var left []string
	for stack := range strings.SplitSeq(string(b), "\n\n") {
		if strings.Contains(stack, "simulator.(*") && !strings.Contains(stack, "testing.tRunner") {
			left = append(left, stack)
		}
	}
	return left
}
