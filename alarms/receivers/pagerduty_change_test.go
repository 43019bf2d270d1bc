package receivers

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/check"
)

// checkPagerChange holds a request to the documentation of change events.
func checkPagerChange(r *http.Request, body []byte) error {
	var e struct {
		RoutingKey string `json:"routing_key"`
		Links      []struct {
			Href string `json:"href"`
			Text string `json:"text"`
		} `json:"links"`
		Payload struct {
			Summary       string            `json:"summary"`
			Source        string            `json:"source"`
			Timestamp     time.Time         `json:"timestamp"`
			CustomDetails map[string]string `json:"custom_details"`
		} `json:"payload"`
	}
	p := &e.Payload
	switch err := strict(body, &e); {
	case err != nil:
		return err
	case r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json":
		return errors.New("not a POST of JSON")
	case e.RoutingKey == "" || p.Summary == "" || utf8.RuneCountInString(p.Summary) > 1024 || p.Source == "" || p.Timestamp.IsZero():
		return errors.New("routing_key, summary, source or timestamp")
	}
	return nil
}

// TestPagerDutyChanges: what says that somebody changed something is a change event,
// once, and an incident as well only if it is critical.
func TestPagerDutyChanges(t *testing.T) {
	const incident, change = "/v2/enqueue", "/v2/change/enqueue"
	s := newSite(t, subject{})
	var paths []string
	serveHTTP(s, func(_ http.ResponseWriter, r *http.Request) { paths = append(paths, r.URL.Path) })
	restarted, firmware, policy := alarms.Key{Group: "hsm-restarted"}, alarms.Key{Group: "inventory", Object: "firmware"}, alarms.Key{Group: "audit-change", Object: "LUNA_SET_DESTRUCTIVE_HSM_POLICY p1"}
	for _, x := range []struct {
		key      alarms.Key
		severity alarms.Severity
		kind     alarms.Kind
		changes  bool
		level    notify.Level
		want     []string
	}{
		{restarted, alarms.Minor, alarms.Raised, true, notify.LevelFull, []string{change}},
		{restarted, alarms.Minor, alarms.RaisedAndCleared, true, notify.LevelFull, []string{change}},
		{restarted, alarms.Minor, alarms.Repeated, true, notify.LevelFull, nil},
		{restarted, alarms.Minor, alarms.Acknowledged, true, notify.LevelFull, nil},
		{restarted, alarms.Minor, alarms.Cleared, true, notify.LevelFull, []string{incident}}, // it may have been critical
		{restarted, alarms.Critical, alarms.Updated, true, notify.LevelFull, []string{incident}},
		{restarted, alarms.Minor, alarms.Raised, true, notify.LevelCoded, []string{change}},
		{restarted, alarms.Minor, alarms.Raised, true, notify.LevelCategory, []string{incident}},
		{restarted, alarms.Minor, alarms.Raised, false, notify.LevelFull, []string{incident}},
		{firmware, alarms.Major, alarms.Raised, true, notify.LevelFull, []string{change}},
		{policy, alarms.Critical, alarms.Raised, true, notify.LevelFull, []string{incident, change}},
		{policy, alarms.Critical, alarms.Acknowledged, true, notify.LevelFull, []string{incident}},
		{alarms.Key{Group: "inventory", Object: "serial"}, alarms.Major, alarms.Raised, true, notify.LevelFull, []string{incident}},
		{alarms.Key{Group: "audit-change", Object: "LUNA_DELETE_CONTAINER p1"}, alarms.Critical, alarms.Raised, true, notify.LevelFull, []string{incident}},
	} {
		paths = nil
		n := alarmstest.Complete(x.kind)
		n.Change.Alarm.Group, n.Change.Alarm.Object, n.Change.Alarm.Severity = x.key.Group, x.key.Object, x.severity
		p := &PagerDuty{URL: s.url(incident), RoutingKeyFile: s.secret("key"), Changes: x.changes}
		if err := p.Notify(t.Context(), notify.Policy{Level: x.level}.Limit(n)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(paths, x.want) {
			t.Errorf("%+v: %q", x, paths)
		}
	}
}

// TestPagerDutyChangeSays: a change event says what the alarm says, to its level.
func TestPagerDutyChangeSays(t *testing.T) {
	s := newSite(t, subject{})
	inProcess(checkPagerDuty)(s)
	p := &PagerDuty{URL: s.url("/v2/enqueue"), RoutingKeyFile: s.secret("key-0000"), Changes: true, Words: notify.Words{ExternalURL: "https://l.example.net"}}
	n := alarmstest.Complete(alarms.Raised)
	n.Change.Alarm.Group, n.Change.Alarm.Object, n.Change.Alarm.Severity, n.Change.Alarm.Text = "hsm-restarted", "", alarms.Minor, "the HSM has restarted: it is up for 4m0s"
	for _, level := range []notify.Level{notify.LevelFull, notify.LevelCoded} {
		if err := p.Notify(t.Context(), notify.Policy{Level: level}.Limit(n)); err != nil {
			t.Fatal(err)
		}
	}
	got := gotten(s)
	if len(got) != 2 || !strings.Contains(got[0], "up for 4m0s") || !strings.Contains(got[0], "#alarm-7") || !strings.Contains(got[1], "HSM restarted") || strings.Contains(got[1], "4m0s") || strings.Contains(got[1], "payments") {
		t.Errorf("%q", got)
	}
	var b strings.Builder
	for _, body := range got {
		b.WriteString(indented([]byte(body)) + "\n")
	}
	check.Golden(t, "samples/pagerduty-changes.txt", []byte(strings.ReplaceAll(b.String(), theSecret, "SECRET")))
}

// TestPagerChangesExist: each is a group of alarms.
func TestPagerChangesExist(t *testing.T) {
	for _, c := range pagerChanges {
		if alarms.GroupNamed(c.group).Name != c.group {
			t.Errorf("%s is not a group of alarms", c.group)
		}
	}
}
