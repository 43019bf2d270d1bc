// Package page shows the estate in a browser: what is wrong and what to do, how the rest
// is, and how it got there. Every page is complete without a script; with it, what
// changes is replaced in place.
package page

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters/act"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/exporters/page/chart"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Site serves the pages. Its fields are set before the first request.
type Site struct {
	Store      *hsm.Store
	Alarms     func() AlarmState
	Changed    func() <-chan struct{} // closed at the next change of alarms, silences or deliveries
	Thresholds func() rules.Thresholds
	Own        prometheus.Gatherer // what the agent measures of itself
	Version    string
	Started    func() time.Time
	Metrics    string // path of the metrics
	Now        func() time.Time

	// The history; nil: there is none.
	Series   func(device string, m history.Measure, now time.Time) (history.Series, bool)
	Measures func(device string) []history.Measure
	Days     func(device string, now time.Time) []history.Hour

	// Cluster returns tables about the agents that share the HSMs, whose first rows are
	// headings; nil: the agent is on its own.
	Cluster func() [][][]string

	// Who may act, and what does it; nil: the pages are read-only.
	Who  act.Who
	Desk act.Desk

	tiles tiles
	hub   hub
	tests tests
}

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"asset": assetPath,
	"sheet": func() template.HTML { return sheet },
	"host":  notify.Hostname,
}).ParseFS(templateFiles, "templates/*.html"))

// A moment is all that a page is made of.
type moment struct {
	snapshot *hsm.Snapshot
	alarms   AlarmState
	estate   glance.Estate
	now      time.Time
}

func (s *Site) moment(a AlarmState) *moment {
	now, snapshot := s.Now(), s.Store.Latest()
	return &moment{snapshot, a, glance.Of(snapshot, a.Active, now), now}
}

// A part is what is replaced as a whole when something in it changes.
type part struct {
	ID, Group, Template string
	Data                any
	made                *block // it is already rendered
}

// A block is a part as HTML.
type block struct {
	ID    string        `json:"id"`
	Group string        `json:"group"`
	HTML  template.HTML `json:"html"`
	Hash  string        `json:"v"`
}

func (p part) block() block {
	if p.made != nil {
		return *p.made
	}
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, p.Template, p.Data); err != nil {
		b.Reset()
		template.HTMLEscape(&b, []byte("This part cannot be shown: "+err.Error()))
	}
	h := fnv.New64a()
	h.Write(b.Bytes())
	return block{p.ID, p.Group, template.HTML(b.String()), fmt.Sprintf("%x", h.Sum64())} //nolint:gosec // a template made it
}

// A view is one page: its template has places for the groups of its parts.
type view struct {
	Title, Nav, Template string
	Acting               string // who may act; "": who asks may not
	Data                 any
	Parts                []part
}

// A laidOut is what the templates of pages are given.
type laidOut struct {
	Title, Nav, Live, Metrics, Version string
	Acting, Done                       string // who may act, and what he has just done

	At     int64 // Unix time, in milliseconds
	Now    stamp
	Data   any
	Groups map[string][]block
	Body   template.HTML
}

// view returns the page of a URL; false: there is none.
func (s *Site) view(u *url.URL, m *moment) (view, bool) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	name, err := url.PathUnescape(rest)
	if err != nil {
		return view{}, false
	}
	switch {
	case first == "" && rest == "":
		return s.estateView(filterOf(u.Query()), m), true
	case first == "hsms" && rest != "":
		return s.deviceView(name, m)
	case first == "ha" && rest == "":
		return haView(m), true
	case first == "alarms" && rest == "":
		return alarmsView(filterOf(u.Query()), m), true
	case first == "alarms":
		return oneAlarm(name, m)
	case first == "silences" && rest == "new" && m.alarms.acting:
		return newSilence(u.Query(), m), true
	case first == "agent" && rest == "":
		return s.agentView(m), true
	}
	return view{}, false
}

// Handler serves the pages, what they load, and /live.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", s.page)
	mux.HandleFunc("GET /assets/{name}", asset)
	mux.HandleFunc("GET /live", s.live)
	mux.HandleFunc("GET /hsms/{name}/chart.json", s.chart)
	s.forms(mux)
	return mux
}

// policy has browsers run and load only what this site serves.
var policy = "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-" + sheetHash + "'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func (s *Site) page(w http.ResponseWriter, r *http.Request) {
	m := s.moment(s.Alarms())
	by, why := s.who(r)
	m.alarms.acting = why == nil
	v, found := s.view(r.URL, m)
	status := http.StatusOK
	switch {
	case !found && r.URL.Path == "/silences/new" && why != nil:
		s.refuse(w, r, http.StatusForbidden, why)
		return
	case !found:
		status = http.StatusNotFound
		v = view{Title: "Not found", Template: "page-missing", Data: r.URL.Path}
	}
	if m.alarms.acting {
		v.Acting = by
	}
	s.show(w, r, status, v, m)
}

// show answers with a page.
func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, v view, m *moment) {
	html, err := s.html(v, r.URL, m)
	if err != nil {
		http.Error(w, "The page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "same-origin") // with none, a browser says null of where a form of ours is from
	send(w, r, status, "text/html; charset=utf-8", html)
}

func (s *Site) html(v view, u *url.URL, m *moment) ([]byte, error) {
	out := laidOut{Title: v.Title, Nav: v.Nav, Live: u.RequestURI(), Acting: v.Acting, Done: doneTexts[u.Query().Get("done")], Metrics: s.Metrics, Version: s.Version, At: m.now.UnixMilli(), Now: stampOf(m.now, m.now), Data: v.Data, Groups: make(map[string][]block)}
	for _, b := range blocks(v, m) {
		out.Groups[b.Group] = append(out.Groups[b.Group], b)
	}
	var body, all bytes.Buffer
	if err := templates.ExecuteTemplate(&body, v.Template, out); err != nil {
		return nil, err
	}
	out.Body = template.HTML(body.String()) //nolint:gosec // a template made it
	err := templates.ExecuteTemplate(&all, "layout", out)
	return all.Bytes(), err
}

// blocks renders the parts of a page, those of the header first.
func blocks(v view, m *moment) []block {
	list := []block{part{ID: "counts", Group: "counts", Template: "counts", Data: countsOf(m.estate)}.block()}
	for _, p := range v.Parts {
		list = append(list, p.block())
	}
	return list
}

// send answers with text, deflated if the client takes that.
func send(w http.ResponseWriter, r *http.Request, status int, kind string, text []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Vary", "Accept-Encoding")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.WriteHeader(status)
		w.Write(text)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z := deflaters.Get().(*gzip.Writer) //nolint:forcetypeassert // the pool has nothing else
	defer deflaters.Put(z)
	z.Reset(w)
	_, _ = z.Write(text) // a client that has left gets nothing
	z.Close()
}

var deflaters = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, 5)
	return z
}}

// chart answers with the charts of an HSM, for the script.
func (s *Site) chart(w http.ResponseWriter, r *http.Request) {
	m := s.moment(s.Alarms())
	d := m.snapshot.Device(r.PathValue("name"))
	if d == nil {
		http.Error(w, "There is no such HSM.", http.StatusNotFound)
		return
	}
	plotted, marks := []chart.Plotted{}, marksOf(d.Name, m.alarms, m.now)
	for _, c := range s.charts(d, m.now) {
		plotted = append(plotted, c.Plotted(marks))
	}
	text, err := json.Marshal(map[string]any{"charts": plotted, "from": m.now.Add(-history.Span).Unix(), "to": m.now.Unix()})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	send(w, r, http.StatusOK, "application/json", text)
}
