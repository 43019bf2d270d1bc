package receivers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/lunawatch/lunawatch/alarms/receivers/chats"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Chat posts each notification to a room of a chat, or to telephones, by the URL that
// the service gives for that. Names and texts of an HSM mention nobody there, are no
// links and format nothing.
type Chat struct {
	Service         string       `yaml:"service" words:"slack teams telegram mattermost rocketchat googlechat discord matrix ntfy gotify"`
	URLFile         setting.File `yaml:"url_file"`          // the URL is a secret
	BearerTokenFile setting.File `yaml:"bearer_token_file"` // of matrix, ntfy and gotify; "": none
	HTTP            `yaml:",inline"`

	Words notify.Words `yaml:"-"`
}

// Validate returns all that is wrong with c.
func (c *Chat) Validate() error {
	errs := []error{c.HTTP.Validate(), setting.At("url_file", c.URLFile.Validate()), setting.At("bearer_token_file", c.BearerTokenFile.Validate()), setting.Limits(c)}
	if c.Service == "" {
		errs = append(errs, setting.Faultf("service", "is needed"))
	}
	if c.URLFile == "" {
		errs = append(errs, setting.Faultf("url_file", "is needed"))
	}
	return errors.Join(errs...)
}

// target returns the URL in the file, which no error quotes.
func (c *Chat) target() (*url.URL, error) {
	text, err := c.URLFile.Secret("url_file", 1)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(setting.At("url_file", setting.ValidateURL(text)), c.plain("url_file", text, c.URLFile)); err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, setting.Faultf("url_file", "holds no URL")
	}
	return u, nil
}

// Plain returns why the URL in the file is not used: without TLS, it would be read on
// its way. A file that cannot be read is not its subject.
func (c *Chat) Plain() error {
	text, err := c.URLFile.Secret("url_file", 1)
	if err != nil {
		return nil //nolint:nilerr // said elsewhere
	}
	return c.plain("url_file", text, c.URLFile)
}

// urgencies are those of the severities. What is unknown or withheld may be bad.
var urgencies = map[alarms.Severity]int{alarms.None: 4, alarms.Indeterminate: 3, alarms.Warning: 3, alarms.Minor: 3, alarms.Major: 4, alarms.Critical: 5}

// said returns what a chat shows of n.
func (c *Chat) said(n alarms.Notification) chats.Message {
	m := c.Words.Message(n)
	said := chats.Message{ID: notify.Hash(n.ID), Summary: inOrder(m.Summary), Urgency: urgencies[n.Change.Alarm.Severity]}
	for _, l := range pagerLinks(m) {
		said.Links = append(said.Links, chats.Link(l))
	}
	switch {
	case n.Change.Kind == alarms.Batch:
		said.Text = inOrder(strings.TrimSpace(notify.Words{}.Message(n).Body())) // without links
		return said
	case n.IsHeartbeat():
		said.Urgency = 1
	case slices.Contains([]alarms.Kind{alarms.Cleared, alarms.Acknowledged}, n.Change.Kind), m.Test:
		said.Urgency = 2
	}
	details := m.Details()
	var lines []string
	for _, x := range [][2]string{{"What to do", details["action"]}, {"Since", details["since"]}, {"Acknowledge", details["acknowledge"]}} {
		if x[1] != "" {
			lines = append(lines, x[0]+": "+notify.Flat(x[1]))
		}
	}
	said.Text = inOrder(strings.Join(lines, "\n"))
	return said
}

// inOrder returns s without what has letters shown in another order than they are in.
func inOrder(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
}

// Notify implements [notify.Notifier].
func (c *Chat) Notify(ctx context.Context, n alarms.Notification) error {
	service, known := chats.Services[c.Service]
	if !known {
		return fmt.Errorf("service %q is not known", c.Service)
	}
	u, err := c.target()
	if err != nil {
		return err
	}
	header, err := bearer(c.BearerTokenFile)
	if err != nil {
		return err
	}
	header.Set("Content-Type", "application/json")
	call := service(u, c.said(n))
	body, err := json.Marshal(call.Body)
	if err != nil {
		return &notify.Rejected{Err: err}
	}
	answered, err := c.exchange(ctx, call.Method, u.String(), header, body)
	if err == nil && isPage(answered) {
		err = fmt.Errorf("%s answers with a page for people: the URL is not one to post to", where(u.String()))
	}
	return err
}
