// Package rest reads Luna Network HSMs over the REST API of the appliance: the
// session, the requests that may be sent, the readers of the resources, and the
// poller. It follows the vendor's documents of 7.2, and sends only the login to the
// appliance and GETs; it never logs in to the HSM.
package rest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/login"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// API is the REST API of one appliance. It keeps one session and one connection,
// and sends one request at a time. A session that the appliance ended is renewed
// once, unnoticed by the caller. A password that was refused is not tried again
// before its file changes: the appliance locks out an address after a few failed
// logins, each time for longer.
type API struct {
	Address      string // host:port
	User         string
	Account      *login.Account // remembers refused passwords; nil: until the process ends
	PasswordFile setting.File   // read at each login
	CAFile       string         // PEM; used unless Certificate is given
	Certificate  string         // pinned SHA-256 fingerprint of the certificate, as [ParseFingerprint] takes it
	Timeout      time.Duration  // of one request; 0: 30 s
	Reach        poll.Timing    // of the idle connection; zero: [poll.DefaultTiming]
	Replay       string         // directory of a capture, instead of an appliance

	said   []string                       // every answer since the last [API.answers], after its path
	keep   func(path string, text []byte) // receives every answer that could be parsed; nil: no capture is made
	lost   chan struct{}                  // receives when a connection ended; nil: nobody waits for that
	mu     sync.Mutex                     // one request at a time; guards the fields below
	conn   *http.ClientConn               // nil: there is none
	client *http.Client                   // over conn

	unconfirmed error  // of the last Confirm: what the next request fails with
	version     int    // of the API; 0: not yet chosen
	cookie      string // of the session; "": none
	proven      bool   // the session was accepted with a request
}

// apiVersions are the versions of the API that the readers support: 5 of 7.2, 1 of
// 6.2. The first that an appliance accepts is used.
var apiVersions = []int{5, 1}

// timeout bounds one request unless [API] has another.
const timeout = 30 * time.Second

// dialTimeout bounds the TCP connection and the TLS handshake, each, but for those that
// confirm a loss.
const dialTimeout = 10 * time.Second

// namePattern matches the name of a resource in a path. %20 is the only escape, so
// that no dot or slash can be hidden.
const namePattern = `(?:[A-Za-z0-9_:+-]|%20)(?:[A-Za-z0-9._:+-]|%20){0,127}`

// allowed is all the resources that may ever be read. Reading them changes nothing
// and needs no login to the HSM.
var allowed = collectors.Allow(
	`/api/lunasa`,
	`/api/lunasa/hsms(/[0-9]{1,20}(/counter|/tamper|/metrics|/licenses|/policies|/policies/[0-9]{1,5})?)?`,
	`/api/lunasa/hsms/[0-9]{1,20}/partitions(/[0-9]{1,20}(/roles/[a-z]{1,16})?)?`,
	`/api/lunasa/ntls(/certificate|/clients(/`+namePattern+`)?)?`,
	`/api/lunasa/(services|sensors|disk/partitions)(/`+namePattern+`)?`,
	`/api/lunasa/disk/smart`,
)

const loginPath = "/auth/session"

// Allowed returns a *[collectors.Failed] at step [hsm.Command] unless a request may
// be sent to an appliance: it must be the login to the appliance or a GET of a
// listed resource.
func Allowed(method, path string) error {
	if method == http.MethodPost && path == loginPath {
		return nil
	}
	if method == http.MethodGet && allowed.Has(path) {
		return nil
	}
	return collectors.Failf(hsm.Command, "%s %q is not on the list of requests that change nothing; it was not sent", method, answer.Clip(path, 200))
}

// readOnly is the only transport to the appliance. It sends requests that are
// [Allowed], to the one address, and no others.
type readOnly struct {
	address string
	next    http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (r readOnly) RoundTrip(q *http.Request) (*http.Response, error) {
	if err := Allowed(q.Method, q.URL.EscapedPath()); err != nil {
		return nil, err
	}
	if q.URL.Scheme != "https" || q.URL.Host != r.address || q.URL.RawQuery != "" || q.Method == http.MethodGet && q.Body != nil {
		return nil, collectors.Failf(hsm.Command, "request to another address or with more than a path; it was not sent")
	}
	return r.next.RoundTrip(q)
}

// A statusError is an answer of the appliance with another status than success.
type statusError struct {
	code int
	id   string // of the appliance's own error, such as FRAMEWORK_NO_ACL_RULE
	text string
}

func (e *statusError) Error() string {
	s := fmt.Sprintf("the appliance answers %d %s", e.code, http.StatusText(e.code))
	for _, detail := range []string{e.id, e.text} {
		if detail != "" {
			s += ", " + answer.Collapse(answer.Clip(detail, 200))
		}
	}
	return s
}

// status returns the HTTP status in err, 0 if there is none.
func status(err error) int {
	if s, ok := errors.AsType[*statusError](err); ok {
		return s.code
	}
	return 0
}

// Get reads one resource. Its errors are a *[collectors.Failed].
func (r *API) Get(ctx context.Context, path string) (map[string]any, error) {
	return r.get(ctx, path)
}

func (r *API) get(ctx context.Context, path string) (object, error) {
	if err := Allowed(http.MethodGet, path); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := r.text(ctx, path)
	if err != nil {
		return nil, err
	}
	r.said = append(r.said, path+"\n"+string(text))
	o, err := parseObject(text)
	if err != nil {
		return nil, collectors.Failf(hsm.Unrecognised, "GET %s: %w", path, err)
	}
	if r.keep != nil {
		r.keep(path, text)
	}
	return o, nil
}

// answers returns what was read since it was last called, as it came.
func (r *API) answers() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := strings.Join(r.said, "\n")
	r.said = nil
	return all
}

// text returns a resource as the appliance sends it. It logs in if necessary.
func (r *API) text(ctx context.Context, path string) ([]byte, error) {
	if r.Replay != "" {
		return r.captured(path)
	}
	if err := r.unconfirmed; err != nil {
		r.unconfirmed = nil
		return nil, err
	}
	renewed := false
	for {
		if r.cookie == "" {
			if err := r.login(ctx); err != nil {
				return nil, err
			}
		}
		text, err := r.send(ctx, http.MethodGet, path, nil)
		var s *statusError
		switch {
		case err == nil:
			r.proven = true
			return text, nil
		case !errors.As(err, &s):
			if collectors.FailureOf(err).OfSession() {
				r.forget()
			}
			return nil, err
		case s.code != http.StatusUnauthorized:
			r.proven = true
			return nil, collectors.Failf(hsm.Command, "GET %s: %w", path, s)
		case s.id == "FRAMEWORK_NO_ACL_RULE":
			return nil, collectors.Failf(hsm.Command, "GET %s: the role of user %q may not read this; add a line GET:%s to the role", path, r.User, path)
		case r.proven: // the session has ended
			r.cookie, renewed = "", true
		case renewed: // not even a new session may read this resource
			return nil, collectors.Failf(hsm.Command, "GET %s: %w", path, s)
		default:
			r.cookie = ""
			return nil, collectors.Failf(hsm.Login, "GET %s: the new session is not accepted: %w", path, s)
		}
	}
}

// captured reads a resource of a capture. One that is not in it is not found.
func (r *API) captured(path string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(r.Replay, filepath.FromSlash(captureFile(path))))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, collectors.Failf(hsm.Command, "GET %s: replay: %w", path, &statusError{code: http.StatusNotFound, text: "not in this capture"})
	}
	if err != nil {
		return nil, collectors.Failf(hsm.Command, "GET %s: replay: %w", path, err)
	}
	return text, nil
}

// login opens a session with the appliance. It never logs in to the HSM.
func (r *API) login(ctx context.Context) error {
	if r.Account == nil {
		r.Account = &login.Account{User: r.User, Host: r.Address}
	}
	try, err := r.Account.Begin(ctx, r.PasswordFile)
	if err != nil {
		return err
	}
	defer try.End()
	r.proven = false
	r.forget() // the appliance may also have closed the connection, and a login is not sent again
	_, err = r.send(ctx, http.MethodPost, loginPath, &try.Password)
	switch code := status(err); {
	case err == nil && r.cookie == "":
		return collectors.Failf(hsm.Login, "login: the appliance gave no session")
	case err == nil:
		try.Accepted()
		return nil
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return try.Refused(err)
	case code != 0:
		return collectors.Failf(hsm.Unreachable, "login: %w", err)
	}
	if collectors.FailureOf(err).OfSession() {
		r.forget()
	}
	return fmt.Errorf("login: %w", err)
}

// send sends one request, a login if password is not nil and else with the session,
// and returns the body of a successful answer. That an appliance ended a connection
// that was kept is no failure.
func (r *API) send(ctx context.Context, method, path string, password *string) ([]byte, error) {
	for {
		kept := r.alive()
		if err := r.open(ctx); err != nil {
			return nil, err
		}
		text, err := r.sendOnce(ctx, method, path, password)
		if !kept || method != http.MethodGet || collectors.FailureOf(err) != hsm.Unreachable || status(err) != 0 {
			return text, err
		}
		r.drop()
	}
}

func (r *API) sendOnce(ctx context.Context, method, path string, password *string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.Timeout, timeout))
	defer cancel()
	var body io.Reader
	if password != nil {
		body = strings.NewReader("{}")
	}
	q, err := http.NewRequestWithContext(ctx, method, "https://"+r.Address+path, body)
	if err != nil {
		return nil, collectors.Failf(hsm.Command, "%s %s: %w", method, path, err)
	}
	media := fmt.Sprintf("application/vnd.safenetinc.lunasa+json;version=%d", r.version)
	q.Header.Set("Content-Type", media)
	q.Header.Set("Accept", media)
	if password != nil {
		q.SetBasicAuth(r.User, *password)
	} else {
		q.AddCookie(&http.Cookie{Name: "SESSION_ID", Value: r.cookie})
	}
	res, err := r.client.Do(q)
	if err != nil {
		return nil, r.sendError(ctx, method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, collectors.MaxAnswer+1))
	switch {
	case ctx.Err() != nil: // the text may be what arrived before the timeout
		return nil, r.sendError(ctx, method, path, ctx.Err())
	case err != nil:
		return nil, collectors.Failf(hsm.Incomplete, "%s %s: the answer was cut after %d bytes", method, path, len(text)).At(hsm.LayerSessionLost)
	case len(text) > collectors.MaxAnswer:
		return nil, collectors.Failf(hsm.Unrecognised, "%s %s: more than %d bytes", method, path, collectors.MaxAnswer)
	case res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNoContent:
		o, _ := parseObject(text)
		return nil, &statusError{res.StatusCode, o.text("id"), o.text("message")}
	}
	if password != nil {
		for _, c := range res.Cookies() {
			if c.Name == "SESSION_ID" {
				r.cookie = c.Value
			}
		}
	}
	return text, nil
}

func (r *API) sendError(ctx context.Context, method, path string, err error) error {
	if f, ok := errors.AsType[*collectors.Failed](err); ok {
		return f
	}
	if ctx.Err() != nil {
		return collectors.Failf(hsm.Timeout, "%s %s: no answer in time", method, path).At(r.silent(path))
	}
	return collectors.Failf(hsm.Unreachable, "%s %s: %w", method, path, err)
}

// silent returns who is silent when a path gets no answer: the HSM, if it is below that
// and the web service has answered in this session.
func (r *API) silent(path string) hsm.Layer {
	if r.proven && strings.HasPrefix(path, root+"/hsms/") {
		return hsm.LayerCard
	}
	return hsm.LayerShell
}

func (r *API) tlsConfig() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.Certificate == "" {
		pem, err := os.ReadFile(r.CAFile)
		if err != nil {
			return nil, collectors.Failf(hsm.HostKey, "ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, collectors.Failf(hsm.HostKey, "ca_file %s holds no certificate", r.CAFile)
		}
		return c, nil
	}
	want, err := ParseFingerprint(r.Certificate)
	if err != nil {
		return nil, collectors.Failf(hsm.HostKey, "certificate: %w", err)
	}
	c.InsecureSkipVerify = true // the pin is checked instead, also when a session is resumed
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if got := certificateFingerprint(s.PeerCertificates); got != want {
			return collectors.Failf(hsm.HostKey, "certificate of %s has changed: it shows %s, the configuration has %s; find out why before you change certificate", r.Address, got, want)
		}
		return nil
	}
	return c, nil
}

// older changes to the next older version of the API; false if there is none.
func (r *API) older() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range apiVersions {
		if v < r.version {
			r.version = v
			return true
		}
	}
	return false
}

// ParseFingerprint reads "SHA256:" and 64 hexadecimal digits, with or without
// colons between them and in any case. It returns the fingerprint in the form that
// errors show: lower case without colons.
func ParseFingerprint(s string) (string, error) {
	digits, ok := answer.CutPrefixFold(s, "SHA256:")
	digits = strings.ToLower(strings.ReplaceAll(digits, ":", ""))
	if b, err := hex.DecodeString(digits); !ok || err != nil || len(b) != sha256.Size {
		return "", errors.New(`not a fingerprint: "SHA256:" and the 64 hexadecimal digits that openssl x509 -fingerprint -sha256 prints`)
	}
	return "SHA256:" + digits, nil
}

func certificateFingerprint(chain []*x509.Certificate) string {
	if len(chain) == 0 {
		return "none"
	}
	return fmt.Sprintf("SHA256:%x", sha256.Sum256(chain[0].Raw))
}

// forget ends the session and the connection. The next request reconnects, with
// the CA file read again.
func (r *API) forget() {
	r.cookie = ""
	r.drop()
}

// Close closes the connection. The session ends by itself after 10 min.
func (r *API) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	return nil
}
