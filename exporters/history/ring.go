package history

import (
	"math"
	"slices"
	"time"
)

// A ring is one measure of one HSM: a point of each Step, the newest of which is still
// open. Its size is fixed.
type ring struct {
	newest  int64 // step of samples
	saved   int64 // last step that is stored whole
	known   int64 // last step in which something was read
	points  []point
	samples samples // of the newest step

	last    uint16 // value that was read last, for steps in which it is still believed
	expires int64  // until when, in Unix seconds
}

func newRing(step int64) *ring {
	return &ring{newest: step, saved: step - 1, known: step, points: slices.Repeat([]point{nothing}, int(points))}
}

func (r *ring) at(step int64) *point { return &r.points[slot(step, points)] }

// add adds a reading.
func (r *ring) add(x reading, plus float64) {
	p := pack(x.value + plus)
	if p == none {
		return
	}
	r.advance(stepOf(x.at))
	if before := *r.at(r.newest); r.samples.seen == 0 && before != nothing { // of this step, before a restart
		for _, v := range []uint16{before.min, before.median, before.max} {
			r.samples.add(unpack(v))
		}
	}
	r.samples.add(x.value + plus)
	r.known, r.last, r.expires = r.newest, p, x.expires.Unix()
}

// advance makes step the newest. A clock that went back by more than a step forgets what
// is in the future; after one that went forward, nothing is known of what lies between.
func (r *ring) advance(step int64) {
	switch {
	case step < r.newest-1:
		for s := max(step, r.newest-points+1); s <= r.newest; s++ {
			*r.at(s) = nothing
		}
		r.newest, r.saved, r.known, r.samples, r.expires = step, min(r.saved, step-1), min(r.known, step), samples{}, 0
	case step > r.newest:
		*r.at(r.newest) = r.open()
		r.samples = samples{}
		for s := max(r.newest+1, step-points+1); s < step; s++ {
			*r.at(s) = r.believed(s)
		}
		r.newest, *r.at(step) = step, nothing
	}
}

// open returns the point of the newest step as it is now.
func (r *ring) open() point {
	if before := *r.at(r.newest); r.samples.seen > 0 {
		return r.samples.point()
	} else if before != nothing {
		return before
	}
	return r.believed(r.newest)
}

// believed returns the point of a step in which nothing was read: the last value while it
// is not stale.
func (r *ring) believed(step int64) point {
	if startOf(step).Unix() >= r.expires {
		return nothing
	}
	return point{r.last, r.last, r.last}
}

// point returns what is known of a step at now.
func (r *ring) point(step int64) point {
	switch {
	case step > r.newest:
		return r.believed(step)
	case step == r.newest:
		return r.open()
	case step <= r.newest-points:
		return nothing
	}
	return *r.at(step)
}

// series returns the Span that ends at now.
func (r *ring) series(now time.Time, minus float64) Series {
	first := stepOf(now) - points + 1
	s := Series{Start: startOf(first), Min: make([]float64, points), Median: make([]float64, points), Max: make([]float64, points)}
	for i := range points {
		p := r.point(first + i)
		s.Min[i], s.Median[i], s.Max[i] = less(p.min, minus), less(p.median, minus), less(p.max, minus)
	}
	return s
}

func less(p uint16, minus float64) float64 { return round(unpack(p) - minus) }

// round takes away what subtracting has added behind the sixth decimal.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// samples are the values of one step: its least, its greatest, and enough of the others
// for a median. When they are full every second one goes, and from then on only every
// second, fourth, ... new one is kept.
type samples struct {
	min, max   float32
	kept       [24]float32
	n          uint8 // of kept
	seen, each uint32
}

func (s *samples) add(v float64) {
	x := float32(v)
	if s.seen == 0 {
		s.min, s.max, s.each = x, x, 1
	}
	s.min, s.max = min(s.min, x), max(s.max, x)
	if int(s.n) == len(s.kept) {
		for i := range len(s.kept) / 2 {
			s.kept[i] = s.kept[2*i]
		}
		s.n, s.each = uint8(len(s.kept)/2), 2*s.each
	}
	if s.seen%s.each == 0 {
		s.kept[s.n] = x
		s.n++
	}
	s.seen++
}

// point returns the least, the median and the greatest of one or more samples.
func (s *samples) point() point {
	list := s.kept
	sorted := list[:s.n]
	slices.Sort(sorted)
	median := float64(sorted[(len(sorted)-1)/2])/2 + float64(sorted[len(sorted)/2])/2
	return point{pack(float64(s.min)), pack(median), pack(float64(s.max))}
}
