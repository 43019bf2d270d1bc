package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/exporters/act"
	"github.com/lunawatch/lunawatch/exporters/api"
)

// Alarms returns the active alarms, worst first.
func (c *Client) Alarms(ctx context.Context) ([]alarms.Active, error) {
	var answer api.Alarms
	err := c.get(ctx, api.Prefix+"/alarms", &answer)
	return answer.Alarms, err
}

// History returns the newest cleared alarms, newest first, at most so many: 1 to 10,000.
func (c *Client) History(ctx context.Context, most int) ([]alarms.Alarm, error) {
	var answer api.Cleared
	err := c.get(ctx, api.Prefix+"/alarms/history?most="+strconv.Itoa(most), &answer)
	return answer.Alarms, err
}

// do has the agent do something by its API, and reads what it answers into v.
func (c *Client) do(ctx context.Context, method, path string, body, v any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.ask(ctx, method, api.Prefix+path, bytes.NewReader(text), v)
}

func alarmPath(alarm, act string) string { return "/alarms/" + url.PathEscape(alarm) + "/" + act }

// ClearAlarm clears an alarm by hand. Alarms are named by key or number.
func (c *Client) ClearAlarm(ctx context.Context, alarm, by, reason string) error {
	return c.do(ctx, http.MethodPost, alarmPath(alarm, "clear"), api.Reason{Claim: api.Claim{By: by}, Reason: reason}, new(api.Done))
}

// Acknowledge records that somebody looks after an alarm.
func (c *Client) Acknowledge(ctx context.Context, alarm, by, comment string) error {
	return c.do(ctx, http.MethodPost, alarmPath(alarm, "acknowledge"), api.Comment{Claim: api.Claim{By: by}, Comment: comment}, new(api.Done))
}

// Unacknowledge withdraws an acknowledgement.
func (c *Client) Unacknowledge(ctx context.Context, alarm string) error {
	return c.do(ctx, http.MethodPost, alarmPath(alarm, "unacknowledge"), api.Claim{}, new(api.Done))
}

// TestReceivers sends a test alarm to every receiver, and waits for what they
// do with it.
func (c *Client) TestReceivers(ctx context.Context, by string, wait time.Duration) ([]notify.TestResult, error) {
	var answer api.Tested
	err := c.do(ctx, http.MethodPost, "/test", api.Test{Claim: api.Claim{By: by}, WaitSeconds: wait.Seconds()}, &answer)
	return answer.Receivers, err
}

// Silences returns the active and the future silences, by their end.
func (c *Client) Silences(ctx context.Context) ([]alarms.Silence, error) {
	var answer api.Silences
	err := c.get(ctx, api.Prefix+"/silences", &answer)
	return answer.Silences, err
}

// Silence adds a silence and returns it with its number. Without a
// beginning, it begins now. One that is [alarms.Silence.Wide] needs all.
func (c *Client) Silence(ctx context.Context, s alarms.Silence, all bool) (added alarms.Silence, err error) {
	return added, c.do(ctx, http.MethodPost, "/silences", wanted(s, all), &added)
}

// Preview returns what a silence would hide of what is active now.
func (c *Client) Preview(ctx context.Context, s alarms.Silence) (p act.Preview, err error) {
	return p, c.do(ctx, http.MethodPost, "/silences/preview", wanted(s, true), &p)
}

func wanted(s alarms.Silence, all bool) api.NewSilence {
	return api.NewSilence{Claim: api.Claim{By: s.Author}, Match: s.Match, Reason: s.Reason, From: s.From, Until: s.Until, Every: s.Every, ConfirmWide: all}
}

// Unsilence ends a silence.
func (c *Client) Unsilence(ctx context.Context, number string) error {
	return c.do(ctx, http.MethodDelete, "/silences/"+url.PathEscape(number), api.Claim{}, new(api.Done))
}
