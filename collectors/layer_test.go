package collectors_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestLayerOf reads the layer from errors as the network and the libraries make them.
func TestLayerOf(t *testing.T) {
	dial := func(no syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", no)}
	}
	read := func(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} }
	for _, test := range []struct {
		name string
		err  error
		want hsm.Layer
	}{
		{"nothing", nil, hsm.LayerUnknown},
		{"a refused port", dialed("tcp", closedPort(t)), hsm.LayerPortRefused},
		{"a name that nobody has", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "hsm1.example.net", IsNotFound: true}}, hsm.LayerName},
		{"a resolver that is silent", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", Name: "hsm1", IsTimeout: true}}, hsm.LayerName},
		{"a dial that ended with its time", dialedLate(t), hsm.LayerNoAnswer},
		{"a dial that the kernel gave up", dial(syscall.ETIMEDOUT), hsm.LayerNoAnswer},
		{"no route to the host", dial(syscall.EHOSTUNREACH), hsm.LayerRoute},
		{"no route to the network", dial(syscall.ENETUNREACH), hsm.LayerRoute},
		{"a blackhole route", dial(syscall.EINVAL), hsm.LayerRoute},
		{"a route that is prohibited", dial(syscall.EACCES), hsm.LayerRoute},
		{"too many open files here", &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}, hsm.LayerUnknown},
		{"a TLS server that talks garbage", shaken(t, "SSH-2.0-OpenSSH_9.2\r\n"), hsm.LayerHandshake},
		{"a TLS server that alerts", tls.AlertError(40), hsm.LayerHandshake},
		{"a certificate of nobody", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, hsm.LayerIdentity},
		{"a certificate of another name", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "hsm1"}, hsm.LayerIdentity},
		{"another host key", collectors.Failf(hsm.HostKey, "host key has changed"), hsm.LayerIdentity},
		{"a refused account", collectors.Failf(hsm.Login, "user was refused"), hsm.LayerAccount},
		{"a read that was reset", read(os.NewSyscallError("read", syscall.ECONNRESET)), hsm.LayerSessionLost},
		{"a read that was not acknowledged", read(os.NewSyscallError("read", syscall.ETIMEDOUT)), hsm.LayerSessionLost},
		{"a write into what is closed", &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, hsm.LayerSessionLost},
		{"an end", io.EOF, hsm.LayerSessionLost},
		{"a known layer", collectors.Failf(hsm.Unreachable, "no prompt").At(hsm.LayerShell), hsm.LayerShell},
		{"a known layer within", collectors.Failf(hsm.Timeout, "snmp hsmTable: %w", collectors.Failf(hsm.Timeout, "no answer").At(hsm.LayerCard)), hsm.LayerCard},
		{"a known layer around another cause", collectors.Failf(hsm.Unreachable, "SSH: %w", io.EOF).At(hsm.LayerHandshake), hsm.LayerHandshake},
		{"an error of a command", collectors.Failf(hsm.Command, "hsm show: %w", io.EOF), hsm.LayerUnknown},
		{"an unknown answer", collectors.Failf(hsm.Unrecognised, "hsm show"), hsm.LayerUnknown},
		{"no answer, nobody knows where", collectors.Failf(hsm.Timeout, "hsm show: %w", context.DeadlineExceeded), hsm.LayerUnknown},
		{"anything else", errors.New("odd"), hsm.LayerUnknown},
	} {
		for depth, err := range []error{test.err, fmt.Errorf("once more: %w", test.err)} {
			if test.err == nil && depth > 0 {
				continue
			}
			if got := collectors.LayerOf(err); got != test.want {
				t.Errorf("%s: %v is of layer %q, want %q", test.name, err, got, test.want)
			}
		}
	}
}

// closedPort returns an address at which nothing listens.
func closedPort(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

func dialed(network, address string) error {
	_, err := net.Dial(network, address)
	return err
}

// dialedLate dials with a deadline that has passed: so does one end that nothing answers.
func dialedLate(t *testing.T) error {
	_, err := (&net.Dialer{Deadline: time.Unix(1, 0)}).DialContext(t.Context(), "tcp", "127.0.0.1:9")
	return err
}

// shaken returns why a TLS handshake failed with a peer that says this and closes.
func shaken(t *testing.T, says string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	defer ln.Close()
	go func() {
		if conn, err := ln.Accept(); err == nil {
			io.WriteString(conn, says)
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	conn, err := net.Dial("tcp", ln.Addr().String())
	check.Must(t, err)
	defer conn.Close()
	return tls.Client(conn, &tls.Config{ServerName: "hsm1"}).Handshake()
}
