package notify

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

// zeroized returns a notification of an alarm as a log raises it.
func zeroized(k alarms.Kind) alarms.Notification {
	a := alarms.Alarm{Key: alarms.Key{Device: "luna-a", Group: "zeroize"}, Number: 17, Severity: alarms.Critical, Codes: []string{"2007"},
		Text:     "ALM2007 HSM zeroized. All user keys were erased.",
		Happened: alarmstest.At(5), Raised: alarmstest.At(25), Last: alarmstest.At(25),
		Evidence: []alarms.Evidence{{At: alarmstest.At(25), Text: "k7pf0: [HSM] ALM2007: HSM zeroized"}}}
	switch k {
	case alarms.Cleared, alarms.RaisedAndCleared:
		a.Cleared = alarmstest.At(90)
		a.Evidence = append(a.Evidence, alarms.Evidence{At: alarmstest.At(80), Text: "hsm show without a tamper"})
	case alarms.Acknowledged:
		a.Ack = &alarms.Ack{By: "kim", Comment: "on my way", At: alarmstest.At(60)}
	default:
	}
	return alarms.Notification{ID: "x", At: alarmstest.At(95), Change: alarms.Change{Kind: k, Alarm: a}}
}

// TestSummary: severity and HSM first, then what; a clear says what ended it.
func TestSummary(t *testing.T) {
	with := func(k alarms.Kind, change func(a *alarms.Alarm)) alarms.Notification {
		n := zeroized(k)
		change(&n.Change.Alarm)
		return n
	}
	for want, n := range map[string]alarms.Notification{
		"CRITICAL luna-a: HSM zeroized: All user keys were erased.":                                                            zeroized(alarms.Raised),
		"CRITICAL luna-a: HSM zeroized, now critical: All user keys were erased.":                                              zeroized(alarms.Updated),
		"CRITICAL luna-a: HSM zeroized, still active: All user keys were erased.":                                              zeroized(alarms.Repeated),
		"CRITICAL luna-a: HSM zeroized, acknowledgement withdrawn: All user keys were erased.":                                 zeroized(alarms.Unacknowledged),
		"ACKNOWLEDGED luna-a: HSM zeroized; by kim: on my way":                                                                 zeroized(alarms.Acknowledged),
		"CLEARED luna-a: HSM zeroized; ended by: hsm show without a tamper":                                                    zeroized(alarms.Cleared),
		"CRITICAL, CLEARED luna-a: HSM zeroized; 2026-03-01 12:00:05 UTC to 12:01:30 UTC; ended by: hsm show without a tamper": zeroized(alarms.RaisedAndCleared),
		"CRITICAL luna-a: HSM zeroized, comes and goes: All user keys were erased.":                                            with(alarms.Raised, func(a *alarms.Alarm) { a.Flapping = true }),
		"CLEARED luna-a: HSM zeroized; cleared by hand: restored":                                                              with(alarms.Cleared, func(a *alarms.Alarm) { a.Evidence[1].Text = "cleared by hand: restored" }),
		"CLEARED luna-a: HSM zeroized":                                                                                         with(alarms.Cleared, func(a *alarms.Alarm) { a.Evidence = nil }),
		"MINOR luna-a: HSM zeroized, PSU2: no input voltage":                                                                   with(alarms.Raised, func(a *alarms.Alarm) { a.Severity, a.Object, a.Text = alarms.Minor, "PSU2", "no input voltage" }),
		"MINOR luna-a: HSM zeroized: PSU2 has no input":                                                                        with(alarms.Raised, func(a *alarms.Alarm) { a.Severity, a.Object, a.Text = alarms.Minor, "PSU2", "PSU2 has no input" }),
		"INDETERMINATE luna-a: HSM zeroized, x":                                                                                with(alarms.Raised, func(a *alarms.Alarm) { a.Severity, a.Object, a.Text = alarms.Indeterminate, "x", "HSM zeroized" }),
		"TEST: CRITICAL luna-a: HSM zeroized: All user keys were erased.":                                                      with(alarms.Raised, func(a *alarms.Alarm) { a.Test = true }),
		"Lunawatch is running": {Change: alarms.Change{Kind: alarms.Heartbeat}},
	} {
		if got := (Words{}).Message(n).Summary; got != want {
			t.Errorf("%s\n got %s\nwant %s", n.Change.Kind, got, want)
		}
	}
}

// TestBatchSummary: the worst first, and each alarm as it is in the end.
func TestBatchSummary(t *testing.T) {
	mild, other := alarmstest.Complete(alarms.Raised), zeroized(alarms.Raised)
	other.Change.Alarm.Device, other.ID = "luna-b", "y"
	over := zeroized(alarms.Cleared)
	over.ID = "z"
	got := Words{}.Message(batch([]alarms.Notification{zeroized(alarms.Raised), mild, over, other}))
	const want = `CRITICAL luna-b: HSM zeroized; 2 more: MAJOR hsm-a: Partition storage, p "1" é]; CLEARED luna-a: HSM zeroized`
	if got.Summary != want {
		t.Errorf("got %s\nwant %s", got.Summary, want)
	}
	at := -1
	for _, line := range []string{"\nCRITICAL luna-b", "\nMAJOR hsm-a", "\nCRITICAL luna-a", "\nCLEARED luna-a"} {
		next := strings.Index(got.Body(), line)
		if next <= at {
			t.Errorf("%q is not in its place in\n%s", line, got.Body())
		}
		at = next
	}
	if !strings.Contains(got.Body(), "lunawatch alarms ack 17") {
		t.Errorf("no command in\n%s", got.Body())
	}
}

// TestBody: what to do comes first; of a clear, what ended it.
func TestBody(t *testing.T) {
	w := Words{ExternalURL: "https://lunawatch.example.net:9477", RunbookURL: "https://wiki.example.net/{group}.html"}
	for kind, want := range map[alarms.Kind][]string{
		alarms.Raised:           {"^What to do: Find out who", "Since: 2026-03-01 12:00:05 UTC\n", "Read: 2026-03-01 12:00:25 UTC\n", "Acknowledge: lunawatch alarms ack 17 -comment \"...\"\n", "Runbook: https://wiki.example.net/zeroize.html\n", "Status page: https://lunawatch.example.net:9477/#alarm-17\n", "Event ID: 13\n"},
		alarms.Cleared:          {"^CLEARED luna-a: HSM zeroized; ended by: hsm show without a tamper\n", "Since: ", "Cleared: 2026-03-01 12:01:30 UTC\n", "Status page: https://lunawatch.example.net:9477/\n", "!What to do", "!Acknowledge"},
		alarms.RaisedAndCleared: {"^What to do: Find out who", "Since: ", "Cleared: ", "Ended by: hsm show without a tamper\n", "!Acknowledge"},
		alarms.Acknowledged:     {"^ACKNOWLEDGED luna-a: HSM zeroized; by kim: on my way\n", "What to do: Find out who", "!Acknowledge:"},
		alarms.Unacknowledged:   {"^What to do: Find out who", "Acknowledge: "},
	} {
		body := w.Message(zeroized(kind)).Body()
		for _, x := range want {
			if strings.HasPrefix(x, "!") == strings.Contains(body, strings.TrimLeft(x, "!^")) || strings.HasPrefix(x, "^") && !strings.HasPrefix(body, x[1:]) {
				t.Errorf("%s: %s in\n%s", kind, x, body)
			}
		}
	}
}

// TestWords has every key that notifications add for systems.
func TestWords(t *testing.T) {
	w := Words{ExternalURL: "https://l.example.net/hsm/", RunbookURL: "https://wiki.example.net/HSM-"}
	got := w.Message(zeroized(alarms.Cleared))
	if got.EventID != 13 || got.Link != "https://l.example.net/hsm/" || got.Runbook != "https://wiki.example.net/HSM-zeroize" || !got.Since.Equal(alarmstest.At(5)) || got.EndedBy != "hsm show without a tamper" {
		t.Errorf("%+v", got)
	}
	raised := w.Message(zeroized(alarms.Raised))
	if raised.Link != "https://l.example.net/hsm/#alarm-17" || raised.Acknowledge != `lunawatch alarms ack 17 -comment "..."` || raised.EndedBy != "" {
		t.Errorf("%+v", raised)
	}
	b, err := json.Marshal(Words{}.Message(alarms.Notification{Change: alarms.Change{Kind: alarms.Heartbeat}}))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"event_id", "link", "runbook", "since", "ended_by", "acknowledge"} {
		if strings.Contains(string(b), `"`+key+`"`) {
			t.Errorf("a heartbeat has %s: %s", key, b)
		}
	}
}

// TestOwnRunbook: without runbook_url, notifications link to the agent's own page of the
// group, if it is known where people reach it.
func TestOwnRunbook(t *testing.T) {
	for w, want := range map[Words]string{
		{ExternalURL: "https://l.example.net/hsm/"}:                                     "https://l.example.net/hsm/runbooks/zeroize",
		{ExternalURL: "https://l.example.net"}:                                          "https://l.example.net/runbooks/zeroize",
		{ExternalURL: "https://l.example.net", RunbookURL: "https://wiki.example.net/"}: "https://wiki.example.net/zeroize",
		{}: "",
	} {
		if got := w.Message(zeroized(alarms.Raised)).Runbook; got != want {
			t.Errorf("%+v: runbook %q, want %q", w, got, want)
		}
	}
}

// TestWordsHide: a level shows no more by words, links and commands than it may.
func TestWordsHide(t *testing.T) {
	w := Words{ExternalURL: "https://l.example.net", RunbookURL: "https://wiki.example.net/{group}"}
	for _, k := range alarmKinds {
		n := zeroized(k)
		n.Change.Alarm.Serial, n.Label = "532018", "payments"
		for level, hidden := range map[Level][]string{
			LevelCoded:    {"All user keys", "k7pf0", "without a tamper", "payments", "kim", "on my way", "alarm-17", "ack 17", ":05", ":25", ":30", ":20"},
			LevelCategory: {"All user keys", "k7pf0", "without a tamper", "payments", "kim", "on my way", "alarm-17", "ack 17", "2007", "zeroize", "critical", "CRITICAL", "532018", "12:0", `"event_id":13`},
		} {
			m := w.Message(Policy{Level: level}.Limit(n))
			b, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			m.At, m.ID = time.Time{}, ""
			all := string(b) + m.Body() + m.Line()
			for _, v := range m.Details() {
				all += " " + v
			}
			if level == LevelCategory {
				all = strings.ReplaceAll(all, `"at":"2026-03-01T12:01:00Z"`, "")
			}
			for _, s := range hidden {
				if strings.Contains(all, s) {
					t.Errorf("%s, %s: %q in %s", level, k, s, all)
				}
			}
		}
	}
}

// TestSummaryFits: of every kind of alarm, forty characters show severity, HSM
// and what it is about, and an SMS its whole name.
func TestSummaryFits(t *testing.T) {
	for _, g := range alarms.Groups() {
		for _, k := range alarmKinds {
			n := zeroized(k)
			n.Change.Alarm.Group, n.Change.Alarm.Device = g.Name, "luna-a-01"
			got := Words{}.Message(n).Summary
			if begins := Cut(got, 40); !strings.Contains(begins, "luna-a-01: "+g.Title[:min(len(g.Title), 8)]) {
				t.Errorf("%s: a telephone shows %q", k, begins)
			}
			if k != alarms.RaisedAndCleared && !strings.Contains(Cut(got, 110), g.Title) {
				t.Errorf("%s: an SMS shows %q", k, Cut(got, 110))
			}
		}
	}
}
