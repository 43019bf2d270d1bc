package receivers

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"text/template"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Webhook posts each notification to a URL: a [notify.Message] as JSON, or what
// a template makes of it.
type Webhook struct {
	URL             string       `yaml:"url"`
	URLFile         setting.File `yaml:"url_file"`                                // instead of url, if the URL is a secret
	SecretFile      setting.File `yaml:"secret_file"`                             // signs the body; "": it is not signed
	BearerTokenFile setting.File `yaml:"bearer_token_file"`                       // "": none
	TemplateFile    setting.File `yaml:"template_file"`                           // Go text/template; "": JSON
	ContentType     string       `yaml:"content_type" default:"application/json"` // "": application/json
	HTTP            `yaml:",inline"`

	Words notify.Words `yaml:"-"`
}

// SignatureHeader carries "t=SECONDS,v1=HEX": the time of sending, as seconds
// since 1970, and HMAC-SHA256 by the secret over "SECONDS.BODY". A receiver
// refuses what is minutes old, and drops an id that it has seen.
const SignatureHeader = "Lunawatch-Signature"

// IdempotencyHeader carries the same 32 hexadecimal digits at every attempt to deliver a
// notification, also of another agent of a cluster: a receiver drops what it has seen.
const IdempotencyHeader = "Idempotency-Key"

// Validate returns all that is wrong with w.
func (w *Webhook) Validate() error {
	errs := []error{
		w.plain("url", w.URL, w.BearerTokenFile),
		w.HTTP.Validate(), setting.At("url_file", w.URLFile.Validate()), setting.At("secret_file", w.SecretFile.Validate()),
		setting.At("bearer_token_file", w.BearerTokenFile.Validate()), setting.At("template_file", w.TemplateFile.Validate()),
	}
	if (w.URL == "") == (w.URLFile == "") {
		errs = append(errs, errors.New("exactly one of url and url_file is needed"))
	}
	if w.URL != "" {
		errs = append(errs, setting.At("url", setting.ValidateURL(w.URL)))
	}
	return errors.Join(errs...)
}

// Notify implements [notify.Notifier].
func (w *Webhook) Notify(ctx context.Context, n alarms.Notification) error {
	target := w.URL
	header, err := bearer(w.BearerTokenFile)
	if err == nil && w.URLFile != "" {
		if target, err = w.URLFile.Secret("url_file", 1); err == nil {
			err = setting.At("url_file", setting.ValidateURL(target))
		}
	}
	if err != nil {
		return err
	}
	body, err := w.body(w.Words.Message(n))
	if err != nil {
		return err
	}
	header.Set(IdempotencyHeader, notify.Hash(n.ID))
	if w.SecretFile != "" {
		key, err := w.SecretFile.Secret("secret_file", 16)
		if err != nil {
			return err
		}
		header.Set(SignatureHeader, sign(key, time.Now(), body))
	}
	header.Set("Content-Type", cmp.Or(w.ContentType, "application/json"))
	return w.send(ctx, http.MethodPost, target, header, body)
}

// sign returns the value of [SignatureHeader].
func sign(key string, now time.Time, body []byte) string {
	t := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// body returns m as JSON, or as the template has it. In a template, the
// function json quotes.
func (w *Webhook) body(m notify.Message) ([]byte, error) {
	if w.TemplateFile == "" {
		return m.JSON()
	}
	text, err := w.TemplateFile.Bytes()
	if err != nil {
		return nil, fmt.Errorf("template_file: %w", err)
	}
	quote := func(v any) (string, error) {
		b, err := json.Marshal(v)
		return string(b), err
	}
	t, err := template.New("template_file").Option("missingkey=error").Funcs(template.FuncMap{"json": quote}).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, m)
	return out.Bytes(), err
}
