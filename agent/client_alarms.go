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
)

// Alarms returns the active alarms, worst first.
func (c *Client) Alarms(ctx context.Context) (list []alarms.Active, err error) {
	return list, c.get(ctx, "/alarms", &list)
}

// History returns the newest cleared alarms, newest first, at most so many.
func (c *Client) History(ctx context.Context, most int) (list []alarms.Alarm, err error) {
	return list, c.get(ctx, "/alarms/history?n="+strconv.Itoa(most), &list)
}

// ClearAlarm clears an alarm by hand. Alarms are named by key or number.
func (c *Client) ClearAlarm(ctx context.Context, alarm, by, reason string) error {
	return c.post(ctx, "/alarms/clear", url.Values{"key": {alarm}, "by": {by}, "why": {reason}}, new(any))
}

// Acknowledge records that somebody looks after an alarm.
func (c *Client) Acknowledge(ctx context.Context, alarm, by, comment string) error {
	return c.post(ctx, "/alarms/acknowledge", url.Values{"key": {alarm}, "by": {by}, "why": {comment}}, new(any))
}

// Unacknowledge withdraws an acknowledgement.
func (c *Client) Unacknowledge(ctx context.Context, alarm string) error {
	return c.post(ctx, "/alarms/unacknowledge", url.Values{"key": {alarm}}, new(any))
}

// TestReceivers sends a test alarm to every receiver, and waits for what they
// do with it.
func (c *Client) TestReceivers(ctx context.Context, by string, wait time.Duration) (list []notify.TestResult, err error) {
	return list, c.post(ctx, "/alarms/test", url.Values{"by": {by}, "wait": {wait.String()}}, &list)
}

// Silences returns the active and the future silences, by their end.
func (c *Client) Silences(ctx context.Context) (list []alarms.Silence, err error) {
	return list, c.get(ctx, "/silences", &list)
}

// Silence adds a silence and returns it with its number. Without a
// beginning, it begins now. One that is [alarms.Silence.Wide] needs all.
func (c *Client) Silence(ctx context.Context, s alarms.Silence, all bool) (added alarms.Silence, err error) {
	text, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	path := "/silences"
	if all {
		path += "?all=yes"
	}
	return added, c.ask(ctx, http.MethodPost, path, bytes.NewReader(text), &added)
}

// Unsilence ends a silence.
func (c *Client) Unsilence(ctx context.Context, number string) error {
	return c.post(ctx, "/silences/end", url.Values{"id": {number}}, new(any))
}
