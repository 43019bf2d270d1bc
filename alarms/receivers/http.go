package receivers

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/config"

	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// TLS is how a receiver and the agent identify themselves. The receiver's
// certificate is always verified.
type TLS struct {
	CAFile   setting.File `yaml:"ca_file"`   // of the receiver's authority; "": those of the host
	CertFile setting.File `yaml:"cert_file"` // the agent's own; "": none
	KeyFile  setting.File `yaml:"key_file"`
}

// Validate returns all that is wrong with t.
func (t TLS) Validate() error {
	errs := []error{
		setting.At("ca_file", t.CAFile.Validate()), setting.At("cert_file", t.CertFile.Validate()), setting.At("key_file", t.KeyFile.Validate()),
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		errs = append(errs, errors.New("cert_file and key_file go together"))
	}
	return errors.Join(errs...)
}

// config reads the files each time, so that renewed ones count.
func (t TLS) config(server string) (*tls.Config, error) {
	files, err := t.read(server)
	if err != nil {
		return nil, err
	}
	c, err := config.NewTLSConfig(&files)
	if err != nil {
		return nil, fmt.Errorf("ca_file %q, cert_file %q, key_file %q: %w", t.CAFile, t.CertFile, t.KeyFile, err)
	}
	return c, nil
}

func (t TLS) read(server string) (config.TLSConfig, error) {
	c := config.TLSConfig{ServerName: server, MinVersion: tls.VersionTLS12}
	for _, f := range []struct {
		key  string
		file setting.File
		take func(pem string)
	}{
		{"ca_file", t.CAFile, func(pem string) { c.CA = pem }},
		{"cert_file", t.CertFile, func(pem string) { c.Cert = pem }},
		{"key_file", t.KeyFile, func(pem string) { c.Key = config.Secret(pem) }},
	} {
		if f.file == "" {
			continue
		}
		pem, err := f.file.Bytes()
		if err != nil {
			return c, fmt.Errorf("%s: %w", f.key, err)
		}
		f.take(string(pem))
	}
	return c, nil
}

// HTTP is how a receiver that speaks HTTP is reached.
type HTTP struct {
	TLS      `yaml:",inline"`
	Proxy    bool   `yaml:"proxy"`     // as the environment says (HTTPS_PROXY, NO_PROXY)
	ProxyURL string `yaml:"proxy_url"` // this one; without either, none
	Insecure bool   `yaml:"insecure"`  // secrets may be sent without TLS
}

// plain returns a fault if a secret would be sent to a URL, at a key, without TLS.
// On this host that is allowed.
func (h HTTP) plain(key, target string, secrets ...setting.File) error {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" || h.Insecure || !slices.ContainsFunc(secrets, func(f setting.File) bool { return f != "" }) {
		return nil
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return setting.Faultf(key, "would send a secret without TLS; use https, or set insecure: true")
}

// Validate returns all that is wrong with h.
func (h HTTP) Validate() error {
	errs := []error{h.TLS.Validate()}
	if h.ProxyURL != "" && h.Proxy {
		errs = append(errs, errors.New("proxy and proxy_url exclude each other"))
	}
	if h.ProxyURL != "" {
		errs = append(errs, setting.At("proxy_url", setting.ValidateURL(h.ProxyURL)))
	}
	return errors.Join(errs...)
}

const (
	httpTimeout   = 20 * time.Second // of one request, all in all
	httpBodyLimit = 256 << 10        // of an answer: what is beyond is not read
)

// client returns a client for one request: notifications are rare, and so a
// renewed certificate or key counts at once.
func (h HTTP) client() (*http.Client, error) {
	files, err := h.read("")
	if err != nil {
		return nil, err
	}
	c := config.HTTPClientConfig{TLSConfig: files, EnableHTTP2: true, ProxyConfig: config.ProxyConfig{ProxyFromEnvironment: h.Proxy}}
	if h.ProxyURL != "" {
		proxy, err := url.Parse(h.ProxyURL)
		if err != nil {
			return nil, errors.New("proxy_url is not a URL")
		}
		c.ProxyURL = config.URL{URL: proxy}
	}
	dial := (&net.Dialer{Timeout: httpTimeout / 2}).DialContext
	client, err := config.NewClientFromConfig(c, "lunawatch", config.WithKeepAlivesDisabled(), config.WithDialContextFunc(dial))
	if err != nil {
		return nil, fmt.Errorf("ca_file %q, cert_file %q, key_file %q: %w", h.CAFile, h.CertFile, h.KeyFile, err)
	}
	client.Timeout = httpTimeout
	return client, nil
}

// retryable are the statuses that are about the address, the secret or the
// moment and not about the notification: sent again, it may be taken.
var retryable = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusProxyAuthRequired,
	http.StatusGone, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
}

// send makes one request. A status that refuses the notification itself is
// [notify.Rejected]. The error names scheme and host only: path, headers and
// bodies may hold secrets.
func (h HTTP) send(ctx context.Context, method, target string, header http.Header, body []byte) error {
	_, err := h.exchange(ctx, method, target, header, body)
	return err
}

// exchange is [HTTP.send], and returns what the answer says, whatever its status.
func (h HTTP) exchange(ctx context.Context, method, target string, header http.Header, body []byte) ([]byte, error) {
	client, err := h.client()
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	return exchange(ctx, client, method, target, header, body)
}

// exchange is [HTTP.exchange] by a client.
func exchange(ctx context.Context, client *http.Client, method, target string, header http.Header, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the URL is not usable")
	}
	request.Header = header
	request.Header.Set("User-Agent", "lunawatch")
	where := where(target)
	response, err := client.Do(request)
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err // without the URL, which may hold a secret
		}
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, httpBodyLimit)) // the status has been said: what breaks off later changes nothing
	status := response.StatusCode
	if 200 <= status && status < 300 {
		return said, nil
	}
	err = &answer{where, status}
	if pause := retryAfter(response.Header.Get("Retry-After"), time.Now()); pause > 0 {
		return said, &notify.Later{Err: err, After: pause}
	}
	if 400 <= status && status < 500 && !slices.Contains(retryable, status) {
		return said, &notify.Rejected{Err: err}
	}
	return said, err
}

// An answer is the error of a status that takes nothing.
type answer struct {
	where  string // scheme and host
	status int
}

// Error implements error.
func (a *answer) Error() string {
	return fmt.Sprintf("%s answers %d %s", a.where, a.status, http.StatusText(a.status))
}

// retryAfter returns the pause that a Retry-After header (RFC 9110) asks for:
// seconds, or a date; 0: none.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// post sends JSON.
func (h HTTP) post(ctx context.Context, method, target string, header http.Header, body []byte) error {
	if header == nil {
		header = make(http.Header)
	}
	header.Set("Content-Type", "application/json")
	return h.send(ctx, method, target, header, body)
}

// bearer returns the header with the token in a file; "": an empty one.
func bearer(file setting.File) (http.Header, error) {
	header := make(http.Header)
	if file == "" {
		return header, nil
	}
	token, err := file.Secret("bearer_token_file", 1)
	if err != nil {
		return nil, err
	}
	header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
	return header, nil
}

// where returns scheme and host of a URL, which are no secrets.
func where(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return "its URL"
	}
	return u.Scheme + "://" + u.Host
}
