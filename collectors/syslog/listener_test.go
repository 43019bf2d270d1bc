package syslog

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A logSink collects what a listener delivers.
type logSink struct {
	*Listener
	lines chan string // device, code and message
}

func startSyslog(t *testing.T, change func(*Listener)) logSink {
	t.Helper()
	s := logSink{&Listener{
		UDP: free(t, "udp"), TCP: free(t, "tcp"), Rate: 1000, Log: slog.New(slog.DiscardHandler),
		May:   func(p Peer) []Speaker { return fromLoopback(p, nil) },
		Known: func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} },
	}, make(chan string, 20000)}
	if change != nil {
		change(s.Listener)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- s.Run(ctx, func(lines []Received) error {
			for _, l := range lines {
				code := ""
				if l.Alarm != nil {
					code = l.Alarm.Code
				}
				s.lines <- l.Device + "|" + code + "|" + l.Message
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// fromLoopback lets 127.0.0.1 send the lines of a, with these host names.
func fromLoopback(p Peer, hosts []string) []Speaker {
	if p.Address != netip.MustParseAddr("127.0.0.1") {
		return nil
	}
	return []Speaker{{Device: "a", Hosts: hosts}}
}

// asRelay has the lines of other hosts than vault be those of strangers.
func asRelay(l *Listener) {
	l.May = func(p Peer) []Speaker { return fromLoopback(p, []string{"vault", ""}) }
}

func free(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// dial retries until the listener listens.
func dial(t *testing.T, dial func() (net.Conn, error)) net.Conn {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := dial()
		if err == nil {
			t.Cleanup(func() { c.Close() })
			return c
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func (s logSink) tcp(t *testing.T) net.Conn {
	return dial(t, func() (net.Conn, error) { return net.Dial("tcp", s.TCP) })
}

func (s logSink) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-s.lines:
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("nothing came, want %q", want)
	}
}

func TestSyslogForms(t *testing.T) {
	s := startSyslog(t, nil)
	c := s.tcp(t)
	alarm := func(prefix string) string { return prefix + "kernel: k7pf0: [HSM] ALM2001: warm" }
	const want = "a|2001|k7pf0: [HSM] ALM2001: warm"
	counted := alarm("<6>Mar  1 12:00:00 vault ")
	for _, frame := range []string{
		alarm("<6>Mar  1 12:00:00 vault ") + "\n",
		alarm("2026 Mar  1 12:00:00 vault  kern info  ") + "\n",
		fmt.Sprintf("%d %s", len(counted), counted),
		"<6>1 2026-03-01T12:00:00Z vault kernel - - - k7pf0: [HSM] ALM2001: warm\r\n",
	} {
		if _, err := c.Write([]byte(frame)); err != nil {
			t.Fatal(err)
		}
		s.want(t, want)
	}
	half := alarm("<6>Mar  1 12:00:00 vault ") + "\n"
	for _, part := range []string{half[:20], half[20:]} {
		if _, err := c.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	s.want(t, want)
	u := dial(t, func() (net.Conn, error) { return net.Dial("udp", s.UDP) })
	if _, err := u.Write([]byte(alarm("<6>Mar  1 12:00:00 vault ") + "\n")); err != nil {
		t.Fatal(err)
	}
	s.want(t, want)
}

// TestSyslogLogger receives lines from the real logger of util-linux.
func TestSyslogLogger(t *testing.T) {
	if _, err := exec.LookPath("logger"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("logger is missing: apt-get install bsdutils")
		}
		t.Skip("SKIPPED: logger is missing: apt-get install bsdutils")
	}
	s := startSyslog(t, nil)
	s.tcp(t)
	host, port, _ := net.SplitHostPort(s.TCP)
	_, udpPort, _ := net.SplitHostPort(s.UDP)
	for _, args := range [][]string{
		{"--udp", "--rfc3164", "--port", udpPort},
		{"--udp", "--rfc5424", "--port", udpPort},
		{"--tcp", "--rfc3164", "--port", port},
		{"--tcp", "--rfc5424", "--port", port},
		{"--tcp", "--rfc5424", "--octet-count", "--port", port},
	} {
		args = append(args, "--server", host, "-t", "kernel", "k7pf0: [HSM] ALM2007: HSM zeroized")
		if out, err := exec.Command("logger", args...).CombinedOutput(); err != nil {
			t.Fatalf("logger %q: %v: %s", args, err, out)
		}
		s.want(t, "a|2007|k7pf0: [HSM] ALM2007: HSM zeroized")
	}
}

func TestSyslogTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	s := startSyslog(t, func(l *Listener) {
		l.TLS = free(t, "tcp")
		l.TLSConfig = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	})
	c := dial(t, func() (net.Conn, error) { return tls.Dial("tcp", s.TLS, &tls.Config{RootCAs: roots}) })
	if _, err := c.Write([]byte("<6>Mar  1 12:00:00 vault kernel: hello\n")); err != nil {
		t.Fatal(err)
	}
	s.want(t, "a||hello")
}

// TestSyslogFlood: lines of strangers and of a device that sends too many are
// counted and use no memory, and the connection stays open.
func TestSyslogFlood(t *testing.T) {
	s := startSyslog(t, func(l *Listener) {
		l.Rate = 10
		asRelay(l)
	})
	c := s.tcp(t)
	for range 50 {
		fmt.Fprintf(c, "<6>Mar  1 12:00:00 stranger kernel: x\n")
	}
	for range 5000 {
		if _, err := c.Write([]byte("<30>Mar  1 12:00:00 vault NTLS: x\n")); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintf(c, "%s\n", strings.Repeat("y", 10*maxMessage))
	for deadline := time.Now().Add(10 * time.Second); s.Counts.Received.Load() < 5051; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d received", s.Counts.Received.Load())
		}
	}
	if n := s.Counts.Unknown.Load(); n != 50 {
		t.Errorf("%d of strangers, want 50", n)
	}
	if n := s.Counts.TooFast.Load(); n < 4000 || n > 4901 {
		t.Errorf("%d too fast, want nearly 4900", n)
	}
	if n := s.Counts.TooLong.Load(); n != 1 {
		t.Errorf("%d too long, want 1", n)
	}
}

func TestSyslogPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &Listener{TCP: l.Addr().String(), Log: slog.New(slog.DiscardHandler)}
	err = s.Run(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "address already in use") || errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
