package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/check"
)

const everyReceiver = `
external_url: https://lunawatch.example.net:9477
runbook_url: https://wiki.example.net/{group}
receivers:
- {name: a, alertmanager: {urls: ["https://am:9093"]}}
- {name: b, pagerduty: {routing_key_file: /k}}
- {name: c, opsgenie: {api_key_file: /k}}
- {name: d, jsm: {api_key_file: /k}}
- {name: l, splunk: {url: "https://x:8088", token_file: /k}}
- {name: m, servicenow: {url: "https://x/api", bearer_token_file: /k}}
- {name: n, chat: {service: slack, url_file: /k}}
- {name: e, webhook: {url: "https://x/y"}}
- {name: f, smtp: {address: m, from: a@b.c, to: [d@e.f]}}
- {name: g, syslog: {address: s}}
- {name: h, exec: {command: [/bin/true]}}
`

// TestReceiversHaveLinks: each receiver of words knows where people find more.
func TestReceiversHaveLinks(t *testing.T) {
	c, err := Parse([]byte(everyReceiver))
	check.Must(t, err)
	want := notify.Words{ExternalURL: "https://lunawatch.example.net:9477", RunbookURL: "https://wiki.example.net/{group}"}
	for _, r := range c.Receivers {
		worded := r.words()
		if worded == nil {
			t.Errorf("%s knows no link", r.Name)
			continue
		}
		if diff := cmp.Diff(want, *worded); diff != "" {
			t.Errorf("%s: %s", r.Name, diff)
		}
	}
	if got := c.Receivers[0].Alertmanager.GeneratorURL; got != "https://lunawatch.example.net:9477" {
		t.Errorf("generator_url %q", got)
	}
	c, err = Parse([]byte(strings.Replace(everyReceiver, `["https://am:9093"]`, `["https://am:9093"], generator_url: "https://other"`, 1)))
	check.Must(t, err)
	if got := c.Receivers[0].Alertmanager.GeneratorURL; got != "https://other" {
		t.Errorf("generator_url %q, though it is set", got)
	}
	link := c.Receivers[len(c.Receivers)-1].words().Message(alarms.Notification{Change: alarms.Change{Kind: alarms.Raised, Alarm: alarms.Alarm{Key: alarms.Key{Device: "x", Group: "zeroize"}, Number: 3}}}).Link
	if link != "https://lunawatch.example.net:9477/#alarm-3" {
		t.Errorf("link %q", link)
	}
}

// TestWarnings: what works, but not for long, is said and refuses nothing.
func TestWarnings(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "url")
	check.Must(t, os.WriteFile(plain, []byte("http://chat.example.net/hooks/hunter2\n"), 0o600))
	c, err := Parse([]byte(strings.Replace(everyReceiver, "service: slack, url_file: /k", "service: slack, url_file: "+plain, 1)))
	check.Must(t, err)
	want := []string{"receiver c: Opsgenie's API ends on 2027-04-05; use jsm", "receiver n: url_file: would send a secret without TLS; use https, or set insecure: true"}
	if diff := cmp.Diff(want, c.Warnings()); diff != "" {
		t.Error(diff)
	}
}
