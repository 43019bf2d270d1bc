package peers

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// An estate is the HSMs that agents of a test have, and who of them owns which.
type estate struct {
	hsms []string

	mu      sync.Mutex
	members []Member
	owners  map[string]string // by HSM
	etcd    map[string]bool   // by agent: it reaches etcd
	paths   map[string]string // by agent and HSM, with a blank between: where that is for it
	held    func()            // is called before an address is known; nil: nothing is
}

func newEstate(hsms ...string) *estate {
	return &estate{hsms: hsms, owners: make(map[string]string), etcd: make(map[string]bool), paths: make(map[string]string)}
}

func (e *estate) set(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
}

func get[T any](e *estate, of func() T) T {
	e.mu.Lock()
	defer e.mu.Unlock()
	return of()
}

// start runs an agent of e until end is called.
func (e *estate) start(t *testing.T, name string, s Settings) (p *Peers, end func()) {
	t.Helper()
	s.Listen = "127.0.0.1:0"
	p = &Peers{Self: name, Settings: s, Log: slog.New(slog.DiscardHandler), Store: hsm.NewStore(),
		Members: func() []Member { return get(e, func() []Member { return slices.Clone(e.members) }) },
		Owns:    func(device string) bool { return get(e, func() bool { return e.owners[device] == name }) },
		Reaches: func(context.Context) bool { return get(e, func() bool { return e.etcd[name] }) },
		Address: func(device string) (string, bool) {
			if held := get(e, func() func() { return e.held }); held != nil {
				held()
			}
			a := get(e, func() string { return e.paths[name+" "+device] })
			return a, a != ""
		},
	}
	p.Store.Expect(hsm.NetworkHSM, e.hsms...)
	address, err := p.Listen()
	check.Must(t, err)
	e.set(func() { e.members = append(e.members, Member{name, address}) })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.Run(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}()
	end = func() {
		cancel()
		<-done
	}
	t.Cleanup(end)
	return p, end
}

// read has an agent read a label.
func read(p *Peers, device, label string) {
	p.Store.Apply(hsm.Observation{Device: device, Source: "hsm show", At: time.Now(), MaxAge: time.Minute, Facts: []hsm.Fact{hsm.Show{Label: hsm.Some(label)}}})
}

// fail has a source fail at a layer.
func fail(p *Peers, device string, l hsm.Layer) {
	p.Store.Apply(hsm.Observation{Device: device, Source: "hsm show", At: time.Now(), MaxAge: time.Minute, Failure: hsm.Unreachable, Layer: l, Err: errors.New("x")})
}

// until waits for a Snapshot of an agent, and returns its device.
func until(t *testing.T, p *Peers, device, what string, is func(*hsm.Device) bool) *hsm.Device {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var snap *hsm.Snapshot
	for {
		next, err := p.Store.Wait(ctx, snap)
		if err != nil {
			t.Fatalf("%s has not of %s: %s; it has %+v", p.Self, device, what, p.Store.Latest().Device(device))
		}
		if snap = next; is(snap.Device(device)) {
			return snap.Device(device)
		}
	}
}

func label(want, from string) func(*hsm.Device) bool {
	return func(d *hsm.Device) bool { return d.Show.Value.Label.Value == want && d.From == from }
}

// TestEveryAgentHasTheEstate: each agent has what the others read, and what changes of it;
// of the one that takes an HSM over after that; and of one that is gone the last.
func TestEveryAgentHasTheEstate(t *testing.T) {
	for name, settings := range map[string]Settings{"plain": {}, "TLS": newCA(t).settings(t, "agent")} {
		t.Run(name, func(t *testing.T) {
			e := newEstate("a", "b")
			lw1, _ := e.start(t, "lw1", settings)
			lw2, end2 := e.start(t, "lw2", settings)
			lw3, _ := e.start(t, "lw3", settings)
			e.set(func() { e.owners["a"], e.owners["b"] = "lw1", "lw2" })
			read(lw1, "a", "one")
			read(lw2, "b", "two")
			read(lw3, "host", "of lw3 alone")
			until(t, lw2, "a", "what lw1 read", label("one", "lw1"))
			until(t, lw3, "a", "what lw1 read", label("one", "lw1"))
			until(t, lw1, "b", "what lw2 read", label("two", "lw2"))
			read(lw1, "a", "one, again")
			until(t, lw3, "a", "what changed", label("one, again", "lw1"))
			end2()
			e.set(func() {
				e.members = slices.DeleteFunc(e.members, func(m Member) bool { return m.Name == "lw2" })
				e.owners["b"] = "lw3"
			})
			if !label("two", "lw2")(lw3.Store.Latest().Device("b")) {
				t.Errorf("what lw2 read is %+v after its end", lw3.Store.Latest().Device("b"))
			}
			read(lw3, "b", "three")
			until(t, lw1, "b", "what lw3 reads now", label("three", "lw3"))
			if d := lw1.Store.Latest().Device("host"); d != nil {
				t.Errorf("lw1 has the host of lw3: %+v", d)
			}
		})
	}
}

// TestOnlyAgentsOfTheClusterAreAnswered: somebody without a certificate of its CA reads nothing,
// and what such a one says is not taken.
func TestOnlyAgentsOfTheClusterAreAnswered(t *testing.T) {
	ours, theirs := newCA(t), newCA(t)
	e := newEstate("a")
	lw1, _ := e.start(t, "lw1", ours.settings(t, "lw1"))
	e.set(func() { e.owners["a"] = "lw1" })
	read(lw1, "a", "secret")
	address := e.members[0].Address
	secure, err := ours.settings(t, "tester").tls()
	check.Must(t, err)
	wrong, err := theirs.settings(t, "lw2").tls()
	check.Must(t, err)
	wrong.VerifyConnection = nil
	old := secure.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	for name, c := range map[string]*tls.Config{"no certificate": {InsecureSkipVerify: true}, "another CA": wrong, "TLS 1.2": old} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: c}}
		r, err := client.Get("https://" + address + "/quorum")
		if err == nil {
			r.Body.Close()
			t.Errorf("%s: answered %s", name, r.Status)
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: secure}}
	r, err := client.Get("https://" + address + "/quorum")
	check.Must(t, err)
	defer r.Body.Close()
	if text, _ := io.ReadAll(r.Body); string(text) != "{\"reaches\":false}\n" {
		t.Errorf("an agent of the cluster is answered %q", text)
	}
	_, _ = e.start(t, "intruder", theirs.settings(t, "intruder"))
	if quorum, known := lw1.Elsewhere(t.Context()); quorum || known {
		t.Errorf("an agent of another CA says: quorum %v, known %v", quorum, known)
	}
}

// TestNoPageOfABrowser: a name that leads to this host, in a page of somebody else, leads to
// nothing.
func TestNoPageOfABrowser(t *testing.T) {
	e := newEstate()
	lw1, _ := e.start(t, "lw1", Settings{})
	for host, want := range map[string]int{"127.0.0.1:9712": http.StatusOK, "evil.example.org:9712": http.StatusMisdirectedRequest} {
		r := httptest.NewRequest(http.MethodGet, "/quorum", nil)
		r.Host = host
		w := httptest.NewRecorder()
		lw1.routes().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s is answered %d, want %d", host, w.Code, want)
		}
	}
}

// TestQuorumIsNotHeldUp: while others try to connect to more HSMs than at once, they still
// say whether they reach etcd.
func TestQuorumIsNotHeldUp(t *testing.T) {
	e := newEstate()
	lw1, _ := e.start(t, "lw1", Settings{})
	e.start(t, "lw2", Settings{})
	hold, held := make(chan struct{}), make(chan struct{}, 4*atOnce)
	e.set(func() {
		e.held = func() {
			held <- struct{}{}
			<-hold
		}
	})
	var asking sync.WaitGroup
	for range 4 * atOnce {
		asking.Go(func() { lw1.Connect(t.Context(), "a") })
	}
	for range atOnce {
		<-held
	}
	if quorum, known := lw1.Elsewhere(t.Context()); quorum || !known {
		t.Errorf("quorum %v, known %v, want it known that lw2 does not reach it", quorum, known)
	}
	close(hold)
	asking.Wait()
}

// TestListen: the address that others are told leads to the listener; without certificates
// only this host reaches it.
func TestListen(t *testing.T) {
	secure := newCA(t).settings(t, "lw1")
	for _, test := range []struct {
		name, listen string
		files        bool
		endpoints    []string
		bound, told  string // without port
	}{
		{"no certificates", ":0", false, nil, "127.0.0.1", "127.0.0.1"},
		{"no certificates, another address", "192.0.2.1:0", false, nil, "127.0.0.1", "127.0.0.1"},
		{"this host", "127.0.0.1:0", true, nil, "127.0.0.1", "127.0.0.1"},
		{"etcd on this host", ":0", true, []string{"https://127.0.0.1:2379", "https://localhost:2379"}, "::", "127.0.0.1"},
	} {
		s := Settings{Listen: test.listen, Endpoints: test.endpoints}
		if test.files {
			s.CAFile, s.CertFile, s.KeyFile = secure.CAFile, secure.CertFile, secure.KeyFile
		}
		p := &Peers{Settings: s}
		address, err := p.Listen()
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		bound, port, _ := net.SplitHostPort(p.listener.Addr().String())
		check.Must(t, p.listener.Close())
		if want := net.JoinHostPort(test.told, port); bound != test.bound || address != want {
			t.Errorf("%s: it listens on %s and tells %s, want %s and %s", test.name, bound, address, test.bound, want)
		}
	}
	for name, s := range map[string]Settings{
		"cluster.listen":  {Listen: "nowhere"},
		"cluster.ca_file": {CAFile: "/nonexistent", CertFile: secure.CertFile, KeyFile: secure.KeyFile},
	} {
		p := &Peers{Settings: s}
		if _, err := p.Listen(); err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestQuorumElsewhere: what others say of etcd is known only if all of them say it.
func TestQuorumElsewhere(t *testing.T) {
	e := newEstate()
	lw1, _ := e.start(t, "lw1", Settings{})
	says := func(what string, quorum, known bool) {
		t.Helper()
		if q, k := lw1.Elsewhere(t.Context()); q != quorum || k != known {
			t.Errorf("%s: quorum %v, known %v; want %v, %v", what, q, k, quorum, known)
		}
	}
	says("alone", false, false)
	e.start(t, "lw2", Settings{})
	_, end3 := e.start(t, "lw3", Settings{})
	says("nobody reaches it", false, true)
	e.set(func() { e.etcd["lw3"] = true })
	says("lw3 reaches it", true, true)
	e.set(func() { e.etcd["lw2"], e.etcd["lw3"] = true, false })
	end3()
	says("lw3 does not answer", true, false)
	e.set(func() { e.etcd["lw2"] = false })
	says("lw3 does not answer, lw2 reaches it not", false, false)
	e.set(func() { e.members[2].Address = "" })
	says("lw3 has no address", false, false)
}

// TestConnect: others try the address that is configured with them; who cannot try says
// nothing.
func TestConnect(t *testing.T) {
	open, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	defer open.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	check.Must(t, closed.Close())
	e := newEstate("a")
	lw1, _ := e.start(t, "lw1", Settings{})
	for _, name := range []string{"lw4", "lw3", "lw2"} {
		e.start(t, name, Settings{})
	}
	e.set(func() { e.paths["lw2 a"], e.paths["lw3 a"] = open.Addr().String(), closed.Addr().String() })
	want := []hsm.Opinion{{Agent: "lw2", OK: true}, {Agent: "lw3", Err: "dial tcp " + closed.Addr().String() + ": connect: connection refused"}}
	if diff := cmp.Diff(want, lw1.Connect(t.Context(), "a")); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if got := lw1.Connect(t.Context(), open.Addr().String()); got != nil {
		t.Errorf("an address in place of a name: %+v", got)
	}
}

// TestOutage: others are asked about an HSM that does not answer, and what they found is
// with it, and with the others.
func TestOutage(t *testing.T) {
	open, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	defer open.Close()
	e := newEstate("a")
	lw1, _ := e.start(t, "lw1", Settings{})
	lw2, _ := e.start(t, "lw2", Settings{})
	e.set(func() { e.owners["a"], e.paths["lw2 a"] = "lw1", open.Addr().String() })
	answered := func(d *hsm.Device) bool { return !d.Elsewhere.Answered.IsZero() }
	fail(lw1, "a", hsm.LayerNoAnswer)
	d := until(t, lw1, "a", "what lw2 found", answered)
	if diff := cmp.Diff([]hsm.Opinion{{Agent: "lw2", OK: true}}, d.Elsewhere.Opinions); diff != "" || d.Elsewhere.Self != "lw1" {
		t.Errorf("of %s, want (-), got (+):\n%s", d.Elsewhere.Self, diff)
	}
	until(t, lw2, "a", "what it found", func(d *hsm.Device) bool { return d.From == "lw1" && answered(d) })
	check.Must(t, open.Close())
	fail(lw1, "a", hsm.LayerNoAnswer)
	read(lw1, "a", "works")
	if again := lw1.Store.Latest().Device("a").Elsewhere; !again.Answered.Equal(d.Elsewhere.Answered) {
		t.Errorf("asked again in the same outage: %+v", again)
	}
	fail(lw1, "a", hsm.LayerPortRefused)
	d = until(t, lw1, "a", "what lw2 found in the next outage", func(next *hsm.Device) bool { return answered(next) && next.Elsewhere.Asked.After(d.Elsewhere.Asked) })
	if o := d.Elsewhere.Opinions; len(o) != 1 || o[0].OK || !strings.Contains(o[0].Err, "refused") {
		t.Errorf("in the next outage: %+v", o)
	}
}

// A ca signs certificates of agents.
type ca struct {
	file string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newCA(t *testing.T) ca {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check.Must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check.Must(t, err)
	cert, err := x509.ParseCertificate(der)
	check.Must(t, err)
	c := ca{filepath.Join(t.TempDir(), "ca.pem"), cert, key}
	writePEM(t, c.file, "CERTIFICATE", der)
	return c
}

// settings returns those of an agent with a certificate for clients, as etcd's clients have.
func (c ca) settings(t *testing.T, name string) Settings {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check.Must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, c.cert, &key.PublicKey, c.key)
	check.Must(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	check.Must(t, err)
	dir := t.TempDir()
	s := Settings{CAFile: c.file, CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	writePEM(t, s.CertFile, "CERTIFICATE", der)
	writePEM(t, s.KeyFile, "EC PRIVATE KEY", private)
	return s
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	check.Must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// TestWebAt: where others find the metrics of an agent.
func TestWebAt(t *testing.T) {
	for _, x := range []struct {
		listens    string
		configured bool
		want       string
	}{
		{":9477", false, "http://192.0.2.1:9477"}, {"0.0.0.0:9477", false, "http://192.0.2.1:9477"}, {"[::]:9477", false, "http://192.0.2.1:9477"},
		{"198.51.100.7:9477", false, "http://198.51.100.7:9477"}, {"mon1.example.net:9477", false, "http://mon1.example.net:9477"},
		{"127.0.0.1:9477", false, ""}, {"localhost:9477", false, ""}, {":9477", true, ""}, {"x", false, ""},
	} {
		if got := WebAt("192.0.2.1:9712", []string{x.listens}, x.configured); got != x.want {
			t.Errorf("%+v: %q", x, got)
		}
	}
}
