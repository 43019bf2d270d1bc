package receivers

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// JSM keeps the alarms as alerts of Jira Service Management, the successor of
// Opsgenie. Its integration API is that of Opsgenie's alerts; its documents have
// create, acknowledge, close and notes. Heartbeats are another API there, with a
// user and a token.
type JSM struct {
	APIKeyFile setting.File `yaml:"api_key_file"`                                    // of an API integration
	URL        string       `yaml:"url" default:"https://api.atlassian.com/jsm/ops"` // "": JSMURL
	Ping       JSMPing      `yaml:"ping"`
	HTTP       `yaml:",inline"`

	Words notify.Words `yaml:"-"`
}

// JSMPing is a heartbeat of Jira Service Management. The zero JSMPing: heartbeats
// are not sent.
type JSMPing struct {
	Name      string       `yaml:"name"`     // of the heartbeat
	CloudID   string       `yaml:"cloud_id"` // of the site
	TeamID    string       `yaml:"team_id"`  // that owns the heartbeat
	User      string       `yaml:"user"`     // mail address of an account
	TokenFile setting.File `yaml:"token_file"`
}

// JSMURL is where Jira Service Management is reached.
const JSMURL = "https://api.atlassian.com/jsm/ops"

// Validate returns all that is wrong with j.
func (j *JSM) Validate() error {
	errs := []error{j.HTTP.Validate(), j.plain("url", j.URL, j.APIKeyFile), setting.At("url", setting.ValidateURL(cmp.Or(j.URL, JSMURL))), setting.At("api_key_file", j.APIKeyFile.Validate()), setting.At("ping", j.Ping.validate())}
	if j.APIKeyFile == "" {
		errs = append(errs, setting.Faultf("api_key_file", "is needed"))
	}
	return errors.Join(errs...)
}

func (p JSMPing) validate() error {
	if p != (JSMPing{}) && (p.Name == "" || p.CloudID == "" || p.TeamID == "" || p.User == "" || p.TokenFile == "") {
		return errors.New("name, cloud_id, team_id, user and token_file go together")
	}
	return setting.At("token_file", p.TokenFile.Validate())
}

// Notify implements [notify.Notifier].
func (j *JSM) Notify(ctx context.Context, n alarms.Notification) error {
	base := strings.TrimSuffix(cmp.Or(j.URL, JSMURL), "/")
	if n.IsHeartbeat() {
		return j.ping(ctx, base)
	}
	o := Opsgenie{APIKeyFile: j.APIKeyFile, URL: base + "/integration", HTTP: j.HTTP, Words: j.Words, successor: true}
	return o.Notify(ctx, n)
}

func (j *JSM) ping(ctx context.Context, base string) error {
	p := j.Ping
	if p == (JSMPing{}) {
		return nil
	}
	token, err := p.TokenFile.Secret("token_file", 1)
	if err != nil {
		return err
	}
	target := base + "/api/" + url.PathEscape(p.CloudID) + "/v1/teams/" + url.PathEscape(p.TeamID) + "/heartbeats/ping?name=" + url.QueryEscape(p.Name)
	header := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(p.User+":"+strings.TrimSpace(token)))}}
	return j.send(ctx, http.MethodGet, target, header, nil)
}
