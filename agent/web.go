package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/lunawatch/lunawatch/agent/guard"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/api"
	"github.com/lunawatch/lunawatch/exporters/page"
)

// DefaultListenAddress is where metrics and the page are served unless the command
// line has another address.
const DefaultListenAddress = "127.0.0.1:9477"

// maxVisitors bounds the connections to metrics and pages.
const maxVisitors = 200

// serveWeb serves metrics and pages until ctx is done.
func (a *Agent) serveWeb(ctx context.Context) error {
	server := &http.Server{Handler: a.webHandler(a.webHosts(ctx)), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	guard.Connections(server, maxVisitors)
	server.BaseContext = func(net.Listener) context.Context { a.ready.Arrived(webListener); return context.Background() }
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
	defer stop()
	addresses, file := *a.web.Flags.WebListenAddresses, *a.web.Flags.WebConfigFile
	for _, warning := range append(guard.OpenWeb(addresses, file), a.config().Web.Warnings(addresses, file)...) {
		a.log.Warn("web", "warning", warning)
	}
	err := web.ListenAndServe(server, a.web.Flags, a.log)
	if errors.Is(err, http.ErrServerClosed) || ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("web: %w; choose another address with -web.listen-address", err)
}

// webHandler serves metrics, pages and API at the names of hosts. What changes something
// must come from our own pages, or from no page; names of users are those that we believe.
func (a *Agent) webHandler(hosts func() []string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", exporters.Web(a.store, a.page.Handler(), a.devices, a.metrics, a.web.TelemetryPath))
	mux.Handle(api.Prefix+"/", a.api(a.overWeb))
	mux.HandleFunc("POST /-/reload", a.reloadOverWeb)
	own := http.NewCrossOriginProtection().Handler(mux)
	return guard.Hosts(guard.Visitors(own, func() guard.Web { return a.config().Web }, *a.web.Flags.WebConfigFile), hosts)
}

// pages returns the pages of a browser.
func (a *Agent) pages() *page.Site {
	version, _ := Version()
	var agents func() [][][]string
	if a.cluster != nil {
		agents = func() [][][]string { return a.clusterReport().Tables() }
	}
	return &page.Site{Cluster: agents, Store: a.store, Alarms: func() page.AlarmState { return page.AlarmsOf(a.watch) }, Changed: a.watch.Changed,
		Thresholds: func() rules.Thresholds { return a.config().Alarms.Thresholds }, Own: a.metrics, Version: version,
		Started: func() time.Time { return a.started }, Metrics: a.web.TelemetryPath, Now: time.Now,
		Series: a.history.Series, Measures: a.history.Measures, Days: a.history.Days,
		Who: a.overWeb, Desk: a.desk()}
}

// reloadOverWeb is for whoever may use the web server, and so must be allowed.
func (a *Agent) reloadOverWeb(w http.ResponseWriter, _ *http.Request) {
	if !a.web.Lifecycle {
		http.Error(w, "Reloading over HTTP is not allowed; start the agent with -web.enable-lifecycle, send it SIGHUP, or use lunawatch reload.", http.StatusForbidden)
		return
	}
	if err := a.Reload(false); err != nil {
		http.Error(w, "The configuration was not reloaded; the log says why.", http.StatusInternalServerError)
	}
}

// webHosts returns a function that returns the names under which metrics and pages may
// be asked for: those of this host, and those that are configured.
func (a *Agent) webHosts(ctx context.Context) func() []string {
	own := []string{"localhost"}
	for _, address := range *a.web.Flags.WebListenAddresses {
		if host, _, err := net.SplitHostPort(address); err == nil {
			own = append(own, host)
		}
	}
	if name, err := os.Hostname(); err == nil {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		own = append(own, name)
		if full, err := net.DefaultResolver.LookupCNAME(ctx, name); err == nil {
			own = append(own, strings.TrimSuffix(full, "."))
		}
	}
	return func() []string {
		hosts := slices.Concat(own, a.config().WebHosts)
		if u, err := url.Parse(a.config().ExternalURL); err == nil {
			hosts = append(hosts, u.Hostname())
		}
		return hosts
	}
}
