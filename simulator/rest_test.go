package simulator

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A restClientSide speaks to the handler of an appliance's web server.
type restClientSide struct {
	t       *testing.T
	server  *restServer
	session *http.Cookie
}

func (s *simulated) rest() *restClientSide {
	s.t.Helper()
	server, err := s.loadREST()
	if err != nil {
		s.t.Fatal(err)
	}
	return &restClientSide{t: s.t, server: server}
}

func (c *restClientSide) do(method, path string, set func(*http.Request)) (int, map[string]any) {
	c.t.Helper()
	w, _ := c.server.a.wireNow()
	q := httptest.NewRequest(method, path, nil)
	q = q.WithContext(context.WithValue(c.t.Context(), connEpoch{}, w.restEpoch))
	if c.session != nil {
		q.AddCookie(c.session)
	}
	if set != nil {
		set(q)
	}
	out := httptest.NewRecorder()
	c.server.ServeHTTP(out, q)
	for _, cookie := range out.Result().Cookies() {
		c.session = cookie
	}
	var body map[string]any
	if out.Body.Len() > 0 {
		if err := json.Unmarshal(out.Body.Bytes(), &body); err != nil {
			c.t.Errorf("%s: %v", path, err)
		}
	}
	return out.Code, body
}

func (c *restClientSide) login(password string) int {
	code, _ := c.do("POST", "/auth/session", func(q *http.Request) { q.SetBasicAuth(User, password) })
	return code
}

func (c *restClientSide) get(path string) map[string]any {
	c.t.Helper()
	code, body := c.do("GET", path, nil)
	if code != http.StatusOK {
		c.t.Errorf("GET %s: %d %v", path, code, body)
	}
	return body
}

// TestRESTSession: nothing is answered without a login, which needs the right password,
// or after the session has ended, by time or by an event.
func TestRESTSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, "7.2")
		c := s.rest()
		want := func(when string, want int) {
			t.Helper()
			if code, _ := c.do("GET", "/api/lunasa/ntls", nil); code != want {
				t.Errorf("%s: %d, want %d", when, code, want)
			}
		}
		want("before the login", http.StatusUnauthorized)
		if code := c.login("wrong"); code != http.StatusUnauthorized || c.session != nil {
			t.Errorf("a wrong password: %d, %v", code, c.session)
		}
		if log := s.logged("secure"); !strings.Contains(log, "failed login for "+User) {
			t.Errorf("the log of logins lacks it:\n%s", log)
		}
		if code := c.login(testPassword); code != http.StatusNoContent || c.session == nil || !c.session.Secure || !c.session.HttpOnly {
			t.Fatalf("login: %d, %v", code, c.session)
		}
		want("logged in", http.StatusOK)
		if code, body := c.do("POST", "/api/lunasa/ntls/actions/stop", nil); code != http.StatusUnauthorized || body["id"] != "FRAMEWORK_NO_ACL_RULE" {
			t.Errorf("a POST: %d %v", code, body)
		}
		time.Sleep(restIdle - time.Second)
		want("used before it ends", http.StatusOK)
		time.Sleep(restIdle - time.Second)
		want("which keeps it alive", http.StatusOK)
		time.Sleep(restIdle + time.Second)
		want("unused for too long", http.StatusUnauthorized)
		c.login(testPassword)
		want("logged in again", http.StatusOK)
		s.inject("rest-expire")
		want("ended by an event", http.StatusUnauthorized)
		if code, _ := c.do("GET", "/api/lunasa", func(q *http.Request) {
			q.Header.Set("Accept", "application/vnd.safenetinc.lunasa+json;version=99")
		}); code != http.StatusNotAcceptable {
			t.Errorf("a version that nobody has: %d", code)
		}
	})
}

// TestRESTLocksOut: five infractions, as two of which a wrong password counts, lock out
// an address, for longer the second time.
func TestRESTLocksOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := simulate(t, "7.2").rest()
		const guest = "192.0.2.1:1234" // httptest's
		for round, out := range []time.Duration{restShutOut, 2 * restShutOut} {
			for i := range 3 {
				if c.server.shutOut(guest) {
					t.Errorf("round %d: locked out after %d failed logins", round, i)
				}
				c.login("wrong")
			}
			time.Sleep(out - time.Second)
			if !c.server.shutOut(guest) || c.server.shutOut("192.0.2.2:1") {
				t.Errorf("round %d: not locked out for %s, or another is", round, out)
			}
			time.Sleep(2 * time.Second)
			if c.server.shutOut(guest) {
				t.Errorf("round %d: locked out for longer than %s", round, out)
			}
		}
	})
}

// TestRESTResources: every resource that a list names is there, and no other.
func TestRESTResources(t *testing.T) {
	for _, m := range models {
		if !m.hasREST() {
			continue
		}
		t.Run(m.version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulate(t, m.version)
				c := s.rest()
				c.login(testPassword)
				hsm := fmt.Sprintf("/api/lunasa/hsms/%d", s.spec.serial)
				lists := map[string]string{
					"/api/lunasa/hsms": "hsms", "/api/lunasa/services": "services", "/api/lunasa/ntls/clients": "clients",
					hsm + "/partitions": "partitions", hsm + "/policies": "policies",
				}
				if m.modern() {
					lists["/api/lunasa/sensors"], lists["/api/lunasa/disk/partitions"] = "sensors", "partitions"
				}
				for path, key := range lists {
					list, _ := c.get(path)[key].([]any)
					if len(list) == 0 {
						t.Errorf("%s: nothing", path)
					}
					for _, one := range list {
						c.get(one.(map[string]any)["url"].(string))
					}
				}
				for _, path := range []string{"/api/lunasa/nothing", "/api/lunasa/services/nothing", "/api/lunasa/hsms/1", hsm + "/partitions/1", "/", "/api/lunasa/hsms/../.."} {
					if code, body := c.do("GET", path, nil); code != http.StatusNotFound || body["status"] != "ERROR" {
						t.Errorf("%s: %d %v", path, code, body)
					}
				}
			})
		})
	}
}

// TestRESTEqualsLunaSH: both sides show one state, before and after it changes.
func TestRESTEqualsLunaSH(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, "7.2")
		c := s.rest()
		c.login(testPassword)
		term := s.login()
		hsm := fmt.Sprintf("/api/lunasa/hsms/%d", s.spec.serial)
		for _, x := range []struct {
			event, command, says string // of LunaSH
			path, key            string
			want                 any // of REST
		}{
			{"", "hsm show", fmt.Sprint(s.spec.serial), hsm, "label", s.state.label},
			{"", "ntls information show", "Up", "/api/lunasa/ntls", "operationalStatus", "up"},
			{"ntls down", "ntls information show", "Down", "/api/lunasa/ntls", "operationalStatus", "down"},
			{"", "ntls information show", "Down", "/api/lunasa/services/ntls", "status", "stopped"},
			{"so-login-fail", "hsm show", "2 before HSM zeroization", hsm, "soLoginsLeft", 2.0},
			{"zeroize", "hsm show", "zeroized", hsm, "state", "zeroized"},
		} {
			if x.event != "" {
				s.inject(x.event)
			}
			if text := term.must(x.command); !strings.Contains(strings.ToLower(text), strings.ToLower(x.says)) {
				t.Errorf("%s: %s lacks %q:\n%s", x.event, x.command, x.says, text)
			}
			if got := c.get(x.path)[x.key]; got != x.want {
				t.Errorf("%s: %s of %s is %v, want %v", x.event, x.key, x.path, got, x.want)
			}
		}
	})
}

// TestRESTCertificate: HTTPS has the certificate whose fingerprint is in Ready, until an
// event changes it.
func TestRESTCertificate(t *testing.T) {
	a := newAppliance(testSpecs(t)["7.2"], 1, t.TempDir(), nil)
	server, err := a.loadREST()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.serve(ctx, ln) }()
	shown := func() string {
		conn, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return fmt.Sprintf("SHA256:%x", sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw))
	}
	first := shown()
	if first != server.fingerprint() {
		t.Errorf("the certificate is %s, the fingerprint in Ready %s", first, server.fingerprint())
	}
	if again, err := a.loadREST(); err != nil || again.fingerprint() != first {
		t.Errorf("after a restart: %v, %v", again, err)
	}
	e, err := parseEvent("rest-certificate")
	if err == nil {
		err = a.inject(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	if shown() == first {
		t.Error("the same certificate after rest-certificate")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
