package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

const hostile = `<script>alert("1")</script>`

// source is an estate of captured answers of three versions, with HA, a history, and
// alarms. It must be made in a bubble.
func source(t *testing.T) Source {
	t.Helper()
	store, kept := hsm.NewStore(), history.New(slog.New(slog.DiscardHandler))
	apply := func(o hsm.Observation) {
		store.Apply(o)
		kept.Observe(store.Latest().Device(o.Device), o)
	}
	for _, version := range []string{"5.4", "6.2", "7.2"} {
		name := "luna" + strings.ReplaceAll(version, ".", "")
		store.Expect(hsm.NetworkHSM, name)
		go lunash.NewPoller(name, lunash.Replay(filepath.Join("..", "..", "collectors", "formats", "testdata", version)), 0, poll.DefaultIntervals()).Run(t.Context(), apply)
	}
	synctest.Wait()
	now := time.Now()
	store.Expect(hsm.NetworkHSM, hostile)
	apply(hsm.Observation{Device: hostile, Source: "hsm show", At: now, Failure: hsm.Unreachable, Err: errors.New(hostile)})
	apply(hsm.Observation{Device: "client1", Kind: hsm.HostMachine, Source: "ha", At: now, MaxAge: time.Minute, Facts: []hsm.Fact{
		hsm.HA{Groups: []hsm.HAGroupState{{Label: "pay", Redundancy: hsm.Some[int64](1), Members: []hsm.HAMemberState{{Serial: "1", State: hsm.HAStateDown, Since: now}}}}},
		hsm.Host{CPUSeconds: map[string]float64{"user": 1}},
	}})
	battery := alarms.Alarm{Key: alarms.Key{Device: "luna72", Group: "battery"}, Number: 12, Severity: alarms.Major, Text: hostile, Raised: now.Add(-time.Hour),
		Evidence: []alarms.Evidence{{At: now, Text: "2.6 V", Measure: &alarms.Measure{Value: 2.6, Threshold: 2.75, Unit: "V"}}}, Ack: &alarms.Ack{By: "bea"}}
	fan := alarms.Alarm{Key: alarms.Key{Device: "luna54", Group: "appliance-fan", Object: "Fan1A"}, Number: 11, Severity: alarms.Minor, Raised: now.Add(-time.Hour), Cleared: now}
	kept.Note("luna72", "major", hostile, now)
	return Source{
		Snapshot: store.Latest, History: kept, Now: time.Now,
		Active: func() []alarms.Active {
			return []alarms.Active{{Alarm: battery, Title: "Battery", Action: "Replace it"}}
		},
		Cleared: func(most int) ([]alarms.Alarm, error) { return []alarms.Alarm{fan}[:min(1, most)], nil },
		Silences: func() []alarms.Silence {
			return []alarms.Silence{{ID: 1, Author: "bea", Reason: "move", From: now, Until: now.Add(time.Hour)}}
		},
		Deliveries: func() map[string]notify.Delivery {
			return map[string]notify.Delivery{"noc": {Delivered: 3, Waiting: 1, Oldest: now, Error: "refused"}}
		},
		Agent: func() Agent { return Agent{Version: "v0", GoVersion: "go1", Started: now} },
	}
}

// ask asks a handler, with headers as pairs.
func ask(h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// closed has every object of a document refuse keys that it does not name, so that a key
// that is missing from it is found.
func closed(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, is := v["properties"]; is && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, x := range v {
			closed(x)
		}
	case []any:
		for _, x := range v {
			closed(x)
		}
	}
}

// schema compiles that of an answer in the document.
func schema(t *testing.T, path, method, status string) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Document()))
	check.Must(t, err)
	closed(document.(map[string]any)["components"])
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	check.Must(t, c.AddResource("api.json", document))
	escaped := url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(path))
	s, err := c.Compile("api.json#/paths/" + escaped + "/" + method + "/responses/" + status + "/content/application~1json/schema")
	check.Must(t, err)
	return s
}

// answers are requests of every route, with what a wrong one is answered.
var answers = []struct {
	target, path string
	status       int
	has          string // in the answer
}{
	{"/estate", "/estate", 200, `"counts":{"major":1,"unknown":1,"well":3}`},
	{"/hsms", "/hsms", 200, `"name":"luna72"`},
	{"/hsms/luna54", "/hsms/{name}", 200, `"serial":`},
	{"/hsms/luna62", "/hsms/{name}", 200, `"word":"well"`},
	{"/hsms/luna72", "/hsms/{name}", 200, `"word":"major"`},
	{"/hsms/548123", "/hsms/{name}", 200, `"name":"luna72"`},
	{"/hsms/client1", "/hsms/{name}", 200, `"kind":"host"`},
	{"/hsms/" + url.PathEscape(hostile), "/hsms/{name}", 200, `"word":"unknown"`},
	{"/hsms/nobody", "/hsms/{name}", 404, "nobody"},
	{"/hsms/luna72/history", "/hsms/{name}/history", 200, `"measure":"battery_volts"`},
	{"/hsms/luna72/history?measure=temperature_celsius", "/hsms/{name}/history", 200, `"median":[null,null`},
	{"/hsms/" + url.PathEscape(hostile) + "/history", "/hsms/{name}/history", 200, `"series":[]`},
	{"/hsms/luna72/history?measure=mood", "/hsms/{name}/history", 400, "battery_volts"},
	{"/hsms/nobody/history", "/hsms/{name}/history", 404, "nobody"},
	{"/hsms/luna72/days", "/hsms/{name}/days", 200, `"state":"major","reason":"\u003cscript`},
	{"/hsms/luna72/days", "/hsms/{name}/days", 200, `"state":null`},
	{"/hsms/luna54/days", "/hsms/{name}/days", 200, `"hours":[]`},
	{"/hsms/nobody/days", "/hsms/{name}/days", 404, "nobody"},
	{"/ha", "/ha", 200, `"label":"pay"`},
	{"/alarms", "/alarms", 200, `"number":12`},
	{"/alarms/12", "/alarms/{number}", 200, `"action":"Replace it"`},
	{"/alarms/11", "/alarms/{number}", 200, `"cleared":"2000`},
	{"/alarms/13", "/alarms/{number}", 404, "13"},
	{"/alarms/x", "/alarms/{number}", 400, "number"},
	{"/alarms/history", "/alarms/history", 200, `"number":11`},
	{"/alarms/history?most=1", "/alarms/history", 200, `"number":11`},
	{"/alarms/history?most=0", "/alarms/history", 400, "10000"},
	{"/silences", "/silences", 200, `"reason":"move"`},
	{"/receivers", "/receivers", 200, `"failed_attempts":0`},
	{"/agent", "/agent", 200, `"hsms":4`},
}

// TestAnswers holds the answers of every route against the document.
func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(source(t))
		asked := make(map[string]bool)
		for _, x := range answers {
			w := ask(h, Prefix+x.target)
			asked[x.path] = asked[x.path] || w.Code == 200
			if w.Code != x.status || !strings.Contains(w.Body.String(), x.has) || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%s: %d %.2000s\nhas no %s", x.target, w.Code, w.Body, x.has)
			}
			v, err := jsonschema.UnmarshalJSON(w.Body)
			check.Must(t, err)
			if err := schema(t, Prefix+x.path, "get", fmt.Sprint(w.Code)).Validate(v); err != nil {
				t.Errorf("%s: %#v", x.target, err)
			}
		}
		for _, r := range reads {
			if !asked[r.path] {
				t.Errorf("no answer of %s is looked at", r.path)
			}
		}
	})
}

// TestDocument holds the document to its golden file, and to what may be in one: every
// schema says what it is of.
func TestDocument(t *testing.T) {
	check.Golden(t, filepath.Join("..", "..", "..", "docs", "openapi.json"), Document())
	var d struct {
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	check.Must(t, json.Unmarshal(Document(), &d))
	described := 0
	for _, methods := range d.Paths {
		described += len(methods)
	}
	if described != len(routes) {
		t.Errorf("%d of %d routes", described, len(routes))
	}
	for name, s := range d.Components.Schemas {
		var look func(string, any)
		look = func(at string, v any) {
			m, is := v.(map[string]any)
			if is && len(m) == 0 && !strings.HasSuffix(at, "/properties") {
				t.Errorf("%s is anything", at)
			}
			for key, x := range m {
				look(at+"/"+key, x)
			}
		}
		look(name, s)
	}
}

// TestETag: who has the answer is not given it again, until it changes: also by time alone.
func TestETag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(source(t))
		for _, r := range reads {
			target := Prefix + strings.NewReplacer("{name}", "luna72", "{number}", "12").Replace(r.path)
			first := ask(h, target)
			tag := first.Header().Get("ETag")
			if again := ask(h, target, "If-None-Match", `"other", W/`+tag); again.Code != 304 || again.Body.Len() > 0 || again.Header().Get("ETag") != tag {
				t.Errorf("%s: %d with %d bytes", target, again.Code, again.Body.Len())
			}
			if other := ask(h, target, "If-None-Match", `"other"`); other.Code != 200 || other.Body.String() != first.Body.String() {
				t.Errorf("%s: %d", target, other.Code)
			}
		}
		tag := ask(h, Prefix+"/estate").Header().Get("ETag")
		time.Sleep(30 * time.Second)
		if w := ask(h, Prefix+"/estate", "If-None-Match", tag); w.Code != 304 {
			t.Errorf("nothing changed in half a minute: %d %s", w.Code, w.Body)
		}
		time.Sleep(time.Hour)
		if w := ask(h, Prefix+"/estate", "If-None-Match", tag); w.Code != 200 || !strings.Contains(w.Body.String(), "stale") {
			t.Errorf("everything is stale: %d %s", w.Code, w.Body)
		}
	})
}

// TestStrangers: what is not a route is an error in JSON, and nothing can be changed by
// another method than that of an act.
func TestStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(source(t))
		if w := ask(h, Prefix+"/"+url.PathEscape(hostile)); w.Code != 404 || strings.Contains(w.Body.String(), "<script") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		methods := make(map[string][]string)
		for _, r := range routes {
			methods[r.path] = append(methods[r.path], r.method)
		}
		for path, known := range methods {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
				if slices.Contains(known, method) || path == "/silences/preview" && method == http.MethodDelete {
					continue
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(method, Prefix+path, nil))
				if w.Code != 405 || w.Header().Get("Allow") != strings.Join(known, ", ") {
					t.Errorf("%s %s: %d, %s", method, path, w.Code, w.Header().Get("Allow"))
				}
			}
		}
	})
}

// TestValues: NaN is null, in both directions.
func TestValues(t *testing.T) {
	text, err := json.Marshal(Values{1, math.NaN(), 0})
	check.Must(t, err)
	var back Values
	check.Must(t, json.Unmarshal(text, &back))
	if string(text) != "[1,null,0]" || !slices.Equal(back, Values{1, back[1], 0}) && !math.IsNaN(back[1]) || len(back) != 3 {
		t.Errorf("%s becomes %v", text, back)
	}
}

// examples are the requests of a document, each with the answer below it.
var examples = regexp.MustCompile("(?m)^    curl -s [^\n]*http://[^/\n]*(/\\S*)\n\n```json\n((?s:.*?))^```$")

// TestExamples runs the examples of docs/api.md: the answers have all that is printed there.
func TestExamples(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "api.md"))
	check.Must(t, err)
	for _, r := range routes {
		if !strings.Contains(string(text), "| `"+Prefix+r.path+"` |") {
			t.Errorf("docs/api.md has no %s", r.path)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		h, found := Handler(source(t)), examples.FindAllStringSubmatch(string(text), -1)
		for _, x := range found {
			w := ask(h, x[1])
			var want, got any
			check.Must(t, json.Unmarshal([]byte(x[2]), &want))
			check.Must(t, json.Unmarshal(w.Body.Bytes(), &got))
			if missing := lacks(got, want, ""); missing != "" {
				t.Errorf("%s: %s", x[1], missing)
			}
		}
		if len(found) < 5 {
			t.Errorf("%d examples", len(found))
		}
	})
}

// lacks says where got has not what want has; "": nowhere. An element of a list is anywhere
// in it.
func lacks(got, want any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		m, _ := got.(map[string]any)
		for key, x := range want {
			if v, has := m[key]; !has {
				return at + "." + key + " is not there"
			} else if missing := lacks(v, x, at+"."+key); missing != "" {
				return missing
			}
		}
	case []any:
		list, _ := got.([]any)
		for _, x := range want {
			if !slices.ContainsFunc(list, func(v any) bool { return lacks(v, x, at) == "" }) {
				return fmt.Sprintf("%s has no %v", at, x)
			}
		}
	default:
		if got != want {
			return fmt.Sprintf("%s is %v, not %v", at, got, want)
		}
	}
	return ""
}

// TestETagOfClocks: the times in an answer are those of what was read, to the nanosecond,
// however the clocks of this host differ.
func TestETagOfClocks(t *testing.T) {
	h := thousand()
	tag := ask(h, Prefix+"/hsms/hsm0500").Header().Get("ETag")
	for range 100 {
		if again := ask(h, Prefix+"/hsms/hsm0500").Header().Get("ETag"); again != tag {
			t.Fatalf("%s becomes %s", tag, again)
		}
	}
}
