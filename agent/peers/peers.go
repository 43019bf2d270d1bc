// Package peers is what the agents of a cluster ask each other past etcd: what each has
// read of its HSMs, so that every one shows the whole estate; whether an HSM that does
// not answer answers another; and whether others reach etcd. Nothing depends on it but
// what is shown, and what an alarm says beside its cause.
package peers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lunawatch/lunawatch/agent/guard"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Member is an agent of the cluster, as etcd has it.
type Member struct {
	Name    string
	Address string // what its Listen returned; "": it cannot be asked
}

// Peers are the other agents of a cluster. The fields are set before Listen and Run. The
// functions are called from several goroutines.
type Peers struct {
	Self     string // the name of this agent
	Settings Settings
	Log      *slog.Logger
	Store    *hsm.Store
	Web      string // where this agent serves its metrics, as others reach it: http://host:9477; "": nowhere

	Members func() []Member                                   // that live, this one among them or not
	Owns    func(device string) bool                          // whether this agent polls a device
	Reaches func(ctx context.Context) bool                    // whether this agent reaches etcd, now
	Address func(device string) (hostport string, known bool) // of a configured HSM

	// Read is called with each reading of another agent, once: an observation without facts,
	// and the device that has them. nil: it is not.
	Read func(d *hsm.Device, o hsm.Observation)

	listener net.Listener
	secure   bool
	dialing  chan struct{} // has room for one for each connection that is tried for others
	client   *http.Client
	connects *http.Client // asks for connections: however many HSMs are not reached, what else is asked does not wait

	mu       sync.Mutex
	webs     map[string]string    // by agent: its Web
	recorded map[string]time.Time // by device: its newest reading that Read was called with
}

const maxConnections = 512 // of other agents, and of who is none until that is noticed

// Listen opens the address at which the others ask this agent, and returns how they reach
// it, host:port. An error says which setting is wrong.
func (p *Peers) Listen() (address string, err error) {
	secure, err := p.Settings.tls()
	if err != nil {
		return "", err
	}
	p.secure, p.dialing = secure != nil, make(chan struct{}, atOnce)
	p.client, p.connects = asker(secure, 0), asker(secure, atOnce)
	p.listener, address, err = p.Settings.listen(secure)
	return address, err
}

// asker returns a client with at most so many connections to each agent; 0: any number.
func asker(secure *tls.Config, most int) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: secure, TLSHandshakeTimeout: 5 * time.Second, IdleConnTimeout: time.Minute, MaxConnsPerHost: most, MaxResponseHeaderBytes: 8 << 10,
		DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
	}}
}

// Run serves the others and follows them until ctx is done. [Peers.Listen] comes first.
func (p *Peers) Run(ctx context.Context) error {
	if p.listener == nil {
		return errors.New("peers: not listening")
	}
	g, ctx := errgroup.WithContext(ctx)
	server := &http.Server{Handler: p.routes(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(p.Log.Handler(), slog.LevelDebug), BaseContext: func(net.Listener) context.Context { return ctx }}
	guard.Connections(server, maxConnections)
	g.Go(func() error {
		if err := server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("cluster.listen: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		_ = server.Close() // what is open ends; that is what is wanted
		return nil
	})
	g.Go(func() error { p.followAll(ctx); return nil })
	g.Go(func() error { p.askAboutOutages(ctx); return nil })
	defer p.client.CloseIdleConnections()
	defer p.connects.CloseIdleConnections()
	return g.Wait()
}

// others returns the live members but this one.
func (p *Peers) others() (others []Member) {
	for _, m := range p.Members() {
		if m.Name != p.Self {
			others = append(others, m)
		}
	}
	return others
}

// Webs returns where the other agents serve their metrics, by their names: what each said
// last.
func (p *Peers) Webs() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.webs)
}

// read has what another agent has read of a device since it was last recorded.
func (p *Peers) read(d *hsm.Device) {
	if p.Read == nil {
		return
	}
	p.mu.Lock()
	list := d.ReadSince(p.recorded[d.Name])
	if len(list) > 0 {
		if p.recorded == nil {
			p.recorded = make(map[string]time.Time)
		}
		p.recorded[d.Name] = list[len(list)-1].At
	}
	p.mu.Unlock()
	for _, o := range list {
		p.Read(d, o)
	}
}

// serves remembers where an agent serves its metrics, if it says a URL of a server.
func (p *Peers) serves(agent, web string) {
	u, err := url.Parse(web)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		delete(p.webs, agent)
		return
	}
	if p.webs == nil {
		p.webs = make(map[string]string)
	}
	p.webs[agent] = u.Scheme + "://" + u.Host
}

// followAll follows each member as long as it lives at its address.
func (p *Peers) followAll(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	ends := make(map[Member]context.CancelFunc)
	for {
		live := make(map[Member]bool)
		for _, m := range p.others() {
			live[m] = m.Address != ""
			if live[m] && ends[m] == nil {
				following, end := context.WithCancel(ctx)
				ends[m] = end
				running.Go(func() { p.follow(following, m) })
			}
		}
		for m, end := range ends {
			if !live[m] {
				end()
				delete(ends, m)
			}
		}
		if !wait.Sleep(ctx, time.Second) {
			break
		}
	}
	for _, end := range ends {
		end()
	}
}

// url returns the URL of what a member is asked.
func (p *Peers) url(m Member, path string) string {
	if p.secure {
		return "https://" + m.Address + path
	}
	return "http://" + m.Address + path
}
