package receivers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// verify checks a signature as a receiver does.
func verify(header, key string, body []byte, now time.Time) error {
	t, v1, ok := strings.Cut(strings.TrimPrefix(header, "t="), ",v1=")
	seconds, err := strconv.ParseInt(t, 10, 64)
	if !ok || err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > time.Minute {
		return fmt.Errorf("signature %q is not a current signature", header)
	}
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s.%s", t, body)
	if hex.EncodeToString(mac.Sum(nil)) != v1 {
		return errors.New("the signature is wrong")
	}
	return nil
}

// checkWebhook holds a request to what lunawatch.yaml promises.
func checkWebhook(r *http.Request, body []byte) error {
	var m notify.Message
	err := strict(body, &m)
	switch {
	case err != nil:
		return err
	case m.Version != 1 || m.ID == "" || m.Summary == "" || m.Change.Kind == "":
		return errors.New("incomplete")
	case r.Header.Get("Authorization") != "Bearer "+theSecret+"-token" || r.URL.RequestURI() != "/"+theSecret+"?token="+theSecret:
		return errors.New("no token")
	case r.Header.Get(IdempotencyHeader) != notify.Hash(m.ID):
		return errors.New("not the same key at every attempt")
	}
	return verify(r.Header.Get(SignatureHeader), theSecret+"-hmac", body, time.Now())
}

func TestSignature(t *testing.T) {
	now, body := time.Unix(1772366400, 0), []byte(`{"a":1}`)
	const want = "t=1772366400,v1="
	got := sign("0123456789abcdef", now, body)
	if !strings.HasPrefix(got, want) || len(got) != len(want)+64 || verify(got, "0123456789abcdef", body, now) != nil {
		t.Errorf("%s", got)
	}
	for name, err := range map[string]error{
		"another key": verify(got, "0123456789abcdeX", body, now), "another body": verify(got, "0123456789abcdef", []byte(`{"a":2}`), now),
		"another time": verify(strings.Replace(got, "400,", "401,", 1), "0123456789abcdef", body, now), "late": verify(got, "0123456789abcdef", body, now.Add(time.Hour)),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestWebhookTemplate(t *testing.T) {
	s := newSite(t, subject{})
	var kind, body string
	serveHTTP(s, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		kind, body = r.Header.Get("Content-Type"), string(b)
	})
	file := filepath.Join(s.dir, "template")
	h := &Webhook{URL: s.url("/"), TemplateFile: setting.File(file), ContentType: "application/x-test"}
	for text, want := range map[string]string{
		`{"text": {{json .Change.Alarm.Text}}}`: `{"text": "96 % of the storage is used\nnow"}`,
		`{{.Summary}}`:                          `MAJOR hsm-a: Partition storage, p "1" é]: 96 % of the storage is used now`,
		`{{.Change.Kind}} {{.Change.Alarm.Device}} {{.Change.Alarm.Severity}}`:    "raised hsm-a major",
		`{{if .Test}}test{{else}}{{.Title}}{{end}}: {{.Action}} {{.At.UTC.Year}}`: "Partition storage: Delete objects, or resize the partition. 2026",
	} {
		alarmstest.Overwrite(t, file, text)
		if err := h.Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err != nil || body != want || kind != "application/x-test" {
			t.Errorf("%s: %q as %s, %v", text, body, kind, err)
		}
	}
	for _, text := range []string{"{{", "{{.Nothing}}", "{{.Change.Alarm.Nothing}}"} {
		alarmstest.Overwrite(t, file, text)
		body = "none"
		if err := h.Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err == nil || body != "none" || !strings.Contains(err.Error(), "template_file") {
			t.Errorf("%s: sent %q, %v", text, body, err)
		}
	}
}

// TestMessage checks what webhook and exec can rely on.
func TestMessage(t *testing.T) {
	b, err := notify.Words{}.Message(alarmstest.Complete(alarms.Raised)).JSON()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	json.Unmarshal(b, &m)
	for _, key := range []string{"version", "id", "sequence", "at", "change", "address", "label", "summary", "title", "action", "test"} {
		if _, ok := m[key]; !ok {
			t.Errorf("no %s in %s", key, b)
		}
	}
	for _, n := range everyKind() {
		m := notify.Words{}.Message(n)
		if m.Summary == "" || strings.ContainsAny(m.Summary, "\r\n") || m.Title == "" || m.Test != n.Change.Alarm.Test || m.Test != strings.HasPrefix(m.Summary, "TEST: ") || m.Test && !strings.HasPrefix(m.Body(), "TEST: ") {
			t.Errorf("%+v: %q", n.Change, m.Summary)
		}
	}
	if a, b := alarmstest.Complete(alarms.Raised), alarmstest.Complete(alarms.Cleared); notify.Dedup(a) != notify.Dedup(b) || len(notify.Dedup(a)) > 64 {
		t.Error("an alarm has two names")
	}
	for _, change := range []func(*alarms.Key){func(k *alarms.Key) { k.Test = true }, func(k *alarms.Key) { k.Object = "" }, func(k *alarms.Key) { k.Device = "b" }} {
		n := alarmstest.Complete(alarms.Raised)
		change(&n.Change.Alarm.Key)
		if notify.Dedup(n) == notify.Dedup(alarmstest.Complete(alarms.Raised)) {
			t.Errorf("%s has the name of another", n.Change.Alarm.Key)
		}
	}
}
