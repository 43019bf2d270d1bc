package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/lunawatch/lunawatch/exporters"
)

// DefaultListenAddress is where metrics and the page are served unless the command
// line has another address.
const DefaultListenAddress = "127.0.0.1:9477"

// maxVisitors bounds the connections to metrics and pages.
const maxVisitors = 200

// serveWeb serves metrics and pages until ctx is done.
func (a *Agent) serveWeb(ctx context.Context) error {
	pages := exporters.Web(a.store, func() exporters.AlarmState { return exporters.AlarmsOf(a.watch) }, a.devices, a.metrics, a.web.TelemetryPath, time.Now)
	server := &http.Server{Handler: guarded(pages, a.webHosts(ctx)), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	capConnections(server, maxVisitors)
	server.BaseContext = func(net.Listener) context.Context { a.ready.arrived(webListener); return context.Background() }
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
	defer stop()
	for _, warning := range OpenWeb(*a.web.Flags.WebListenAddresses, *a.web.Flags.WebConfigFile) {
		a.log.Warn("web", "warning", warning)
	}
	err := web.ListenAndServe(server, a.web.Flags, a.log)
	if errors.Is(err, http.ErrServerClosed) || ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("web: %w; choose another address with --web.listen-address", err)
}

// OpenWeb returns a warning for each address beyond loopback at which metrics and the
// page are open to whoever reaches it, or go there in the clear. file is that of
// --web.config.file; "": there is none.
func OpenWeb(addresses []string, file string) (list []string) {
	var c struct {
		TLS struct {
			Cert string `yaml:"cert_file"`
			PEM  string `yaml:"cert"`
			Auth string `yaml:"client_auth_type"`
		} `yaml:"tls_server_config"`
		Users map[string]string `yaml:"basic_auth_users"`
	}
	if text, err := os.ReadFile(file); err == nil {
		_ = yaml.Unmarshal(text, &c) // what is wrong with it, the server says
	}
	var missing []string
	if c.TLS.Cert+c.TLS.PEM == "" {
		missing = append(missing, "tls_server_config")
	}
	if len(c.Users) == 0 && !strings.HasPrefix(c.TLS.Auth, "Require") {
		missing = append(missing, "basic_auth_users")
	}
	for _, address := range addresses {
		if len(missing) > 0 && !isLoopback(address) {
			list = append(list, fmt.Sprintf("metrics and the page are open to whoever reaches %s: set %s in the file of --web.config.file, or listen on 127.0.0.1", address, strings.Join(missing, " and ")))
		}
	}
	return list
}

// isLoopback reports whether only this host reaches an address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip, bad := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || bad == nil && ip.IsLoopback())
}

// capConnections has server close connections above a number.
func capConnections(server *http.Server, most int64) {
	var open atomic.Int64
	server.ConnState = func(c net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			if open.Add(1) > most {
				c.Close()
			}
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		default:
		}
	}
}

// webHosts returns the names under which metrics and pages may be asked for.
func (a *Agent) webHosts(ctx context.Context) []string {
	hosts := append([]string{"localhost"}, a.config.WebHosts...)
	if u, err := url.Parse(a.config.ExternalURL); err == nil {
		hosts = append(hosts, u.Hostname())
	}
	for _, address := range *a.web.Flags.WebListenAddresses {
		if host, _, err := net.SplitHostPort(address); err == nil {
			hosts = append(hosts, host)
		}
	}
	if name, err := os.Hostname(); err == nil {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		hosts = append(hosts, name)
		if full, err := net.DefaultResolver.LookupCNAME(ctx, name); err == nil {
			hosts = append(hosts, strings.TrimSuffix(full, "."))
		}
	}
	return hosts
}

// guarded answers requests for these hosts, or for an address, and has browsers
// run nothing. A page of somebody else whose name leads here gets nothing to read.
func guarded(pages http.Handler, hosts []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		_, bad := netip.ParseAddr(strings.Trim(host, "[]"))
		if bad != nil && host != "" && !slices.ContainsFunc(hosts, func(name string) bool { return strings.EqualFold(name, host) }) {
			http.Error(w, "This name is not one of Lunawatch's; add it to web_hosts of its configuration.", http.StatusMisdirectedRequest)
			return
		}
		pages.ServeHTTP(w, r)
	})
}
