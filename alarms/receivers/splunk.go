package receivers

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// Splunk sends each notification as an event to an HTTP Event Collector. The event
// is a [notify.Message]; one that is sent again has the same id.
type Splunk struct {
	URL        string       `yaml:"url"` // of the collector: https://host:8088
	TokenFile  setting.File `yaml:"token_file"`
	Index      string       `yaml:"index"`                          // "": that of the token
	SourceType string       `yaml:"sourcetype" default:"lunawatch"` // "": lunawatch
	// Delivered is when an event counts as delivered: when the indexers acknowledge
	// it, which the token must have enabled, or when the collector has taken it,
	// which a crash there can still lose. "": indexed.
	Delivered string `yaml:"delivered" default:"indexed" words:"indexed taken"`
	HTTP      `yaml:",inline"`

	Words notify.Words `yaml:"-"`
}

// Validate returns all that is wrong with s.
func (s *Splunk) Validate() error {
	errs := []error{s.HTTP.Validate(), s.plain("url", s.URL, s.TokenFile), setting.At("token_file", s.TokenFile.Validate()), setting.Limits(s)}
	if s.URL == "" {
		errs = append(errs, setting.Faultf("url", "is needed"))
	} else {
		errs = append(errs, setting.At("url", setting.ValidateURL(s.URL)))
	}
	if s.TokenFile == "" {
		errs = append(errs, setting.Faultf("token_file", "is needed"))
	}
	return errors.Join(errs...)
}

// A splunkEvent is an event for the collector.
type splunkEvent struct {
	Time       float64         `json:"time"` // seconds since 1970
	Host       string          `json:"host"`
	Source     string          `json:"source"`
	SourceType string          `json:"sourcetype"`
	Index      string          `json:"index,omitempty"`
	Event      json.RawMessage `json:"event"`
}

// A splunkAnswer is what the collector says. AckID is nil where the token has no
// acknowledgement.
type splunkAnswer struct {
	Code  *int   `json:"code"`
	AckID *int64 `json:"ackId"`
}

// Notify implements [notify.Notifier].
func (s *Splunk) Notify(ctx context.Context, n alarms.Notification) error {
	return s.NotifyAll(ctx, []alarms.Notification{n})
}

// NotifyAll sends several notifications, each an event of its own, in one request.
func (s *Splunk) NotifyAll(ctx context.Context, list []alarms.Notification) error {
	token, err := s.TokenFile.Secret("token_file", 1)
	if err != nil {
		return err
	}
	body, err := s.events(list)
	if err != nil {
		return &notify.Rejected{Err: err}
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	// Behind a load balancer, only the collector that took an event knows of it.
	if client.Jar, err = cookiejar.New(nil); err != nil {
		return err
	}
	ask := func(path string, body []byte) ([]byte, error) {
		header := http.Header{"Authorization": {"Splunk " + strings.TrimSpace(token)}, "X-Splunk-Request-Channel": {s.channel()}, "Content-Type": {"application/json"}}
		said, err := exchange(ctx, client, http.MethodPost, strings.TrimSuffix(s.URL, "/")+path, header, body)
		return said, splunkError(said, err)
	}
	said, err := ask("/services/collector/event", body)
	if err != nil {
		return err
	}
	var taken splunkAnswer
	if err := json.Unmarshal(said, &taken); err != nil || taken.Code == nil || *taken.Code != 0 {
		return fmt.Errorf("%s answers 200, but not as an event collector does", where(s.URL))
	}
	if s.Delivered == "taken" {
		return nil
	}
	if taken.AckID == nil {
		return fmt.Errorf("%s takes events without acknowledgement: enable indexer acknowledgement for the token, or set delivered: taken", where(s.URL))
	}
	return s.acknowledged(ctx, *taken.AckID, ask)
}

// The pause between two questions for an acknowledgement doubles between these.
const (
	splunkSoon = 250 * time.Millisecond
	splunkSlow = 4 * time.Second
)

// acknowledged asks until the indexers have what was taken under an ID.
func (s *Splunk) acknowledged(ctx context.Context, id int64, ask func(path string, body []byte) ([]byte, error)) error {
	question := fmt.Appendf(nil, `{"acks":[%d]}`, id)
	for tries := 0; ; tries++ {
		said, err := ask("/services/collector/ack", question)
		if err != nil {
			// What was taken is not what failed: nothing is rejected here.
			if rejected := (*notify.Rejected)(nil); errors.As(err, &rejected) {
				err = rejected.Err
			}
			return err
		}
		var answer struct {
			Acks map[int64]bool `json:"acks"`
		}
		if err := json.Unmarshal(said, &answer); err != nil {
			return fmt.Errorf("%s answers 200, but not with acknowledgements", where(s.URL))
		}
		if answer.Acks[id] {
			return nil
		}
		if !wait.Sleep(ctx, wait.Backoff(tries, splunkSoon, splunkSlow)) {
			return fmt.Errorf("%s: not acknowledged by the indexers in time: %w", where(s.URL), ctx.Err())
		}
	}
}

// events returns the events of a list, one after the other.
func (s *Splunk) events(list []alarms.Notification) ([]byte, error) {
	var all bytes.Buffer
	for _, n := range list {
		event, err := s.Words.Message(n).JSON()
		if err != nil {
			return nil, err
		}
		err = json.NewEncoder(&all).Encode(splunkEvent{
			Time: float64(n.At.UnixMilli()) / 1000, Host: notify.Hostname(), Source: alarms.Self,
			SourceType: cmp.Or(s.SourceType, "lunawatch"), Index: s.Index, Event: event,
		})
		if err != nil {
			return nil, err
		}
	}
	return all.Bytes(), nil
}

// channel returns the GUID under which the collector counts what this agent sends:
// always the same, since it remembers each for a while.
func (s *Splunk) channel() string {
	h := notify.Hash(notify.Hostname(), s.URL, s.Index, s.SourceType)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// splunkFaults are the codes of a 400 that are about the token or the
// configuration, and not about the event: it is kept until somebody has mended that.
var splunkFaults = map[int]string{
	7: "the token may not write to this index", 10: "it misses the channel", 11: "it does not take the channel", 14: "the token has no indexer acknowledgement: enable it, or set delivered: taken",
}

// splunkError returns err, with what the collector says of it.
func splunkError(said []byte, err error) error {
	var answer splunkAnswer
	rejected := (*notify.Rejected)(nil)
	if !errors.As(err, &rejected) || json.Unmarshal(said, &answer) != nil || answer.Code == nil {
		return err
	}
	if fault, known := splunkFaults[*answer.Code]; known {
		return fmt.Errorf("%w: code %d, %s", rejected.Err, *answer.Code, fault)
	}
	return &notify.Rejected{Err: fmt.Errorf("%w: code %d", rejected.Err, *answer.Code)}
}
