package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters/api"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Client asks a running agent over its control socket. Its errors say what to
// do if no agent answers.
type Client struct {
	socket string
	http   http.Client
}

// NewClient returns a Client of the agent behind a socket.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Client{socket, http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Snapshot returns the latest state of every device.
func (c *Client) Snapshot(ctx context.Context) (s *hsm.Snapshot, err error) {
	return s, c.get(ctx, "/snapshot", &s)
}

// Estate returns how every device is.
func (c *Client) Estate(ctx context.Context) (glance.Estate, error) {
	var answer api.Estate
	err := c.get(ctx, api.Prefix+"/estate", &answer)
	e := glance.Estate{At: time.Now(), State: answer.State, Rows: []glance.Row{}}
	for _, d := range answer.Devices {
		e.Rows = append(e.Rows, d.Row)
	}
	return e, err
}

// Measured returns the last 24 hours of a measure of a device; none if it was not read.
func (c *Client) Measured(ctx context.Context, device string, m history.Measure) (h api.History, err error) {
	return h, c.get(ctx, api.Prefix+"/hsms/"+url.PathEscape(device)+"/history?measure="+url.QueryEscape(string(m)), &h)
}

// Thresholds returns those of the agent's rules.
func (c *Client) Thresholds(ctx context.Context) (t rules.Thresholds, err error) {
	return t, c.get(ctx, "/thresholds", &t)
}

// InForce returns which configuration the agent runs with.
func (c *Client) InForce(ctx context.Context) (f config.InForce, err error) {
	return f, c.get(ctx, "/configuration", &f)
}

// Answers returns the newest answers of a device that the agent keeps, as they came; those
// of one source, if it is named.
func (c *Client) Answers(ctx context.Context, device, source string) (list []hsm.Answer, err error) {
	return list, c.get(ctx, "/answers?"+url.Values{"device": {device}, "source": {source}}.Encode(), &list)
}

// Walk returns the SNMP view in the order of its OIDs.
func (c *Client) Walk(ctx context.Context) (list []Instance, err error) {
	return list, c.get(ctx, "/walk", &list)
}

// Reload has the agent read its configuration anew; see [Agent.Reload].
func (c *Client) Reload(ctx context.Context, force bool) error {
	values := url.Values{}
	if force {
		values.Set("force", "true")
	}
	return c.post(ctx, "/reload", values, new(any))
}

// Monitor has the agent measure utilization, round by round, until the rounds
// are done or one fails.
func (c *Client) Monitor(ctx context.Context, serial string, interval time.Duration, rounds int) iter.Seq2[hsm.Monitor, error] {
	return func(yield func(hsm.Monitor, error) bool) {
		body, err := c.open(ctx, http.MethodGet, fmt.Sprintf("/monitor?serial=%s&interval=%d&rounds=%d", url.QueryEscape(serial), int(interval.Seconds()), rounds), nil)
		if err != nil {
			yield(hsm.Monitor{}, err)
			return
		}
		defer body.Close()
		lines := bufio.NewScanner(body)
		for lines.Scan() {
			var r MonitorRound
			err := json.Unmarshal(lines.Bytes(), &r)
			if err == nil && r.Error != "" {
				err = errors.New(r.Error)
			}
			if !yield(r.Monitor, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(hsm.Monitor{}, err)
		}
	}
}

func (c *Client) get(ctx context.Context, path string, v any) error {
	return c.ask(ctx, http.MethodGet, path, nil, v)
}

// post has the agent do something, and reads its answer into v.
func (c *Client) post(ctx context.Context, path string, values url.Values, v any) error {
	return c.ask(ctx, http.MethodPost, path+"?"+values.Encode(), nil, v)
}

func (c *Client) ask(ctx context.Context, method, path string, body io.Reader, v any) error {
	res, err := c.open(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer res.Close()
	return json.NewDecoder(res).Decode(v)
}

func (c *Client) open(ctx context.Context, method, path string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		if op := (*net.OpError)(nil); errors.As(err, &op) {
			err = op.Err
		}
		return nil, fmt.Errorf("no agent answers on %s: %w; start lunawatch agent, or name its socket with -control.socket", c.socket, err)
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
		return nil, errors.New(whyNot(text))
	}
	return res.Body, nil
}

// whyNot returns why the agent has not answered: a text, or the error of the JSON API.
func whyNot(body []byte) string {
	var e struct{ Error string }
	if json.Unmarshal(body, &e) == nil && e.Error != "" {
		return e.Error
	}
	return strings.TrimSpace(string(body))
}
