package page

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/exporters/page/chart"
	"github.com/lunawatch/lunawatch/hsm"
)

// A filter is what the query of a URL selects.
type filter struct {
	Q, State string
	ByName   bool
}

func filterOf(q url.Values) filter {
	f := filter{Q: strings.TrimSpace(q.Get("q")), State: q.Get("state"), ByName: q.Get("sort") == "name"}
	if !isWord(f.State) {
		f.State = ""
	}
	return f
}

// query returns the query of f, with a leading question mark unless it is empty.
func (f filter) query() string {
	q := url.Values{}
	for name, value := range map[string]string{"q": f.Q, "state": f.State} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.ByName {
		q.Set("sort", "name")
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// Empty reports whether f selects everything.
func (f filter) Empty() bool { return f.Q == "" && f.State == "" }

// matches reports whether one of texts has what f looks for.
func (f filter) matches(texts ...string) bool {
	for _, t := range texts {
		if strings.Contains(strings.ToLower(t), strings.ToLower(f.Q)) {
			return true
		}
	}
	return false
}

func (f filter) takes(r glance.Row) bool {
	return (f.State == "" || r.Word() == f.State) && f.matches(r.Name, r.Serial.Value, r.Model.Value, r.Firmware.Value, r.Reason)
}

// A count is how many devices are in a state.
type count struct {
	Word, Href string
	N          int
	Current    bool
}

func countsOf(e glance.Estate) (list []count) {
	n := make(map[string]int)
	for _, r := range e.Rows {
		n[r.Word()]++
	}
	for _, w := range words {
		if n[w] > 0 {
			list = append(list, count{Word: w, N: n[w], Href: "/?state=" + w})
		}
	}
	return list
}

// sparse and dense estates are drawn with tiles, and with smaller ones.
const mostLarge, mostMiddle = 6, 24

// An estatePage is what the page of the estate has beside its parts.
type estatePage struct {
	Filter                        filter
	Size                          string // large, middle, dense
	Shown, All                    int
	WorstFirst, Named, Unfiltered string // URLs of the other orders, and of all
}

func (s *Site) estateView(f filter, m *moment) view {
	rows := slices.DeleteFunc(slices.Clone(m.estate.Rows), func(r glance.Row) bool { return !f.takes(r) })
	if f.ByName {
		slices.SortStableFunc(rows, func(a, b glance.Row) int { return strings.Compare(a.Name, b.Name) })
	}
	data := estatePage{Filter: f, Shown: len(rows), All: len(m.estate.Rows), Size: "dense",
		WorstFirst: filter{f.Q, f.State, false}.query(), Named: filter{f.Q, f.State, true}.query(), Unfiltered: filter{ByName: f.ByName}.query()}
	others := slices.DeleteFunc(slices.Clone(rows), isHSM)
	hsms := slices.DeleteFunc(slices.Clone(rows), func(r glance.Row) bool { return !isHSM(r) })
	switch {
	case len(hsms) <= mostLarge:
		data.Size = "large"
	case len(hsms) <= mostMiddle:
		data.Size = "middle"
	}
	shown := make(map[string]bool, len(rows))
	for _, r := range rows {
		shown[r.Name] = true
	}
	list := m.alarms.list(func(a alarms.Active) bool { return shown[a.Device] || f.Empty() }, mostListed, m.now)
	v := view{Title: "Estate", Nav: "estate", Template: "page-estate", Data: data, Parts: []part{
		{ID: "trouble", Group: "trouble", Template: "trouble", Data: troubleOf(m.alarms)},
		{ID: "announced", Group: "trouble", Template: "announced", Data: m.alarms.announced(m.now)},
		{ID: "active", Group: "alarms", Template: "alarms", Data: list},
	}}
	if groups := haGroups(m); len(groups) > 0 && f.Empty() {
		v.Parts = append(v.Parts, part{ID: "ha", Group: "ha", Template: "ha-lines", Data: groups})
	}
	v.Parts = append(v.Parts, s.tileParts(hsms, "tiles", data.Size, m)...)
	v.Parts = append(v.Parts, s.tileParts(others, "others", "dense", m)...)
	return v
}

func isHSM(r glance.Row) bool { return r.Kind == hsm.NetworkHSM || r.Kind == hsm.CardHSM }

// troubleOf says what is wrong with the agent that no alarm can say.
func troubleOf(a AlarmState) (list []string) {
	if len(a.Deliveries) == 0 {
		list = append(list, "No receiver is configured: nobody is notified of alarms.")
	}
	if a.Trouble != "" {
		list = append(list, "The state cannot be stored: "+a.Trouble)
	}
	return list
}

// announced says which silences begin soon.
func (s AlarmState) announced(now time.Time) (list []string) {
	for _, x := range s.Silences {
		if x.Announces(now) {
			list = append(list, exporters.Announcement(x, now))
		}
	}
	return list
}

// tiles are those that were rendered, by the name of their device.
type tiles struct {
	mu  sync.Mutex
	all map[string]madeTile
}

type madeTile struct {
	key   tileKey
	until time.Time // when something in it becomes stale; zero: nothing will
	block *block
}

// A tileKey is what a tile is made of: while it is equal, so is the tile.
type tileKey struct {
	device       *hsm.Device
	word, reason string
	since        time.Time
	alarms       int
	size         string
	hour         time.Time
}

// tileParts returns the tiles of rows, made anew where something has changed.
func (s *Site) tileParts(rows []glance.Row, group, size string, m *moment) []part {
	s.tiles.mu.Lock()
	defer s.tiles.mu.Unlock()
	if s.tiles.all == nil || len(s.tiles.all) > 2*len(m.estate.Rows)+mostMiddle {
		s.tiles.all = make(map[string]madeTile)
	}
	limits, parts := s.Thresholds(), make([]part, 0, len(rows))
	for _, r := range rows {
		d := m.snapshot.Device(r.Name)
		key := tileKey{d, r.Word(), r.Reason, r.Since, r.Alarms, size, m.now.Truncate(time.Hour)}
		made, known := s.tiles.all[r.Name]
		if !known || made.key != key || !made.until.IsZero() && m.now.After(made.until) {
			t := tileOf(r, d, limits, m.now)
			s.remembered(&t, size, m.now)
			b := part{ID: t.ID, Group: group, Template: "tile-" + size, Data: t}.block()
			made = madeTile{key: key, block: &b}
			if d != nil {
				made.until = d.NextExpiry(m.now)
			}
			s.tiles.all[r.Name] = made
		}
		parts = append(parts, part{ID: made.block.ID, made: made.block})
	}
	return parts
}

// A tile has the curve of sparkOf, of which sparkEvery points are one.
const (
	sparkOf    = history.Measure("utilization_ratio")
	sparkEvery = 4
)

// remembered adds what the history has to a tile.
func (s *Site) remembered(t *tile, size string, now time.Time) {
	t.Spark.Empty = true
	if s.Days != nil && t.Device {
		t.Days = chart.MonthOf(s.Days(t.Name, now), now)
	}
	if s.Series == nil || !t.HSM || size == "dense" {
		return
	}
	if series, known := s.Series(t.Name, sparkOf, now); known {
		t.Spark = chart.DrawingOf(sparkOf).Small(series, sparkEvery)
	}
}

// Words returns the states that a filter can select.
func (estatePage) Words() []string { return words }
