package agent

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/lunawatch/lunawatch/agent/cluster"
	"github.com/lunawatch/lunawatch/agent/config"
)

// clustered answers what commands ask of the cluster.
func (a *Agent) clustered(mux *http.ServeMux) {
	of := func(do func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if a.cluster == nil {
				http.Error(w, "this agent is on its own: its configuration has no cluster", http.StatusNotFound)
				return
			}
			do(w, r)
		}
	}
	act := func(name string, do func(r *http.Request) error) http.HandlerFunc {
		return of(func(w http.ResponseWriter, r *http.Request) {
			by, err := a.overSocket(r, "")
			if err != nil {
				a.desk().Refused(name, by, err)
				http.Error(w, err.Error(), http.StatusForbidden)
				return
			}
			if err := do(r); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			a.desk().Done(name, r.URL.RawQuery, by, "", nil)
			reply(w, nil)
		})
	}
	mux.HandleFunc("GET /cluster", of(func(w http.ResponseWriter, _ *http.Request) { reply(w, a.clusterReport()) }))
	mux.HandleFunc("POST /cluster/drain", act("cluster drain", func(r *http.Request) error {
		return a.cluster.Drain(r.Context(), r.FormValue("agent"), r.FormValue("end") == "")
	}))
	mux.HandleFunc("POST /cluster/move", act("cluster move", func(r *http.Request) error {
		name, to := r.FormValue("hsm"), r.FormValue("agent")
		if _, known := a.config().HSM(name); !known {
			return fmt.Errorf("no HSM %q is configured", name)
		}
		return a.cluster.Move(r.Context(), cluster.Shard(name), to)
	}))
}

func (a *Agent) clusterReport() cluster.Report {
	return a.cluster.Report(hsmNames(a.config()), a.watch.Journal.Spooled())
}

func hsmNames(c *config.Config) (names []string) {
	for _, h := range c.HSMs {
		names = append(names, h.Name)
	}
	return names
}

// Cluster returns how the cluster is, as the agent sees it.
func (c *Client) Cluster(ctx context.Context) (r cluster.Report, err error) {
	return r, c.get(ctx, "/cluster", &r)
}

// Drain has an agent of the cluster give its HSMs to others, or ends that.
func (c *Client) Drain(ctx context.Context, name string, end bool) error {
	values := url.Values{"agent": {name}}
	if end {
		values.Set("end", "true")
	}
	return c.post(ctx, "/cluster/drain", values, new(any))
}

// Move has an HSM, with those of its shard, watched by an agent; "": by whom the names make
// its owner.
func (c *Client) Move(ctx context.Context, hsm, to string) error {
	return c.post(ctx, "/cluster/move", url.Values{"hsm": {hsm}, "agent": {to}}, new(any))
}
