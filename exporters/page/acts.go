package page

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/act"
)

// Bounds of forms.
const (
	mostForm = 16 << 10         // bytes
	testWait = 20 * time.Second // for what the receivers do with a test
)

// doneTexts are said after an act, by the key that the URL has then.
var doneTexts = map[string]string{
	"acknowledged": "Done: you have acknowledged it.", "unacknowledged": "Done: nobody looks after it any more.", "cleared": "Done: it is cleared. If its cause is still there, it is raised again.",
	"silenced": "Done: the silence is below.", "unsilenced": "Done: the silence has ended; what is still active is notified.", "tested": "Done: what each receiver did is below.",
}

// who returns who asks, or why he may not act.
func (s *Site) who(r *http.Request) (by string, err error) {
	if s.Who == nil {
		return "", errors.New("this page is read-only")
	}
	return s.Who(r, "")
}

// A form is an act, and where to go once it is done.
type form struct {
	name string
	do   func(r *http.Request, by string) error
	next func(r *http.Request) string
	done string // a key of doneTexts
}

// forms adds what the forms of the pages do.
func (s *Site) forms(mux *http.ServeMux) {
	alarm := func(r *http.Request) string { return "/alarms/" + url.PathEscape(r.PathValue("number")) }
	silences := func(*http.Request) string { return "/alarms" }
	for path, f := range map[string]form{
		"/alarms/{number}/acknowledge": {"acknowledge", func(r *http.Request, by string) error {
			return s.Desk.Acknowledge(r.PathValue("number"), by, r.PostFormValue("comment"))
		}, alarm, "acknowledged"},
		"/alarms/{number}/unacknowledge": {"unacknowledge", func(r *http.Request, by string) error {
			return s.Desk.Unacknowledge(r.PathValue("number"), by)
		}, alarm, "unacknowledged"},
		"/alarms/{number}/clear": {"clear", func(r *http.Request, by string) error {
			return s.Desk.Clear(r.PathValue("number"), by, r.PostFormValue("reason"))
		}, alarm, "cleared"},
		"/silences": {"silence", func(r *http.Request, by string) error {
			x, err := act.SilenceOf(r.PostForm, by, s.Now())
			if err == nil {
				_, err = s.Desk.Silence(x, r.PostFormValue("confirm_wide") == "yes")
			}
			return err
		}, silences, "silenced"},
		"/silences/{id}/end": {"unsilence", func(r *http.Request, by string) error {
			id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
			if err != nil {
				return fmt.Errorf("%q is not the number of a silence", r.PathValue("id"))
			}
			return s.Desk.Unsilence(id, by)
		}, silences, "unsilenced"},
		"/agent/test": {"test", s.test, func(*http.Request) string { return "/agent" }, "tested"},
	} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { s.post(w, r, f) })
	}
}

// post does what a form says, and shows the page that it is about.
func (s *Site) post(w http.ResponseWriter, r *http.Request, f form) {
	by, why := s.who(r)
	if why == nil {
		why = act.FromOwnPage(r)
	}
	if why != nil {
		s.Desk.Refused(f.name, by, why)
		s.refuse(w, r, http.StatusForbidden, why)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if err := r.ParseForm(); err != nil {
		s.refuse(w, r, http.StatusBadRequest, err)
		return
	}
	if err := f.do(r, by); err != nil {
		status := http.StatusBadRequest
		if missing := watch.NotFoundError(""); errors.As(err, &missing) {
			status = http.StatusNotFound
		}
		s.refuse(w, r, status, err)
		return
	}
	http.Redirect(w, r, f.next(r)+"?done="+f.done, http.StatusSeeOther)
}

// refuse shows why something is not done.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, status int, why error) {
	here := *r
	here.URL = &url.URL{Path: "/"} // what is live on it is the header
	s.show(w, &here, status, view{Title: "Not done", Template: "page-refused", Data: why.Error()}, s.moment(s.Alarms()))
}

// tests are of the receivers; the last one is shown.
type tests struct {
	mu      sync.Mutex
	by      string
	at      time.Time
	results []notify.TestResult
}

func (s *Site) test(r *http.Request, by string) error {
	list, err := s.Desk.Test(r.Context(), by, testWait)
	if err != nil {
		return err
	}
	s.tests.mu.Lock()
	defer s.tests.mu.Unlock()
	s.tests.by, s.tests.at, s.tests.results = by, s.Now(), list
	return nil
}

// A testView is the last test of the receivers.
type testView struct {
	By      string
	At      stamp
	Results []testRow
}

type testRow struct {
	Receiver, Result, Took, Error string
	Bad                           bool
}

// lastTest returns the last test of the receivers; nil: there was none.
func (s *Site) lastTest(now time.Time) *testView {
	s.tests.mu.Lock()
	defer s.tests.mu.Unlock()
	if s.tests.at.IsZero() {
		return nil
	}
	v := &testView{By: s.tests.by, At: stampOf(s.tests.at, now)}
	for _, x := range s.tests.results {
		row := testRow{Receiver: x.Receiver, Result: x.Result, Error: x.Error, Bad: !slices.Contains([]string{"accepted", "confirmed", "off"}, x.Result)}
		if x.Took > 0 {
			row.Took = x.Took.Round(time.Millisecond).String()
		}
		v.Results = append(v.Results, row)
	}
	return v
}

// A silenceForm is a silence that is to be, as the query has it.
type silenceForm struct {
	HSMs, Groups, Objects, Severity, From, For string
	Every, Zone                                string
	Lengths                                    []act.Length
	Severities                                 []string
	Asked                                      bool   // there is something to be previewed
	Good                                       bool   // and it can be made
	Wide                                       string // why it needs to be confirmed; "": it does not
	Hidden                                     []fact
}

// A silencePreview is what a silence would hide.
type silencePreview struct {
	Error, Of, Wide string
	Every           string
	From, Until     stamp
	Hides           []related
}

// newSilence is the page on which a silence is made. What it would hide is seen before it
// is made, and stays up to date.
func newSilence(q url.Values, m *moment) view {
	f := silenceForm{HSMs: q.Get("hsms"), Groups: q.Get("groups"), Objects: q.Get("objects"), Severity: q.Get("severity"), From: q.Get("from"), For: q.Get("for"), Every: q.Get("every"),
		Zone: m.now.Format("MST"), Lengths: act.Lengths(), Severities: []string{"warning", "minor", "major", "critical"}, Asked: q.Has("for")}
	for _, name := range []string{"hsms", "groups", "objects", "severity", "from", "for", "every", "of", "hsm", "group", "object"} {
		for _, value := range q[name] {
			f.Hidden = append(f.Hidden, fact{name, value})
		}
	}
	v := view{Title: "New silence", Nav: "alarms", Template: "page-silence"}
	if f.Asked {
		p := previewed(q, m)
		f.Good, f.Wide = p.Error == "", p.Wide
		v.Parts = []part{{ID: "preview", Group: "preview", Template: "preview", Data: p}}
	}
	v.Data = f
	return v
}

func previewed(q url.Values, m *moment) (v silencePreview) {
	s, err := act.SilenceOf(q, "", m.now)
	var p act.Preview
	if err == nil {
		p, err = act.PreviewOf(s, m.alarms.Active, m.now)
	}
	if err != nil {
		v.Error = err.Error()
		return v
	}
	v.Of, v.From, v.Until = exporters.Selection(p.Silence.Match), stampOf(p.Silence.From, m.now), stampOf(p.Silence.Until, m.now)
	if e := p.Silence.Every; e != nil {
		v.Every = e.String()
	}
	if p.Wide {
		v.Wide = "It lasts for more than a day, or more than half of every day"
		if v.Of == exporters.Selection(alarms.Match{}) {
			v.Wide = "It hides every alarm"
		}
	}
	for _, a := range p.Hides {
		v.Hides = append(v.Hides, related{alarmPath(a.Number), a.Key.String(), a.Text})
	}
	return v
}
