package page

import (
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal/journaltest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/exporters/act"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// acting is a site over a Watch with two active alarms, one about a hostile name, on which
// anna may act: she is who has the header X-Test-User.
func acting(t *testing.T) (*Site, *watch.Watch) {
	t.Helper()
	w := &watch.Watch{Journal: journaltest.Open(t, t.TempDir()), Store: hsm.NewStore(), Log: slog.New(slog.DiscardHandler),
		Setup: watch.Setup{Settings: watch.DefaultSettings(), Receivers: map[string]notify.Receiver{"noc": {Notifier: &alarmstest.Receiver{}, Route: notify.Route{Only: alarms.Match{Severity: alarms.Major}}}}}}
	w.Store.Expect(hsm.NetworkHSM, "luna-a")
	check.Must(t, w.Open())
	for _, key := range []alarms.Key{{Device: "luna-a", Group: "battery"}, {Device: "luna-a", Group: "fan", Object: `a, *b" <script>`}} {
		check.Must(t, w.Report([]alarms.Finding{{Key: key, Condition: alarms.Bad, Severity: alarms.Major, Text: "it is bad", Evidence: alarms.Evidence{At: time.Now(), Text: "bad"}}}))
	}
	who := func(r *http.Request, _ string) (string, error) {
		if r.Header.Get("X-Test-User") == "" {
			return "nobody", errors.New("nobody may act: see web.operators")
		}
		return r.Header.Get("X-Test-User") + " (web, 192.0.2.7)", nil
	}
	return &Site{Store: w.Store, Alarms: func() AlarmState { return AlarmsOf(w) }, Changed: w.Changed, Thresholds: rules.DefaultThresholds, Own: prometheus.NewRegistry(), Started: time.Now,
		Metrics: "/metrics", Now: time.Now, Who: who, Desk: act.Desk{Watch: w, Log: w.Log}}, w
}

// submit sends a form, or asks for a page if there are no values. It follows nothing.
func submit(s *Site, user, path string, values url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if values != nil {
		r = httptest.NewRequest(http.MethodPost, path, strings.NewReader(values.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://example.com")
	}
	r.Header.Set("X-Test-User", user)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

// TestForms does every act by its form, without a script, and finds it done.
func TestForms(t *testing.T) {
	s, w := acting(t)
	first := func() alarms.Active { return w.Active()[0] }
	did := func(path string, values url.Values, to string, done func() bool) {
		t.Helper()
		got := submit(s, "anna", path, values)
		if got.Code != http.StatusSeeOther || got.Header().Get("Location") != to {
			t.Errorf("%s: %d to %q %s", path, got.Code, got.Header().Get("Location"), got.Body)
		}
		if page := submit(s, "anna", to, nil); page.Code != 200 || !strings.Contains(page.Body.String(), `role="status">Done: `) {
			t.Errorf("%s does not say that it is done: %d", to, page.Code)
		}
		if !done() {
			t.Errorf("%s: not done", path)
		}
	}
	did("/alarms/1/acknowledge", url.Values{"comment": {"on my way"}}, "/alarms/1?done=acknowledged", func() bool {
		return first().Ack != nil && first().Ack.By == "anna (web, 192.0.2.7)" && first().Ack.Comment == "on my way"
	})
	did("/alarms/1/unacknowledge", url.Values{}, "/alarms/1?done=unacknowledged", func() bool { return first().Ack == nil })
	did("/silences", url.Values{"hsm": {"luna-a"}, "group": {"fan"}, "object": {`a, *b" <script>`}, "for": {"4h0m0s"}, "reason": {"new fan"}}, "/alarms?done=silenced", func() bool {
		list := w.Active()
		return list[0].Silence == nil && list[1].Silence != nil && list[1].Silence.Author == "anna (web, 192.0.2.7)" && time.Until(list[1].Silence.Until) > 3*time.Hour
	})
	did("/silences/1/end", url.Values{}, "/alarms?done=unsilenced", func() bool { return len(w.Silences()) == 0 })
	did("/alarms/1/clear", url.Values{"reason": {"replaced"}}, "/alarms/1?done=cleared", func() bool { return len(w.Active()) == 1 })
	if page := submit(s, "anna", "/alarms/1", nil).Body.String(); strings.Contains(page, "/alarms/1/acknowledge") {
		t.Error("a cleared alarm can be acknowledged")
	}
}

// TestFormsRefuse: what cannot be done says why, and nothing is done.
func TestFormsRefuse(t *testing.T) {
	s, w := acting(t)
	ack, all := url.Values{"comment": {"x"}}, url.Values{"for": {"1h0m0s"}, "reason": {"x"}}
	for name, x := range map[string]struct {
		user, path string
		values     url.Values
		headers    []string
		status     int
		has        string
	}{
		"nobody":          {"", "/alarms/1/acknowledge", ack, nil, 403, "web.operators"},
		"another site":    {"anna", "/alarms/1/acknowledge", ack, []string{"Origin", "https://evil.example.org"}, 403, "another site"},
		"another's frame": {"anna", "/alarms/1/acknowledge", ack, []string{"Origin", "null"}, 403, "another site"},
		"cross-site":      {"anna", "/alarms/1/acknowledge", ack, []string{"Sec-Fetch-Site", "cross-site"}, 403, "another site"},
		"no origin":       {"anna", "/alarms/1/acknowledge", ack, []string{"Origin", ""}, 403, "which page"},
		"no comment":      {"anna", "/alarms/1/acknowledge", url.Values{}, nil, 400, "a comment is needed"},
		"no such alarm":   {"anna", "/alarms/9/acknowledge", ack, nil, 404, "no active alarm"},
		"no reason":       {"anna", "/alarms/1/clear", url.Values{}, nil, 400, "a reason is needed"},
		"everything":      {"anna", "/silences", all, nil, 400, "confirm"},
		"no length":       {"anna", "/silences", url.Values{"hsm": {"luna-a"}, "reason": {"x"}}, nil, 400, "not a length"},
		"no silence":      {"anna", "/silences/7/end", url.Values{}, nil, 404, "no silence 7"},
		"hostile":         {"anna", "/silences/%3Cscript%3E/end", url.Values{}, nil, 400, "not the number"},
		"too large":       {"anna", "/alarms/1/acknowledge", url.Values{"comment": {strings.Repeat("x", mostForm)}}, nil, 400, "too large"},
		"preview":         {"", "/silences/new?for=1h0m0s", nil, nil, 403, "web.operators"},
		"test":            {"", "/agent/test", url.Values{}, nil, 403, "web.operators"},
	} {
		got := submit(s, x.user, x.path, x.values, x.headers...)
		body := html.UnescapeString(got.Body.String())
		if got.Code != x.status || !strings.Contains(body, x.has) || !strings.Contains(body, "Not done") || strings.Contains(got.Body.String(), "<script>") {
			t.Errorf("%s: %d %s", name, got.Code, body)
		}
	}
	if list := w.Active(); len(list) != 2 || list[0].Ack != nil || len(w.Silences()) > 0 {
		t.Errorf("something was done: %+v %+v", list, w.Silences())
	}
}

// TestReadOnly: who may not act sees no form that acts and no link to one.
func TestReadOnly(t *testing.T) {
	s, _ := acting(t)
	for _, path := range []string{"/", "/alarms", "/alarms/1", "/alarms/2", "/agent", "/hsms/luna-a"} {
		seen, acts := submit(s, "", path, nil).Body.String(), submit(s, "anna", path, nil).Body.String()
		for _, trace := range []string{`method="post"`, "/silences/new", "#acknowledge", "Acting as"} {
			if strings.Contains(seen, trace) {
				t.Errorf("%s has %s", path, trace)
			}
		}
		if !strings.Contains(acts, "Acting as anna (web, 192.0.2.7)") {
			t.Errorf("%s does not say who acts", path)
		}
	}
}

// TestSilencePreview: what a silence would hide is shown before it is made, and what is
// long or wide says so and needs to be confirmed.
func TestSilencePreview(t *testing.T) {
	s, _ := acting(t)
	for query, want := range map[string]struct {
		has  []string
		none string
	}{
		"":                                            {[]string{"Preview"}, "Reason"},
		"?for=1h0m0s":                                 {[]string{"everything", "It hides every alarm.", "confirm_wide", "2 active now"}, "no reason at all"},
		"?for=1h0m0s&groups=battery":                  {[]string{"1 active now", "luna-a/battery"}, "confirm_wide"},
		"?for=72h0m0s&groups=battery":                 {[]string{"It lasts for more than a day", "confirm_wide"}, "every alarm"},
		"?for=4h0m0s&groups=battery&every=week":       {[]string{"every week", "1 active now"}, "confirm_wide"},
		"?for=24h0m0s&groups=battery&every=day":       {[]string{"would begin again before it ends"}, `action="/silences"`},
		"?for=1h0m0s&groups=fan&hsm=x":                {[]string{"Nothing that is active now"}, "confirm_wide"},
		"?for=1h0m0s&of=hsm&hsm=luna-a&group=battery": {[]string{"2 active now"}, "confirm_wide"},
		"?for=1h0m0s&hsm=luna-a&group=fan&object=a%2C+*b%22+%3Cscript": {[]string{"Nothing that is active now"}, "<script"},
		"?for=1h0m0s&groups=%5B":            {[]string{"not a pattern"}, `action="/silences"`},
		"?for=9h0m0s&groups=battery":        {[]string{"not a length"}, `action="/silences"`},
		"?for=1h0m0s&from=tomorrow":         {[]string{"is not a time such as"}, `action="/silences"`},
		"?for=1h0m0s&from=2020-01-01T00:00": {[]string{"has already ended"}, `action="/silences"`},
	} {
		got := submit(s, "anna", "/silences/new"+query, nil)
		body := strings.ReplaceAll(got.Body.String(), `<script src=`, "")
		for _, text := range want.has {
			if got.Code != 200 || !strings.Contains(html.UnescapeString(body), text) {
				t.Errorf("%s: %d, no %q", query, got.Code, text)
			}
		}
		if strings.Contains(body, want.none) {
			t.Errorf("%s has %q", query, want.none)
		}
	}
}

// TestWhyPaged: the page of an alarm says what the route of each receiver takes.
func TestWhyPaged(t *testing.T) {
	e := small(noon)
	e.alarms.Routes = map[string]notify.Route{"pager": {Only: alarms.Match{Severity: alarms.Critical, HSMs: []string{"luna-*"}}}}
	wants(t, e, "/alarms/2", "Why was I paged", "alarms of severity critical or worse, HSM luna-*", "it is not configured any more")
}

// TestAnnounced: a silence that begins within a day is on the page of the estate.
func TestAnnounced(t *testing.T) {
	e := small(noon)
	e.alarms.Silences = []alarms.Silence{{ID: 7, Author: "kim", Reason: "<b>restart", From: noon.Add(5 * time.Hour), Until: noon.Add(6 * time.Hour), Match: alarms.Match{HSMs: []string{"luna-b"}}, Every: &again.Every{Days: 7}}}
	wants(t, e, "/", "Silence 7 of HSM luna-b begins in 5h0m, until", "<b>restart")
	wants(t, e, "/alarms", "to come, every week")
	e.alarms.Silences[0].From = noon.Add(25 * time.Hour)
	if _, text := e.get(t, "/"); strings.Contains(text, "Silence 7") {
		t.Error("it is announced too early")
	}
}

// TestLiveForms: what is live on a page has forms for who may act, and none for others who
// have the same page open.
func TestLiveForms(t *testing.T) {
	e := small(noon)
	u := &url.URL{Path: "/alarms/2"}
	e.site.hub.init()
	for _, acting := range []bool{false, true} {
		if _, ok := e.site.hub.join(u, acting); !ok {
			t.Fatal("too many")
		}
	}
	e.site.hub.render(e.site, e.site.moment(e.site.Alarms()))
	for _, acting := range []bool{false, true} {
		if got := strings.Contains(string(e.site.hub.topics[topicKey(u, acting)].sent["alarm"].HTML), `method="post"`); got != acting {
			t.Errorf("acting %v: forms %v", acting, got)
		}
	}
}
