package receivers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// A collector is an HTTP Event Collector, by Splunk's documentation of it.
type collector struct {
	late   int            // how often an event is asked for before it is acknowledged; -1: it never is
	acks   string         // instead of an answer about acknowledgements; "": a right one
	says   string         // instead of an answer to an event
	status int            // of that answer; 0: 200
	asked  map[int64]int  // for an acknowledgement, by ID
	onAsk  func(nth int)  // called for each question; may be nil
	events []splunkEvent  // that were taken
	cookie map[string]int // requests with that of the load balancer, by path

	mu sync.Mutex // of all of these
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (c *collector) serve(s site) {
	c.asked, c.cookie = make(map[int64]int), make(map[string]int)
	serveHTTP(s, func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = checkSplunk(r, body)
		}
		if err != nil {
			s.t.Errorf("%s %s: %v\n%s", r.Method, r.URL.Path, err, body)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if _, err := r.Cookie("node"); err == nil {
			c.cookie[r.URL.Path]++
		}
		if r.URL.Path == "/services/collector/ack" {
			c.answer(w, body)
			return
		}
		for d := json.NewDecoder(bytes.NewReader(body)); d.More(); {
			var e splunkEvent
			if err := d.Decode(&e); err != nil {
				s.t.Error(err)
			}
			c.events = append(c.events, e)
			keep(s, string(e.Event))
		}
		http.SetCookie(w, &http.Cookie{Name: "node", Value: "a"})
		if c.says != "" {
			w.WriteHeader(max(c.status, http.StatusOK))
			fmt.Fprint(w, c.says)
			return
		}
		fmt.Fprintf(w, `{"text":"Success","code":0,"ackId":%d}`, len(c.events))
	})
}

// answer answers a question for acknowledgements.
func (c *collector) answer(w http.ResponseWriter, body []byte) {
	var q struct{ Acks []int64 }
	if err := json.Unmarshal(body, &q); err != nil || len(q.Acks) != 1 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	id := q.Acks[0]
	c.asked[id]++
	if c.onAsk != nil {
		c.onAsk(c.asked[id])
	}
	if c.acks != "" {
		fmt.Fprint(w, c.acks)
		return
	}
	fmt.Fprintf(w, `{"acks":{"%d":%t}}`, id, c.late >= 0 && c.asked[id] > c.late)
}

// checkSplunk holds a request to the documentation of the collector.
func checkSplunk(r *http.Request, body []byte) error {
	switch {
	case r.Method != http.MethodPost:
		return errors.New("not a POST")
	case r.Header.Get("Authorization") != "Splunk "+theSecret+"-token":
		return errors.New("no token")
	case !guid.MatchString(r.Header.Get("X-Splunk-Request-Channel")):
		return errors.New("no channel")
	case r.URL.Path == "/services/collector/ack":
		return nil
	case r.URL.Path != "/services/collector/event":
		return errors.New("no such path")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	for d.More() {
		var e splunkEvent
		if err := d.Decode(&e); err != nil {
			return err
		}
		if e.Time == 0 && !bytes.Contains(e.Event, []byte("0001-01-01")) || e.Host == "" || e.Source == "" || e.SourceType == "" || len(e.Event) < 3 {
			return fmt.Errorf("event %+v", e)
		}
	}
	return nil
}

func startSplunk(s site) []string {
	new(collector).serve(s)
	return nil
}

// TestSplunkAcknowledged: an event is delivered when the indexers have it, and not
// when the collector has taken it.
func TestSplunkAcknowledged(t *testing.T) {
	s := newSite(t, subject{})
	c := &collector{late: 2}
	c.serve(s)
	x := &Splunk{URL: s.url("/"), TokenFile: s.secret("token"), Index: "hsm", SourceType: "luna"}
	if err := x.Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err != nil {
		t.Fatal(err)
	}
	if c.asked[1] != 3 || c.cookie["/services/collector/ack"] != 3 {
		t.Errorf("asked %v times for the acknowledgement, with the cookie %v; want 3", c.asked, c.cookie)
	}
	if e := c.events[0]; e.Index != "hsm" || e.SourceType != "luna" || e.Time != 1772366470 {
		t.Errorf("%+v", e)
	}
}

// TestSplunkSentAgain: what is not acknowledged is sent again, under the same id.
func TestSplunkSentAgain(t *testing.T) {
	s := newSite(t, subject{})
	ctx, cancel := context.WithCancel(t.Context())
	c := &collector{late: -1, onAsk: func(nth int) {
		if nth == 2 {
			cancel()
		}
	}}
	c.serve(s)
	x := &Splunk{URL: s.url(""), TokenFile: s.secret("token")}
	err := x.Notify(ctx, alarmstest.Complete(alarms.Raised))
	if rejected := (*notify.Rejected)(nil); err == nil || errors.As(err, &rejected) {
		t.Fatalf("not acknowledged: %v, want an error that is retried", err)
	}
	c.mu.Lock()
	c.late, c.onAsk = 0, nil
	c.mu.Unlock()
	if err := x.Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range c.events {
		var m notify.Message
		if err := json.Unmarshal(e.Event, &m); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID)
	}
	if len(ids) != 2 || ids[0] != ids[1] || ids[0] == "" {
		t.Errorf("sent twice as %q", ids)
	}
}

// TestSplunkTogether: many notifications are one request, and an event each.
func TestSplunkTogether(t *testing.T) {
	s := newSite(t, subject{})
	c := new(collector)
	c.serve(s)
	x := &Splunk{URL: s.url(""), TokenFile: s.secret("token")}
	if err := x.NotifyAll(t.Context(), everyKind()); err != nil {
		t.Fatal(err)
	}
	if len(c.events) != len(everyKind()) || len(c.asked) != 1 {
		t.Errorf("%d events of %d notifications, %d acknowledgements", len(c.events), len(everyKind()), len(c.asked))
	}
}

// TestSplunkAnswers: what a collector says that does not take an event, takes it
// without acknowledgement, or is no collector.
func TestSplunkAnswers(t *testing.T) {
	for _, x := range []struct {
		c         *collector
		delivered string
		want      string // of the error; "": none
		rejected  bool
	}{
		{&collector{says: `{"text":"Success","code":0}`}, "", "enable indexer acknowledgement", false},
		{&collector{says: `{"text":"Success","code":0}`}, "taken", "", false},
		{&collector{says: `{"text":"Success","code":0,"ackId":4}`, late: -1}, "taken", "", false},
		{&collector{says: `<html>welcome</html>`}, "", "not as an event collector does", false},
		{&collector{says: `<html>welcome</html>`}, "taken", "not as an event collector does", false},
		{&collector{says: `{}`}, "taken", "not as an event collector does", false},
		{&collector{acks: `<html>`}, "", "not with acknowledgements", false},
		{&collector{says: `{"text":"Incorrect index","code":7,"invalid-event-number":0}`, status: 400}, "", "code 7, the token may not write to this index", false},
		{&collector{says: `{"text":"ACK is disabled","code":14}`, status: 400}, "", "code 14, the token has no indexer acknowledgement", false},
		{&collector{says: `{"text":"Invalid data format","code":6}`, status: 400}, "", "code 6", true},
		{&collector{says: `{"text":"Server is busy","code":9}`, status: 503}, "", "503", false},
		{&collector{says: `{"text":"Invalid token","code":4}`, status: 403}, "", "403", false},
	} {
		s := newSite(t, subject{})
		x.c.serve(s)
		err := (&Splunk{URL: s.url(""), TokenFile: s.secret("token"), Delivered: x.delivered}).Notify(t.Context(), alarmstest.Complete(alarms.Raised))
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s %s: %v, want %q", x.c.says, x.c.acks, err, x.want)
		}
		if rejected := (*notify.Rejected)(nil); errors.As(err, &rejected) != x.rejected {
			t.Errorf("%s: %v, rejected must be %t", x.c.says, err, x.rejected)
		}
	}
}
