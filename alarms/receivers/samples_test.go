package receivers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms/receivers/chats"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// A sample is a notification of the kind that wakes people.
type sample struct {
	name string
	n    alarms.Notification
}

// A night is a state that findings change, as on a watched site.
type night struct {
	state   alarms.State
	damping alarms.Damping
}

// happens has the engine take findings at a second, and returns the last change.
func (n *night) happens(second int, findings []alarms.Finding) alarms.Change {
	changes := alarms.Eval(n.state, findings, n.damping, alarmstest.At(second))
	n.state.Apply(changes)
	return changes[len(changes)-1]
}

// logged has a line read at a second, 20 s after it was written.
func (n *night) logged(second int, device, text string) alarms.Change {
	written := alarmstest.At(second - 20)
	line := rules.Line{LogLine: syslog.ParseLine(alarms.LogTime(written) + " " + device + "  " + text), Device: device, At: alarmstest.At(second), Happened: written}
	limits := rules.DefaultThresholds()
	return n.happens(second, rules.EvaluateLine(&line, &limits))
}

// polled has hsm show answer at a second.
func (n *night) polled(second int, device string, e hsm.Environment) alarms.Change {
	at := alarmstest.At(second)
	d := &hsm.Device{Kind: hsm.NetworkHSM, Name: device, Show: hsm.Section[hsm.Show]{At: at, MaxAge: time.Hour, Value: hsm.Show{Serial: "484233", Status: "OK", Environment: &e}}}
	return n.happens(second, rules.EvaluateSnapshot(&hsm.Snapshot{Devices: []*hsm.Device{d}}, n.state, rules.DefaultThresholds(), at))
}

func notification(second int, c alarms.Change) alarms.Notification {
	n := alarms.Notification{ID: fmt.Sprintf("%s %d %s", c.Alarm.Key, c.Alarm.Number, c.Kind), Sequence: c.Alarm.Number, At: alarmstest.At(second), Change: c}
	if c.Alarm.Device != alarms.Self {
		n.Address, n.Label = "192.0.2.7:22", "payments"
	}
	return n
}

// samples returns ten notifications, as the rules and the engine make them.
func samples(t *testing.T) []sample {
	t.Helper()
	n := &night{state: alarms.NewState(), damping: alarms.Damping{FlapCount: 3, FlapWindow: 30 * time.Minute}}
	n.state.Number = 16
	self := func(key alarms.Key, severity alarms.Severity, text string) []alarms.Finding {
		return []alarms.Finding{{Key: key, Condition: alarms.Bad, Severity: severity, Text: text, Evidence: alarms.Evidence{At: alarmstest.At(900), Text: text}}}
	}
	zeroized := n.logged(25, "luna-a", "kern crit  kernel: k7pf0: [HSM] ALM2007: HSM zeroized")
	battery := n.polled(300, "luna-a", hsm.Environment{BatteryVolts: hsm.Some(2.71), BatteryWarning: hsm.Some(2.75)})
	n.polled(420, "luna-b", hsm.Environment{TemperatureCelsius: hsm.Some(77.0), TemperatureWarning: hsm.Some(75.0)})
	hotter := n.polled(480, "luna-b", hsm.Environment{TemperatureCelsius: hsm.Some(82.0), TemperatureWarning: hsm.Some(75.0)})
	cool := n.polled(900, "luna-b", hsm.Environment{TemperatureCelsius: hsm.Some(61.0), TemperatureWarning: hsm.Some(75.0)})
	n.logged(1000, "luna-c", "kern crit  kernel: k7pf0: ALM0004: Hard tamper - high temperature")
	brief := n.logged(1035, "luna-c", "kern info  kernel: k7pf0: [HSM] ALM2011: HSM unlocked - tamper clear done")
	brief.Kind = alarms.RaisedAndCleared
	acked := zeroized
	acked.Kind, acked.Alarm.Ack = alarms.Acknowledged, &alarms.Ack{By: "kim", Comment: "on my way", At: alarmstest.At(120)}
	var flapping alarms.Change
	for i := range 3 {
		if i > 0 {
			n.happens(1200+120*i, []alarms.Finding{{Key: alarms.Key{Device: "luna-b", Group: "power-supply", Object: "PSU2"}, Evidence: alarms.Evidence{At: alarmstest.At(1200 + 120*i), Text: "PSU2 is present"}}})
		}
		text := "PSU2: no input voltage"
		flapping = n.happens(1260+120*i, []alarms.Finding{{Key: alarms.Key{Device: "luna-b", Group: "power-supply", Object: "PSU2"}, Condition: alarms.Bad, Severity: alarms.Minor, Text: text,
			Evidence: alarms.Evidence{At: alarmstest.At(1260 + 120*i), Text: text}}})
	}
	delivery := n.happens(1800, self(alarms.Key{Device: alarms.Self, Group: "delivery", Object: "pagerduty"}, alarms.Major,
		"3 notifications wait for pagerduty, the oldest since 2026-03-01T12:25:00Z: https://events.pagerduty.com answers 503 Service Unavailable"))
	test := n.happens(2000, self(alarms.Key{Device: alarms.Self, Group: "test", Object: "d1kq3x", Test: true}, alarms.Warning, "This is a test of the alarm chain by kim. Nothing is wrong."))
	batch := []alarms.Notification{notification(300, battery), notification(480, hotter), notification(900, cool), notification(25, zeroized)}
	var together alarms.Notification
	if err := notify.AsOne(taker{&together})(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return []sample{
		{"raise of a critical alarm, from a log", notification(25, zeroized)}, {"raise from a poll, with a value", notification(300, battery)},
		{"clear", notification(900, cool)}, {"raised and cleared", notification(1035, brief)}, {"acknowledged", notification(120, acked)},
		{"a worse severity", notification(480, hotter)}, {"flapping", notification(1500, flapping)}, {"batch", together},
		{"delivery fails", notification(1800, delivery)}, {"test", notification(2000, test)},
	}
}

// A taker keeps the notification that it is given.
type taker struct{ to *alarms.Notification }

func (k taker) Notify(_ context.Context, n alarms.Notification) error {
	*k.to = n
	return nil
}

// varies is what differs between two runs.
var varies = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(regexp.QuoteMeta(notify.Hostname())), "mon1"},
	{regexp.MustCompile(`lunawatch-[0-9a-f]{32}`), "lunawatch-NAME"},
	{regexp.MustCompile(`[0-9a-f]{32}`), "NAME"},
}

// taken is how an event collector takes an event; others do not read it.
const taken = `{"text":"Success","code":0}`

// TestSamples holds what each channel sends of ten notifications against golden
// files, for people to read.
func TestSamples(t *testing.T) {
	s := newSite(t, subject{})
	var requests []string
	serveHTTP(s, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		requests = append(requests, r.Method+" "+r.URL.RequestURI()+"\n"+indented(body))
		io.WriteString(w, taken)
	})
	overHTTP := func(to notify.Notifier) func(alarms.Notification) string {
		return func(n alarms.Notification) string {
			requests = nil
			if err := to.Notify(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			return strings.Join(requests, "\n")
		}
	}
	words := notify.Words{ExternalURL: "https://lunawatch.example.net:9477", RunbookURL: "https://wiki.example.net/luna/{group}"}
	y, c, l := &Syslog{Words: words}, &Syslog{Format: "cef", Words: words}, &Syslog{Format: "leef", Words: words}
	all := samples(t)
	channels := map[string]func(alarms.Notification) string{
		"mail":       func(n alarms.Notification) string { return mailed(t, words, n) },
		"syslog-cef": c.message, "syslog-leef": l.message,
		"syslog":     func(n alarms.Notification) string { return strings.ReplaceAll(y.message(n), "\ufeff", "") },
		"exec":       func(n alarms.Notification) string { return executed(t, words, n) },
		"webhook":    overHTTP(&Webhook{URL: s.url("/hook"), Words: words}),
		"pagerduty":  overHTTP(&PagerDuty{URL: s.url("/v2/enqueue"), RoutingKeyFile: s.secret("key"), Words: words}),
		"opsgenie":   overHTTP(&Opsgenie{URL: s.url(""), APIKeyFile: s.secret("key"), Words: words}),
		"servicenow": overHTTP(&ServiceNow{URL: s.url("/api/global/em/jsonv2"), BearerTokenFile: s.secret("token"), Words: words}),
		"splunk":     overHTTP(&Splunk{URL: s.url(""), TokenFile: s.secret("token"), Index: "hsm", Delivered: "taken", Words: words}),
		"jsm":        overHTTP(&JSM{URL: s.url("/jsm/ops"), APIKeyFile: s.secret("key"), Words: words}),
		"otlp":       func(n alarms.Notification) string { return recorded(t, (&OTLP{Words: words}).record(n)) },
		"alertmanager": func(n alarms.Notification) string {
			body, err := json.Marshal((&Alertmanager{Words: words}).alerts(n, n.At))
			if err != nil {
				t.Fatal(err)
			}
			return indented(body)
		},
	}
	for service := range chats.Services {
		channels["chat-"+service] = overHTTP(testedChat(s, service, words))
	}
	for channel, send := range channels {
		var b strings.Builder
		for _, x := range all {
			fmt.Fprintf(&b, "=== %s\n\n%s\n\n", x.name, strings.TrimSpace(send(x.n)))
		}
		text := b.String()
		for _, v := range varies {
			text = v.pattern.ReplaceAllString(text, v.with)
		}
		check.Golden(t, "samples/"+channel+".txt", []byte(strings.ReplaceAll(text, theSecret, "SECRET")))
	}
}

// indented returns JSON as people read it.
func indented(body []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		return string(body)
	}
	return b.String()
}

// executed returns what a program gets on its standard input.
func executed(t *testing.T, words notify.Words, n alarms.Notification) string {
	t.Helper()
	dir := t.TempDir()
	to := &Exec{Command: []string{script(t, dir, "cat > "+dir+"/got")}, Words: words}
	if err := to.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(filepath.Join(dir, "got"))
	if err != nil {
		t.Fatal(err)
	}
	return indented(body)
}

// mailed returns the subject and the text of a mail.
func mailed(t *testing.T, words notify.Words, n alarms.Notification) string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader((&SMTP{From: "lunawatch@example.net", To: []string{"noc@example.net"}, Words: words}).text([]alarms.Notification{n})))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return "Subject: " + subject + "\n\n" + strings.ReplaceAll(string(body), "\r\n", "\n")
}

// TestChannelsHide: no channel shows more than the receiver's level.
func TestChannelsHide(t *testing.T) {
	s := newSite(t, subject{})
	var sent strings.Builder
	serveHTTP(s, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent.Write(body)
		if r.Header.Get("Content-Type") != "application/x-protobuf" { // which an empty answer is one of
			io.WriteString(w, taken)
		}
	})
	words := notify.Words{ExternalURL: "https://lunawatch.example.net", RunbookURL: "https://wiki.example.net/{group}"}
	over := func(to notify.Notifier) func(alarms.Notification) string {
		return func(n alarms.Notification) string {
			sent.Reset()
			if err := to.Notify(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			return sent.String()
		}
	}
	channels := map[string]func(alarms.Notification) string{
		"mail": func(n alarms.Notification) string { return mailed(t, words, n) }, "syslog": (&Syslog{Words: words}).message, "cef": (&Syslog{Format: "cef", Words: words}).message, "leef": (&Syslog{Format: "leef", Words: words}).message,
		"exec": func(n alarms.Notification) string { return executed(t, words, n) }, "webhook": over(&Webhook{URL: s.url("/"), Words: words}),
		"pagerduty": over(&PagerDuty{URL: s.url("/"), RoutingKeyFile: s.secret("key"), Words: words}), "opsgenie": over(&Opsgenie{URL: s.url(""), APIKeyFile: s.secret("key"), Words: words}),
		"otlp":       over(&OTLP{Collector: Collector{Endpoint: s.url("")}, Words: words}),
		"servicenow": over(&ServiceNow{URL: s.url("/"), BearerTokenFile: s.secret("token"), Words: words}), "splunk": over(&Splunk{URL: s.url(""), TokenFile: s.secret("token"), Delivered: "taken", Words: words}),
		"jsm": over(&JSM{URL: s.url(""), APIKeyFile: s.secret("key"), Words: words}), "alertmanager": over((&Alertmanager{URLs: []string{s.url("")}, Words: words}).Peers()[0]),
	}
	for service := range chats.Services {
		channels["chat "+service] = over(testedChat(s, service, words))
	}
	fractions := regexp.MustCompile(`(:\d\d)\.\d+Z`) // of seconds of now: one of them can be a value
	never := []string{"96 %", "0.96", "0.89", "payments", "kim", "looking at it", "alarm-7", "ack 7"}
	for level, hidden := range map[notify.Level][]string{
		notify.LevelCoded: never, notify.LevelCategory: append(slices.Clone(never), "2021", "2004", "major", "MAJOR", "532018", "partition-storage", "Partition storage", "thresholdCrossed"),
	} {
		for _, k := range []alarms.Kind{alarms.Raised, alarms.Updated, alarms.Repeated, alarms.Acknowledged, alarms.Unacknowledged, alarms.Cleared, alarms.RaisedAndCleared} {
			limited := notify.Policy{Level: level}.Limit(alarmstest.Complete(k))
			for _, n := range []alarms.Notification{limited, notify.Together([]alarms.Notification{limited, limited})} {
				for name, send := range channels {
					text := fractions.ReplaceAllString(send(n), "${1}Z")
					for _, x := range hidden {
						if strings.Contains(text, x) {
							t.Errorf("%s, %s, %s: %q in %s", name, level, k, x, text)
						}
					}
				}
			}
		}
	}
}
