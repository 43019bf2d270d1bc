package receivers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/lunawatch/lunawatch/alarms/receivers/chats"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// chatPaths are the URLs of the services, with their secrets, at a host.
var chatPaths = map[string]string{
	"slack": "/services/T000/B000/" + theSecret, "teams": "/workflows/" + theSecret + "/triggers/manual/paths/invoke?sig=" + theSecret, "telegram": "/bot1:" + theSecret + "/sendMessage?chat_id=-1001",
	"mattermost": "/hooks/" + theSecret, "rocketchat": "/hooks/1/" + theSecret, "googlechat": "/v1/spaces/A/messages?key=k&token=" + theSecret, "discord": "/api/webhooks/1/" + theSecret,
	"matrix": "/_matrix/client/v3/rooms/%21r:example.net/send/m.room.message", "ntfy": "/" + theSecret, "gotify": "/message?token=" + theSecret,
}

func testedChat(s site, service string, words notify.Words) *Chat {
	file := s.secret("url-" + service)
	alarmstest.Overwrite(s.t, file, s.url(chatPaths[service]))
	c := &Chat{Service: service, URLFile: file, HTTP: s.http(), Words: words}
	if service == "matrix" {
		c.BearerTokenFile = s.secret("token")
	}
	return c
}

func chatSubjects() (list []subject) {
	for _, service := range slices.Sorted(maps.Keys(chats.Services)) {
		list = append(list, subject{
			name: "chat " + service, tls: true, http: true, start: inProcess(func(r *http.Request, body []byte) error { return checkChat(service, r, body) }),
			await: awaitLines, build: func(s site) notify.Notifier {
				return testedChat(s, service, notify.Words{ExternalURL: "https://l.example.net"})
			},
		})
	}
	return list
}

// checkChat holds a request to what the documentation of a service says of keys,
// addresses and limits.
func checkChat(service string, r *http.Request, body []byte) error {
	path, _, _ := strings.Cut(chatPaths[service], "?")
	method := http.MethodPost
	switch service {
	case "matrix":
		method = http.MethodPut
		if r.Header.Get("Authorization") != "Bearer "+theSecret+"-token" {
			return errors.New("no token")
		}
		if !regexp.MustCompile("^" + regexp.QuoteMeta(path) + "/[0-9a-f]{32}$").MatchString(r.URL.EscapedPath()) {
			return errors.New("no transaction")
		}
		path = r.URL.EscapedPath()
	case "ntfy":
		path = "/"
	}
	if r.Method != method || r.URL.EscapedPath() != path || r.Header.Get("Content-Type") != "application/json" {
		return fmt.Errorf("%s %s", r.Method, r.URL)
	}
	var all map[string]any
	if err := json.Unmarshal(body, &all); err != nil {
		return err
	}
	want := map[string]string{
		"slack": "blocks text unfurl_links", "teams": "attachments type", "telegram": "chat_id entities link_preview_options text", "mattermost": "text", "rocketchat": "text", "googlechat": "text",
		"discord": "allowed_mentions content", "matrix": "body m.mentions msgtype", "ntfy": "click message priority title topic", "gotify": "extras message priority title",
	}
	if keys := strings.Join(slices.Sorted(maps.Keys(all)), " "); keys != want[service] {
		return fmt.Errorf("keys %s, want %s", keys, want[service])
	}
	for key, most := range map[string]int{"text": 4096, "content": 2000, "message": 4096, "body": 32000} {
		if text, ok := all[key].(string); ok && (text == "" || len(utf16.Encode([]rune(text))) > most) {
			return fmt.Errorf("%s has %d characters", key, len(text))
		}
	}
	return nil
}

// hostile is a name that would call everybody, link and format.
const hostile = "\u202e@channel @here @everyone <!channel> <users/all> <@U1> [x](https://evil.example) *b* _i_ ```js https://evil.example <https://evil.example|x> & {{DATE(1)}}"

// TestChatShowsHostileNamesOnly: what an HSM says is shown, and neither mentions nor
// links nor formats.
func TestChatShowsHostileNamesOnly(t *testing.T) {
	s := newSite(t, subject{})
	var body map[string]any
	serveHTTP(s, func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if body = nil; err != nil || json.Unmarshal(raw, &body) != nil {
			t.Errorf("%s, %v", raw, err)
		}
		linked := regexp.MustCompile(`://evil|@channel`).Match(raw)
		if plain := body["m.mentions"] != nil || body["priority"] != nil; plain && linked {
			t.Errorf("%s: links or mentions: %s", r.URL.Path, raw)
		}
		if strings.ContainsAny(string(raw), "\u202e") {
			t.Errorf("%s: letters are turned round: %s", r.URL.Path, raw)
		}
	})
	n := alarmstest.Complete(alarms.Raised)
	n.Change.Alarm.Object, n.Change.Alarm.Text = hostile, ""
	words := notify.Words{ExternalURL: "https://l.example.net"}
	sent := func(service string) map[string]any {
		t.Helper()
		if err := testedChat(s, service, words).Notify(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		return body
	}
	for service, key := range map[string]string{"mattermost": "text", "rocketchat": "text", "googlechat": "text", "discord": "content"} {
		text, _ := sent(service)[key].(string)
		block, below, fenced := strings.Cut(strings.TrimPrefix(text, "```\n"), "\n```\n")
		if !fenced || !strings.HasPrefix(text, "```\n") || regexp.MustCompile("`|@[a-zA-Z]|<[^\u200b]").MatchString(block) || !strings.Contains(block, "https://evil.example") || below != "Runbook: https://l.example.net/runbooks/partition-storage\nStatus page: https://l.example.net/#alarm-7" {
			t.Errorf("%s: %q", service, text)
		}
	}
	if got := fmt.Sprint(sent("discord")["allowed_mentions"]); got != "map[parse:[]]" {
		t.Errorf("discord mentions %s", got)
	}
	if got := sent("slack"); strings.ContainsAny(got["text"].(string), "<>") || strings.Contains(got["text"].(string), "@c") ||
		fmt.Sprint(got["blocks"].([]any)[0].(map[string]any)["text"].(map[string]any)["type"]) != "plain_text" || strings.Contains(fmt.Sprint(got["blocks"].([]any)[1]), "evil") {
		t.Errorf("slack: %v", got)
	}
	card, err := json.Marshal(sent("teams"))
	if err != nil || strings.Contains(string(card), `"TextBlock"`) || strings.Count(string(card), "TextRun") < 2 || strings.Contains(string(card), `"entities"`) || strings.Contains(string(card), `"url":"https://evil`) {
		t.Errorf("teams: %s, %v", card, err)
	}
	got := sent("telegram")
	entity := got["entities"].([]any)[0].(map[string]any)
	covered := utf16.Encode([]rune(got["text"].(string)))[:int(entity["length"].(float64))]
	if got["parse_mode"] != nil || entity["type"] != "pre" || entity["offset"] != 0.0 || !strings.Contains(string(utf16.Decode(covered)), "{{DATE") || strings.Contains(string(utf16.Decode(covered)), "l.example.net") {
		t.Errorf("telegram: %v", got)
	}
	n.Change.Alarm.Text = hostile // beyond the summary
	if got := sent("matrix"); got["formatted_body"] != nil || fmt.Sprint(got["m.mentions"]) != "map[]" {
		t.Errorf("matrix: %v", got)
	}
	if got := sent("ntfy"); got["markdown"] != nil || got["click"] != "https://l.example.net/#alarm-7" || got["topic"] != theSecret {
		t.Errorf("ntfy: %v", got)
	}
	if got := sent("gotify"); fmt.Sprint(got["extras"]) != "map[client::display:map[contentType:text/plain]]" {
		t.Errorf("gotify: %v", got)
	}
}

// TestChatLongTexts: what is longer than a service takes is cut, and then taken.
func TestChatLongTexts(t *testing.T) {
	n := alarmstest.Complete(alarms.Raised)
	n.Change.Alarm.Text = strings.Repeat("😀@ ", 5000)
	for _, x := range chatSubjects() {
		s := newSite(t, x)
		x.start(s)
		for _, n := range []alarms.Notification{n, notify.Together([]alarms.Notification{n, n, n})} {
			if err := x.build(s).Notify(t.Context(), n); err != nil {
				t.Errorf("%s: %v", x.name, err)
			}
		}
	}
}

// TestChatUrgency: how loud a telephone is.
func TestChatUrgency(t *testing.T) {
	c := new(Chat)
	for kind, want := range map[alarms.Kind]int{alarms.Raised: 4, alarms.Updated: 4, alarms.Acknowledged: 2, alarms.Cleared: 2, alarms.RaisedAndCleared: 4, alarms.Heartbeat: 1, alarms.Started: 1} {
		if got := c.said(alarmstest.Complete(kind)).Urgency; got != want {
			t.Errorf("%s: %d, want %d", kind, got, want)
		}
	}
	for severity, want := range map[alarms.Severity]int{alarms.None: 4, alarms.Indeterminate: 3, alarms.Warning: 3, alarms.Minor: 3, alarms.Critical: 5} {
		n := alarmstest.Complete(alarms.Raised)
		n.Change.Alarm.Severity = severity
		if got := c.said(n).Urgency; got != want {
			t.Errorf("%s: %d, want %d", severity, got, want)
		}
	}
}

// TestChatPlain: a URL without TLS is not used, but for this host or with insecure.
func TestChatPlain(t *testing.T) {
	file := site{t: t, dir: t.TempDir()}.secret("url")
	for text, wrong := range map[string]string{
		"http://chat.example.net/hooks/" + theSecret:  "would send a secret without TLS",
		"https://chat.example.net/hooks/" + theSecret: "",
		"http://127.0.0.1:1/hooks/" + theSecret:       "",
		"slack://" + theSecret + "@x":                 "url_file",
		theSecret:                                     "url_file",
	} {
		alarmstest.Overwrite(t, file, text)
		_, err := (&Chat{Service: "slack", URLFile: file}).target()
		if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", text, err)
		}
		quiet(t, err)
		plain := (&Chat{Service: "slack", URLFile: file}).Plain()
		if (plain != nil) != strings.HasPrefix(wrong, "would") || (&Chat{Service: "slack", URLFile: file, HTTP: HTTP{Insecure: true}}).Plain() != nil {
			t.Errorf("%s: %v", text, plain)
		}
	}
	if err := os.Remove(string(file)); err != nil {
		t.Fatal(err)
	}
	if err := (&Chat{Service: "slack", URLFile: file}).Plain(); err != nil {
		t.Errorf("without a file: %v", err)
	}
}

// TestChatPage: a page for people has taken nothing.
func TestChatPage(t *testing.T) {
	s := newSite(t, subject{})
	serveHTTP(s, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<!doctype html><title>Sign in</title>")
	})
	err := testedChat(s, "mattermost", notify.Words{}).Notify(t.Context(), alarmstest.Complete(alarms.Raised))
	if rejected := (*notify.Rejected)(nil); err == nil || errors.As(err, &rejected) || !strings.Contains(err.Error(), "a page for people") {
		t.Errorf("%v", err)
	}
	quiet(t, err)
}
