package receivers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// checkJSM holds a request to the documents of the integration events and of the
// heartbeats of Jira Service Management, and to those of Opsgenie for the rest.
func checkJSM(r *http.Request, body []byte) error {
	user, token, _ := r.BasicAuth()
	if path, ours := strings.CutPrefix(r.URL.Path, "/jsm/ops/integration"); ours {
		r.URL.Path = path
		return checkOpsgenie(r, body)
	}
	if r.Method != http.MethodGet || r.URL.Path != "/jsm/ops/api/cloud-1/v1/teams/team-1/heartbeats/ping" || r.URL.Query().Get("name") != "luna watch" ||
		user != "noc@example.net" || token != theSecret+"-token" {
		return errors.New("not a ping")
	}
	return nil
}

func testedJSM(s site) *JSM {
	return &JSM{URL: s.url("/jsm/ops/"), APIKeyFile: s.secret("key"), HTTP: s.http(),
		Ping: JSMPing{Name: "luna watch", CloudID: "cloud-1", TeamID: "team-1", User: "noc@example.net", TokenFile: s.secret("token")}}
}

// TestJSM has a service that knows only what its documents have, as one that
// knows all that Opsgenie does.
func TestJSM(t *testing.T) {
	for _, status := range []int{http.StatusAccepted, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusBadRequest} {
		s := newSite(t, subject{})
		var asked, messages []string
		serveHTTP(s, func(w http.ResponseWriter, r *http.Request) {
			name := strings.TrimPrefix(r.URL.Path, "/jsm/ops")
			asked = append(asked, r.Method+" "+strings.ReplaceAll(name, notify.Dedup(alarmstest.Complete(alarms.Raised)), "X"))
			var body struct{ Note string }
			if err := json.NewDecoder(r.Body).Decode(&body); err == nil && strings.HasSuffix(name, "/notes") {
				messages = append(messages, body.Note)
			}
			if r.Method == http.MethodPut || strings.HasSuffix(name, "/unacknowledge") {
				w.WriteHeader(status)
			}
		})
		for _, k := range []alarms.Kind{alarms.Raised, alarms.Updated, alarms.Acknowledged, alarms.Unacknowledged, alarms.Cleared, alarms.Heartbeat} {
			if err := testedJSM(s).Notify(t.Context(), alarmstest.Complete(k)); err != nil {
				t.Errorf("%d, %s: %v", status, k, err)
			}
		}
		const alerts = "/integration/v2/alerts"
		want := []string{"POST " + alerts, "POST " + alerts, "POST " + alerts + "/X/notes", "PUT " + alerts + "/X/message", "PUT " + alerts + "/X/description", "PUT " + alerts + "/X/priority",
			"POST " + alerts + "/X/acknowledge", "POST " + alerts + "/X/notes", "POST " + alerts + "/X/unacknowledge", "POST " + alerts + "/X/close", "GET /api/cloud-1/v1/teams/team-1/heartbeats/ping"}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("%d:\n%s", status, diff)
		}
		if len(messages) != 2 || !strings.Contains(messages[0], "now major") || !strings.Contains(messages[1], "acknowledgement withdrawn") {
			t.Errorf("%d: notes %q", status, messages)
		}
	}
}

// TestJSMRetries: what is about the key or the moment is retried, in every
// request.
func TestJSMRetries(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusInternalServerError} {
		s := newSite(t, subject{})
		serveHTTP(s, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				w.WriteHeader(status)
			}
		})
		err := testedJSM(s).Notify(t.Context(), alarmstest.Complete(alarms.Updated))
		if rejected := (*notify.Rejected)(nil); err == nil || errors.As(err, &rejected) || !strings.Contains(err.Error(), fmt.Sprint(status)) {
			t.Errorf("%d: %v", status, err)
		}
	}
}
