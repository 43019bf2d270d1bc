package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

const (
	historyAlarms = 100             // are returned unless a number is asked for
	longestTest   = 5 * time.Minute // that a test of the receivers may wait
)

// alarmControl adds what commands ask and do about alarms.
func (a *Agent) alarmControl(mux *http.ServeMux) {
	mux.HandleFunc("GET /alarms", func(w http.ResponseWriter, _ *http.Request) { reply(w, a.watch.Active()) })
	mux.HandleFunc("GET /alarms/history", func(w http.ResponseWriter, r *http.Request) {
		most, err := strconv.Atoi(r.FormValue("n"))
		if err != nil || most < 1 {
			most = historyAlarms
		}
		list, err := a.watch.History(most)
		respond(w, list, err)
	})
	mux.HandleFunc("POST /alarms/clear", func(w http.ResponseWriter, r *http.Request) {
		respond(w, nil, a.watch.Clear(r.FormValue("key"), r.FormValue("reason")))
	})
	mux.HandleFunc("POST /alarms/acknowledge", func(w http.ResponseWriter, r *http.Request) {
		respond(w, nil, a.watch.Acknowledge(r.FormValue("key"), r.FormValue("by"), r.FormValue("comment")))
	})
	mux.HandleFunc("POST /alarms/unacknowledge", func(w http.ResponseWriter, r *http.Request) {
		respond(w, nil, a.watch.Unacknowledge(r.FormValue("key")))
	})
	mux.HandleFunc("POST /alarms/test", a.testReceivers)
	mux.HandleFunc("GET /silences", func(w http.ResponseWriter, _ *http.Request) { reply(w, a.watch.Silences()) })
	mux.HandleFunc("POST /silences", a.silence)
	mux.HandleFunc("POST /silences/end", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseUint(r.FormValue("id"), 10, 64)
		if err != nil {
			err = fmt.Errorf("%q is not the number of a silence; lunawatch alarms silences lists them", r.FormValue("id"))
		} else {
			err = a.watch.Unsilence(id)
		}
		respond(w, nil, err)
	})
}

// respond replies with v, or with why there is none.
func respond(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, v)
}

// silence adds a silence. One without a beginning begins now.
func (a *Agent) silence(w http.ResponseWriter, r *http.Request) {
	var s alarms.Silence
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&s); err != nil {
		respond(w, nil, fmt.Errorf("the silence cannot be read: %w", err))
		return
	}
	now := time.Now()
	if s.From.IsZero() {
		s.From = now
	}
	if !s.Until.After(now) {
		respond(w, nil, fmt.Errorf("a silence until %s has already ended; name a later end", s.Until.Format(time.DateTime)))
		return
	}
	id, err := a.watch.Silence(s)
	s.ID = id
	respond(w, s, err)
}

// testReceivers sends a test alarm to every receiver and waits for what they
// do with it.
func (a *Agent) testReceivers(w http.ResponseWriter, r *http.Request) {
	wait, err := time.ParseDuration(r.FormValue("wait"))
	if err != nil || wait <= 0 || wait > longestTest {
		respond(w, nil, fmt.Errorf("wait %q is not a duration up to %s", r.FormValue("wait"), longestTest))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	list, err := a.watch.Test(ctx, r.FormValue("by"))
	respond(w, list, err)
}
