package receivers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// TestReceiversMeetGarbage: a 2xx with anything behind it, or with less than it
// promised, ends nothing for good, and those that read the answer do not take it for one.
func TestReceiversMeetGarbage(t *testing.T) {
	noise := strings.Repeat("\x00\xff{[\"ackId\":", 40_000)
	for _, x := range subjects() {
		if !x.http {
			continue
		}
		for name, garbage := range map[string]http.HandlerFunc{
			"noise": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, noise) },
			"page":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>"+theSecret+noise) },
			"less": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "99")
				io.WriteString(w, "o")
			},
		} {
			s := newSite(t, x)
			to := x.build(s)
			serveHTTP(s, garbage)
			err := to.Notify(soon(t), alarmstest.Complete(alarms.Raised))
			if rejected := (*notify.Rejected)(nil); errors.As(err, &rejected) {
				t.Errorf("%s, %s: %v", x.name, name, err)
			}
			reads := x.name == "splunk" || x.name == "otlp" || name == "page" && (strings.HasPrefix(x.name, "chat") || strings.HasPrefix(x.name, "servicenow"))
			if (err != nil) != reads {
				t.Errorf("%s, %s: %v", x.name, name, err)
			}
			quiet(t, err)
		}
	}
}

// TestReceiversOutliveRestarts has a peer go away after a delivery, and come back.
func TestReceiversOutliveRestarts(t *testing.T) {
	for _, x := range subjects() {
		if !x.tls {
			continue
		}
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, x)
			to := x.build(s)
			for range 2 {
				t.Run("up", func(t *testing.T) { // its peer ends with it
					up := s
					up.t = t
					before := len(gotten(s))
					x.start(up)
					if err := to.Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err != nil {
						t.Fatal(err)
					}
					x.await(up, before+1)
				})
				err := to.Notify(soon(t), alarmstest.Complete(alarms.Raised))
				if rejected := (*notify.Rejected)(nil); err == nil || errors.As(err, &rejected) {
					t.Fatalf("down: %v, want an error that is retried", err)
				}
			}
		})
	}
}

// TestReceiversTakeStorms has each deliver very many notifications, with long texts,
// as one message or request. Peers hold them to the limits of the service.
func TestReceiversTakeStorms(t *testing.T) {
	var storm []alarms.Notification
	for i := range 300 {
		n := alarmstest.Complete([]alarms.Kind{alarms.Raised, alarms.Cleared}[i%2])
		n.ID, n.Change.Alarm.Number, n.Change.Alarm.Object = fmt.Sprint("n", i), uint64(i+1), strings.Repeat("€\n", 200)
		storm = append(storm, n)
	}
	for _, x := range subjects() {
		if !x.http {
			continue
		}
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, x)
			x.start(s)
			to := x.build(s)
			together := notify.AsOne(to)
			if each, ok := to.(interface {
				NotifyAll(ctx context.Context, list []alarms.Notification) error
			}); ok {
				together = each.NotifyAll
			}
			if err := together(t.Context(), storm); err != nil {
				t.Fatal(err)
			}
			x.await(s, 1)
		})
	}
}
