package receivers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
)

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// checkAlerts holds a request to the OpenAPI document of API v2.
func checkAlerts(r *http.Request, body []byte) error {
	var list []struct {
		Labels, Annotations map[string]string
		StartsAt, EndsAt    time.Time
		GeneratorURL        string
	}
	err := strict(body, &list)
	switch {
	case err != nil:
		return err
	case r.Method != http.MethodPost || r.URL.Path != "/api/v2/alerts" || r.Header.Get("Content-Type") != "application/json" || len(list) == 0:
		return errors.New("not a POST of alerts")
	case !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "+theSecret) && !strings.HasPrefix(r.Header.Get("Authorization"), "Basic "):
		return errors.New("no authorization")
	}
	for _, a := range list {
		if a.Labels["alertname"] == "" || a.EndsAt.Before(a.StartsAt) {
			return fmt.Errorf("%+v", a)
		}
		for name := range a.Labels {
			if !labelName.MatchString(name) {
				return fmt.Errorf("label %q", name)
			}
		}
	}
	return nil
}

func startAlertmanager(s site) {
	s.t.Helper()
	config := filepath.Join(s.dir, "alertmanager.yml")
	alarmstest.Overwrite(s.t, config, "route: {receiver: none}\nreceivers: [{name: none}]\n")
	daemon(s.t, realPeer(s.t, "prometheus-alertmanager", "prometheus-alertmanager"), "--config.file="+config, "--storage.path="+s.dir,
		"--web.listen-address="+s.address, "--cluster.listen-address=", "--data.retention=1h")
	listens(s)
	await(s.t, "readiness", func() bool {
		r, err := http.Get(s.url("/-/ready"))
		if err == nil {
			r.Body.Close()
		}
		return err == nil && r.StatusCode == http.StatusOK
	})
}

// active returns the alerts of a real Alertmanager: alertname, severity and
// object of each.
func active(s site) (list []string) {
	s.t.Helper()
	r, err := http.Get(s.url("/api/v2/alerts?active=true"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	var alerts []alert
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
		s.t.Fatal(err)
	}
	for _, a := range alerts {
		list = append(list, strings.Join([]string{a.Labels["alertname"], a.Labels["severity"], a.Labels["object"]}, " "))
	}
	return list
}

// TestAlertmanager has a real one follow the life of an alarm.
func TestAlertmanager(t *testing.T) {
	t.Parallel()
	s := newSite(t, subject{})
	startAlertmanager(s)
	m := (&Alertmanager{URLs: []string{s.url("")}, GeneratorURL: "https://lunawatch.example.net/"}).Peers()[0]
	key := alarms.Key{Device: "hsm-a", Group: "ha-member", Object: "g/1"}
	now := time.Now()
	step := func(k alarms.Kind, severity alarms.Severity, want string) {
		t.Helper()
		a := alarms.Alarm{Key: key, Severity: severity, Text: "a member is gone", Raised: now.Add(-time.Minute)}
		if k == alarms.Cleared {
			a.Cleared = now
		}
		if err := m.Notify(t.Context(), alarms.Notification{ID: "1", At: now, Change: alarms.Change{Kind: k, Alarm: a}}); err != nil {
			t.Fatal(err)
		}
		await(t, string(k)+" at "+severity.String(), func() bool { return strings.Join(active(s), ", ") == want })
	}
	step(alarms.Raised, alarms.Minor, "ha-member minor g/1")
	step(alarms.Updated, alarms.Critical, "ha-member critical g/1") // not two alerts
	step(alarms.Repeated, alarms.Critical, "ha-member critical g/1")
	step(alarms.Acknowledged, alarms.Critical, "ha-member critical g/1")
	step(alarms.Cleared, alarms.Critical, "")
	m.Lasts = 3 * time.Second
	step(alarms.Raised, alarms.Warning, "ha-member warning g/1") // and again
	await(t, "an alert that is not sent again", func() bool { return len(active(s)) == 0 })
	if err := m.Notify(t.Context(), alarmstest.Complete(alarms.Heartbeat)); err != nil {
		t.Fatal(err)
	}
	await(t, "a sign of life", func() bool { return strings.Join(active(s), ", ") == "Lunawatch none " })
}

// TestAlertmanagerTogether: one request holds all alerts, and what the peer says
// of it is passed on.
func TestAlertmanagerTogether(t *testing.T) {
	for _, x := range []struct {
		status      int
		after, want string
	}{
		{200, "", ""}, {500, "", "again"}, {503, "120", "after 2m0s"}, {429, "30", "after 30s"}, {429, "", "again"}, {503, "soon", "again"}, {400, "", "rejected"},
	} {
		var alerts []alert
		s := newSite(t, subject{})
		serveHTTP(s, func(w http.ResponseWriter, r *http.Request) {
			if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
				t.Error(err)
			}
			w.Header().Set("Retry-After", x.after)
			w.WriteHeader(x.status)
		})
		p := (&Alertmanager{URLs: []string{s.url("")}}).Peers()[0]
		err := p.NotifyAll(t.Context(), []alarms.Notification{alarmstest.Complete(alarms.Raised), alarmstest.Complete(alarms.Heartbeat), alarmstest.Complete(alarms.RaisedAndCleared)})
		got, rejected, later := "", (*notify.Rejected)(nil), (*notify.Later)(nil)
		switch {
		case errors.As(err, &rejected):
			got = "rejected"
		case errors.As(err, &later):
			got = "after " + later.After.String()
		case err != nil:
			got = "again"
		}
		if got != x.want || len(alerts) != 3 {
			t.Errorf("%d: %q (%v), %d alerts", x.status, got, err, len(alerts))
		}
	}
}

// TestAlertLabels: nothing that changes while an alarm is active is a label,
// except its severity.
func TestAlertLabels(t *testing.T) {
	m := &Alertmanager{}
	first := fmt.Sprint(m.alerts(alarmstest.Complete(alarms.Raised), alarmstest.At(0))[0].Labels)
	for _, k := range []alarms.Kind{alarms.Updated, alarms.Repeated, alarms.Acknowledged, alarms.Unacknowledged, alarms.Cleared} {
		n := alarmstest.Complete(k)
		n.Change.Alarm.Codes, n.Change.Alarm.Text, n.Label, n.Change.Alarm.Count = nil, "other", "other", 99
		if got := fmt.Sprint(m.alerts(n, alarmstest.At(0))[0].Labels); got != first {
			t.Errorf("%s: %s, not %s", k, got, first)
		}
	}
	linked := &Alertmanager{Words: notify.Words{ExternalURL: "https://l.example.net", RunbookURL: "https://w.example.net/{group}"}}
	if got := linked.alerts(alarmstest.Complete(alarms.Raised), alarmstest.At(0))[0]; fmt.Sprint(got.Labels) != first || got.Annotations["link"] != "https://l.example.net/#alarm-7" ||
		got.Annotations["runbook_url"] != "https://w.example.net/partition-storage" {
		t.Errorf("links: %+v", got)
	}
	for _, k := range []alarms.Kind{alarms.Raised, alarms.Cleared, alarms.Heartbeat} {
		if got := m.alerts(alarmstest.Complete(k), alarmstest.At(0))[0].Labels["service"]; got != "luna" {
			t.Errorf("%s: service %q", k, got)
		}
	}
	if got := m.alerts(alarmstest.Complete(alarms.Updated), alarmstest.At(0)); len(got) != 4 || got[1].EndsAt.After(alarmstest.At(0)) || !got[0].EndsAt.Equal(alarmstest.At(300)) {
		t.Errorf("milder ones: %+v", got)
	}
}

// TestRefreshDoesNotPileUp: active alarms are sent again each minute, and not
// once for each minute that the receiver was down.
func TestRefreshDoesNotPileUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		to := &alarmstest.Receiver{Answer: func(alarms.Notification) error {
			if down.Load() {
				return errors.New("down")
			}
			return nil
		}}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"am": to}, func(w *watch.Watch) {
			r := w.Receivers["am"]
			r.Refresh = time.Minute
			w.Receivers["am"] = r
		})
		defer a.Stop()
		a.Must(a.Kernel("1", alarmstest.TransportLine, alarmstest.BatteryLine))
		to.Forget()
		watchtest.Advance(10 * time.Minute)
		if _, taken := to.Attempts(); len(taken) < 18 || len(taken) > 22 || taken[0].Change.Kind != alarms.Repeated {
			t.Errorf("two alarms in ten minutes were sent %d times", len(taken))
		}
		down.Store(true)
		watchtest.Advance(10 * time.Hour)
		if n := a.Deliveries()["am"].Waiting; n != 0 || !slices.Contains(a.ActiveGroups(), "delivery") {
			t.Errorf("%d wait, active %q", n, a.ActiveGroups())
		}
		down.Store(false)
		watchtest.Advance(2 * time.Minute) // it is retried each minute
		to.Forget()
		watchtest.Advance(10 * time.Minute)
		if _, taken := to.Attempts(); len(taken) < 18 {
			t.Errorf("back, and sent %d times", len(taken))
		}
	})
}

// TestAlertWords: a refresh does not change what an alert says.
func TestAlertWords(t *testing.T) {
	m := &Alertmanager{}
	summary := func(n alarms.Notification) string { return m.alerts(n, alarmstest.At(0))[0].Annotations["summary"] }
	for _, k := range []alarms.Kind{alarms.Raised, alarms.Acknowledged} {
		n := alarmstest.Complete(k)
		before := summary(n)
		n.Change.Kind = alarms.Repeated
		if after := summary(n); after != before {
			t.Errorf("%s: %q becomes %q", k, before, after)
		}
	}
	for _, value := range m.alerts(alarms.Notification{Change: alarms.Change{Kind: alarms.Raised}}, alarmstest.At(0))[0].Annotations {
		if value == "" {
			t.Error("an annotation says nothing")
		}
	}
}

// TestAlertEnds: an alert that ends says what ended it; one that a worse one
// replaces says that.
func TestAlertEnds(t *testing.T) {
	m := &Alertmanager{}
	cleared := m.alerts(alarmstest.Complete(alarms.Cleared), alarmstest.At(80))[0].Annotations
	if cleared["description"] != "ended by: 0.89 is below 0.9" || cleared["action"] != "" || strings.Contains(fmt.Sprint(cleared), "96 %") {
		t.Errorf("cleared: %v", cleared)
	}
	for _, old := range m.alerts(alarmstest.Complete(alarms.Updated), alarmstest.At(80))[1:] {
		if want := `REPLACED hsm-a: Partition storage, p "1" é]; it is major now`; len(old.Annotations) != 1 || old.Annotations["summary"] != want {
			t.Errorf("%s: %v", old.Labels["severity"], old.Annotations)
		}
	}
}
