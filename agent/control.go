package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/agent/guard"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/exporters/api"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/modules"
)

// control answers what commands ask of a running agent over its control socket.
func (a *Agent) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /snapshot", func(w http.ResponseWriter, _ *http.Request) { reply(w, a.store.Latest()) })
	mux.HandleFunc("GET /thresholds", func(w http.ResponseWriter, _ *http.Request) { reply(w, a.config().Alarms.Thresholds) })
	mux.HandleFunc("GET /configuration", func(w http.ResponseWriter, _ *http.Request) { reply(w, a.config().InForce()) })
	mux.HandleFunc("GET /answers", func(w http.ResponseWriter, r *http.Request) {
		reply(w, a.answers.Of(r.FormValue("device"), r.FormValue("source")))
	})
	mux.Handle(api.Prefix+"/", a.api(a.overSocket))
	mux.HandleFunc("GET /walk", a.walk)
	mux.HandleFunc("GET /monitor", a.monitor)
	mux.HandleFunc("POST /reload", a.reloadOverSocket)
	a.clustered(mux)
	return mux
}

func (a *Agent) reloadOverSocket(w http.ResponseWriter, r *http.Request) {
	by, err := a.overSocket(r, "")
	if err != nil {
		a.desk().Refused("reload", by, err)
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if err := a.Reload(r.FormValue("force") != ""); err != nil { // why not, Reload has logged
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.desk().Done("reload", a.config().File, by, "", nil)
	reply(w, nil)
}

// listenControl creates the socket, in place of one that a killed agent left
// behind.
func listenControl(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("control socket %s is in use: another agent runs", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, os.Chmod(path, 0o660)
}

// maxCallers bounds the connections to the control socket.
const maxCallers = 64

// serve runs handler on l until ctx is done.
func serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, ConnContext: guard.WithCaller}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	guard.Connections(server, maxCallers)
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

// An Instance is one line of "lunawatch walk".
type Instance struct {
	OID   string `json:"oid"`
	Name  string `json:"name"`  // of the object, and its instance
	Value string `json:"value"` // with its type, as net-snmp prints it
}

// walk lists what SNMP serves, or would if it were enabled.
func (a *Agent) walk(w http.ResponseWriter, _ *http.Request) {
	view := a.view.Load()
	if a.session == nil {
		view, _ = a.newView(modules.Tables().Builder(), a.store.Latest(), time.Now()) // what cannot be shown is logged where SNMP is enabled
	}
	reply(w, Instances(view))
}

// Instances lists a View in the order of its OIDs.
func Instances(v *mib.View) []Instance {
	list, tables := make([]Instance, 0, v.Len()), modules.Tables()
	for oid, value := range v.All() {
		list = append(list, Instance{oid.String(), tables.Name(oid), value.String()})
	}
	return list
}

// A MonitorRound is one line of the answer of GET /monitor.
type MonitorRound struct {
	Monitor hsm.Monitor `json:"monitor"`
	Error   string      `json:"error,omitempty"` // of the round that ended the answer
}

// maxMeasuring bounds the sessions with one HSM that measure for callers.
const maxMeasuring = 2

// monitor asks one HSM round by round, over a session of its own: the polls do not
// wait for it, however long it takes.
func (a *Agent) monitor(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	device, err := a.find(q.Get("serial"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	measuring := a.site.Load().measuring[device]
	if measuring == nil {
		http.Error(w, fmt.Sprintf("%s is a card: its utilization is polled, and not measured on demand", device), http.StatusNotFound)
		return
	}
	if !measuring.TryAcquire(1) {
		http.Error(w, fmt.Sprintf("%d others measure %s already; wait until one ends", maxMeasuring, device), http.StatusTooManyRequests)
		return
	}
	defer measuring.Release(1)
	h, configured := a.config().HSM(device)
	if !configured {
		http.Error(w, device+" was just removed from the configuration", http.StatusNotFound)
		return
	}
	runner, end := h.Runner()
	defer end()
	interval, _ := strconv.Atoi(q.Get("interval"))
	rounds, _ := strconv.Atoi(q.Get("rounds"))
	out := json.NewEncoder(w)
	for range rounds {
		m, err := lunash.Monitor(r.Context(), runner, time.Duration(interval)*time.Second)
		if err != nil {
			out.Encode(MonitorRound{Error: err.Error()})
			return
		}
		out.Encode(MonitorRound{Monitor: m})
		http.NewResponseController(w).Flush()
	}
}

// find returns the HSM with a name or serial number; with "", the only HSM.
func (a *Agent) find(serial string) (string, error) {
	var known []string
	devices := a.store.Latest().HSMs()
	for _, d := range devices {
		if (d.Serial() == serial || d.Name == serial) && serial != "" || serial == "" && len(devices) == 1 {
			return d.Name, nil
		}
		if d.Serial() != "" {
			known = append(known, fmt.Sprintf("%s (%s)", d.Serial(), d.Name))
		}
	}
	if serial == "" {
		return "", fmt.Errorf("several HSMs are watched; name one with -hsm: %s", strings.Join(known, ", "))
	}
	return "", fmt.Errorf("no HSM with the name or serial number %q is watched; there are: %s", serial, strings.Join(known, ", "))
}
