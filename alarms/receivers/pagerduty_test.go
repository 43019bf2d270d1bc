package receivers

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// checkPagerDuty holds a request to the documentation of Events API v2.
func checkPagerDuty(r *http.Request, body []byte) error {
	if r.URL.Path == "/v2/change/enqueue" {
		return checkPagerChange(r, body)
	}
	var e struct {
		RoutingKey  string `json:"routing_key"`
		EventAction string `json:"event_action"`
		DedupKey    string `json:"dedup_key"`
		Client      string `json:"client"`
		ClientURL   string `json:"client_url"`
		Links       []struct {
			Href string `json:"href"`
			Text string `json:"text"`
		} `json:"links"`
		Payload struct {
			Summary       string          `json:"summary"`
			Source        string          `json:"source"`
			Severity      string          `json:"severity"`
			Timestamp     time.Time       `json:"timestamp"`
			Component     string          `json:"component"`
			Group         string          `json:"group"`
			Class         string          `json:"class"`
			CustomDetails json.RawMessage `json:"custom_details"`
		} `json:"payload"`
	}
	err := strict(body, &e)
	p := e.Payload
	switch {
	case err != nil:
		return err
	case r.Method != http.MethodPost || r.URL.Path != "/v2/enqueue" || r.Header.Get("Content-Type") != "application/json":
		return errors.New("not a POST of JSON to /v2/enqueue")
	case len(e.RoutingKey) != 32 && e.RoutingKey != theSecret+"-key-0000":
		return errors.New("routing_key is not one of 32 characters")
	case !slices.Contains([]string{"trigger", "acknowledge", "resolve"}, e.EventAction):
		return fmt.Errorf("event_action %q", e.EventAction)
	case e.DedupKey == "" || len(e.DedupKey) > 255:
		return fmt.Errorf("dedup_key %q", e.DedupKey)
	case p.Summary == "" || utf8.RuneCountInString(p.Summary) > 1024 || p.Source == "":
		return errors.New("summary or source")
	case !slices.Contains([]string{"critical", "error", "warning", "info"}, p.Severity):
		return fmt.Errorf("severity %q", p.Severity)
	case len(body) > 512<<10:
		return errors.New("more than 512 KB")
	}
	return nil
}

func TestPagerDuty(t *testing.T) {
	s := newSite(t, subject{})
	inProcess(checkPagerDuty)(s)
	p := &PagerDuty{URL: s.url("/v2/enqueue"), RoutingKeyFile: s.secret("key-0000")}
	keys := make(map[string]bool)
	for _, x := range []struct {
		kind   alarms.Kind
		action string
	}{{alarms.Raised, "trigger"}, {alarms.Updated, "trigger"}, {alarms.Repeated, "trigger"}, {alarms.Acknowledged, "acknowledge"}, {alarms.Unacknowledged, "trigger"}, {alarms.Cleared, "resolve"}, {alarms.Started, ""}, {alarms.Heartbeat, ""}} {
		before := len(gotten(s))
		if err := p.Notify(t.Context(), alarmstest.Complete(x.kind)); err != nil {
			t.Fatal(err)
		}
		got := gotten(s)[before:]
		if x.action == "" {
			if len(got) != 0 {
				t.Errorf("%s: sent %s", x.kind, got)
			}
			continue
		}
		var e pagerEvent
		if err := json.Unmarshal([]byte(got[0]), &e); err != nil || e.Action != x.action || e.Payload.Severity != "error" || e.Payload.Class != "partition-storage" {
			t.Errorf("%s: %+v, %v", x.kind, e, err)
		}
		keys[e.DedupKey] = true
	}
	if len(keys) != 1 {
		t.Errorf("one alarm is %d incidents", len(keys))
	}
	long := alarmstest.Complete(alarms.Raised)
	long.Change.Alarm.Text = strings.Repeat("€", 5000)
	long.Change.Alarm.Test, long.Change.Alarm.Object = true, strings.Repeat("o", 400)
	if err := p.Notify(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	var e pagerEvent
	got := gotten(s)
	if err := json.Unmarshal([]byte(got[len(got)-1]), &e); err != nil || keys[e.DedupKey] || !strings.HasPrefix(e.Payload.Summary, "TEST: MAJOR hsm-a") || e.Payload.Details["test"] != "true" {
		t.Errorf("a test: %+v, %v", e.Payload.Details, err)
	}
	for severity, want := range map[alarms.Severity]string{alarms.None: "error", alarms.Indeterminate: "error", alarms.Warning: "warning", alarms.Minor: "warning", alarms.Major: "error", alarms.Critical: "critical"} {
		if got := cmp.Or(pagerSeverities[severity], "?"); got != want {
			t.Errorf("%s: %s", severity, got)
		}
	}
}

// TestPagerDutyLinks: where there is more is in the event, and nothing where
// there is not.
func TestPagerDutyLinks(t *testing.T) {
	s := newSite(t, subject{})
	inProcess(checkPagerDuty)(s)
	p := &PagerDuty{URL: s.url("/v2/enqueue"), RoutingKeyFile: s.secret("key-0000")}
	for _, x := range []struct {
		words notify.Words
		want  []pagerLink
	}{
		{notify.Words{}, nil},
		{notify.Words{ExternalURL: "https://l.example.net"}, []pagerLink{{"https://l.example.net/runbooks/partition-storage", "Runbook"}, {"https://l.example.net/#alarm-7", "Status page"}}},
		{notify.Words{ExternalURL: "https://l.example.net", RunbookURL: "https://w.example.net/"}, []pagerLink{{"https://w.example.net/partition-storage", "Runbook"}, {"https://l.example.net/#alarm-7", "Status page"}}},
	} {
		p.Words = x.words
		if err := p.Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err != nil {
			t.Fatal(err)
		}
		var e pagerEvent
		got := gotten(s)
		if err := json.Unmarshal([]byte(got[len(got)-1]), &e); err != nil || !slices.Equal(e.Links, x.want) || (e.ClientURL == "") != (x.words.ExternalURL == "") {
			t.Errorf("%+v: %+v, %v", x.words, e, err)
		}
	}
}
