package receivers

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/smtp"
	"net/url"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Door is a place that notifications of a receiver are sent to.
type Door struct {
	Where string // scheme and host, or host:port; nothing secret
	// Open connects as for a notification, with TLS where that has TLS, and sends none.
	// It returns in words what was agreed on.
	Open func(ctx context.Context) (string, error)
}

// Doors returns those of all peers.
func (m *Alertmanager) Doors() (all []Door) {
	for _, u := range m.URLs {
		all = append(all, m.door(u))
	}
	return all
}

// Doors returns the one of the Events API.
func (p *PagerDuty) Doors() []Door { return []Door{p.door(cmp.Or(p.URL, PagerDutyURL))} }

// Doors returns the one of the API.
func (o *Opsgenie) Doors() []Door { return []Door{o.door(cmp.Or(o.URL, OpsgenieURL))} }

// Doors returns the one of the API.
func (j *JSM) Doors() []Door { return []Door{j.door(cmp.Or(j.URL, JSMURL))} }

// Doors returns that of the URL.
func (c *Chat) Doors() []Door {
	u, err := c.target()
	if err != nil {
		return []Door{{"its URL", func(context.Context) (string, error) { return "", err }}}
	}
	return []Door{c.door(u.String())}
}

// Doors returns the one of the endpoint.
func (s *ServiceNow) Doors() []Door { return []Door{s.door(s.URL)} }

// Doors returns the one of the event collector.
func (s *Splunk) Doors() []Door { return []Door{s.door(s.URL)} }

// Doors returns that of the URL.
func (w *Webhook) Doors() []Door {
	target := w.URL
	if w.URLFile != "" {
		var err error
		if target, err = w.URLFile.Secret("url_file", 1); err == nil {
			err = setting.At("url_file", setting.ValidateURL(target))
		}
		if err != nil {
			return []Door{{"its URL", func(context.Context) (string, error) { return "", err }}}
		}
	}
	return []Door{w.door(target)}
}

// Doors returns that of the collector.
func (c Collector) Doors() []Door { return []Door{c.door(c.Endpoint)} }

// Doors returns that of the mail server.
func (s *SMTP) Doors() []Door { return []Door{{s.Address, s.greet}} }

// Doors returns that of the server.
func (s *Syslog) Doors() []Door {
	return []Door{{cmp.Or(s.Network, "tls") + " " + s.Address, func(ctx context.Context) (string, error) {
		conn, err := s.dial(ctx)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		if s.Network == "udp" {
			return "the address is known; UDP does not say whether anybody listens", nil
		}
		return agreed(conn), nil
	}}}
}

// door returns that of a URL, or of the proxy before it.
func (h HTTP) door(target string) Door {
	u, err := url.Parse(target)
	if err != nil {
		return Door{"its URL", func(context.Context) (string, error) { return "", errors.New("the URL is not usable") }}
	}
	where := u.Scheme + "://" + u.Host
	proxy, err := h.proxyFor(u)
	if err != nil {
		return Door{where, func(context.Context) (string, error) { return "", err }}
	}
	if proxy == nil {
		return Door{where, func(ctx context.Context) (string, error) { return h.connect(ctx, u) }}
	}
	return Door{where, func(ctx context.Context) (string, error) {
		what, err := h.connect(ctx, &url.URL{Scheme: proxy.Scheme, Host: proxy.Host})
		if err != nil {
			return "", fmt.Errorf("its proxy %s://%s: %w", proxy.Scheme, proxy.Host, err)
		}
		return "its proxy " + proxy.Host + ": " + what + "; what is behind it was not tried", nil
	}}
}

// proxyFor returns the proxy for a URL; nil: there is none.
func (h HTTP) proxyFor(u *url.URL) (*url.URL, error) {
	switch {
	case h.ProxyURL != "":
		proxy, err := url.Parse(h.ProxyURL)
		if err != nil {
			return nil, errors.New("proxy_url is not a URL")
		}
		return proxy, nil
	case h.Proxy:
		proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
		if err != nil {
			return nil, errors.New("the proxy of the environment is not a URL")
		}
		return proxy, nil
	}
	return nil, nil
}

// ports are those of URLs that name none.
var ports = map[string]string{"http": "80", "https": "443", "socks5": "1080"}

// connect opens a connection to the host of a URL, and closes it.
func (h HTTP) connect(ctx context.Context, u *url.URL) (string, error) {
	address := net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), ports[u.Scheme]))
	conn, err := (&net.Dialer{Timeout: httpTimeout / 2}).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if u.Scheme != "https" {
		return agreed(conn), nil
	}
	config, err := h.config(u.Hostname())
	if err != nil {
		return "", err
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return "", err
	}
	return agreed(secured), nil
}

// agreed says what a connection is.
func agreed(conn net.Conn) string {
	if secured, ok := conn.(*tls.Conn); ok {
		return tls.VersionName(secured.ConnectionState().Version) + " was agreed on, the certificate is right"
	}
	return "connected"
}

// greet connects to the mail server and greets it, with TLS as for a mail, and without
// a login.
func (s *SMTP) greet(ctx context.Context) (string, error) {
	host, _, err := net.SplitHostPort(s.Address)
	if err != nil {
		return "", err
	}
	config, err := s.config(host)
	if err != nil {
		return "", err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if s.Security == "tls" {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return "", err
	}
	guest := *s
	guest.User = ""
	if err := guest.login(c, host, config); err != nil {
		return "", err
	}
	_ = c.Quit() // it has answered
	if s.Security == "none" {
		return "the server greets", nil
	}
	return "the server greets, TLS was agreed on, the certificate is right", nil
}
