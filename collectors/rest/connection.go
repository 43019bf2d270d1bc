package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// Confirm opens a connection in a short time, if there is none, and sends no request
// over it. Its error is also that of the next request, which need not try again.
func (r *API) Confirm(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, r.timing().Connect)
	defer cancel()
	r.unconfirmed = r.open(ctx)
	return r.unconfirmed
}

func (r *API) timing() poll.Timing {
	if r.Reach == (poll.Timing{}) {
		return poll.DefaultTiming()
	}
	return r.Reach
}

// alive reports whether there is a connection that has not ended.
func (r *API) alive() bool { return r.conn != nil && r.conn.Err() == nil }

// open opens a connection if there is none. When it ends, unless the agent ends it, lost
// receives.
func (r *API) open(ctx context.Context) error {
	if r.alive() {
		return nil
	}
	r.drop()
	config, err := r.tlsConfig()
	if err != nil {
		return err
	}
	if r.version == 0 {
		r.version = apiVersions[0]
	}
	transport := &http.Transport{TLSClientConfig: config, TLSHandshakeTimeout: dialTimeout, MaxResponseHeaderBytes: 64 << 10, DialContext: r.dialer()}
	conn, err := transport.NewClientConn(ctx, "https", r.Address)
	if err != nil {
		return r.connectError(err)
	}
	lost := r.lost
	conn.SetStateHook(func(c *http.ClientConn) {
		if c.Err() == nil {
			return
		}
		wait.Signal(lost)
	})
	r.conn = conn
	r.client = &http.Client{Transport: readOnly{r.Address, conn}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return nil
}

// drop ends the connection, if there is one.
func (r *API) drop() {
	if r.conn != nil {
		r.conn.SetStateHook(nil)
		r.conn.Close()
		r.conn = nil
	}
}

// dialer returns what connects. Of a connection over which nothing is asked the kernel
// finds out whether the appliance is still there, within Every and Timeout.
func (r *API) dialer() func(ctx context.Context, network, address string) (net.Conn, error) {
	t := r.timing()
	d := net.Dialer{Timeout: dialTimeout, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: t.Every, Interval: time.Second, Count: max(1, int(t.Timeout/time.Second)),
	}}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, collectors.Failf(hsm.Unreachable, "connect: %w", err)
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			boundSilence(tcp, t.Every+t.Timeout-time.Second/2)
		}
		return conn, nil
	}
}

// boundSilence ends a connection on which nothing that was sent has been acknowledged
// for d. A kernel that cannot do it has the keepalive alone.
func boundSilence(tcp *net.TCPConn, d time.Duration) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(max(d, time.Second)/time.Millisecond))
	})
}

// connectError returns why there is no connection. What is not of the dial, whose errors
// are known, is of TLS.
func (r *API) connectError(err error) error {
	if f, ok := errors.AsType[*collectors.Failed](err); ok {
		return f
	}
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return collectors.Failf(hsm.HostKey, "certificate of %s is not signed by what is in %s, or is for another name (%w); it shows %s; find out why before you change ca_file or pin it with certificate",
			r.Address, r.CAFile, bad.Err, certificateFingerprint(bad.UnverifiedCertificates))
	}
	return collectors.Failf(hsm.Unreachable, "TLS with %s: %w", r.Address, err).At(hsm.LayerHandshake)
}
