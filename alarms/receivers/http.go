package receivers

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

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
	c := &tls.Config{ServerName: server, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := t.CAFile.Bytes()
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: %s holds no certificate in PEM", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := t.pair()
		if err != nil {
			return nil, fmt.Errorf("cert_file and key_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func (t TLS) pair() (tls.Certificate, error) {
	cert, err := t.CertFile.Bytes()
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := t.KeyFile.Bytes()
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

// HTTP is how a receiver that speaks HTTP is reached.
type HTTP struct {
	TLS      `yaml:",inline"`
	Proxy    bool   `yaml:"proxy"`     // as the environment says (HTTPS_PROXY, NO_PROXY)
	ProxyURL string `yaml:"proxy_url"` // this one; without either, none
}

// Validate returns all that is wrong with h.
func (h HTTP) Validate() error {
	errs := []error{h.TLS.Validate()}
	if h.ProxyURL != "" && h.Proxy {
		errs = append(errs, errors.New("proxy and proxy_url exclude each other"))
	}
	if h.ProxyURL != "" {
		errs = append(errs, setting.At("proxy_url", validateURL(h.ProxyURL)))
	}
	return errors.Join(errs...)
}

// validateURL returns what is wrong with a URL. The error does not hold it: it
// may hold a secret.
func validateURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("not a URL such as https://host/path")
	case u.User != nil:
		return errors.New("holds a user or a password; secrets are only read from files")
	}
	return nil
}

const (
	httpTimeout   = 20 * time.Second // of one request, all in all
	httpBodyLimit = 256 << 10        // of an answer, which is read and dropped
)

// client returns a client for one request: notifications are rare, and so a
// renewed certificate or key counts at once.
func (h HTTP) client() (*http.Client, error) {
	config, err := h.config("")
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		TLSClientConfig: config, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		DialContext:            (&net.Dialer{Timeout: httpTimeout / 2}).DialContext,
		TLSHandshakeTimeout:    httpTimeout / 2,
		MaxResponseHeaderBytes: 64 << 10,
	}
	switch {
	case h.ProxyURL != "":
		proxy, err := url.Parse(h.ProxyURL)
		if err != nil {
			return nil, errors.New("proxy_url is not a URL")
		}
		t.Proxy = http.ProxyURL(proxy)
	case h.Proxy:
		of := httpproxy.FromEnvironment().ProxyFunc()
		t.Proxy = func(r *http.Request) (*url.URL, error) { return of(r.URL) }
	}
	return &http.Client{
		Transport: t, Timeout: httpTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// retryable are the statuses that are about the address, the secret or the
// moment and not about the notification: sent again, it may be taken.
var retryable = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusProxyAuthRequired,
	http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
}

// send makes one request. A status that refuses the notification itself is
// [notify.Rejected]. The error names scheme and host only: path, headers and
// bodies may hold secrets.
func (h HTTP) send(ctx context.Context, method, target string, header http.Header, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL is not usable")
	}
	request.Header = header
	request.Header.Set("User-Agent", "lunawatch")
	client, err := h.client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	where := request.URL.Scheme + "://" + request.URL.Host
	response, err := client.Do(request)
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("%s: %w", where, err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, httpBodyLimit))
	status := response.StatusCode
	if 200 <= status && status < 300 {
		return nil
	}
	err = fmt.Errorf("%s answers %d %s", where, status, http.StatusText(status))
	if 400 <= status && status < 500 && !slices.Contains(retryable, status) {
		return &notify.Rejected{Err: err}
	}
	return err
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
