package simulator

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// The settings of the web server of an appliance.
const (
	restIdle     = 10 * time.Minute // until an unused session ends
	restThreads  = 5
	restMaximum  = 5 // infractions until an address is locked out
	restBadLogin = 2 // infractions of a refused password
	restShutOut  = time.Minute
)

// restServer is the HTTPS side of an appliance.
type restServer struct {
	a            *appliance
	certificates [2]tls.Certificate // the first, and that after the event rest-certificate
	threads      chan struct{}

	mu       sync.Mutex
	sessions map[string]time.Time // by id, last used
	epoch    int                  // of sessions, that of the wire
	guests   map[string]*guest    // by IP address

	kept kept
}

// kept is the connections over which no request runs.
type kept struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (k *kept) note(conn net.Conn, s http.ConnState) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s == http.StateNew || s == http.StateIdle {
		k.conns[conn] = true
	} else {
		delete(k.conns, conn)
	}
}

// note keeps account of a connection, and ends one whose last answer crossed the end of
// all others.
func (s *restServer) note(conn net.Conn, state http.ConnState) {
	s.kept.note(conn, state)
	if w, _ := s.a.wireNow(); state == http.StateIdle && (w.restGone || w.down) {
		conn.Close()
	}
}

func (k *kept) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for conn := range k.conns {
		conn.Close()
	}
}

// A guest is an address that has misbehaved.
type guest struct {
	infractions int
	blocks      int // number of times locked out so far
	until       time.Time
}

// hasREST reports whether the appliance has the web server, which is from 6.2 on.
func (m *model) hasREST() bool { return m.version != "5.4" }

// apiVersion is the newest version of the REST API that the software has.
func (m *model) apiVersion() int { return choose(m.modern(), 5, 1) }

// loadREST reads the certificates and makes those that are missing.
func (a *appliance) loadREST() (*restServer, error) {
	s := &restServer{a: a, threads: make(chan struct{}, restThreads), sessions: map[string]time.Time{}, guests: map[string]*guest{}, kept: kept{conns: map[net.Conn]bool{}}}
	for i, name := range []string{"rest", "rest_changed"} {
		key, err := a.own.key(name+"_key", newECDSA)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(a.own.dir, name+"_certificate.pem")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			if err := makeCertificate(file, a.spec.name, key); err != nil {
				return nil, fmt.Errorf("certificate of the web server: %w", err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("certificate of the web server: %w", err)
		}
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, fmt.Errorf("%s is not a certificate", file)
		}
		s.certificates[i] = tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}
	}
	return s, nil
}

// makeCertificate makes a self-signed certificate, like an appliance.
func makeCertificate(file, name string, key any) error {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return errors.New("not a key")
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{Organization: []string{"Chrysalis-ITS"}, CommonName: name},
		NotBefore: time.Now().Add(-day), NotAfter: time.Now().Add(10 * 365 * day), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{name, "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, signer.Public(), key)
	if err != nil {
		return err
	}
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// fingerprint returns that of the first certificate.
func (s *restServer) fingerprint() string {
	return fmt.Sprintf("SHA256:%x", sha256.Sum256(s.certificates[0].Certificate[0]))
}

// A restListener closes connections that the appliance would refuse: from addresses that
// are locked out, or while it is away.
type restListener struct {
	net.Listener
	s *restServer
}

// Accept implements [net.Listener].
func (l restListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		w, _ := l.s.a.wireNow()
		if !w.down && !w.restGone && !l.s.shutOut(conn.RemoteAddr().String()) {
			return conn, nil
		}
		conn.Close()
	}
}

// connEpoch is the context key of the wire's epoch at the start of a connection.
type connEpoch struct{}

// serve answers on ln until ctx is done.
func (s *restServer) serve(ctx context.Context, ln net.Listener) error {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		ConnState:   s.note,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			w, _ := s.a.wireNow()
			return context.WithValue(ctx, connEpoch{}, w.restEpoch)
		},
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			w, _ := s.a.wireNow()
			return &s.certificates[choose(w.restOther, 1, 0)], nil
		}},
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.ServeTLS(restListener{ln, s}, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ServeHTTP answers one request through the faults of the wire.
func (s *restServer) ServeHTTP(out http.ResponseWriter, q *http.Request) {
	s.threads <- struct{}{}
	defer func() { <-s.threads }()
	w, _ := s.a.wireNow()
	if w.restGone || w.down || w.restEpoch != q.Context().Value(connEpoch{}) {
		panic(http.ErrAbortHandler)
	}
	if w.slow > 0 && !wait.Sleep(q.Context(), w.slow) {
		return
	}
	if w.hangs(strings.HasPrefix(q.URL.Path, "/api/lunasa/hsms/")) {
		<-q.Context().Done()
		return
	}
	code, body := s.answer(q, out.Header(), w)
	var text []byte
	if body != nil {
		text, _ = json.MarshalIndent(body, "", "    ")
	}
	if w.restQuirks {
		text = likeTheDocuments(text)
	}
	out.Header().Set("Content-Type", fmt.Sprintf("application/vnd.safenetinc.lunasa+json;version=%d", s.a.spec.model.apiVersion()))
	switch {
	case w.answer == drop && len(text) > 0:
		out.Header().Set("Content-Length", fmt.Sprint(len(text)))
		out.WriteHeader(code)
		out.Write(text[:len(text)/2])
		panic(http.ErrAbortHandler)
	case w.answer == truncate || w.answer == garbage:
		text = spoil(text, w.answer)
	}
	out.WriteHeader(code)
	out.Write(text)
}

var (
	firstComma = regexp.MustCompile(`,\n( +"[^"]+": [^\n]*\n)`)
	indexKey   = regexp.MustCompile(`"([0-9]+)": `)
	truthWord  = regexp.MustCompile(`: (true|false)\b`)
)

// likeTheDocuments changes JSON to the form of the samples in the documents: without one
// of its commas, with other words for true and false, and with numbers for names.
func likeTheDocuments(text []byte) []byte {
	if at := firstComma.FindSubmatchIndex(text); at != nil {
		text = append(append(bytes.Clone(text[:at[0]]), '\n'), text[at[2]:]...)
	}
	text = indexKey.ReplaceAll(text, []byte("$1 : "))
	return truthWord.ReplaceAllFunc(text, func(w []byte) []byte {
		return bytes.Replace(bytes.Replace(w, []byte("t"), []byte("T"), 1), []byte("f"), []byte("F"), 1)
	})
}

// answer returns the status and the body of the answer to one request.
func (s *restServer) answer(q *http.Request, header http.Header, w wire) (int, any) {
	if asked := version(q); asked > s.a.spec.model.apiVersion() {
		return restError(http.StatusNotAcceptable, "FRAMEWORK_VERSION", "The version of the interface is not supported.")
	}
	if q.URL.Path == "/auth/session" {
		return s.login(q, header, w)
	}
	if !s.known(q, w) {
		return restError(http.StatusUnauthorized, "FRAMEWORK_SESSION_NOT_PRIVATE", "The session is not private.")
	}
	if q.Method != http.MethodGet {
		return restError(http.StatusUnauthorized, "FRAMEWORK_NO_ACL_RULE", "The role of the user does not permit this.")
	}
	path := strings.Split(strings.TrimPrefix(q.URL.Path, "/"), "/")
	var code int
	var body any
	s.a.do(func(st *state) { code, body = st.rest(path) })
	return code, body
}

var versionOf = regexp.MustCompile(`lunasa\+json;\s*version=([0-9]{1,3})`)

// version returns the version of the API in a request, 0 for the newest.
func version(q *http.Request) (n int) {
	for _, name := range []string{"Content-Type", "Accept"} {
		if m := versionOf.FindStringSubmatch(q.Header.Get(name)); m != nil {
			fmt.Sscan(m[1], &n)
			return n
		}
	}
	return 0
}

func restError(code int, id, message string) (int, any) {
	kind, _, _ := strings.Cut(id, "_")
	return code, map[string]any{"status": "ERROR", "type": kind, "id": id, "returnCode": code, "message": message, "details": message}
}

// login opens or closes a session.
func (s *restServer) login(q *http.Request, header http.Header, w wire) (int, any) {
	if q.Method != http.MethodPost {
		return restError(http.StatusMethodNotAllowed, "API_METHOD", "The method is not allowed here.")
	}
	user, password, _ := q.BasicAuth()
	good := subtle.ConstantTimeCompare([]byte(password), []byte(s.a.users.password)) == 1 && user == User && password != ""
	host, _, _ := net.SplitHostPort(q.RemoteAddr)
	if w.refuse || !good {
		s.misbehaved(host, restBadLogin)
		s.a.do(func(st *state) { st.secure("webserver: failed login for %s from %s", clean(user), host) })
		return restError(http.StatusUnauthorized, "FRAMEWORK_AUTHENTICATION", "The user name or the password is wrong.")
	}
	s.a.do(func(st *state) { st.secure("webserver: accepted login for %s from %s", clean(user), host) })
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endSessions(w)
	s.sessions[id] = time.Now()
	http.SetCookie(headerWriter(header), &http.Cookie{Name: "SESSION_ID", Value: id, Path: "/", HttpOnly: true, Secure: true})
	return http.StatusNoContent, nil
}

// clean returns the part of a user name, which anybody may send, that may be logged.
func clean(user string) string {
	return strings.Map(func(r rune) rune { return choose(r > ' ' && r < 0x7f, r, '?') }, user[:min(len(user), 32)])
}

// A headerWriter is an [http.ResponseWriter] of which only the header is used.
type headerWriter http.Header

func (h headerWriter) Header() http.Header { return http.Header(h) }

func (headerWriter) Write(b []byte) (int, error) { return len(b), nil }

func (headerWriter) WriteHeader(int) {}

// endSessions ends all sessions if an event has requested that since.
func (s *restServer) endSessions(w wire) {
	if s.epoch != w.restSessions {
		s.epoch = w.restSessions
		clear(s.sessions)
	}
}

// known reports whether a request belongs to a session, and renews that.
func (s *restServer) known(q *http.Request, w wire) bool {
	c, err := q.Cookie("SESSION_ID")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endSessions(w)
	if err != nil {
		return false
	}
	last, found := s.sessions[c.Value]
	if !found || time.Since(last) > restIdle {
		delete(s.sessions, c.Value)
		return false
	}
	s.sessions[c.Value] = time.Now()
	return true
}

// misbehaved counts infractions. At the maximum the address is locked out, each time for
// twice as long.
func (s *restServer) misbehaved(host string, infractions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guests[host]
	if g == nil {
		g = &guest{}
		s.guests[host] = g
	}
	if g.infractions += infractions; g.infractions >= restMaximum {
		g.infractions = 0
		g.until = time.Now().Add(restShutOut << min(g.blocks, 10))
		g.blocks++
	}
}

func (s *restServer) shutOut(remote string) bool {
	host, _, _ := net.SplitHostPort(remote)
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guests[host]
	return g != nil && time.Now().Before(g.until)
}
