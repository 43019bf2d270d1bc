package plot

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is a value that is read so many seconds after noon, and may be believed for ten.
func at(seconds int, v float64) Point {
	from := noon.Add(time.Duration(seconds) * time.Second)
	return Point{from, from.Add(10 * time.Second), v}
}

// TestLines holds charts as they are drawn: zero is drawn, and what is not known is "?".
func TestLines(t *testing.T) {
	for _, x := range []struct {
		name   string
		points []Point
		low    float64
		high   float64
		plain  bool
		want   string
	}{
		{"rises", []Point{at(0, 0), at(10, 25), at(20, 50), at(30, 100)}, 0, 100, false, `
100|         ███
   |         ███
   |      ██████
  0|▁▁▁█████████
    -40s     now`},
		{"ascii", []Point{at(0, 0), at(10, 25), at(20, 50), at(30, 100)}, 0, 100, true, `
100|         ###
   |         ###
   |      ######
  0|...#########
    -40s     now`},
		{"gap", []Point{at(0, 100), at(30, 0)}, 0, 100, false, `
100|███
   |███
   |███
  0|███??????▁▁▁
    -40s     now`},
		{"none", nil, 0, 100, false, `
100|
   |
   |
  0|????????????
    -40s     now`},
		{"none, and no scale", nil, 0, 0, false, `
?|
 |
 |
?|??????????????
  -40s       now`},
		{"constant", []Point{at(0, 40), at(10, 40), at(20, 40), at(30, 40)}, 0, 0, false, `
42|
  |
  |█████████████
38|█████████████
   -40s      now`},
		{"beyond the scale", []Point{at(0, -5), at(20, 500)}, 0, 100, true, `
100|      ###
   |      ###
   |      ###
  0|...???###???
    -40s     now`},
	} {
		c := Chart{Points: x.points, From: noon, To: noon.Add(40 * time.Second), Low: x.low, High: x.high, Format: "%.0f"}
		got := "\n" + strings.Join(c.Lines(16, 4, x.plain), "\n")
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s: %s", x.name, diff)
		}
	}
}

func TestBar(t *testing.T) {
	for _, x := range []struct {
		ratio float64
		plain bool
		want  string
	}{{0, false, "█"}, {0.5, false, "█████"}, {1, true, "##########"}, {7, true, "##########"}, {-1, true, "#"}} {
		if got := Bar(x.ratio, 10, x.plain); got != x.want {
			t.Errorf("%v: %q, want %q", x.ratio, got, x.want)
		}
	}
}
