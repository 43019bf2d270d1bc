package agent

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestAlarmMetrics has each mark of an alarm in a family of its own, and holds
// the names of all to Prometheus' rules.
func TestAlarmMetrics(t *testing.T) {
	c, err := config.Parse([]byte("snmp: {enabled: false}\nhost: {enabled: false}\nhsms: [{name: a, replay: captured}]\n"))
	check.Must(t, err)
	a := New(c, Web{}, slog.New(slog.DiscardHandler))
	a.watch.Journal, err = journal.Open(t.TempDir())
	check.Must(t, err)
	defer a.watch.Journal.Close()
	a.watch.Receivers["noc"] = notify.Receiver{}
	check.Must(t, a.watch.Open())
	var lines []hsm.LogLine
	for _, s := range []string{"ALM0004: Hard tamper - high temperature", "[HSM] ALM2010: HSM locked - tamper clear required", "[HSM] ALM2003: Battery low voltage warning"} {
		lines = append(lines, syslog.ParseLine("2026 Mar  1 12:00:00 luna-a  kern info  kernel: k7pf0: "+s))
	}
	check.Must(t, a.watch.Lines("a", "messages", lines, nil))
	check.Must(t, a.watch.Acknowledge("a/hard-ht", "anna", "looking"))
	now := time.Now()
	for _, from := range []time.Time{now, now.Add(time.Hour)} {
		_, err = a.watch.Silence(alarms.Silence{Match: alarms.Match{Groups: []string{"battery"}}, Author: "anna", Reason: "known", From: from, Until: now.Add(2 * time.Hour)})
		check.Must(t, err)
	}
	r := prometheus.NewRegistry()
	r.MustRegister(self{a})
	text := string(gather(t, r))
	for _, want := range []string{
		`luna_alarm_active{device="a",group="battery",object="",severity="minor",test="false"} 1`,
		`luna_alarm_acknowledged{device="a",group="hard-ht",object="",severity="critical",test="false"} 1`,
		`luna_alarm_acknowledged{device="a",group="battery",object="",severity="minor",test="false"} 0`,
		`luna_alarm_silenced{device="a",group="battery",object="",severity="minor",test="false"} 1`,
		`luna_alarm_silenced{device="a",group="lock",object="",severity="critical",test="false"} 0`,
		`luna_alarm_suppressed{device="a",group="lock",object="",severity="critical",test="false"} 1`,
		`luna_alarm_suppressed{device="a",group="hard-ht",object="",severity="critical",test="false"} 0`,
		`luna_alarm_flapping{device="a",group="hard-ht",object="",severity="critical",test="false"} 0`,
		`luna_alarms_raised_total{severity="critical"} 2`, `luna_alarms_raised_total{severity="minor"} 1`, `luna_alarms_raised_total{severity="major"} 0`,
		`luna_silences{state="active"} 1`, `luna_silences{state="pending"} 1`, "luna_storm 0", "luna_state_in_memory 0",
		`luna_notifications_rejected_total{receiver="noc"} 0`, `luna_notifications_expired_total{receiver="noc"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	problems, err := testutil.GatherAndLint(r)
	check.Must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
