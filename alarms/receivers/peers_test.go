package receivers

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// quiet fails if an error holds a secret.
func quiet(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), theSecret) {
		t.Errorf("an error holds a secret: %v", err)
	}
}

// newSite finds an address at which nothing listens, below the ports that
// connections get.
func newSite(t *testing.T, x subject) site {
	t.Helper()
	s := site{t: t, dir: t.TempDir(), certs: theCerts(t)}
	for range 100 {
		s.address = fmt.Sprintf("127.0.0.1:%d", 20000+mathrand.IntN(12000))
		if x.udp {
			if c, err := net.ListenPacket("udp", s.address); err == nil {
				c.Close()
				return s
			}
		} else if l, err := net.Listen("tcp", s.address); err == nil {
			l.Close()
			return s
		}
	}
	t.Fatal("no port is free")
	return s
}

func (s site) port() string {
	_, port, _ := net.SplitHostPort(s.address)
	return port
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// await waits for a condition.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	end := time.After(20 * time.Second)
	for tick := time.Tick(5 * time.Millisecond); !is(); {
		select {
		case <-tick:
		case <-end:
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

// mute takes connections at a site and never says anything. busy reports
// whether there was one.
func mute(t *testing.T, s site, x subject) (busy func() bool) {
	t.Helper()
	var mu sync.Mutex
	seen := false
	mark := func() {
		mu.Lock()
		defer mu.Unlock()
		seen = true
	}
	switch {
	case x.name == "exec":
		return func() bool {
			_, err := os.Stat(filepath.Join(s.dir, "busy"))
			return err == nil
		}
	case x.udp:
		c, err := net.ListenPacket("udp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		go func() {
			for b := make([]byte, 2048); ; mark() {
				if _, _, err := c.ReadFrom(b); err != nil {
					return
				}
			}
		}()
	default:
		l, err := net.Listen("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				t.Cleanup(func() { c.Close() })
				mark()
			}
		}()
	}
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

func serveHTTP(s site, handler http.HandlerFunc) {
	s.t.Helper()
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.Listener.Close()
	server.Listener = l
	if s.tls {
		pair, err := tls.LoadX509KeyPair(s.certs.cert, s.certs.key)
		if err != nil {
			s.t.Fatal(err)
		}
		server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
		server.StartTLS()
	} else {
		server.Start()
	}
	s.t.Cleanup(server.Close)
}

// inProcess returns a start of a server that checks each request by what the
// service's public documentation demands, and records its body.
func inProcess(check func(r *http.Request, body []byte) error) func(s site) []string {
	return func(s site) []string {
		serveHTTP(s, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err == nil {
				err = check(r, body)
			}
			if err != nil {
				s.t.Errorf("%s %s: %v\n%s", r.Method, r.URL.Path, err, body)
				w.WriteHeader(http.StatusUnprocessableEntity)
				return
			}
			keep(s, string(body))
			w.WriteHeader(http.StatusAccepted)
		})
		return nil
	}
}

var keeping sync.Mutex

func keep(s site, line string) {
	keeping.Lock()
	defer keeping.Unlock()
	f, err := os.OpenFile(filepath.Join(s.dir, "got"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer f.Close()
	fmt.Fprintln(f, line)
}

// gotten returns what a peer has recorded.
func gotten(s site) []string {
	text, err := os.ReadFile(filepath.Join(s.dir, "got"))
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func awaitLines(s site, n int) {
	s.t.Helper()
	await(s.t, "delivery", func() bool { return len(gotten(s)) >= n })
}

// realPeer finds a real peer. A test whose peer is missing is skipped, loudly;
// CI must have it.
func realPeer(t *testing.T, name, debian string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	missing(t, name, debian)
	return ""
}

func missing(t *testing.T, name, debian string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: apt-get install %s", name, debian)
	}
	t.Skipf("SKIPPED: %s is missing: apt-get install %s", name, debian)
}

// daemon runs a real peer until the test ends.
func daemon(t *testing.T, path string, args ...string) {
	t.Helper()
	var output safeBuffer
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", path, output.String())
		}
	})
}

// listens waits until a peer takes connections.
func listens(s site) {
	s.t.Helper()
	await(s.t, s.address, func() bool {
		c, err := net.Dial("tcp", s.address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func startTrapd(s site) []string {
	auth, priv := theSecret+"-auth", theSecret+"-priv"
	d, err := netsnmp.StartTrapd(s.t.Context(), s.t.TempDir(), netsnmp.TrapdConfig{Address: s.address, Output: "-On", Lines: []string{
		fmt.Sprintf("createUser noc SHA-256 %q AES %q", auth, priv), "authUser log noc priv"}})
	alarmstest.Peer(s.t, err)
	s.t.Cleanup(d.Stop)
	go func() {
		if _, err := d.WaitCount(s.t.Context(), "partition-storage / 1]", 1); err == nil {
			keep(s, "trap")
		}
	}()
	return nil
}

func script(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "script")
	// A process that another test starts meanwhile would have the file open for
	// writing, and then it cannot be executed.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// A safeBuffer takes what several write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// certs are the files of a certificate that signs itself, for 127.0.0.1.
type certs struct{ cert, key string }

func theCerts(t *testing.T) certs {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := certs{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	alarmstest.Overwrite(t, c.cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	alarmstest.Overwrite(t, c.key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	return c
}

// strict decodes JSON that holds nothing unknown.
func strict(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
