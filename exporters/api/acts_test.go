package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/exporters/act"
	"github.com/lunawatch/lunawatch/internal/check"
)

// send asks for an act; user "" may do nothing.
func send(h http.Handler, method, target, kind, user, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	r.Header.Set("X-Test-User", user)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func whoOfTest(r *http.Request, claimed string) (string, error) {
	user := r.Header.Get("X-Test-User")
	if user == "" {
		return "nobody", errors.New("nobody may act: see web.operators")
	}
	return strings.TrimSpace(user + " " + claimed), nil
}

const asJSON = "application/json"

// acted are requests of every act, in their order: alarm 1 is active.
var acted = []struct {
	method, target, path, kind, user, body string
	status                                 int
	has                                    string
}{
	{"POST", "/alarms/1/acknowledge", "/alarms/{alarm}/acknowledge", asJSON, "", `{"comment":"looking"}`, 403, "web.operators"},
	{"POST", "/alarms/1/acknowledge", "/alarms/{alarm}/acknowledge", "", "anna", `{"comment":"looking"}`, 415, "application/json"},
	{"POST", "/alarms/1/acknowledge", "/alarms/{alarm}/acknowledge", "text/plain", "anna", `{"comment":"looking"}`, 415, "application/json"},
	{"POST", "/alarms/1/acknowledge", "/alarms/{alarm}/acknowledge", "application/x-www-form-urlencoded", "anna", `comment=looking`, 415, "application/json"},
	{"POST", "/alarms/1/acknowledge", "/alarms/{alarm}/acknowledge", asJSON, "anna", `{"comment":" "}`, 400, "a comment is needed"},
	{"POST", "/alarms/1/acknowledge", "/alarms/{alarm}/acknowledge", asJSON, "anna", `{"comment":`, 400, "cannot be read"},
	{"POST", "/alarms/1/acknowledge", "/alarms/{alarm}/acknowledge", asJSON, "anna", `{"comment":"` + strings.Repeat("x", mostBody) + `"}`, 413, "65536"},
	{"POST", "/alarms/77/acknowledge", "/alarms/{alarm}/acknowledge", asJSON, "anna", `{"comment":"looking"}`, 404, "no active alarm"},
	{"POST", "/alarms/1/acknowledge", "/alarms/{alarm}/acknowledge", asJSON + "; charset=utf-8", "anna", `{"comment":"looking", "by":"a.k."}`, 200, `{"by":"anna a.k."}`},
	{"POST", "/alarms/1/unacknowledge", "/alarms/{alarm}/unacknowledge", asJSON, "anna", `{}`, 200, `{"by":"anna"}`},
	{"POST", "/alarms/a%2Fstm/acknowledge", "/alarms/{alarm}/acknowledge", asJSON, "anna", `{"comment":"by its key"}`, 200, `"by":"anna"`},
	{"POST", "/silences/preview", "/silences/preview", asJSON, "anna", `{"match":{"groups":["st*"]},"until":"2000-01-01T02:00:00Z"}`, 200, `"hides":[{"device":"a","group":"stm"`},
	{"POST", "/silences/preview", "/silences/preview", asJSON, "anna", `{"match":{"groups":["fan"]},"until":"2000-01-09T02:00:00Z"}`, 200, `"wide":true,"hides":[]`},
	{"POST", "/silences/preview", "/silences/preview", asJSON, "anna", `{"match":{"groups":["["]},"until":"2000-01-01T02:00:00Z"}`, 400, "not a pattern"},
	{"POST", "/silences", "/silences", asJSON, "anna", `{"match":{"groups":["stm"]},"until":"2000-01-01T02:00:00Z"}`, 400, "a reason"},
	{"POST", "/silences", "/silences", asJSON, "anna", `{"match":{"groups":["stm"]},"reason":"move","form":"2000-01-01T01:00:00Z","until":"2000-01-01T02:00:00Z"}`, 400, `unknown field`},
	{"POST", "/silences", "/silences", asJSON, "anna", `{"match":{},"reason":"move","until":"2000-01-01T02:00:00Z"}`, 400, "confirm_wide"},
	{"POST", "/silences", "/silences", asJSON, "anna", `{"match":{"groups":["stm"]},"reason":"move","until":"1999-01-01T02:00:00Z"}`, 400, "already ended"},
	{"POST", "/silences", "/silences", asJSON, "anna", `{"match":{"groups":["stm"]},"reason":"move","until":"2000-01-01T02:00:00Z"}`, 200, `"id":1,`},
	{"POST", "/silences", "/silences", asJSON, "anna", `{"match":{},"reason":"move","until":"2000-01-01T02:00:00Z","confirm_wide":true}`, 200, `"id":2,`},
	{"POST", "/silences", "/silences", asJSON, "anna", `{"match":{"hsms":["b"]},"reason":"move","from":"2000-01-01T02:00:00Z","until":"2000-01-01T03:00:00Z","every":{"days":3}}`, 400, "neither 1 nor 7"},
	{"POST", "/silences", "/silences", asJSON, "anna", `{"match":{"hsms":["b"]},"reason":"move","from":"2000-01-01T02:00:00Z","until":"2000-01-01T03:00:00Z","every":{"days":7,"zone":"Europe/Zurich"}}`, 200, `"every":{"days":7,"zone":"Europe/Zurich"}`},
	{"DELETE", "/silences/1", "/silences/{id}", "", "", ``, 403, "web.operators"},
	{"DELETE", "/silences/1", "/silences/{id}", "", "anna", ``, 200, `"by":"anna"`},
	{"DELETE", "/silences/2", "/silences/{id}", asJSON, "anna", `{"by":"a.k."}`, 200, `"by":"anna a.k."`},
	{"DELETE", "/silences/1", "/silences/{id}", "", "anna", ``, 404, "no silence 1"},
	{"DELETE", "/silences/x", "/silences/{id}", "", "anna", ``, 400, "not the number"},
	{"POST", "/test", "/test", asJSON, "anna", `{"wait_seconds":301}`, 400, "5m0s"},
	{"POST", "/test", "/test", asJSON, "anna", `{"wait_seconds":10}`, 200, `"receiver":"noc","result":"accepted"`},
	{"POST", "/alarms/1/clear", "/alarms/{alarm}/clear", asJSON, "anna", `{"reason":""}`, 400, "a reason is needed"},
	{"POST", "/alarms/1/clear", "/alarms/{alarm}/clear", asJSON, "anna", `{"reason":"restored"}`, 200, `"by":"anna"`},
	{"POST", "/alarms/1/clear", "/alarms/{alarm}/clear", asJSON, "anna", `{"reason":"restored"}`, 404, "no active alarm"},
}

// TestActs does every act over the API of a Watch that runs, holds the answers to the
// document, and finds in the log and at the alarm who did it.
func TestActs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": &alarmstest.Receiver{}})
		defer a.Stop()
		a.Must(a.Kernel("1", alarmstest.TransportLine))
		h := Handler(Source{Active: a.Active, Silences: a.Silences, Who: whoOfTest, Desk: act.Desk{Watch: a.Watch, Log: a.Watch.Log}})
		asked := make(map[string]bool)
		for _, x := range acted {
			w := send(h, x.method, Prefix+x.target, x.kind, x.user, x.body)
			asked[x.method+x.path] = asked[x.method+x.path] || w.Code == 200
			if w.Code != x.status || !strings.Contains(w.Body.String(), x.has) || w.Header().Get("Content-Type") != asJSON {
				t.Errorf("%s %s %.100s: %d %.2000s\nhas no %s", x.method, x.target, x.body, w.Code, w.Body, x.has)
			}
			v, err := jsonschema.UnmarshalJSON(w.Body)
			check.Must(t, err)
			if err := schema(t, Prefix+x.path, strings.ToLower(x.method), fmt.Sprint(w.Code)).Validate(v); err != nil {
				t.Errorf("%s %s: %#v", x.method, x.target, err)
			}
			if x.target == "/alarms/a%2Fstm/acknowledge" && (a.Active()[0].Ack == nil || a.Active()[0].Ack.By != "anna") {
				t.Errorf("not acknowledged: %+v", a.Active()[0])
			}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		for _, r := range acts {
			if !asked[r.method+r.path] {
				t.Errorf("%s %s is never done", r.method, r.path)
			}
		}
		past, err := a.History(10)
		a.Must(err)
		if len(past) == 0 || !strings.Contains(past[0].LastEvidence().Text, "cleared by anna: restored") && !strings.Contains(past[1].LastEvidence().Text, "cleared by anna: restored") {
			t.Errorf("the history has not who cleared it: %+v", past)
		}
		for _, want := range []string{"msg=done act=acknowledge of=1 by=\"anna a.k.\" why=looking", "msg=refused act=acknowledge by=nobody", "msg=done act=clear of=1 by=anna why=restored", "msg=\"not done\" act=silence"} {
			if !strings.Contains(a.Log.String(), want) {
				t.Errorf("the log has no %s", want)
			}
		}
	})
}
