package agent

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/hsm"
)

// follow gives every line of a log to the alarms, from where it stopped.
func (a *Agent) follow(ctx context.Context, h HSM, file string, read func(string) hsm.LogLine) error {
	f := follow.Follower{File: file, Log: a.log, FromStart: h.Replay != "", Read: read}
	return f.Run(ctx, a.watch.Journal.Cursor(file), func(lines []hsm.LogLine, cursor []byte) error {
		return a.watch.Lines(h.Name, file, lines, cursor)
	})
}

// loadTLS reads the certificate of the listener for forwarded logs.
func (a *Agent) loadTLS() error {
	c := a.config.Syslog
	if c.TLS == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	a.listener.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	return nil
}

// sender returns the HSM whose log it is, "" if it is of none. The name in the
// line comes first, since a relay sends the logs of several.
func (c Config) sender(address netip.Addr, host string) string {
	for _, sender := range []string{host, address.String()} {
		for _, h := range c.HSMs {
			own, _, _ := net.SplitHostPort(h.anyAddress())
			if sender != "" && (sender == h.Name || sender == own || slices.Contains(h.SyslogSenders, sender)) {
				return h.Name
			}
		}
	}
	return ""
}
