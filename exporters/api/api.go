// Package api answers programs: JSON under /api/v1/, described by an OpenAPI document that
// is made of the same table of routes and types. What operators do, it has package act do.
package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/exporters/act"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/hsm"
)

// Prefix is where the routes are.
const Prefix = "/api/v1"

// A Source is what is asked for answers.
type Source struct {
	Snapshot   func() *hsm.Snapshot
	Active     func() []alarms.Active                 // worst first
	Cleared    func(most int) ([]alarms.Alarm, error) // newest first
	Silences   func() []alarms.Silence                // by their end
	Deliveries func() map[string]notify.Delivery      // by receiver
	Agent      func() Agent                           // but for what the others know
	History    *history.Store
	Now        func() time.Time

	Who  act.Who // may change something, and who is it
	Desk act.Desk
}

// A route is a method and a path, and what is answered there.
type route struct {
	method, path string
	summary      string
	parameters   []parameter  // besides those in the path
	takes        reflect.Type // its body; nil: none
	returns      reflect.Type
	answer       func(Source, *http.Request) (any, error)
}

// A parameter of a route is in its query.
type parameter struct{ name, description string }

// get returns the route of an answer that changes nothing.
func get[T any](path, summary string, answer func(Source, *http.Request) (T, error), query ...parameter) route {
	return route{http.MethodGet, path, summary, query, nil, reflect.TypeFor[T](),
		func(s Source, r *http.Request) (any, error) { return answer(s, r) }}
}

// routes are all of them, in the order of the document.
var routes = slices.Concat(reads, acts)

// reads are the routes that change nothing.
var reads = []route{
	get("/estate", "How every device is, worst first.", estate),
	get("/hsms", "How every HSM is, worst first.", hsms),
	get("/hsms/{name}", "All that is known of one HSM or host, by its configured name or serial number.", one),
	get("/hsms/{name}/history", "What was measured in the last 24 hours: null where nothing was read.", measured,
		parameter{"measure", "one of them, such as battery_volts; without it, all that were read"}),
	get("/hsms/{name}/days", "The worst state of each of the last 720 hours, oldest first.", days),
	get("/ha", "The HA groups, as the client on each host sees them.", ha),
	get("/alarms", "The active alarms, worst first.", active),
	get("/alarms/history", "The cleared alarms, newest first.", cleared, parameter{"most", fmt.Sprintf("how many at most, 1 to %d; without it, %d", mostCleared, someCleared)}),
	get("/alarms/{number}", "One alarm, active or cleared.", alarm),
	get("/silences", "The active and the future silences, by their end.", silences),
	get("/receivers", "What each receiver took, and what waits for it.", receivers),
	get("/agent", "The agent itself.", agent),
}

// An errorAnswer is the body of an answer that is not 200 or 304.
type errorAnswer struct {
	Error string `json:"error"` // what is wrong, and what to do
}

// A refusal is an error with its status.
type refusal struct {
	status int
	text   string
}

// Error implements error.
func (r refusal) Error() string { return r.text }

func refuse(status int, format string, args ...any) error {
	return refusal{status, fmt.Sprintf(format, args...)}
}

// Handler serves all routes, and the document that describes them.
func Handler(s Source) http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.method+" "+Prefix+r.path, func(w http.ResponseWriter, req *http.Request) {
			if r.takes != nil { // a test of the receivers may take longer than the server gives an answer
				_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(act.LongestTest + time.Minute))
			}
			v, err := r.answer(s, req)
			if err != nil {
				fail(w, err)
				return
			}
			body, err := json.Marshal(v)
			if err != nil {
				fail(w, err)
				return
			}
			if r.method != http.MethodGet {
				sent(w, body)
				return
			}
			reply(w, req, body)
		})
	}
	mux.HandleFunc("GET "+Prefix+"/openapi.json", func(w http.ResponseWriter, r *http.Request) { reply(w, r, Document()) })
	mux.HandleFunc("/", stranger())
	return mux
}

// stranger answers what is not a route: whether it is one of another method.
func stranger() http.HandlerFunc {
	methods, paths := make(map[string][]string), http.NewServeMux()
	for _, r := range routes {
		at := Prefix + r.path
		if methods[at] == nil {
			paths.HandleFunc(at, http.NotFound)
		}
		methods[at] = append(methods[at], r.method)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		_, at := paths.Handler(r)
		if allowed := methods[at]; allowed != nil {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			fail(w, refuse(http.StatusMethodNotAllowed, "%s is not for %s", r.URL.Path, r.Method))
			return
		}
		fail(w, refuse(http.StatusNotFound, "nothing is at %s; %s/openapi.json has all routes", r.URL.Path, Prefix))
	}
}

// sent answers an act with a body.
func sent(w http.ResponseWriter, body []byte) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

// reply answers with a body, or with 304 if who asks has it. A body has no time but those
// of what it is about, so that an estate in which nothing changes is one body.
func reply(w http.ResponseWriter, r *http.Request, body []byte) {
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if has(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

// has reports whether one of the tags of If-None-Match is tag, or is any.
func has(lists []string, tag string) bool {
	for t := range strings.SplitSeq(strings.Join(lists, ","), ",") {
		if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == tag || t == "*" {
			return true
		}
	}
	return false
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if r := (refusal{}); errors.As(err, &r) {
		status = r.status
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(errorAnswer{err.Error()})
}
