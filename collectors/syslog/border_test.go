package syslog

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// from dials from another address of this host.
func from(t *testing.T, network, address, local string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}}
	if network == "udp" {
		d.LocalAddr = &net.UDPAddr{IP: net.ParseIP(local)}
	}
	return dial(t, func() (net.Conn, error) { return d.Dial(network, address) })
}

func (s logSink) refused(t *testing.T, want Reason) Refusal {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, r := range s.Refusals() {
			if r.Reason == want {
				return r
			}
		}
	}
	t.Fatalf("nothing was refused: %s", want)
	return Refusal{}
}

// TestStrangers: lines of an unknown address are refused, whatever host they name,
// and so are those of a relay that name an HSM that it may not speak for.
func TestStrangers(t *testing.T) {
	s := startSyslog(t, asRelay)
	s.tcp(t)
	const line = "<6>Mar  1 12:00:00 vault kernel: k7pf0: [HSM] ALM2011: HSM unlocked - tamper clear done\n"
	io.WriteString(from(t, "udp", s.UDP, "127.0.0.2"), line)
	if r := s.refused(t, RefusedUnknown); r.Peer.String() != "127.0.0.2 (udp)" {
		t.Errorf("%+v", r)
	}
	c := from(t, "tcp", s.TCP, "127.0.0.3")
	io.WriteString(c, line)
	if r := s.refused(t, RefusedUnknown); r.Peer.String() != "127.0.0.3 (tcp)" {
		t.Errorf("%+v", r)
	}
	io.WriteString(s.tcp(t), strings.Replace(line, "vault", "other", 1))
	if r := s.refused(t, RefusedHost); r.Peer.String() != "127.0.0.1 (tcp)" {
		t.Errorf("%+v", r)
	}
	if len(s.lines) != 0 {
		t.Errorf("%d lines came through, such as %q", len(s.lines), <-s.lines)
	}
}

// TestTooManyConnections: one peer cannot take the connections of others, and what
// is refused is counted.
func TestTooManyConnections(t *testing.T) {
	s := startSyslog(t, nil)
	for range maxOfPeer {
		s.tcp(t)
	}
	c, err := net.Dial("tcp", s.TCP)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s.refused(t, RefusedConnection)
	if n := s.Counts.Connections.Load(); n == 0 {
		t.Errorf("%d counted", n)
	}
}

// TestAlarmsPassTheLimit: noise of the HSM itself does not spend what its alarms
// need.
func TestAlarmsPassTheLimit(t *testing.T) {
	s := startSyslog(t, func(l *Listener) { l.Rate = 10 })
	c := s.tcp(t)
	for range 2000 {
		io.WriteString(c, "<30>Mar  1 12:00:00 vault NTLS: noise\n")
	}
	for i := range 10 {
		fmt.Fprintf(c, "<6>Mar  1 12:00:00 vault kernel: k7pf0: [HSM] ALM200%d: x\n", i)
	}
	got := 0
	for deadline := time.After(10 * time.Second); got < 10; {
		select {
		case l := <-s.lines:
			if strings.HasPrefix(l, "a|200") {
				got++
			}
		case <-deadline:
			t.Fatalf("%d of 10 alarms came", got)
		}
	}
	if r := s.refused(t, DroppedTooFast); r.Device != "a" || r.N < 1500 {
		t.Errorf("%+v", r)
	}
}

// TestFloodOfAStranger has a stranger send as fast as it can, over UDP, while the
// HSM sends ten alarms. At first, until the stranger is shut out, there may be no room
// for them.
func TestFloodOfAStranger(t *testing.T) {
	s := startSyslog(t, nil)
	s.tcp(t)
	stop, ended := make(chan struct{}), make(chan uint64, 2)
	for i := range 2 {
		c := from(t, "udp", s.UDP, fmt.Sprintf("127.0.0.%d", 2+i))
		go func() {
			line := []byte("<6>Mar  1 12:00:00 vault kernel: k7pf0: [HSM] ALM2011: HSM unlocked - tamper clear done")
			for n := uint64(0); ; n++ {
				select {
				case <-stop:
					ended <- n
					return
				default:
					_, _ = c.Write(line)
				}
			}
		}()
	}
	began := time.Now()
	for before := uint64(1); before != s.Counts.Unknown.Load() || before < floodFrom; time.Sleep(50 * time.Millisecond) { // until it is shut out
		before = s.Counts.Unknown.Load()
	}
	c := from(t, "udp", s.UDP, "127.0.0.1")
	for i := range 10 {
		fmt.Fprintf(c, "<6>Mar  1 12:00:00 vault kernel: k7pf0: [HSM] ALM200%d: x", i)
		s.want(t, fmt.Sprintf("a|200%d|k7pf0: [HSM] ALM200%d: x", i, i))
	}
	close(stop)
	n := <-ended + <-ended
	t.Logf("%d datagrams of strangers in %s (%.0f/s), %d of them read; 10 of 10 alarms of the HSM came", n, time.Since(began).Round(time.Millisecond), float64(n)/time.Since(began).Seconds(), s.Counts.Unknown.Load())
}

// TestCertificateNamesTheSender: over TLS with client_ca_file, who shows no
// certificate of it is refused, and the name in it says whose lines they are.
func TestCertificateNamesTheSender(t *testing.T) {
	authority, pool := newCA(t)
	server := authority.issue(t, "lunawatch")
	s := startSyslog(t, func(l *Listener) {
		l.TLS = free(t, "tcp")
		l.TLSConfig = &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
		l.May = func(p Peer) []Speaker {
			for _, name := range []string{"vault-a", "vault-b"} {
				if slices.Contains(p.Names, name) {
					return []Speaker{{Device: name}}
				}
			}
			return nil
		}
	})
	send := func(certificates ...tls.Certificate) {
		conn := dial(t, func() (net.Conn, error) {
			return tls.Dial("tcp", s.TLS, &tls.Config{RootCAs: pool, ServerName: "lunawatch", Certificates: certificates})
		})
		io.WriteString(conn, "<6>Mar  1 12:00:00 vault-a kernel: hello\n")
	}
	send(authority.issue(t, "vault-b"))
	s.want(t, "vault-b||hello")
	send(authority.issue(t, "somebody"))
	s.refused(t, RefusedUnknown)
	send()
	s.refused(t, RefusedUnknown)
	other, _ := newCA(t)
	send(other.issue(t, "vault-a"))
	s.refused(t, RefusedUnknown)
	if len(s.lines) != 0 {
		t.Errorf("%q came through", <-s.lines)
	}
}

// A ca issues certificates.
type ca struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newCA(t *testing.T) (ca, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return ca{key, cert}, pool
}

func (a ca) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
