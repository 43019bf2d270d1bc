package receivers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal/journaltest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/snmppeer"
)

// theSecret is in every secret that a receiver has.
const theSecret = "x7Kq-never-to-be-seen"

// A site is where a receiver's peer is, or is to be.
type site struct {
	t       *testing.T
	dir     string
	address string // host:port
	tls     bool
	ca      setting.File //; "": the host's authorities
	certs   certs
}

// secret writes a file with a secret and returns its path.
func (s site) secret(name string) setting.File {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	alarmstest.Overwrite(s.t, path, theSecret+"-"+name+"\n")
	return setting.File(path)
}

func (s site) url(path string) string {
	if s.tls {
		return "https://" + s.address + path
	}
	return "http://" + s.address + path
}

func (s site) http() HTTP { return HTTP{TLS: TLS{CAFile: s.ca}} }

// A subject is a kind of receiver under test.
type subject struct {
	name  string
	udp   bool                         // its peer listens there, else on TCP
	tls   bool                         // it speaks TLS
	http  bool                         // it speaks HTTP
	build func(s site) notify.Notifier // as it is configured for a site
	start func(s site) (got []string)  // starts a real peer, or one that holds to the public schema
	await func(s site, n int)          // until the peer has so many
}

func subjects() []subject {
	return append(chatSubjects(), []subject{
		{name: "alertmanager", tls: true, http: true, start: inProcess(checkAlerts), await: awaitLines, build: func(s site) notify.Notifier {
			return (&Alertmanager{URLs: []string{s.url("/")}, BearerTokenFile: s.secret("token"), HTTP: s.http()}).Peers()[0]
		}},
		{name: "alertmanager, password", tls: true, http: true, start: inProcess(checkAlerts), await: awaitLines, build: func(s site) notify.Notifier {
			return (&Alertmanager{URLs: []string{s.url("")}, User: "u", PasswordFile: s.secret("password"), HTTP: s.http()}).Peers()[0]
		}},
		{name: "pagerduty", tls: true, http: true, start: inProcess(checkPagerDuty), await: awaitLines, build: func(s site) notify.Notifier {
			return &PagerDuty{URL: s.url("/v2/enqueue"), RoutingKeyFile: s.secret("key-0000"), HTTP: s.http()}
		}},
		{name: "pagerduty, changes", tls: true, http: true, start: inProcess(checkPagerDuty), await: awaitLines, build: func(s site) notify.Notifier {
			return &PagerDuty{URL: s.url("/v2/enqueue"), RoutingKeyFile: s.secret("key-0000"), Changes: true, HTTP: s.http()}
		}},
		{name: "opsgenie", tls: true, http: true, start: inProcess(checkOpsgenie), await: awaitLines, build: func(s site) notify.Notifier {
			return &Opsgenie{URL: s.url(""), APIKeyFile: s.secret("key"), HTTP: s.http()}
		}},
		{name: "jsm", tls: true, http: true, start: inProcess(checkJSM), await: awaitLines, build: func(s site) notify.Notifier { return testedJSM(s) }},
		{name: "servicenow", tls: true, http: true, start: inProcess(checkServiceNow), await: awaitLines, build: func(s site) notify.Notifier {
			return &ServiceNow{URL: s.url("/api/global/em/jsonv2"), User: "u", PasswordFile: s.secret("password"), HTTP: s.http()}
		}},
		{name: "servicenow, token", tls: true, http: true, start: inProcess(checkServiceNow), await: awaitLines, build: func(s site) notify.Notifier {
			return &ServiceNow{URL: s.url("/api/global/em/jsonv2"), BearerTokenFile: s.secret("token"), HTTP: s.http()}
		}},
		{name: "splunk", tls: true, http: true, start: startSplunk, await: awaitLines, build: func(s site) notify.Notifier {
			return &Splunk{URL: s.url(""), TokenFile: s.secret("token"), HTTP: s.http()}
		}},
		{name: "webhook", tls: true, http: true, start: inProcess(checkWebhook), await: awaitLines, build: func(s site) notify.Notifier {
			file := s.secret("url")
			alarmstest.Overwrite(s.t, file, s.url("/"+theSecret+"?token="+theSecret))
			return &Webhook{URLFile: file, SecretFile: s.secret("hmac"), BearerTokenFile: s.secret("token"), HTTP: s.http()}
		}},
		{name: "otlp", tls: true, http: true, start: inProcess(checkLogs), await: awaitLines, build: func(s site) notify.Notifier {
			file := s.secret("headers")
			alarmstest.Overwrite(s.t, file, "Authorization: Bearer "+theSecret+"\nX-Scope-OrgID: hsm\n")
			return &OTLP{Collector: Collector{Endpoint: s.url(""), HeadersFile: file, HTTP: s.http()}}
		}},
		{name: "smtp", tls: true, start: startSMTP, await: awaitLines, build: func(s site) notify.Notifier {
			m := &SMTP{Address: s.address, Security: "none", From: "lunawatch@example.net", To: []string{"noc@example.net"}, TLS: TLS{CAFile: s.ca}}
			if s.tls {
				m.Security, m.User, m.PasswordFile = "starttls", "noc", s.secret("password")
			}
			return m
		}},
		{name: "syslog", tls: true, start: startRsyslog, await: awaitLines, build: func(s site) notify.Notifier {
			y := &Syslog{Address: s.address, Network: "tcp", TLS: TLS{CAFile: s.ca}}
			if s.tls {
				y.Network = "tls"
			}
			return y
		}},
		{name: "snmp", udp: true, start: startTrapd, await: awaitLines, build: func(s site) notify.Notifier {
			target := snmp.Target{Inform: true, Peer: snmppeer.Peer{Address: s.address, Version: "3", User: "noc", AuthPasswordFile: s.secret("auth"), PrivPasswordFile: s.secret("priv")}}
			n, err := snmp.New(target, journaltest.Open(s.t, s.t.TempDir()))
			if err != nil {
				s.t.Fatal(err)
			}
			return n
		}},
		{name: "exec", build: func(s site) notify.Notifier {
			return &Exec{Command: []string{script(s.t, s.dir, `test -e `+s.dir+`/there || exit 75; cat >> `+s.dir+`/got; echo >> `+s.dir+`/got`)}}
		}, start: func(s site) []string {
			alarmstest.Overwrite(s.t, filepath.Join(s.dir, "there"), "")
			return nil
		}, await: awaitLines},
	}...)
}

// TestReceiversDeliver has each receiver first meet nobody, which is an error
// that is retried, and then its peer.
func TestReceiversDeliver(t *testing.T) {
	for _, x := range subjects() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, x)
			to := x.build(s)
			err := to.Notify(soon(t), alarmstest.Complete(alarms.Raised))
			if rejected := (*notify.Rejected)(nil); err == nil || errors.As(err, &rejected) {
				t.Fatalf("nobody there: %v, want an error that is retried", err)
			}
			quiet(t, err)
			x.start(s)
			for i, n := range everyKind() {
				if err := to.Notify(t.Context(), n); err != nil {
					t.Fatalf("%s: %v", n.Change.Kind, err)
				}
				if i == 0 {
					x.await(s, 1)
				}
			}
		})
	}
}

// TestReceiversVerifyTLS has each refuse a server whose certificate no
// known authority has signed, and take it with ca_file.
func TestReceiversVerifyTLS(t *testing.T) {
	for _, x := range subjects() {
		if !x.tls {
			continue
		}
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, x)
			s.tls = true
			x.start(s)
			err := x.build(s).Notify(t.Context(), alarmstest.Complete(alarms.Raised))
			if err == nil || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
				t.Fatalf("without ca_file: %v", err)
			}
			quiet(t, err)
			if got := gotten(s); len(got) > 0 {
				t.Errorf("sent nevertheless: %s", got)
			}
			s.ca = setting.File(s.certs.cert)
			if err := x.build(s).Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err != nil {
				t.Fatalf("with ca_file: %v", err)
			}
			x.await(s, 1)
		})
	}
}

// TestReceiversAreCancelled has each wait for a peer that says nothing.
func TestReceiversAreCancelled(t *testing.T) {
	for _, x := range subjects() {
		for _, secure := range []bool{false, true} {
			if secure && !x.tls {
				continue
			}
			t.Run(fmt.Sprintf("%s, TLS %v", x.name, secure), func(t *testing.T) {
				t.Parallel()
				s := newSite(t, x)
				s.tls = secure
				to := x.build(s)
				busy := mute(t, s, x)
				if x.name == "exec" {
					to = &Exec{Command: []string{script(t, s.dir, "touch "+s.dir+"/busy; sleep 600 & wait")}}
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- to.Notify(ctx, alarmstest.Complete(alarms.Raised)) }()
				await(t, "an attempt", busy)
				cancel()
				select {
				case err := <-done:
					if err == nil {
						t.Error("delivered to a peer that says nothing")
					}
					quiet(t, err)
				case <-time.After(5 * time.Second):
					t.Fatal("goes on after it was cancelled")
				}
			})
		}
	}
}

// TestReceiversKeepSecrets has each fail in every way, and looks for secrets in
// its errors, and in what the delivery around it logs.
func TestReceiversKeepSecrets(t *testing.T) {
	var log safeBuffer
	w := &watch.Watch{Store: hsm.NewStore(), Setup: watch.Setup{Settings: watch.DefaultSettings(), Receivers: make(map[string]notify.Receiver)},
		Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), Journal: journaltest.Open(t, t.TempDir())}
	for _, x := range subjects() {
		for _, status := range []int{0, 301, 400, 401, 429, 500} {
			if status != 0 && !x.http {
				continue
			}
			s := newSite(t, x)
			to := x.build(s)
			w.Receivers[fmt.Sprintf("%s %d", x.name, status)] = notify.Receiver{Notifier: to}
			if status == 0 {
				continue
			}
			serveHTTP(s, func(rw http.ResponseWriter, r *http.Request) { // an answer that repeats everything
				body, _ := io.ReadAll(r.Body)
				rw.Header().Set("Location", r.URL.String())
				rw.WriteHeader(status)
				fmt.Fprintf(rw, "%s %v %s", r.URL, r.Header, body)
			})
			err := to.Notify(t.Context(), alarmstest.Complete(alarms.Raised))
			if rejected := (*notify.Rejected)(nil); err == nil || errors.As(err, &rejected) != (status == 400) {
				t.Errorf("%s, %d: %v", x.name, status, err)
			}
			quiet(t, err)
		}
		s := newSite(t, x)
		to := x.build(s)
		files, _ := filepath.Glob(filepath.Join(s.dir, "*"))
		for _, f := range files { // unreadable secrets
			os.Remove(f)
		}
		err := to.Notify(soon(t), alarmstest.Complete(alarms.Raised))
		if rejected := (*notify.Rejected)(nil); err == nil || errors.As(err, &rejected) {
			t.Errorf("%s without its files: %v", x.name, err)
		}
		quiet(t, err)
	}
	if err := w.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	go w.Test(ctx, "me")
	await(t, "a failed attempt of each", func() bool {
		for _, d := range w.Deliveries() {
			if d.Failed+d.Rejected == 0 {
				return false
			}
		}
		return true
	})
	cancel()
	<-ended
	if text := log.String(); strings.Contains(text, theSecret) || !strings.Contains(text, "notification not delivered") {
		t.Errorf("the log:\n%s", text)
	}
}

// TestReceiversUseNoProxy, unless configured to.
func TestReceiversUseNoProxy(t *testing.T) {
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	var mu sync.Mutex
	seen := 0
	go func() {
		for {
			c, err := trap.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			seen++
			mu.Unlock()
			c.Close()
		}
	}()
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://"+trap.Addr().String())
	}
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	for _, x := range subjects() {
		s := newSite(t, x)
		if x.http {
			s.address = "receiver.invalid:80" // a proxy is never used for this host
		}
		to := x.build(s)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		to.Notify(ctx, alarmstest.Complete(alarms.Raised))
		cancel()
		if n := count(); n != 0 {
			t.Fatalf("%s: the proxy was asked %d times", x.name, n)
		}
	}
	for name, h := range map[string]HTTP{"proxy": {Proxy: true}, "proxy_url": {ProxyURL: "http://" + trap.Addr().String()}} {
		before := count()
		for _, url := range []string{"http://receiver.invalid", "https://receiver.invalid"} {
			if err := (&Webhook{URL: url, HTTP: h}).Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err == nil {
				t.Errorf("%s: delivered", name)
			}
		}
		await(t, name, func() bool { return count() >= before+2 })
	}
}

// TestStatuses checks what is retried.
func TestStatuses(t *testing.T) {
	for status, want := range map[int]string{
		200: "", 202: "", 204: "", 301: "again", 307: "again", 400: "rejected", 401: "again", 403: "again", 404: "again", 407: "again", 408: "again", 410: "again",
		409: "rejected", 413: "rejected", 415: "rejected", 422: "rejected", 425: "again", 429: "again", 500: "again", 502: "again", 503: "again",
	} {
		s := newSite(t, subject{})
		asked := 0
		serveHTTP(s, func(w http.ResponseWriter, r *http.Request) {
			asked++
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		err := (&Webhook{URL: s.url("/x")}).Notify(t.Context(), alarmstest.Complete(alarms.Raised))
		got, rejected := "", (*notify.Rejected)(nil)
		switch {
		case errors.As(err, &rejected):
			got = "rejected"
		case err != nil:
			got = "again"
		}
		if got != want || asked != 1 || err != nil && !strings.Contains(err.Error(), fmt.Sprintf("%s answers %d ", s.url(""), status)) {
			t.Errorf("%d: %q after %d requests, want %q: %v", status, got, asked, want, err)
		}
	}
}

func everyKind() (list []alarms.Notification) {
	for _, k := range []alarms.Kind{alarms.Raised, alarms.Updated, alarms.Repeated, alarms.Acknowledged, alarms.Unacknowledged, alarms.Cleared, alarms.Started, alarms.Heartbeat} {
		list = append(list, alarmstest.Complete(k))
	}
	for _, k := range []alarms.Kind{alarms.Raised, alarms.Cleared} {
		n := alarmstest.Complete(k)
		n.Change.Alarm.Test = true
		list = append(list, n)
	}
	for _, n := range list[:8] {
		for _, l := range []notify.Level{notify.LevelCoded, notify.LevelCategory} {
			list = append(list, notify.Policy{Level: l}.Limit(n))
		}
	}
	return list
}
