// Package senders knows who may send lines of which HSM's log to the agent.
package senders

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// Senders are who may send lines of which HSM's log.
type Senders struct {
	config config.Config

	mu        sync.RWMutex
	addresses map[netip.Addr][]syslog.Speaker
}

// New returns the senders that are known without a name server.
func New(c config.Config) *Senders {
	s := &Senders{config: c}
	s.set(func(string) []netip.Addr { return nil })
	return s
}

// set determines whose lines each address may send.
func (s *Senders) set(lookup func(host string) []netip.Addr) {
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
func (s *Senders) speakers(r config.Relay) (list []syslog.Speaker) {
	for _, h := range s.config.HSMs {
		if slices.Contains(r.HSMs, h.Name) {
			list = append(list, syslog.Speaker{Device: h.Name, Hosts: h.LogHosts()})
		}
	}
	return list
}

// May returns whose lines a peer may send: by the names of its certificate, and
// without one by its address.
func (s *Senders) May(p syslog.Peer) (list []syslog.Speaker) {
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

// Known returns the addresses that lines are accepted from.
func (s *Senders) Known() (list []netip.Addr) {
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

// LookUp keeps the addresses of names up to date. A name that cannot be resolved
// keeps the addresses that it had.
func (s *Senders) LookUp(ctx context.Context) error {
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
