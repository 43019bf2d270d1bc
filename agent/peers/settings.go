package peers

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
)

// Settings are how agents reach each other.
type Settings struct {
	Listen    string   // host:port or :port; "": [DefaultListen]
	Endpoints []string // URLs of etcd: others reach this agent at the address from which it reaches the first that is not on this host
	CAFile    string   // who signs the certificates of the agents
	CertFile  string   // of this agent
	KeyFile   string
}

// DefaultListen is where an agent listens for the others.
const DefaultListen = ":9712"

// tls returns how agents prove to each other who they are, by certificates of one CA; nil:
// not all files are named.
//
// What counts is the CA and not the name in a certificate: who has one of it may write
// the state of the cluster anyway. An agent's certificate may be one for clients of etcd, so it
// need not be one for servers. A renewed certificate is read at the next connection.
func (s Settings) tls() (*tls.Config, error) {
	if s.CAFile == "" || s.CertFile == "" || s.KeyFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("cluster.ca_file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("cluster.ca_file: %s has no certificate in PEM", s.CAFile)
	}
	if _, err := s.pair(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.pair() },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.pair() },
		ClientAuth:           tls.RequireAnyClientCert,
		InsecureSkipVerify:   true, // for VerifyConnection, which both sides call, and always
		VerifyConnection:     func(c tls.ConnectionState) error { return signed(c, roots) },
	}, nil
}

func (s Settings) pair() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("cluster.cert_file, cluster.key_file: %w", err)
	}
	return &pair, nil
}

// signed returns an error unless the other side has a valid certificate of one of roots.
func signed(c tls.ConnectionState, roots *x509.CertPool) error {
	if len(c.PeerCertificates) == 0 {
		return errors.New("the other agent has no certificate")
	}
	between := x509.NewCertPool()
	for _, other := range c.PeerCertificates[1:] {
		between.AddCert(other)
	}
	_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

// listen opens the address, and returns how others reach it. Without secure it is on the
// loopback interface, whatever the setting says: only agents of this host may ask.
func (s Settings) listen(secure *tls.Config) (net.Listener, string, error) {
	host, port, err := net.SplitHostPort(cmp.Or(s.Listen, DefaultListen))
	if err != nil {
		return nil, "", fmt.Errorf("cluster.listen: %q is not host:port", s.Listen)
	}
	if a, err := netip.ParseAddr(host); secure == nil && host != "localhost" && (err != nil || !a.IsLoopback()) {
		host = "127.0.0.1"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, "", fmt.Errorf("cluster.listen: %w", err)
	}
	bound, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("cluster.listen: %w", err), l.Close())
	}
	told := bound.Addr().Unmap().WithZone("")
	if told.IsUnspecified() {
		told = outward(s.Endpoints)
	}
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	return l, netip.AddrPortFrom(told, bound.Port()).String(), nil
}

// outward returns the address from which this host reaches the first of some URLs that is
// not on it; that of loopback if all are. Nothing is sent.
func outward(urls []string) netip.Addr {
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil {
			continue
		}
		c, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "2379")))
		if err != nil {
			continue
		}
		local, err := netip.ParseAddrPort(c.LocalAddr().String())
		_ = c.Close() // nothing was sent
		if err == nil && !local.Addr().IsLoopback() {
			return local.Addr().Unmap()
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// WebAt returns where others reach the web server of an agent that they reach at an address, by
// what that listens on; "": nowhere, or it has a configuration of its own, so that it is not
// known whether with TLS.
func WebAt(address string, listens []string, configured bool) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil || configured {
		return ""
	}
	for _, text := range listens {
		own, port, err := net.SplitHostPort(text)
		a, notIP := netip.ParseAddr(own)
		switch {
		case err != nil || own == "localhost" || notIP == nil && a.IsLoopback():
		case own == "" || notIP == nil && a.IsUnspecified():
			return "http://" + net.JoinHostPort(host, port)
		default:
			return "http://" + text
		}
	}
	return ""
}
