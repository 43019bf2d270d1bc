package peers

import (
	"encoding/json"
	"net"
	"net/http"
	"time"

	"github.com/lunawatch/lunawatch/agent/guard"
)

const (
	atOnce      = 16              // connections that are tried for others
	dialTimeout = 2 * time.Second // of each
)

// routes are what another agent may ask, at an address and not by a name: without
// certificates no page of a browser on this host may.
func (p *Peers) routes() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		path  string
		serve http.HandlerFunc
	}{
		{"GET /devices", p.serveDevices},
		{"GET /quorum", p.serveQuorum},
		{"GET /connect", p.serveConnect},
	} {
		mux.HandleFunc(route.path, route.serve)
	}
	return guard.Hosts(mux, func() []string { return nil })
}

// A quorum is whether an agent reaches etcd.
type quorum struct {
	Reaches bool `json:"reaches"`
}

func (p *Peers) serveQuorum(w http.ResponseWriter, r *http.Request) {
	answer(w, quorum{p.Reaches(r.Context())})
}

// A connection is whether an agent gets one to an HSM.
type connection struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

// serveConnect tries the address that is configured here. The request has only the name
// of the HSM, so that nobody has this agent connect to what it does not watch.
func (p *Peers) serveConnect(w http.ResponseWriter, r *http.Request) {
	address, known := p.Address(r.URL.Query().Get("device"))
	if !known {
		http.Error(w, "not configured here", http.StatusNotFound)
		return
	}
	select {
	case p.dialing <- struct{}{}:
		defer func() { <-p.dialing }()
	case <-r.Context().Done():
		return
	}
	c, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(r.Context(), "tcp", address)
	if err != nil {
		answer(w, connection{Error: err.Error()})
		return
	}
	_ = c.Close() // nothing was sent
	answer(w, connection{OK: true})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the other agent is gone
}
