package receivers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

var opsPath = regexp.MustCompile(`^/v2/alerts/[A-Za-z0-9_-]{1,512}/(close|acknowledge|unacknowledge|notes|priority|message|description)$`)

// checkOpsgenie holds a request to the documentation of the Alert API and the
// Heartbeat API.
func checkOpsgenie(r *http.Request, body []byte) error {
	if r.Header.Get("Authorization") != "GenieKey "+theSecret+"-key" || r.Header.Get("Content-Type") != "application/json" {
		return errors.New("no GenieKey, or no JSON")
	}
	tooLong := func(s string, most int) bool { return utf8.RuneCountInString(s) > most }
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/v2/heartbeats/lunawatch/ping":
		return nil
	case r.Method == http.MethodPost && r.URL.Path == "/v2/alerts":
		var a struct {
			Message, Alias, Description, Entity, Source, Priority, User, Note string
			Details                                                           map[string]string
			Tags                                                              []string
		}
		err := strict(body, &a)
		if err != nil || a.Message == "" || tooLong(a.Message, 130) || a.Alias == "" || tooLong(a.Alias, 512) || tooLong(a.Description, 15000) ||
			tooLong(a.Entity, 512) || tooLong(a.Source, 100) || !regexp.MustCompile(`^P[1-5]$`).MatchString(a.Priority) {
			return fmt.Errorf("alert: %w", err)
		}
		return nil
	case !opsPath.MatchString(r.URL.Path) || r.URL.Query().Get("identifierType") != "alias":
		return errors.New("no such resource")
	case r.Method == http.MethodPut:
		var p struct{ Priority, Message, Description string }
		if err := strict(body, &p); err != nil || strings.HasSuffix(r.URL.Path, "/priority") && !regexp.MustCompile(`^P[1-5]$`).MatchString(p.Priority) ||
			strings.HasSuffix(r.URL.Path, "/message") && (p.Message == "" || tooLong(p.Message, 130)) || strings.HasSuffix(r.URL.Path, "/description") && (p.Description == "" || tooLong(p.Description, 15000)) {
			return fmt.Errorf("change: %w", err)
		}
	default:
		var n struct{ User, Source, Note string }
		if err := strict(body, &n); err != nil || r.Method != http.MethodPost || tooLong(n.User, 100) || tooLong(n.Source, 100) || tooLong(n.Note, 25000) {
			return fmt.Errorf("note: %w", err)
		}
	}
	return nil
}

func TestOpsgenie(t *testing.T) {
	s := newSite(t, subject{})
	var asked []string
	inProcess(func(r *http.Request, body []byte) error {
		asked = append(asked, r.Method+" "+strings.ReplaceAll(r.URL.Path, notify.Dedup(alarmstest.Complete(alarms.Raised)), "X"))
		return checkOpsgenie(r, body)
	})(s)
	o := &Opsgenie{URL: s.url("/"), APIKeyFile: s.secret("key"), HeartbeatName: "lunawatch"}
	for _, k := range []alarms.Kind{alarms.Raised, alarms.Updated, alarms.Repeated, alarms.Acknowledged, alarms.Unacknowledged, alarms.Cleared, alarms.Started, alarms.Heartbeat} {
		if err := o.Notify(t.Context(), alarmstest.Complete(k)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"POST /v2/alerts", "POST /v2/alerts", "PUT /v2/alerts/X/message", "PUT /v2/alerts/X/description", "PUT /v2/alerts/X/priority", "POST /v2/alerts", "POST /v2/alerts/X/acknowledge",
		"POST /v2/alerts/X/unacknowledge", "POST /v2/alerts/X/close", "POST /v2/heartbeats/lunawatch/ping", "POST /v2/heartbeats/lunawatch/ping"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
	var a opsAlert
	if err := json.Unmarshal([]byte(gotten(s)[0]), &a); err != nil || a.Alias != notify.Dedup(alarmstest.Complete(alarms.Cleared)) || a.Priority != "P2" || a.Entity != "hsm-a" {
		t.Errorf("%+v, %v", a, err)
	}
	long := alarmstest.Complete(alarms.Raised)
	long.Change.Alarm.Text, long.Change.Alarm.Test = strings.Repeat("€", 20000), true
	if err := o.Notify(t.Context(), long); err != nil {
		t.Error(err)
	}
	got := gotten(s)
	if err := json.Unmarshal([]byte(got[len(got)-1]), &a); err != nil || !strings.HasPrefix(a.Message, "TEST: ") || len(a.Tags) != 1 {
		t.Errorf("a test: %+v, %v", a, err)
	}
}
