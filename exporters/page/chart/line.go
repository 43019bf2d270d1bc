// Package chart draws what was, as the pages show it: values of a day and states of a
// month, for a browser without a script and for the script.
package chart

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/history"
)

// A Line is a curve as the path of an SVG, with gaps where nothing was read.
type Line struct {
	Path, Band string // Band: from the least to the greatest; "": they are one
	Width      int    // units of the box, one a point
	Low, High  string
	Limit      float64 // y of the threshold; 0: it is not in the picture
	Empty      bool
}

// lineHeight is that of the box of a line, in its units.
const lineHeight = 100

// LineOf draws a series; every is how many points become one, limit 0: none.
func LineOf(s history.Series, every int, format string, floor, ceiling, limit float64) Line {
	median, least, greatest := thinned(s.Median, every, middle), thinned(s.Min, every, math.Min), thinned(s.Max, every, math.Max)
	low, high := span(append(append([]float64{}, least...), greatest...))
	if math.IsNaN(low) {
		return Line{Empty: true, Width: len(median)}
	}
	if !math.IsNaN(floor) {
		low = min(low, floor)
	}
	if !math.IsNaN(ceiling) {
		high = max(high, ceiling)
	}
	if high == low {
		low, high = low-math.Max(1, math.Abs(low)/10), high+math.Max(1, math.Abs(high)/10)
	}
	y := func(v float64) float64 { return math.Round(10*lineHeight*(high-v)/(high-low)) / 10 }
	l := Line{Width: max(1, len(median)-1), Path: trace(median, y), Low: fmt.Sprintf(format, low), High: fmt.Sprintf(format, high)}
	if limit > low && limit < high {
		l.Limit = y(limit)
	}
	l.Band = band(least, greatest, y)
	return l
}

// trace draws points with gaps; one between two gaps is a short dash.
func trace(points []float64, y func(float64) float64) string {
	var b strings.Builder
	open := false
	for i, v := range points {
		switch {
		case math.IsNaN(v):
			open = false
		case open:
			fmt.Fprintf(&b, "L%d %g", i, y(v))
		default:
			fmt.Fprintf(&b, "M%d %gh.5", i, y(v))
			open = true
		}
	}
	return b.String()
}

// band draws the area between two curves, a rectangle a point; "": they are one.
func band(least, greatest []float64, y func(float64) float64) string {
	var b strings.Builder
	for i := range least {
		if top, bottom := y(greatest[i]), y(least[i]); bottom > top {
			fmt.Fprintf(&b, "M%g %gh1V%gh-1z", float64(i)-.5, top, bottom)
		}
	}
	return b.String()
}

// middle of two values, or the one that is known.
func middle(a, b float64) float64 { return (a + b) / 2 }

// thinned makes one point of so many: what is not known is left out, and a point in which
// nothing is known is a gap.
func thinned(points []float64, every int, both func(a, b float64) float64) (list []float64) {
	for from := 0; from < len(points); from += every {
		v := math.NaN()
		for _, p := range points[from:min(len(points), from+every)] {
			switch {
			case math.IsNaN(p):
			case math.IsNaN(v):
				v = p
			default:
				v = both(v, p)
			}
		}
		list = append(list, v)
	}
	return list
}

// span returns the least and the greatest; NaN: nothing is known.
func span(points []float64) (low, high float64) {
	low, high = math.NaN(), math.NaN()
	for _, p := range points {
		if math.IsNaN(p) {
			continue
		}
		if math.IsNaN(low) {
			low, high = p, p
		}
		low, high = min(low, p), max(high, p)
	}
	return low, high
}

// A Month is the bar of 30 days: an hour is a unit across.
type Month struct {
	Well string // path of the hours in which all was well
	Bad  []Run  // the others, oldest first
}

// Drawn reports whether m has anything in it.
func (m Month) Drawn() bool { return m.Well != "" || len(m.Bad) > 0 }

// A Run is equal hours that were not well.
type Run struct {
	X, Width, Y, Height int // hours; units of ten
	Word, Title         string
}

// Hatched reports whether r is of hours in which not all was known.
func (r Run) Hatched() bool { return r.Word == "stale" || r.Word == "unknown" }

// barHeight is that of the box of a bar.
const barHeight = 10

// heights is how high a state is drawn, of barHeight.
var heights = map[string]int{"critical": 10, "major": 9, "minor": 8, "warning": 7, "stale": 6, "unknown": 6, "well": 4}

// MonthOf draws hours, oldest first; those in which the agent did not run are a gap.
func MonthOf(hours []history.Hour, now time.Time) (m Month) {
	for i := 0; i < len(hours); {
		from, h := i, hours[i]
		for i++; i < len(hours) && hours[i].State == h.State && hours[i].Reason == h.Reason; i++ {
		}
		height, known := heights[h.State]
		if !known {
			continue
		}
		r := Run{X: from + history.Hours - len(hours), Width: i - from, Y: barHeight - height, Height: height, Word: h.State}
		if h.State == "well" {
			m.Well += fmt.Sprintf("M%d %dh%dv%dh-%dz", r.X, r.Y, r.Width, r.Height, r.Width)
			continue
		}
		clock := func(hour int) string {
			return h.Start.Add(time.Duration(hour-from) * time.Hour).In(now.Location()).Format("Mon 02 Jan 15:04")
		}
		r.Title = fmt.Sprintf("%s to %s: %s", clock(from), clock(i), h.State)
		if h.Reason != "" {
			r.Title += ", " + h.Reason
		}
		m.Bad = append(m.Bad, r)
	}
	return m
}

// A Plotted is a chart in the form that the script reads.
type Plotted struct {
	Measure string   `json:"measure"`
	Label   string   `json:"label"`
	Unit    string   `json:"unit"`
	Digits  int      `json:"digits"`
	Limit   float64  `json:"limit,omitzero"`
	Start   int64    `json:"start"` // Unix time, in seconds
	Step    int      `json:"step"`  // seconds
	Min     []Sparse `json:"min"`
	Median  []Sparse `json:"median"`
	Max     []Sparse `json:"max"`
	Marks   []Mark   `json:"marks"`
}

// A Mark is an alarm on the time axis.
type Mark struct {
	Of    alarms.Key `json:"-"`
	At    int64      `json:"at"`    // Unix time, in seconds
	Until int64      `json:"until"` // 0: it is active
	Word  string     `json:"word"`
	Text  string     `json:"text"`
}

// A Sparse is a number, and null in JSON where it is NaN.
type Sparse float64

// MarshalJSON implements [json.Marshaler].
func (s Sparse) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(s)) || math.IsInf(float64(s), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(1e4*float64(s)) / 1e4)
}

func sparsely(points []float64) []Sparse {
	list := make([]Sparse, len(points))
	for i, p := range points {
		list[i] = Sparse(p)
	}
	return list
}

// Across is the width of the box, with room for the last point.
func (l Line) Across() int { return l.Width + 2 }
