package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/lunawatch/lunawatch/agent/guard"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters"
)

const (
	historyAlarms = 100             // are returned unless a number is asked for
	longestTest   = 5 * time.Minute // that a test of the receivers may wait
)

// alarmControl adds what commands ask and do about alarms.
func (a *Agent) alarmControl(mux *http.ServeMux) {
	mux.HandleFunc("GET /alarms", func(w http.ResponseWriter, _ *http.Request) { reply(w, a.active()) })
	mux.HandleFunc("GET /alarms/history", func(w http.ResponseWriter, r *http.Request) {
		most, err := strconv.Atoi(r.FormValue("n"))
		if err != nil || most < 1 {
			most = historyAlarms
		}
		list, err := a.cleared(most)
		respond(w, list, err)
	})
	for _, x := range []struct {
		name string
		do   func(alarm, by, why string) error
	}{
		{"clear", a.watch.Clear},
		{"acknowledge", a.watch.Acknowledge},
		{"unacknowledge", func(alarm, _, _ string) error { return a.watch.Unacknowledge(alarm) }},
	} {
		mux.HandleFunc("POST /alarms/"+x.name, a.operating(x.name, func(w http.ResponseWriter, r *http.Request, by string) {
			alarm, why := r.FormValue("key"), r.FormValue("why")
			err := x.do(alarm, by, why)
			a.acted(x.name, alarm, by, why, err)
			respond(w, nil, err)
		}))
	}
	mux.HandleFunc("POST /alarms/test", a.operating("test", a.testReceivers))
	mux.HandleFunc("GET /silences", func(w http.ResponseWriter, _ *http.Request) { reply(w, a.watch.Silences()) })
	mux.HandleFunc("POST /silences", a.operating("silence", a.silence))
	mux.HandleFunc("POST /silences/end", a.operating("unsilence", func(w http.ResponseWriter, r *http.Request, by string) {
		id, err := strconv.ParseUint(r.FormValue("id"), 10, 64)
		if err != nil {
			err = fmt.Errorf("%q is not the number of a silence; lunawatch alarms silences lists them", r.FormValue("id"))
		} else {
			err = a.watch.Unsilence(id)
		}
		a.acted("unsilence", r.FormValue("id"), by, "", err)
		respond(w, nil, err)
	}))
}

// serial returns the serial number of the HSM of an alarm, as SNMP shows it: one that a
// log raised before anything was read of the HSM does not state it itself.
func (a *Agent) serial(alarm alarms.Alarm) string {
	if d := a.store.Latest().Device(alarm.Device); d != nil && alarm.Serial == "" {
		return d.Serial()
	}
	return alarm.Serial
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
func (a *Agent) silence(w http.ResponseWriter, r *http.Request, _ string) {
	var s alarms.Silence
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		respond(w, nil, fmt.Errorf("the silence cannot be read: %w", err))
		return
	}
	now := time.Now()
	if s.From.IsZero() {
		s.From = now
	}
	if !s.Until.After(now) {
		respond(w, nil, fmt.Errorf("a silence until %s has already ended; name a later end", s.Until.Format(exporters.TimeLayout)))
		return
	}
	if s.Wide() && r.URL.Query().Get("all") != "yes" {
		respond(w, nil, fmt.Errorf("it would silence every alarm, or last for more than %s; use -yes-all if that is meant", alarms.LongSilence))
		return
	}
	c, _ := guard.CallerOf(r.Context())
	s.Author = c.Author(s.Author)
	id, err := a.watch.Silence(s)
	s.ID = id
	a.acted("silence", fmt.Sprint(id), s.Author, s.Reason, err)
	respond(w, s, err)
}

// testReceivers sends a test alarm to every receiver and waits for what they
// do with it.
func (a *Agent) testReceivers(w http.ResponseWriter, r *http.Request, by string) {
	wait, err := time.ParseDuration(r.FormValue("wait"))
	if err != nil || wait <= 0 || wait > longestTest {
		respond(w, nil, fmt.Errorf("wait %q is not a duration up to %s", r.FormValue("wait"), longestTest))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	list, err := a.watch.Test(ctx, by)
	a.acted("test", "receivers", by, "", err)
	respond(w, list, err)
}
