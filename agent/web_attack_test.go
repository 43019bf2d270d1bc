package agent

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal/journaltest"
	"github.com/lunawatch/lunawatch/exporters/api"
	"github.com/lunawatch/lunawatch/internal/check"
)

// A request as somebody sends it to the web server.
type asked struct {
	from, user, password string // password "": no basic authentication
	host, body           string // "": as of an operator
	headers              map[string]string
}

// webAgent is an agent with an active alarm, whose web server has the operators anna, whose
// password is hunter2, and bob, for whom only a proxy at 192.0.2.80 vouches. carol is no
// operator.
func webAgent(t *testing.T, more string) *Agent {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("hunter2"), bcrypt.MinCost)
	check.Must(t, err)
	users := filepath.Join(t.TempDir(), "web.yml")
	check.Must(t, os.WriteFile(users, fmt.Appendf(nil, "basic_auth_users:\n  anna: %s\n  carol: %s\n", hash, hash), 0o600))
	c, err := config.Parse([]byte("snmp: {enabled: false}\n" + more))
	check.Must(t, err)
	w := freeWeb()
	w.Flags.WebConfigFile = &users
	a := New(c, w, slog.New(slog.DiscardHandler))
	a.watch.Journal = journaltest.Open(t, t.TempDir())
	check.Must(t, a.watch.Open())
	check.Must(t, a.watch.Report([]alarms.Finding{{Key: alarms.Key{Device: alarms.Self, Group: "configuration"}, Condition: alarms.Bad, Severity: alarms.Warning,
		Text: "something", Evidence: alarms.Evidence{At: time.Now(), Text: "something"}}}))
	return a
}

const acting = "web: {operators: [anna, bob], trusted_proxy: {addresses: [192.0.2.80], user_header: X-Remote-User}}\n"

// acknowledge has somebody acknowledge the alarm.
func (x asked) acknowledge(a *Agent) (*httptest.ResponseRecorder, *alarms.Ack) {
	body := x.body
	if body == "" {
		body = `{"comment":"looking","by":"the director"}`
	}
	r := httptest.NewRequest(http.MethodPost, "http://mon1.example.net:9477"+api.Prefix+"/alarms/1/acknowledge", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = "192.0.2.7:4711"
	if x.from != "" {
		r.RemoteAddr = x.from
	}
	if x.host != "" {
		r.Host = x.host
	}
	if x.password != "" {
		r.SetBasicAuth(x.user, x.password)
	}
	for name, value := range x.headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	a.webHandler(func() []string { return []string{"mon1.example.net"} }).ServeHTTP(w, r)
	return w, a.watch.Active()[0].Ack
}

// TestWhoMayActOverTheWeb: whose name was checked, and is an operator's; and from our own
// pages, at our own names.
func TestWhoMayActOverTheWeb(t *testing.T) {
	header := func(pairs ...string) map[string]string {
		all := make(map[string]string)
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = pairs[i+1]
		}
		return all
	}
	for name, x := range map[string]struct {
		asked
		config string
		status int
		has    string // in the answer
		by     string // "": nothing was done
	}{
		"an operator":                      {asked{user: "anna", password: "hunter2"}, acting, 200, "", "anna (web, 192.0.2.7)"},
		"his own page":                     {asked{user: "anna", password: "hunter2", headers: header("Sec-Fetch-Site", "same-origin", "Origin", "http://mon1.example.net:9477")}, acting, 200, "", "anna (web, 192.0.2.7)"},
		"of the proxy":                     {asked{from: "192.0.2.80:9", headers: header("X-Remote-User", "bob")}, acting, 200, "", "bob (web, 192.0.2.80)"},
		"of the proxy, in IPv6":            {asked{from: "[::ffff:192.0.2.80]:9", headers: header("X-Remote-User", "bob")}, acting, 200, "", "bob (web, ::ffff:192.0.2.80)"},
		"nobody":                           {asked{}, acting, 403, "who asks is not known", ""},
		"read-only":                        {asked{user: "anna", password: "hunter2"}, "", 403, "web.operators", ""},
		"no operator":                      {asked{user: "carol", password: "hunter2"}, acting, 403, "carol (web, 192.0.2.7) may look, and not act", ""},
		"a wrong password":                 {asked{user: "anna", password: "hunter3"}, acting, 403, "who asks is not known", ""},
		"bob has no password":              {asked{user: "bob", password: "hunter2"}, acting, 403, "who asks is not known", ""},
		"a forged name":                    {asked{headers: header("X-Remote-User", "bob")}, acting, 403, "who asks is not known", ""},
		"a forged name beside one's own":   {asked{user: "carol", password: "hunter2", headers: header("X-Remote-User", "anna")}, acting, 403, "carol (web", ""},
		"a forged name without a proxy":    {asked{headers: header("X-Remote-User", "anna")}, "web: {operators: [anna]}\n", 403, "who asks is not known", ""},
		"a forged way":                     {asked{headers: header("X-Remote-User", "bob", "X-Forwarded-For", "192.0.2.80", "Forwarded", "for=192.0.2.80")}, acting, 403, "who asks is not known", ""},
		"the proxy knows nobody":           {asked{from: "192.0.2.80:9"}, acting, 403, "who asks is not known", ""},
		"the proxy has another's":          {asked{from: "192.0.2.80:9", headers: header("X-Remote-User", "mallory")}, acting, 403, "mallory (web", ""},
		"two names":                        {asked{from: "192.0.2.80:9", headers: header("X-Remote-User", "bob, anna")}, acting, 403, "bob, anna (web", ""},
		"another site's script":            {asked{user: "anna", password: "hunter2", headers: header("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example.org")}, acting, 403, "cross-origin", ""},
		"another site's, an older browser": {asked{user: "anna", password: "hunter2", headers: header("Origin", "https://evil.example.org")}, acting, 403, "cross-origin", ""},
		"another port of this host":        {asked{user: "anna", password: "hunter2", headers: header("Sec-Fetch-Site", "same-site", "Origin", "http://mon1.example.net:8080")}, acting, 403, "cross-origin", ""},
		"a form":                           {asked{user: "anna", password: "hunter2", body: "comment=x", headers: header("Content-Type", "application/x-www-form-urlencoded")}, acting, 415, "application/json", ""},
		"a form as text":                   {asked{user: "anna", password: "hunter2", headers: header("Content-Type", "text/plain")}, acting, 415, "application/json", ""},
		"a name that leads here":           {asked{user: "anna", password: "hunter2", host: "evil.example.org:9477"}, acting, 421, "web_hosts", ""},
		"rebound, and of its own origin":   {asked{user: "anna", password: "hunter2", host: "evil.example.org", headers: header("Sec-Fetch-Site", "same-origin", "Origin", "http://evil.example.org")}, acting, 421, "web_hosts", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, ack := x.acknowledge(webAgent(t, x.config))
			by := ""
			if ack != nil {
				by = ack.By
			}
			if w.Code != x.status || !strings.Contains(w.Body.String(), x.has) || by != x.by {
				t.Errorf("%d %s, acknowledged by %q", w.Code, w.Body, by)
			}
		})
	}
}

// TestNobodySeesTheProxysHeader: what is behind has no header to believe, from whomever.
func TestNobodySeesTheProxysHeader(t *testing.T) {
	a := webAgent(t, acting)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Remote-User", "bob")
	a.webHandler(func() []string { return []string{"example.com"} }).ServeHTTP(httptest.NewRecorder(), r)
	if got := r.Header.Get("X-Remote-User"); got != "" {
		t.Errorf("%q is left", got)
	}
}
