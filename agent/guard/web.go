package guard

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
)

// OpenWeb returns a warning for each address beyond loopback at which metrics and the
// page are open to whoever reaches it, or go there in the clear. file is that of
// -web.config.file; "": there is none.
func OpenWeb(addresses []string, file string) (list []string) {
	c := readWebConfig(file)
	var missing []string
	if c.TLS.Cert+c.TLS.PEM == "" {
		missing = append(missing, "tls_server_config")
	}
	if len(c.Users) == 0 && !strings.HasPrefix(c.TLS.Auth, "Require") {
		missing = append(missing, "basic_auth_users")
	}
	for _, address := range addresses {
		if len(missing) > 0 && !isLoopback(address) {
			list = append(list, fmt.Sprintf("metrics and the page are open to whoever reaches %s: set %s in the file of -web.config.file, or listen on 127.0.0.1", address, strings.Join(missing, " and ")))
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

// Connections has server close connections above a number.
func Connections(server *http.Server, most int64) {
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

// Hosts answers requests for these hosts, or for an address, and has browsers
// run nothing. A page of somebody else whose name leads here gets nothing to read.
func Hosts(pages http.Handler, hosts func() []string) http.Handler {
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
		if bad != nil && host != "" && !slices.ContainsFunc(hosts(), func(name string) bool { return strings.EqualFold(name, host) }) {
			http.Error(w, "This name is not one of Lunawatch's; add it to web_hosts of its configuration.", http.StatusMisdirectedRequest)
			return
		}
		pages.ServeHTTP(w, r)
	})
}
