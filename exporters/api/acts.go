package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/exporters/act"
)

// mostBody bounds the body of a request, in bytes.
const mostBody = 64 << 10

// A Claim is who says to act. Over the control socket the name is beside that of the user
// whom the kernel knows; over the web it counts for nothing.
type Claim struct {
	By string `json:"by,omitempty"`
}

func (c Claim) claimed() string { return c.By }

// does returns the route of an act: its body is In, of who may, and what is returned is Out.
func does[In interface{ claimed() string }, Out any](method, path, name, summary string, do func(s Source, r *http.Request, in In, by string) (Out, error)) route {
	return route{method, path, summary, nil, reflect.TypeFor[In](), reflect.TypeFor[Out](), func(s Source, r *http.Request) (any, error) {
		var in In
		if err := readBody(r, &in); err != nil {
			return nil, err
		}
		by, err := s.Who(r, in.claimed())
		if err != nil {
			s.Desk.Refused(name, by, err)
			return nil, refuse(http.StatusForbidden, "%s", err)
		}
		out, err := do(s, r, in, by)
		return out, refused(err)
	}}
}

// refused returns the refusal of an act that was not done.
func refused(err error) error {
	r, missing := refusal{}, watch.NotFoundError("")
	switch {
	case err == nil || errors.As(err, &r):
		return err
	case errors.As(err, &missing):
		return refuse(http.StatusNotFound, "%s", err)
	}
	return refuse(http.StatusBadRequest, "%s", err)
}

// readBody reads the body of an act, which must say that it is JSON: no form of another
// site can. Only what is deleted needs none.
func readBody(r *http.Request, into any) error {
	text, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, mostBody))
	if err != nil {
		return refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", mostBody)
	}
	if r.Method == http.MethodDelete && len(text) == 0 {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "the body must be JSON: set Content-Type to application/json")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields() // a misspelt from would begin now
	if err := d.Decode(into); err != nil {
		return refuse(http.StatusBadRequest, "the body cannot be read: %s", err)
	}
	return nil
}

// A Comment is what is said with an acknowledgement.
type Comment struct {
	Claim
	Comment string `json:"comment"` // for the next shift
}

// A Reason is why an alarm is cleared.
type Reason struct {
	Claim
	Reason string `json:"reason"` // the history keeps it
}

// A NewSilence is one that is to be.
type NewSilence struct {
	Claim
	Match       alarms.Match `json:"match"` // of severity: this or milder
	Reason      string       `json:"reason"`
	From        time.Time    `json:"from,omitzero"` // now, if it is left out
	Until       time.Time    `json:"until"`
	Every       *again.Every `json:"every,omitempty"`        // it comes again; left out: it does not
	ConfirmWide bool         `json:"confirm_wide,omitempty"` // it may hide every alarm, or last for more than a day, or for more than half of every day
}

func (n NewSilence) of(by string) alarms.Silence {
	return alarms.Silence{Match: n.Match, Author: by, Reason: n.Reason, From: n.From, Until: n.Until, Every: n.Every}
}

// A Test is one of the receivers.
type Test struct {
	Claim
	WaitSeconds float64 `json:"wait_seconds"` // for the receivers, at most 300
}

// Tested is what each receiver did with a test alarm.
type Tested struct {
	Receivers []notify.TestResult `json:"receivers"`
}

// Done is that something was done.
type Done struct {
	By string `json:"by"` // who did it, as the log and the alarm have it
}

// acts are the routes that change something.
var acts = []route{
	does(http.MethodPost, "/alarms/{alarm}/acknowledge", "acknowledge", "Say that you look after an active alarm, named by its number or key, until it becomes worse.", func(s Source, r *http.Request, in Comment, by string) (Done, error) {
		return Done{by}, s.Desk.Acknowledge(r.PathValue("alarm"), by, in.Comment)
	}),
	does(http.MethodPost, "/alarms/{alarm}/unacknowledge", "unacknowledge", "Withdraw an acknowledgement.", func(s Source, r *http.Request, _ Claim, by string) (Done, error) {
		return Done{by}, s.Desk.Unacknowledge(r.PathValue("alarm"), by)
	}),
	does(http.MethodPost, "/alarms/{alarm}/clear", "clear", "Clear an active alarm by hand. If its cause is still there, it is raised again.", func(s Source, r *http.Request, in Reason, by string) (Done, error) {
		return Done{by}, s.Desk.Clear(r.PathValue("alarm"), by, in.Reason)
	}),
	does(http.MethodPost, "/silences", "silence", "Suppress notifications of some alarms for a time.", func(s Source, _ *http.Request, in NewSilence, by string) (alarms.Silence, error) {
		return s.Desk.Silence(in.of(by), in.ConfirmWide)
	}),
	does(http.MethodPost, "/silences/preview", "preview", "What a silence would hide of what is active now. Nothing is changed.", func(s Source, _ *http.Request, in NewSilence, by string) (act.Preview, error) {
		return act.PreviewOf(in.of(by), s.Active(), time.Now())
	}),
	does(http.MethodDelete, "/silences/{id}", "unsilence", "End a silence. What is still active is then notified.", func(s Source, r *http.Request, _ Claim, by string) (Done, error) {
		id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
		if err != nil {
			return Done{}, refuse(http.StatusBadRequest, "%q is not the number of a silence; lunawatch alarms silences lists them", r.PathValue("id"))
		}
		return Done{by}, s.Desk.Unsilence(id, by)
	}),
	does(http.MethodPost, "/test", "test", "Send a test alarm to every receiver, and wait for what they do with it.", func(s Source, r *http.Request, in Test, by string) (Tested, error) {
		list, err := s.Desk.Test(r.Context(), by, time.Duration(in.WaitSeconds*float64(time.Second)))
		return Tested{append([]notify.TestResult{}, list...)}, err
	}),
}
