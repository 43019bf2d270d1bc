// Package plot draws values over time, and bars, with the letters of a terminal.
package plot

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// A Point is a value, from when it was read until when it may be believed.
type Point struct {
	From, Until time.Time
	Value       float64
}

// A Chart is what is drawn of a value. Where no point holds it has "?": what is not known
// is neither zero nor what it was.
type Chart struct {
	Points    []Point   // oldest first; one holds until the next, or its Until
	From, To  time.Time // the ends of the time axis
	Low, High float64   // the ends of the scale; equal: those of the values
	Format    string    // of the ends of the scale, such as "%.1f"
}

// blocks fill a letter by eighths, ascii by thirds.
var (
	blocks = []rune("▁▂▃▄▅▆▇█")
	ascii  = []rune(".:#")
)

// Lines draws c: so many rows, and the time axis below them. A scale takes the letters at
// the left that it needs. With plain, all letters are of ASCII.
func (c Chart) Lines(width, height int, plain bool) []string {
	low, high := c.scale()
	top, bottom := fmt.Sprintf(c.Format, high), fmt.Sprintf(c.Format, low)
	if len(c.Points) == 0 && c.Low == c.High {
		top, bottom = "?", "?"
	}
	margin := max(utf8.RuneCountInString(top), utf8.RuneCountInString(bottom))
	columns := max(1, width-margin-1)
	letters := blocks
	if plain {
		letters = ascii
	}
	rows := make([][]rune, max(1, height))
	for i := range columns {
		v, known := c.column(i, columns)
		fill := math.Max(0, math.Min(1, (v-low)/(high-low)))
		for j := range rows {
			rows[len(rows)-1-j] = append(rows[len(rows)-1-j], letter(letters, known, fill*float64(len(rows))-float64(j), j == 0))
		}
	}
	lines := make([]string, 0, len(rows)+1)
	for j, row := range rows {
		label := ""
		switch j {
		case len(rows) - 1:
			label = bottom
		case 0:
			label = top
		}
		lines = append(lines, fmt.Sprintf("%*s|%s", margin, label, strings.TrimRight(string(row), " ")))
	}
	begin := "-" + c.To.Sub(c.From).Round(time.Second).String()
	return append(lines, fmt.Sprintf("%*s %s%*s", margin, "", begin, max(4, columns-utf8.RuneCountInString(begin)), "now"))
}

// letter is what a letter shows of a value that fills it, and those below it. The lowest
// letter of a value is never empty.
func letter(letters []rune, known bool, fill float64, lowest bool) rune {
	if !known {
		if lowest {
			return '?'
		}
		return ' '
	}
	n := int(math.Round(fill * float64(len(letters))))
	if lowest {
		n = max(n, 1)
	}
	if n < 1 {
		return ' '
	}
	return letters[min(n, len(letters))-1]
}

// column returns the mean of the points that hold in the i-th of n equal parts of the time.
func (c Chart) column(i, n int) (mean float64, known bool) {
	edge := func(i int) time.Time { return c.From.Add(c.To.Sub(c.From) * time.Duration(i) / time.Duration(n)) }
	count := 0
	for j, p := range c.Points {
		until := p.Until
		if j+1 < len(c.Points) && c.Points[j+1].From.Before(until) {
			until = c.Points[j+1].From
		}
		if p.From.Before(edge(i+1)) && until.After(edge(i)) {
			mean, count = mean+p.Value, count+1
		}
	}
	return mean / math.Max(1, float64(count)), count > 0
}

// scale returns the ends of the scale, which are never equal.
func (c Chart) scale() (low, high float64) {
	if c.Low < c.High {
		return c.Low, c.High
	}
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range c.Points {
		low, high = math.Min(low, p.Value), math.Max(high, p.Value)
	}
	switch {
	case len(c.Points) == 0:
		return 0, 1
	case low == high:
		half := math.Max(0.05, math.Abs(low)/20)
		return low - half, high + half
	}
	return low, high
}

// Bar draws a ratio from 0 to 1 as a bar that grows to the right, up to width letters. The
// bar of a known value is never empty.
func Bar(ratio float64, width int, plain bool) string {
	n := min(width, max(1, int(math.Round(ratio*float64(width)))))
	if plain {
		return strings.Repeat("#", n)
	}
	return strings.Repeat("█", n)
}
