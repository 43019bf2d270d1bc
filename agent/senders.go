package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// senders are who may send lines of which HSM's log.
type senders struct {
	config config.Config

	mu        sync.RWMutex
	addresses map[netip.Addr][]syslog.Speaker
}

// newSenders returns the senders that are known without a name server.
func newSenders(c config.Config) *senders {
	s := &senders{config: c}
	s.set(func(string) []netip.Addr { return nil })
	return s
}

// set determines whose lines each address may send.
func (s *senders) set(lookup func(host string) []netip.Addr) {
	of := make(map[netip.Addr][]config.HSM)
	for _, h := range s.config.HSMs {
		for _, host := range h.LogHosts() {
			list := []netip.Addr{}
			if a, err := netip.ParseAddr(host); err == nil {
				list = append(list, a.Unmap())
			} else if host != h.Name {
				list = lookup(host)
			}
			for _, a := range list {
				of[a] = append(of[a], h)
			}
		}
	}
	all := make(map[netip.Addr][]syslog.Speaker)
	for a, hsms := range of {
		for _, h := range hsms {
			speaker := syslog.Speaker{Device: h.Name}
			if slices.ContainsFunc(hsms, func(other config.HSM) bool { return other.Name != h.Name }) { // behind one address
				speaker.Hosts = h.LogHosts()
			}
			all[a] = append(all[a], speaker)
		}
	}
	for _, r := range s.config.Syslog.Relays {
		if a, err := netip.ParseAddr(r.Address); err == nil {
			all[a.Unmap()] = append(all[a.Unmap()], s.speakers(r)...)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addresses = all
}

// speakers returns the HSMs that a relay may speak for.
func (s *senders) speakers(r config.Relay) (list []syslog.Speaker) {
	for _, h := range s.config.HSMs {
		if slices.Contains(r.HSMs, h.Name) {
			list = append(list, syslog.Speaker{Device: h.Name, Hosts: h.LogHosts()})
		}
	}
	return list
}

// may returns whose lines a peer may send: by the names of its certificate, and
// without one by its address.
func (s *senders) may(p syslog.Peer) (list []syslog.Speaker) {
	if p.Names == nil {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.addresses[p.Address]
	}
	for _, h := range s.config.HSMs {
		if slices.ContainsFunc(h.SyslogCertificates, func(name string) bool { return slices.Contains(p.Names, name) }) {
			list = append(list, syslog.Speaker{Device: h.Name})
		}
	}
	for _, r := range s.config.Syslog.Relays {
		if r.Certificate != "" && slices.Contains(p.Names, r.Certificate) {
			list = append(list, s.speakers(r)...)
		}
	}
	return list
}

// known returns the addresses that lines are accepted from.
func (s *senders) known() (list []netip.Addr) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for a := range s.addresses {
		list = append(list, a)
	}
	return list
}

// lookupInterval is how often the addresses of HSMs that are configured by name
// are looked up.
const lookupInterval = 5 * time.Minute

// lookUp keeps the addresses of names up to date. A name that cannot be resolved
// keeps the addresses that it had.
func (s *senders) lookUp(ctx context.Context) error {
	found := make(map[string][]netip.Addr)
	for ctx.Err() == nil {
		s.set(func(host string) []netip.Addr {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			if list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host); err == nil {
				for i := range list {
					list[i] = list[i].Unmap()
				}
				found[host] = list
			}
			return found[host]
		})
		wait.Sleep(ctx, lookupInterval)
	}
	return nil
}

// received passes on lines that came over the network.
func (a *Agent) received(list []syslog.Received) error {
	now, all := time.Now(), make([]rules.Line, len(list))
	for i, r := range list {
		all[i] = rules.Line{
			LogLine: r.LogLine, Device: r.Device, At: now, Peer: r.Peer.String(),
			Untrusted: r.Peer.Names == nil && !a.config.Syslog.Trusted,
		}
	}
	return a.watch.Take("", all, nil)
}

// refusalInterval is how often refusals become alarms.
const refusalInterval = 10 * time.Second

// refusalAge is how long after the last refusal its alarm is active.
const refusalAge = time.Hour

// watchRefusals raises an alarm for what the listener refused or dropped.
func (a *Agent) watchRefusals(ctx context.Context) error {
	for ctx.Err() == nil {
		wait.Sleep(ctx, refusalInterval)
		var findings []alarms.Finding
		for _, r := range a.listener.Refusals() {
			findings = append(findings, refusal(r, time.Now()))
		}
		if len(findings) > 0 {
			if err := a.watch.Report(findings); err != nil {
				a.log.Error("refused log lines not reported", "err", err)
			}
		}
	}
	return nil
}

// refusal returns what a refusal means.
func refusal(r syslog.Refusal, now time.Time) alarms.Finding {
	f := alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "syslog-refused", Object: string(r.Reason)}, Condition: alarms.Bad, Severity: alarms.Warning, Age: refusalAge}
	f.Text = fmt.Sprintf("%d log lines or connections refused, %s; the last from %s", r.N, r.Reason, r.Peer)
	if r.Device != "" {
		f.Key = alarms.Key{Device: r.Device, Group: "log-dropped", Object: string(r.Reason)}
		f.Text = fmt.Sprintf("%d lines of this HSM's log were dropped, %s; the last from %s", r.N, r.Reason, r.Peer)
		f.Severity = alarms.Minor
	}
	f.Evidence = alarms.Evidence{At: now, Text: f.Text}
	return f
}

// loadTLS reads the certificates of the listener for forwarded logs.
func (a *Agent) loadTLS() error {
	c := a.config.Syslog
	if c.TLS == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	a.listener.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if c.ClientCAFile == "" {
		return nil
	}
	pem, err := c.ClientCAFile.Bytes()
	if err != nil {
		return fmt.Errorf("syslog: client_ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("syslog: client_ca_file: %s holds no certificate in PEM", c.ClientCAFile)
	}
	a.listener.TLSConfig.ClientCAs, a.listener.TLSConfig.ClientAuth = pool, tls.RequireAndVerifyClientCert
	return nil
}
