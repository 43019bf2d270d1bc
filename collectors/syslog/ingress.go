package syslog

import (
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// ingress is what limits peers and devices. Only known ones have an entry, so that
// its size is bounded.
type ingress struct {
	mu     sync.Mutex
	rate   float64
	limits map[source]*rate.Limiter
	open   map[netip.Addr]int // connections
	all    int                // connections
}

// A source is a peer or a device whose lines are limited. Urgent lines have a limit
// of their own: noise cannot spend it.
type source struct {
	peer   netip.Addr
	device string
	urgent bool
}

func (g *ingress) init(perSecond float64) {
	g.rate, g.limits, g.open = perSecond, make(map[source]*rate.Limiter), make(map[netip.Addr]int)
}

// allow reports whether a line of a peer, and of a device, is within the limits.
func (g *ingress) allow(peer netip.Addr, device string, urgent bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limit(source{peer: peer, urgent: urgent}).Allow() && g.limit(source{device: device, urgent: urgent}).Allow()
}

func (g *ingress) limit(of source) *rate.Limiter {
	l := g.limits[of]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(g.rate), int(10*g.rate))
		g.limits[of] = l
	}
	return l
}

// connect counts one more connection of a peer, unless there are too many.
func (g *ingress) connect(peer netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= maxClients || g.open[peer] >= maxOfPeer {
		return false
	}
	g.all++
	g.open[peer]++
	return true
}

func (g *ingress) disconnect(peer netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if g.open[peer]--; g.open[peer] == 0 {
		delete(g.open, peer)
	}
}
