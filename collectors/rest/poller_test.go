package rest

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/simulator"
)

func TestMain(m *testing.M) { collectortest.Main(m) }

// apiOf returns a client of the appliance with that name.
func apiOf(t *testing.T, e collectortest.Estate, name string) *API {
	t.Helper()
	a := e.Appliance(t, name)
	r := &API{Address: a.RESTAddress, User: simulator.User, PasswordFile: setting.File(e.PasswordFile), Certificate: a.RESTFingerprint}
	t.Cleanup(func() { r.Close() })
	return r
}

// facts runs one round and returns the device as it was observed, and the
// observations.
func (p *Poller) facts(t *testing.T) (*hsm.Device, []hsm.Observation) {
	t.Helper()
	snap, seen := &hsm.Snapshot{}, []hsm.Observation(nil)
	p.round(t.Context(), poll.Always, func(o hsm.Observation) {
		seen = append(seen, o)
		snap = snap.With(o)
	})
	if len(snap.Devices) != 1 {
		t.Fatalf("%d devices", len(snap.Devices))
	}
	return snap.Devices[0], seen
}

func TestRESTReadsEverything(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	for name, want := range map[string]string{
		"luna62": "hsm counter ntls partitions services licenses policies clients certificate",
		"luna72": "hsm counter ntls partitions services sensors disk licenses policies clients certificate",
	} {
		for _, quirks := range []string{"off", "on"} {
			e.Fault(t, name, "rest-quirks", quirks)
			p := &Poller{Device: name, API: apiOf(t, e, name), Intervals: poll.DefaultIntervals()}
			d, seen := p.facts(t)
			var got []string
			for _, o := range seen {
				got = append(got, strings.TrimPrefix(o.Source, "rest "))
				if o.Err != nil || len(o.Unread) > 0 {
					t.Errorf("%s, quirks %s: %s: %v, unread %q", name, quirks, o.Source, o.Err, o.Unread)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s, quirks %s: read %s, want %s", name, quirks, got, want)
			}
			if d.Show.Value.Environment != nil || d.Show.Value.Status != "" || name == "luna62" && d.Show.Value.Tamper != "" {
				t.Errorf("%s: knows what REST does not state: %+v", name, d.Show.Value)
			}
		}
	}
}

// TestRESTEqualsLunaSH reads the same appliances both ways: what both state is the
// same.
func TestRESTEqualsLunaSH(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	// These change between the two readings.
	changing := []string{"operation_requests", "operation_errors", "crypto_requests", "crypto_errors", "object_count", "used_bytes", "free_bytes",
		"available_bytes", "used_ratio", "reading", "samples", "average_ratio", "busy_seconds", "last_reset", "interval_seconds"}
	for _, name := range []string{"luna62", "luna72"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e.Fault(t, name, "so-login-fail", "1")
			e.Fault(t, name, "partition-deactivate", "payments")
			r := &Poller{Device: name, API: apiOf(t, e, name), Intervals: poll.DefaultIntervals()}
			byREST, _ := r.facts(t)
			snap := &hsm.Snapshot{}
			l := (&lunash.Client{Address: e.Appliance(t, name).SSHAddress, User: simulator.User, PasswordFile: setting.File(e.PasswordFile), KnownHostsFile: e.KnownHosts}).Start()
			defer l.Close()
			p := lunash.NewPoller(name, l, 0, poll.DefaultIntervals())
			p.Capture(t.Context(), func(_, _ string) {}, func(o hsm.Observation) { snap = snap.With(o) })
			a, b := collectortest.PlainJSON(t, snap.Devices[0]).(map[string]any), collectortest.PlainJSON(t, byREST).(map[string]any)
			compared := 0
			for section := range a {
				x, _ := a[section].(map[string]any)
				y, ok := b[section].(map[string]any)
				if section == "sources" || !ok {
					continue
				}
				differ(section, x["value"], y["value"], changing, func(path string, same bool, x, y any) {
					if compared++; !same {
						t.Errorf("%s: %s: LunaSH says %v, REST says %v", name, path, x, y)
					}
				})
			}
			t.Logf("%s: %d values compared", name, compared)
			if want := map[string]int{"luna62": 60, "luna72": 250}[name]; compared < want {
				t.Errorf("%s: only %d values compared, want %d", name, compared, want)
			}
		})
	}
}

// differ walks two values and reports each that both state, except those named in
// ignored.
func differ(path string, x, y any, ignored []string, report func(path string, same bool, x, y any)) {
	if slices.Contains(ignored, path[strings.LastIndex(path, ".")+1:]) || x == nil || y == nil || x == "" || y == "" {
		return
	}
	switch a := x.(type) {
	case map[string]any:
		b, _ := y.(map[string]any)
		for k := range a {
			differ(path+"."+k, a[k], b[k], ignored, report)
		}
	case []any:
		b, _ := y.([]any)
		for _, v := range a {
			if i := slices.IndexFunc(b, func(w any) bool { return nameOf(w) == nameOf(v) }); i >= 0 {
				differ(path+"."+nameOf(v), v, b[i], ignored, report)
			} else if id := nameOf(v); id != "" && !onlyLunaSH(path, v) {
				report(path+"."+id, false, v, nil)
			}
		}
	default:
		report(path, reflect.DeepEqual(x, y), x, y)
	}
}

// nameOf returns what identifies an element of a list.
func nameOf(v any) string {
	o, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprint(v)
	}
	for _, k := range []string{"serial", "id", "mount", "name"} {
		if o[k] != nil && o[k] != "" {
			return fmt.Sprint(o[k])
		}
	}
	return ""
}

// onlyLunaSH reports whether only LunaSH lists an element: a role that is not read
// over REST, or what the HSM's build fixes.
func onlyLunaSH(path string, v any) bool {
	o, _ := v.(map[string]any)
	return strings.HasSuffix(path, ".roles") || strings.HasPrefix(path, "policies") && o["id"] == nil || strings.HasPrefix(path, "licenses") && o["total"] != nil
}

// TestRESTUtilization checks the utilization between two polls.
func TestRESTUtilization(t *testing.T) {
	at := func(up, idle float64, commands uint64) hsmCounter {
		return hsmCounter{uptime: hsm.Some(up), idle: hsm.Some(idle), commands: hsm.Some(commands)}
	}
	up, idle := 1100., 825.
	m, ok := at(up, idle, 5300).since(at(1000, 775, 5000))
	want := hsm.Monitor{
		Samples:         []hsm.Sample{{UptimeSeconds: 1100, Commands: 5300, CommandsInterval: 300, Utilization: 0.25, UtilizationInt: 0.5}},
		IntervalSeconds: hsm.Some[int64](100), AverageRatio: hsm.Some(0.5), BusySeconds: hsm.Some(275.0),
	}
	if !ok || !reflect.DeepEqual(m, want) {
		t.Errorf("%+v, %v", m, ok)
	}
	for name, pair := range map[string][2]hsmCounter{
		"reset":        {at(1000, 900, 5000), at(20, 19, 10)},
		"at once":      {at(1000, 900, 5000), at(1000.5, 900.5, 5001)},
		"first":        {{}, at(1000, 900, 5000)},
		"idle unknown": {at(1000, 900, 5000), {uptime: hsm.Some(1100.), commands: hsm.Some[uint64](6000)}},
	} {
		if m, ok := pair[1].since(pair[0]); ok {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

// TestRESTSendsNothingElse tries requests that could change an appliance, directly
// on the transport: none of them reaches the server.
func TestRESTSendsNothingElse(t *testing.T) {
	f := newFake(t, nil)
	r := f.client()
	if _, err := r.get(t.Context(), "/api/lunasa/ntls"); err != nil {
		t.Fatal(err)
	}
	before, _ := f.asked()
	for _, q := range [][2]string{
		{"POST", "/api/lunasa/hsms/1/login"}, {"POST", "/api/lunasa/hsms/1/actions/zeroize"}, {"POST", "/auth/jwt"}, {"DELETE", "/auth/session"},
		{"GET", "/auth/session"}, {"PUT", "/api/lunasa/ntls"}, {"PATCH", "/api/lunasa/hsms/1"}, {"DELETE", "/api/lunasa/hsms/1/partitions/2"},
		{"GET", "/api/lunasa/hsms/1/actions"}, {"GET", "/api/lunasa/hsms/1/debugInfo"}, {"GET", "/users"}, {"GET", "/"}, {"HEAD", "/api/lunasa"},
		{"GET", "/api/lunasa/sensors/../users"}, {"GET", "/api/lunasa/sensors/%2e%2e"}, {"GET", "/api/lunasa/sensors/.."}, {"GET", "/api/lunasa/sensors/a%2Fb"},
		{"GET", "/api/lunasa/services/ntls/actions/stop"}, {"GET", "/api/lunasa?x=1"}, {"get", "/api/lunasa"}, {"POST", "/api/lunasa"}, {"GET", "/api/lunasa/"},
		{"GET", "/api/lunasa/hsms/1/roles/so"}, {"GET", "/tasks"}, {"GET", "/api/lunasa/hsms/1\n/counter"},
	} {
		req, err := http.NewRequest(q[0], "https://"+r.Address+strings.ReplaceAll(q[1], "\n", "%0a"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := r.client.Do(req); err == nil {
			res.Body.Close()
			t.Errorf("%s %s was sent", q[0], q[1])
		}
		if q[0] != "GET" {
			continue
		}
		if _, err := r.get(t.Context(), q[1]); err == nil || !strings.Contains(err.Error(), "it was not sent") {
			t.Errorf("get %s: %v", q[1], err)
		}
	}
	for _, url := range []string{"https://127.0.0.1:1/api/lunasa", "http://" + r.Address + "/api/lunasa"} {
		if res, err := r.client.Get(url); err == nil || !strings.Contains(err.Error(), "it was not sent") {
			t.Errorf("%s: %v, %v", url, res, err)
		}
	}
	body, _ := http.NewRequest("GET", "https://"+r.Address+"/api/lunasa", strings.NewReader("{}"))
	if _, err := r.client.Do(body); err == nil || !strings.Contains(err.Error(), "it was not sent") {
		t.Errorf("a GET with a body: %v", err)
	}
	if after, _ := f.asked(); len(after) > len(before) {
		t.Errorf("the server saw %q", after[len(before):])
	}
}

// A fake is a web server that counts, and misbehaves as handle does.
type fake struct {
	*httptest.Server
	t      *testing.T
	handle func(out http.ResponseWriter, q *http.Request) bool // false: the usual answer
	open   atomic.Int32                                        // connections
	opened atomic.Int32                                        // connections, so far
	idle   atomic.Bool                                         // the last one waits for a request

	mu     sync.Mutex // guards the fields below
	seen   []string
	logins int
}

// newFake returns a server with one HSM, of which it states little.
func newFake(t *testing.T, handle func(http.ResponseWriter, *http.Request) bool) *fake {
	t.Helper()
	f := &fake{t: t, handle: handle}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		f.idle.Store(s == http.StateIdle)
		switch s {
		case http.StateNew:
			f.open.Add(1)
			f.opened.Add(1)
		case http.StateClosed:
			f.open.Add(-1)
		default:
		}
	}
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(out http.ResponseWriter, q *http.Request) {
	io.Copy(io.Discard, q.Body)
	f.mu.Lock()
	defer f.mu.Unlock() // one at a time, as the client asks
	f.seen = append(f.seen, q.Method+" "+q.URL.EscapedPath())
	if q.Method == "POST" {
		f.logins++
	}
	if f.handle != nil && f.handle(out, q) {
		return
	}
	if want := fmt.Sprintf("application/vnd.safenetinc.lunasa+json;version=%d", apiVersions[0]); q.Header.Get("Content-Type") != want {
		f.t.Errorf("content type %s", q.Header.Get("Content-Type"))
	}
	switch q.URL.Path {
	case loginPath:
		if user, password, _ := q.BasicAuth(); user != "monitor" || password != "open" {
			refuse(out, "FRAMEWORK_AUTHENTICATION")
			return
		}
		http.SetCookie(out, &http.Cookie{Name: "SESSION_ID", Value: fmt.Sprint("s", f.logins), Path: "/", HttpOnly: true, Secure: true})
		out.WriteHeader(http.StatusNoContent)
	case "/api/lunasa":
		fmt.Fprint(out, `{"version": "7.3.0-1"}`)
	case "/api/lunasa/hsms":
		fmt.Fprint(out, `{"hsms": [{"id": "123"}]}`)
	case "/api/lunasa/hsms/123":
		fmt.Fprint(out, `{"label": "a", "model": "Luna K7", "state": "initialized"}`)
	case "/api/lunasa/ntls":
		fmt.Fprint(out, `{"operationalStatus": "up"}`)
	default:
		out.WriteHeader(http.StatusNotFound)
	}
}

func refuse(out http.ResponseWriter, id string) {
	out.WriteHeader(http.StatusUnauthorized)
	json.NewEncoder(out).Encode(map[string]any{"id": id, "message": "no", "status": "ERROR"})
}

// asked returns what reached the server so far, and how many of it were logins.
func (f *fake) asked() (seen []string, logins int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen), f.logins
}

func (f *fake) client() *API {
	f.t.Helper()
	file := filepath.Join(f.t.TempDir(), "password")
	writeFile(f.t, file, "open\n")
	r := &API{Address: f.Listener.Addr().String(), User: "monitor", PasswordFile: setting.File(file), Certificate: certificateFingerprint([]*x509.Certificate{f.Certificate()})}
	f.t.Cleanup(func() { r.Close() })
	return r
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
