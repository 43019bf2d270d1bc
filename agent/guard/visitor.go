package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"golang.org/x/crypto/bcrypt"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// Web is who may act over the web server.
type Web struct {
	TrustedProxy TrustedProxy `yaml:"trusted_proxy"`
	Operators    []string     `yaml:"operators"` // names of users; none: nobody acts
}

// A TrustedProxy has asked whoever comes through it who he is.
type TrustedProxy struct {
	Addresses  []string `yaml:"addresses"`   // IP addresses, from which it connects
	UserHeader string   `yaml:"user_header"` // in which it says who asks
}

// Validate returns all that is wrong with w.
func (w Web) Validate() error {
	var errs []error
	for i, a := range w.TrustedProxy.Addresses {
		if _, err := netip.ParseAddr(a); err != nil {
			errs = append(errs, setting.Faultf(fmt.Sprintf("trusted_proxy.addresses[%d]", i), "%s is not an IP address", setting.Shown("", a)))
		}
	}
	header, proxied := w.TrustedProxy.UserHeader, len(w.TrustedProxy.Addresses) > 0
	switch {
	case proxied && header == "":
		errs = append(errs, setting.Faultf("trusted_proxy.user_header", "is missing: the header in which the proxy says who asks, such as X-Remote-User"))
	case header != "" && !proxied:
		errs = append(errs, setting.Faultf("trusted_proxy.addresses", "are missing: from anywhere else the header is not believed"))
	case strings.Trim(header, letters) != "" || header != "" && slices.Contains(taken, http.CanonicalHeaderKey(header)):
		errs = append(errs, setting.Faultf("trusted_proxy.user_header", "%s is not the name of a header such as X-Remote-User", setting.Shown("", header)))
	}
	for i, name := range w.Operators {
		if !named(name) {
			errs = append(errs, setting.Faultf(fmt.Sprintf("operators[%d]", i), "is not the name of a user: 1 to %d printed characters", longestName))
		}
	}
	return errors.Join(errs...)
}

const (
	letters     = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
	longestName = 100
)

// taken are headers that say something else.
var taken = []string{"Host", "Origin", "Authorization", "Cookie", "Content-Type", "Content-Length", "Sec-Fetch-Site"}

func named(user string) bool {
	return user != "" && len(user) <= longestName && strings.TrimSpace(user) == user && !strings.ContainsFunc(user, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// A Visitor is who asks over the web server.
type Visitor struct {
	User    string // "": nobody whom we believe has said who it is
	Address string // that it comes from, or that the proxy does
}

// String is the author of what a visitor does: "anna (web, 192.0.2.7)".
func (v Visitor) String() string {
	if v.User == "" {
		return "nobody (web, " + v.Address + ")"
	}
	return fmt.Sprintf("%s (web, %s)", v.User, v.Address)
}

// May returns why a visitor may not act; nil: he may.
func (w Web) May(v Visitor) error {
	switch {
	case len(w.Operators) == 0:
		return errors.New("over the web everything can be read, and nothing done: list who may act under web.operators of the configuration, or use lunawatch alarms on the agent's host")
	case v.User == "":
		return errors.New("who asks is not known: set basic_auth_users in the file of -web.config.file, or web.trusted_proxy in the configuration")
	case !slices.Contains(w.Operators, v.User):
		return fmt.Errorf("%s may look, and not act: web.operators of the configuration does not list that name", v)
	}
	return nil
}

type visitorKey struct{}

// VisitorOf returns who asks; the zero Visitor outside of [Visitors].
func VisitorOf(ctx context.Context) Visitor {
	v, _ := ctx.Value(visitorKey{}).(Visitor)
	return v
}

// Visitors finds out who asks. A name in the header of the proxy is believed from its
// addresses only, and nobody behind sees it; other names are those of basic_auth_users in
// file ("": none), whose password the server has asked for. It is asked for here again
// before anything is done: which paths the server leaves open is not ours to know.
func Visitors(next http.Handler, settings func() Web, file string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy, v := settings().TrustedProxy, Visitor{Address: r.RemoteAddr}
		if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
			v.Address = host
		}
		if proxy.UserHeader != "" {
			names := r.Header.Values(proxy.UserHeader)
			if proxy.is(v.Address) && len(names) == 1 && named(names[0]) {
				v.User = names[0]
			}
			r.Header.Del(proxy.UserHeader)
		}
		if name, password, given := r.BasicAuth(); v.User == "" && given {
			changes := r.Method != http.MethodGet && r.Method != http.MethodHead
			if hash, known := webUsers(file)[name]; known && named(name) && (!changes || bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil) {
				v.User = name
			}
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitorKey{}, v)))
	})
}

// is reports whether the proxy connects from an address.
func (p TrustedProxy) is(address string) bool {
	from, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(p.Addresses, func(a string) bool {
		ip, err := netip.ParseAddr(a)
		return err == nil && ip.Unmap() == from.Unmap()
	})
}

// A webConfig is what we read of the file of -web.config.file.
type webConfig struct {
	TLS struct {
		Cert string `yaml:"cert_file"`
		PEM  string `yaml:"cert"`
		Auth string `yaml:"client_auth_type"`
	} `yaml:"tls_server_config"`
	Users map[string]string `yaml:"basic_auth_users"` // hashes of passwords, by name
}

// readWebConfig reads a file; what is wrong with it, the server says.
func readWebConfig(file string) (c webConfig) {
	if text, err := os.ReadFile(file); err == nil && yaml.Unmarshal(text, &c) != nil {
		return webConfig{}
	}
	return c
}

func webUsers(file string) map[string]string { return readWebConfig(file).Users }

// Warnings returns what is valid and yet lets others act: passwords, and what is done, go
// in the clear beyond this host.
func (w Web) Warnings(addresses []string, file string) (list []string) {
	c := readWebConfig(file)
	for _, address := range addresses {
		if len(w.Operators) > 0 && c.TLS.Cert+c.TLS.PEM == "" && !isLoopback(address) {
			list = append(list, fmt.Sprintf("web.operators may act at %s in the clear: whoever is on the way can act in their name; set tls_server_config in the file of -web.config.file, or listen on 127.0.0.1 behind a proxy", address))
		}
	}
	if len(w.Operators) > 0 && len(c.Users) == 0 && len(w.TrustedProxy.Addresses) == 0 {
		list = append(list, "web.operators can do nothing: nobody asks them who they are; set basic_auth_users in the file of -web.config.file, or web.trusted_proxy")
	}
	return list
}
