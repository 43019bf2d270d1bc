package receivers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// checkServiceNow holds a request to the documentation of event collection by web
// service.
func checkServiceNow(r *http.Request, body []byte) error {
	var all struct {
		Records []struct {
			Source         string `json:"source"`
			EventClass     string `json:"event_class"`
			Node           string `json:"node"`
			Resource       string `json:"resource"`
			MetricName     string `json:"metric_name"`
			Type           string `json:"type"`
			Severity       string `json:"severity"`
			MessageKey     string `json:"message_key"`
			TimeOfEvent    string `json:"time_of_event"`
			Description    string `json:"description"`
			AdditionalInfo string `json:"additional_info"`
		} `json:"records"`
	}
	user, password, isBasic := r.BasicAuth()
	switch err := strict(body, &all); {
	case err != nil:
		return err
	case r.Method != http.MethodPost || r.URL.Path != "/api/global/em/jsonv2" || r.Header.Get("Content-Type") != "application/json":
		return errors.New("not a POST of JSON to the endpoint")
	case isBasic && (user != "u" || password != theSecret+"-password") || !isBasic && r.Header.Get("Authorization") != "Bearer "+theSecret+"-token":
		return errors.New("no user and no token")
	case len(all.Records) == 0:
		return errors.New("no records")
	}
	for _, e := range all.Records {
		_, wrongTime := time.Parse("2006-01-02 15:04:05", e.TimeOfEvent)
		var info map[string]string
		wrongInfo := json.Unmarshal([]byte(e.AdditionalInfo), &info)
		if e.Source == "" || e.Node == "" || e.Type == "" || e.MessageKey == "" || len(e.MessageKey) > 1024 || wrongTime != nil || wrongInfo != nil ||
			!slices.Contains([]string{"0", "1", "2", "3", "4", "5"}, e.Severity) || utf8.RuneCountInString(e.Description) > 4000 {
			return fmt.Errorf("%+v", e)
		}
	}
	return nil
}

// eventsOf returns the events that a peer has recorded.
func eventsOf(t *testing.T, s site) (list []emEvent) {
	t.Helper()
	for _, line := range gotten(s) {
		var all struct{ Records []emEvent }
		if err := json.Unmarshal([]byte(line), &all); err != nil {
			t.Fatal(err)
		}
		list = append(list, all.Records...)
	}
	return list
}

// TestServiceNow: all that happens to an alarm has one message_key, and severity 0
// clears it.
func TestServiceNow(t *testing.T) {
	s := newSite(t, subject{})
	inProcess(checkServiceNow)(s)
	x := &ServiceNow{URL: s.url("/api/global/em/jsonv2"), BearerTokenFile: s.secret("token")}
	var list []alarms.Notification
	want := []string{"2", "2", "2", "2", "2", "0"}
	for _, k := range []alarms.Kind{alarms.Raised, alarms.Updated, alarms.Repeated, alarms.Acknowledged, alarms.Unacknowledged, alarms.Cleared} {
		list = append(list, alarmstest.Complete(k))
	}
	for severity, number := range map[alarms.Severity]string{alarms.None: "2", alarms.Indeterminate: "3", alarms.Warning: "4", alarms.Minor: "3", alarms.Critical: "1"} {
		n := alarmstest.Complete(alarms.Raised)
		n.Change.Alarm.Severity = severity
		list, want = append(list, n), append(want, number)
	}
	if err := x.NotifyAll(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	got := eventsOf(t, s)
	for i, e := range got {
		if e.MessageKey != got[0].MessageKey || e.Severity != want[i] || e.Node != "hsm-a" || e.MetricName != "partition-storage" || e.Resource != `p "1" é]` || e.Time != "2026-03-01 12:01:10" {
			t.Errorf("%d: %+v, want severity %s", i, e, want[i])
		}
	}
	if len(gotten(s)) != 1 || len(got) != len(want) {
		t.Errorf("%d requests, %d events of %d", len(gotten(s)), len(got), len(want))
	}
}

// TestServiceNowOfTheAgent: what is about the agent is of its host, and a heartbeat
// is no alert.
func TestServiceNowOfTheAgent(t *testing.T) {
	s := newSite(t, subject{})
	inProcess(checkServiceNow)(s)
	x := &ServiceNow{URL: s.url("/api/global/em/jsonv2"), BearerTokenFile: s.secret("token")}
	own := alarmstest.Complete(alarms.Raised)
	own.Change.Alarm.Device = alarms.Self
	if err := x.NotifyAll(t.Context(), []alarms.Notification{own, alarmstest.Complete(alarms.Heartbeat)}); err != nil {
		t.Fatal(err)
	}
	got := eventsOf(t, s)
	if got[0].Node != notify.Hostname() || got[1].Node != notify.Hostname() || got[1].Severity != "5" || got[1].MessageKey == got[0].MessageKey {
		t.Errorf("%+v", got)
	}
}

// TestServiceNowPage: a login, or an instance that sleeps, has taken nothing.
func TestServiceNowPage(t *testing.T) {
	for said, want := range map[string]string{
		"\n<html>Your instance is hibernating</html>":              "a page for people",
		`{"result":{"Default Bulk Endpoint":"1 events inserted"}}`: "",
		"": "",
	} {
		s := newSite(t, subject{})
		serveHTTP(s, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, said) })
		err := (&ServiceNow{URL: s.url("/"), BearerTokenFile: s.secret("token")}).Notify(t.Context(), alarmstest.Complete(alarms.Raised))
		if rejected := (*notify.Rejected)(nil); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || errors.As(err, &rejected) {
			t.Errorf("%q: %v", said, err)
		}
	}
}
