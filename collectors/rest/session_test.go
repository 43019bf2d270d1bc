package rest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
)

const ntlsPath = "/api/lunasa/ntls"

// TestRESTWrongPassword: a wrong password is tried exactly once in any number of
// rounds, and all sources report why; a touched or changed file is tried again.
func TestRESTWrongPassword(t *testing.T) {
	f := newFake(t, nil)
	r := f.client()
	writeFile(t, string(r.PasswordFile), "wide open\n")
	p := &Poller{Device: "a", API: r, Intervals: poll.DefaultIntervals()}
	round := func() (seen []hsm.Observation) {
		p.round(t.Context(), poll.Always, func(o hsm.Observation) { seen = append(seen, o) })
		return seen
	}
	texts := make(map[string]bool)
	for range 20 {
		for _, o := range round() {
			if o.Failure != hsm.Login {
				t.Fatalf("%s: %s: %v", o.Source, o.Failure, o.Err)
			}
			texts[o.Err.Error()] = true
		}
	}
	if seen, logins := f.asked(); logins != 1 || len(seen) != 1 {
		t.Errorf("%d logins, requests %q", logins, seen)
	}
	for text := range texts {
		if len(texts) != 1 || !strings.Contains(text, `user "monitor" was refused`) || !strings.Contains(text, "until "+string(r.PasswordFile)+" changes") || strings.Contains(text, "wide open") {
			t.Errorf("%d texts, one is %s", len(texts), text)
		}
	}
	if err := os.Chtimes(string(r.PasswordFile), time.Time{}, time.Unix(1700000000, 0)); err != nil {
		t.Fatal(err)
	}
	round()
	round()
	if _, logins := f.asked(); logins != 2 {
		t.Errorf("%d logins after it was touched, want one more", logins)
	}
	writeFile(t, string(r.PasswordFile), "open\n")
	seen := round()
	if _, logins := f.asked(); logins != 3 || len(seen) == 0 || seen[0].Failure != hsm.None {
		t.Errorf("with the right password: %d logins, %+v", logins, seen)
	}
}

// TestRESTIsNeverLockedOut has the simulated appliance refuse the password for many
// rounds. A second client that tries three times is locked out.
func TestRESTIsNeverLockedOut(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	r := apiOf(t, e, "luna72")
	e.Fault(t, "luna72", "wrong-password")
	for range 10 {
		if _, err := r.get(t.Context(), ntlsPath); collectors.FailureOf(err) != hsm.Login {
			t.Fatalf("%s: %v", collectors.FailureOf(err), err)
		}
	}
	e.Fault(t, "luna72", "heal")
	if err := os.Chtimes(e.PasswordFile, time.Time{}, time.Unix(1700000000, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.get(t.Context(), ntlsPath); err != nil {
		t.Errorf("after it was corrected: %v", err)
	}
	careless := apiOf(t, e, "luna72")
	e.Fault(t, "luna72", "wrong-password")
	for range 3 {
		careless.Account, careless.cookie = nil, ""
		if _, err := careless.get(t.Context(), ntlsPath); err == nil {
			t.Error("a refused password opens a session")
		}
	}
	e.Fault(t, "luna72", "heal")
	careless.Account = nil
	if _, err := careless.get(t.Context(), ntlsPath); collectors.FailureOf(err) != hsm.Unreachable {
		t.Errorf("the simulated appliance locks nobody out: %v", err)
	}
}

// TestRESTExpiryIsInvisible ends sessions in both ways that appliances do.
// Callers notice nothing.
func TestRESTExpiryIsInvisible(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	r := apiOf(t, e, "luna72")
	for i := range 4 {
		before := r.cookie
		if _, err := r.get(t.Context(), ntlsPath); err != nil {
			t.Fatalf("after %d ends: %v", i, err)
		}
		if before == r.cookie {
			t.Errorf("the session did not end")
		}
		if _, err := r.get(t.Context(), ntlsPath); err != nil {
			t.Fatal(err)
		}
		e.Fault(t, "luna72", "rest-expire")
	}
	secure, err := os.ReadFile(filepath.Join(filepath.Dir(e.Appliances[2].Syslog), "secure"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(secure), "webserver: accepted login for monitor"); n != 4 {
		t.Errorf("%d logins, want 4:\n%s", n, secure)
	}
}

// TestRESTUnauthorized checks the meaning of status 401, which depends on earlier
// answers.
func TestRESTUnauthorized(t *testing.T) {
	type step struct {
		path   string
		want   hsm.Failure
		logins int // so far
	}
	for _, c := range []struct {
		name  string
		deny  func(q *http.Request) string
		steps []step
		text  string
	}{
		{"no right to it", func(q *http.Request) string {
			return pick(q.URL.Path == "/api/lunasa/hsms", "FRAMEWORK_NO_ACL_RULE", "")
		}, []step{{ntlsPath, hsm.None, 1}, {"/api/lunasa/hsms", hsm.Command, 1}, {ntlsPath, hsm.None, 1}}, "add a line GET:/api/lunasa/hsms to the role"},
		{"one resource that no session opens", func(q *http.Request) string {
			return pick(q.URL.Path == "/api/lunasa/hsms", "FRAMEWORK_SESSION_NOT_PRIVATE", "")
		}, []step{{ntlsPath, hsm.None, 1}, {"/api/lunasa/hsms", hsm.Command, 2}, {ntlsPath, hsm.None, 2}}, "401"},
		{"sessions that are worth nothing", func(q *http.Request) string {
			return pick(q.URL.Path != loginPath, "FRAMEWORK_SESSION_NOT_PRIVATE", "")
		}, []step{{ntlsPath, hsm.Login, 1}, {ntlsPath, hsm.Login, 2}}, "the new session is not accepted"},
		{"no session", func(q *http.Request) string { return pick(q.URL.Path == loginPath, "204", "") },
			[]step{{ntlsPath, hsm.Login, 1}}, "gave no session"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, func(out http.ResponseWriter, q *http.Request) bool {
				switch id := c.deny(q); id {
				case "":
					return false
				case "204":
					out.WriteHeader(http.StatusNoContent)
				default:
					refuse(out, id)
				}
				return true
			})
			r, last := f.client(), error(nil)
			for _, s := range c.steps {
				_, err := r.get(t.Context(), s.path)
				if _, logins := f.asked(); collectors.FailureOf(err) != s.want || logins != s.logins {
					t.Errorf("%s: %s after %d logins: %v; want %s after %d", s.path, collectors.FailureOf(err), logins, err, s.want, s.logins)
				}
				if err != nil {
					last = err
				}
			}
			if last == nil || !strings.Contains(last.Error(), c.text) {
				t.Errorf("%v, want %s", last, c.text)
			}
		})
	}
}

// TestRESTCertificate checks that a server with the wrong certificate is refused
// before the password is sent.
func TestRESTCertificate(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	good := apiOf(t, e, "luna72")
	if _, err := good.get(t.Context(), ntlsPath); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.pem")
	for _, a := range e.Appliances {
		if a.Name == "luna62" {
			b, err := os.ReadFile(a.RESTCertificate)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, other, string(b))
		}
	}
	ca := func(file string) func(*API) { return func(r *API) { r.Certificate, r.CAFile = "", file } }
	for _, c := range []struct {
		name   string
		change func(*API)
		text   string // of the error; "": none
	}{
		{"its own certificate", ca(e.Appliances[2].RESTCertificate), ""},
		{"pin in the form of openssl", func(r *API) { r.Certificate = "sha256:" + colons(r.Certificate[7:]) }, ""},
		{"another pin", func(r *API) { r.Certificate = "SHA256:" + strings.Repeat("0", 64) }, "has changed: it shows SHA256:"},
		{"no pin", func(r *API) { r.Certificate = "SHA256:00" }, "openssl x509 -fingerprint -sha256"},
		{"another CA", ca(other), "find out why before you change ca_file"},
		{"no CA file", ca(other + "x"), "no such file"},
		{"no CA in it", ca(e.PasswordFile), "holds no certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := apiOf(t, e, "luna72")
			c.change(r)
			_, err := r.get(t.Context(), ntlsPath)
			if c.text == "" && err != nil || c.text != "" && (collectors.FailureOf(err) != hsm.HostKey || !strings.Contains(err.Error(), c.text)) {
				t.Errorf("%s: %v, want %s", collectors.FailureOf(err), err, c.text)
			}
		})
	}
	e.Fault(t, "luna72", "rest-certificate")
	_, err := good.get(t.Context(), ntlsPath)
	if collectors.FailureOf(err) != hsm.HostKey || !strings.Contains(err.Error(), "find out why before you change certificate") {
		t.Errorf("a changed certificate: %s: %v", collectors.FailureOf(err), err)
	}
	secure, err := os.ReadFile(filepath.Join(filepath.Dir(e.Appliances[2].Syslog), "secure"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(secure), "webserver: "); n != 3 {
		t.Errorf("%d logins, want those three that were right:\n%s", n, secure)
	}
	e.Fault(t, "luna72", "heal")
	if _, err := good.get(t.Context(), ntlsPath); err != nil {
		t.Errorf("with the old one again: %v", err)
	}
}

func colons(digits string) string {
	var parts []string
	for i := 0; i < len(digits); i += 2 {
		parts = append(parts, strings.ToUpper(digits[i:i+2]))
	}
	return strings.Join(parts, ":")
}

// TestRESTBadAnswers checks that the error of each has the right step, that none is
// taken for a fact, and that the next answer is complete again.
func TestRESTBadAnswers(t *testing.T) {
	send := func(text string) func(http.ResponseWriter, *http.Request) {
		return func(out http.ResponseWriter, _ *http.Request) { fmt.Fprint(out, text) }
	}
	code := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(code) }
	}
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		want   hsm.Failure
	}{
		{"garbage", send("\x80\xfe{\x00"), hsm.Unrecognised},
		{"HTML", send("<html>busy</html>"), hsm.Unrecognised},
		{"nothing", send(""), hsm.Unrecognised},
		{"a list", send("[]"), hsm.Unrecognised},
		{"cut JSON", send(`{"operationalStatus": "up", "links": 1`), hsm.Unrecognised},
		{"huge", func(out http.ResponseWriter, _ *http.Request) {
			for range collectors.MaxAnswer/1000 + 2 {
				fmt.Fprint(out, strings.Repeat(" ", 1000))
			}
		}, hsm.Unrecognised},
		{"cut on the way", func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Length", "1000")
			fmt.Fprint(out, `{"operationalStatus": "up"}`)
			out.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, hsm.Incomplete},
		{"hangs", func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }, hsm.Timeout},
		{"hangs in the middle", func(out http.ResponseWriter, q *http.Request) {
			fmt.Fprint(out, `{"operationalStatus": `)
			out.(http.Flusher).Flush()
			<-q.Context().Done()
		}, hsm.Timeout},
		{"redirected", func(out http.ResponseWriter, q *http.Request) { http.Redirect(out, q, "/users", http.StatusFound) }, hsm.Command},
		{"a task", code(http.StatusAccepted), hsm.Command},
		{"removed", code(http.StatusNotFound), hsm.Command},
		{"not in this version", code(http.StatusNotImplemented), hsm.Command},
		{"an error", code(http.StatusInternalServerError), hsm.Command},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, hsm.Unreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			var bad atomic.Bool
			f := newFake(t, func(out http.ResponseWriter, q *http.Request) bool {
				if bad.Load() && q.URL.Path != loginPath {
					c.answer(out, q)
				}
				return bad.Load() && q.URL.Path != loginPath
			})
			r := f.client()
			if _, err := r.get(t.Context(), ntlsPath); err != nil {
				t.Fatal(err)
			}
			bad.Store(true)
			if c.want == hsm.Timeout {
				r.Timeout = 50 * time.Millisecond
			}
			if o, err := r.get(t.Context(), ntlsPath); collectors.FailureOf(err) != c.want || o != nil {
				t.Errorf("%s: %v, want %s", collectors.FailureOf(err), err, c.want)
			}
			bad.Store(false)
			r.Timeout = 0
			if _, err := r.get(t.Context(), ntlsPath); err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

// TestRESTStopsAfterATimeout checks that nothing more is asked in that round: a
// client whose requests hang is locked out.
func TestRESTStopsAfterATimeout(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	p := &Poller{Device: "luna72", API: apiOf(t, e, "luna72"), Intervals: poll.DefaultIntervals()}
	p.facts(t)
	e.Fault(t, "luna72", "hang")
	p.API.Timeout = 50 * time.Millisecond
	start := time.Now()
	_, seen := p.facts(t)
	for _, o := range seen {
		if o.Failure != hsm.Timeout || o.Err.Error() != seen[0].Err.Error() {
			t.Errorf("%s: %s: %v", o.Source, o.Failure, o.Err)
		}
	}
	if took := time.Since(start); len(seen) < 8 || took > 8*p.API.Timeout {
		t.Errorf("%d sources in %s", len(seen), took)
	}
}

// TestRESTOutOfService checks that what the appliance knows without its HSM is
// read, and that all other sources report why they are not.
func TestRESTOutOfService(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	p := &Poller{Device: "luna72", API: apiOf(t, e, "luna72"), Intervals: poll.DefaultIntervals()}
	p.facts(t)
	e.Fault(t, "luna72", "hsm-crash")
	_, seen := p.facts(t)
	got := make(map[string]string)
	for _, o := range seen {
		got[o.Source] = string(o.Failure)
		if o.Failure == hsm.Command && !strings.Contains(o.Err.Error(), "the appliance lists no HSM: it is out of service") {
			t.Errorf("%s: %v", o.Source, o.Err)
		}
	}
	if got["rest hsm"] != "command" || got["rest counter"] != "command" || got["rest ntls"] != "" || got["rest sensors"] != "" {
		t.Errorf("%v", got)
	}
}

// TestRESTEndsConnections has sessions end: of the connections, only the last is left,
// and that until Close.
func TestRESTEndsConnections(t *testing.T) {
	sessions := 0
	f := newFake(t, func(out http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path != ntlsPath {
			return false
		}
		if sessions++; sessions%2 == 0 {
			refuse(out, "FRAMEWORK_SESSION_NOT_PRIVATE")
			return true
		}
		return false
	})
	left := func(want int32) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); f.open.Load() != want; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d connections, want %d", f.open.Load(), want)
			}
		}
	}
	r := f.client()
	for range 3 {
		if _, err := r.get(t.Context(), ntlsPath); err != nil {
			t.Fatal(err)
		}
		left(1)
	}
	if f.logins != 3 {
		t.Errorf("%d logins, want 3", f.logins)
	}
	r.Close()
	left(0)
}

// TestRESTLacks checks that a source which the release does not have is not
// reported, that one which an update adds is, and that its failure after that is.
func TestRESTLacks(t *testing.T) {
	var mu sync.Mutex
	code, body := http.StatusNotImplemented, ""
	set := func(c int, b string) {
		mu.Lock()
		defer mu.Unlock()
		code, body = c, b
	}
	f := newFake(t, func(out http.ResponseWriter, q *http.Request) bool {
		if !strings.HasSuffix(q.URL.Path, "/metrics") {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		out.WriteHeader(code)
		fmt.Fprint(out, body)
		return true
	})
	p := &Poller{Device: "a", API: f.client(), Intervals: poll.DefaultIntervals()}
	metrics := func(due func(poll.Pace) bool) (got string) {
		p.round(t.Context(), due, func(o hsm.Observation) {
			if o.Source == "rest metrics" {
				got += string(o.Failure) + "."
			}
		})
		return got
	}
	fast := func(p poll.Pace) bool { return p == poll.Fast }
	if got := metrics(poll.Always) + metrics(fast); got != "" {
		t.Errorf("lacking, it reports %s", got)
	}
	set(http.StatusOK, `{"metrics": [{"partitionId": 77, "bins": []}]}`)
	if got := metrics(fast) + metrics(poll.Always); got != "." {
		t.Errorf("new, it reports %s", got)
	}
	set(http.StatusInternalServerError, "")
	if got := metrics(poll.Always); got != "command." {
		t.Errorf("failing, it reports %s", got)
	}
}

// TestRESTAbsentAfterFailure has sources that a release lacks fail before that is known,
// with all others: none is left as failing once the appliance works.
func TestRESTAbsentAfterFailure(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	for fault, mend := range map[string]string{"hsm-crash": "hsm-reset", "hang": "heal"} {
		p := &Poller{Device: "luna72", API: apiOf(t, e, "luna72"), Intervals: poll.DefaultIntervals()}
		snap := &hsm.Snapshot{}
		round := func() {
			p.round(t.Context(), poll.Always, func(o hsm.Observation) { snap = snap.With(o) })
		}
		round() // logs in
		p.read, p.API.Timeout = nil, 50*time.Millisecond
		e.Fault(t, "luna72", fault)
		round()
		failed := snap.Devices[0].Sources["rest metrics"].Failure
		e.Fault(t, "luna72", mend)
		p.API.Timeout = 0
		round()
		for source, s := range snap.Devices[0].Sources {
			if s.Failure != hsm.None || failed == hsm.None {
				t.Errorf("%s: %s: %s %s", fault, source, s.Failure, s.Error)
			}
		}
	}
}

// TestRESTRemovedPartition skips one that was removed since it was listed.
func TestRESTRemovedPartition(t *testing.T) {
	f := newFake(t, func(out http.ResponseWriter, q *http.Request) bool {
		switch q.URL.Path {
		case "/api/lunasa/hsms/123/partitions":
			fmt.Fprint(out, `{"partitions": [{"id": "1", "url": "x"}, {"id": "2"}, {"id": "../../users"}]}`)
		case "/api/lunasa/hsms/123/partitions/2":
			fmt.Fprint(out, `{"name": "two", "objectCount": 5}`)
		default:
			return false
		}
		return true
	})
	p := &Poller{Device: "a", API: f.client(), Intervals: poll.DefaultIntervals()}
	facts, unread, err := p.askPartitions(t.Context())
	if err != nil || len(facts) != 1 || len(unread) != 1 {
		t.Fatalf("%v, %q, %v", facts, unread, err)
	}
	if all := facts[0].(hsm.Partitions); len(all) != 1 || all[0].Name != "two" || all[0].Serial != "2" || all[0].Roles != nil || all[0].Activated.Known {
		t.Errorf("%+v", all)
	}
}

// TestRESTOlderAPI uses the older version where the newer one is refused.
func TestRESTOlderAPI(t *testing.T) {
	e := collectortest.StartEstate(t, "")
	r := apiOf(t, e, "luna62")
	if _, _, err := (&Poller{API: r}).askHSM(t.Context()); err != nil || r.version != 1 {
		t.Errorf("version %d: %v", r.version, err)
	}
}

// TestRESTEnds checks that Run ends with its context, even during a request.
func TestRESTEnds(t *testing.T) {
	asked := make(chan bool, 1)
	f := newFake(t, func(_ http.ResponseWriter, q *http.Request) bool {
		asked <- true
		<-q.Context().Done()
		return true
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	p := &Poller{Device: "a", API: f.client(), Intervals: poll.DefaultIntervals()}
	go func() { ended <- p.Run(ctx, func(o hsm.Observation) { t.Errorf("reported %+v", o) }) }()
	<-asked
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
