// Package audit checks that the audit log of an HSM is whole: that no record is
// missing, and that the log did not begin anew.
package audit

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

// Sequences are how far the audit logs are read, by sequence number. The first
// record of each log is where it begins. Sequences do not change.
type Sequences map[file]log

// A file is a device's log: the same records may come by several ways.
type file struct{ device, file string }

// A log has a stream for each HSM whose records are in it.
type log []stream

// A stream is the records of one HSM. They bear its serial number, none,
// or that of a partition: what continues a stream is of it.
type stream struct {
	serials []string
	last    int64
	missing []span         // numbers left out so far, oldest first
	recent  []recentRecord // oldest first
}

type span struct{ from, to int64 }

// A recentRecord shows a record that is sent once more.
type recentRecord struct {
	number int64
	text   uint64
}

// A position is what is stored of a stream, to go on after a restart.
type position struct {
	Serials []string `json:"serials"`
	Last    int64    `json:"last"`
}

// Encode returns how far a file is read, to be stored with its cursor; nil: it
// has no audit records.
func (s Sequences) Encode(name string) ([]byte, error) {
	at := make(map[string][]position) // by device
	for f, streams := range s {
		for _, x := range streams {
			if f.file == name && len(x.serials) > 0 {
				at[f.device] = append(at[f.device], position{x.serials, x.last})
			}
		}
	}
	if len(at) == 0 {
		return nil, nil
	}
	return json.Marshal(at)
}

// Decode returns what Encode made for each file.
func Decode(files map[string][]byte) (Sequences, error) {
	s := make(Sequences)
	for name, text := range files {
		var at map[string][]position
		if err := json.Unmarshal(text, &at); err != nil {
			return nil, fmt.Errorf("how far the audit log %s is read: %w", name, err)
		}
		for device, list := range at {
			for _, p := range list[:min(len(list), maxStreams)] {
				s[file{device, name}] = append(s[file{device, name}], stream{serials: p.Serials, last: p.Last})
			}
		}
	}
	return s, nil
}

const (
	maxStreams = 8
	maxSerials = 256 // of partitions
	maxMissing = 32
	maxRecent  = 256
)

var seed = maphash.MakeSeed()

// A verdict is what a record says of its stream.
type verdict struct {
	gap  span // numbers before it that were left out; zero: none
	back bool // it does not follow those before it
	late bool // it was left out before
}

// With returns s with the records among lines, and a finding for every gap and
// every step back. Records that overtake each other within lines are no gap.
func (s Sequences) With(lines []rules.Line) (next Sequences, findings []alarms.Finding) {
	type gap struct {
		span
		behind rules.Line
		of     stream
	}
	var gaps []gap
	late := make(map[file][]int64)
	next = maps.Clone(s)
	for _, l := range lines {
		if l.Audit == nil || !l.Audit.Sequence.Known || l.Test {
			continue
		}
		if next == nil {
			next = make(Sequences)
		}
		f, n := file{l.Device, l.File}, l.Audit.Sequence.Value
		read := slices.Clone(next[f])
		x := read.streamOf(l.Audit)
		before := x.last
		v := x.take(l.Audit)
		switch {
		case v.gap != span{}:
			gaps = append(gaps, gap{v.gap, l, *x})
		case v.back:
			findings = append(findings, x.finding(l, " reset", fmt.Sprintf("record %d of the audit log follows record %d: the log was reset, or put back", n, before)))
		case v.late:
			late[f] = append(late[f], n)
		}
		next[f] = read
	}
	for _, g := range gaps {
		if text := g.without(late[file{g.behind.Device, g.behind.File}]).text(); text != "" {
			findings = append(findings, g.of.finding(g.behind, "", text))
		}
	}
	return next, findings
}

// finding is a state: what is missing does not come back. Somebody clears it.
// A reset is an alarm beside that of a gap.
func (x stream) finding(l rules.Line, kind, text string) alarms.Finding {
	return alarms.Finding{Key: alarms.Key{Device: l.Device, Group: "audit-gap", Object: strings.TrimSpace(x.serials[0] + kind)}, Condition: alarms.Bad, Severity: alarms.Major,
		Text: text, Serial: x.serials[0], Evidence: alarms.Evidence{At: l.At, Text: alarms.Clip(text + ": " + l.Audit.Text), Log: rules.PlaceOf(l)}}
}

// streamOf returns the stream of a record, a new one if need be. A serial
// number of the same HSM, or one that continues an older stream, is of that.
func (g *log) streamOf(r *hsm.AuditRecord) *stream {
	streams := *g
	index := func(is func(x stream) bool) int {
		return slices.IndexFunc(streams, func(x stream) bool { return len(x.serials) > 0 && is(x) })
	}
	continued := index(func(x stream) bool { return x.continuedBy(r) })
	own := index(func(x stream) bool { return slices.Contains(x.serials, r.Serial) })
	switch {
	case own >= 0 && (streams[own].continuedBy(r) || slices.Contains(streams[own].recent, recentOf(r))):
		return &streams[own]
	case continued >= 0 && (own < 0 || r.Serial == ""):
		streams[continued].adopt(r.Serial)
		return &streams[continued]
	case continued >= 0 && continued < own:
		streams[continued].adopt(streams[own].serials...)
		streams[own] = stream{}
		return &streams[continued]
	case own >= 0:
		return &streams[own]
	}
	if i := index(func(x stream) bool {
		return slices.ContainsFunc(x.serials, func(s string) bool { return ofOneHSM(s, r.Serial) })
	}); i >= 0 {
		streams[i].adopt(r.Serial)
		return &streams[i]
	}
	free := slices.IndexFunc(streams, func(x stream) bool { return len(x.serials) == 0 })
	switch {
	case free >= 0:
	case len(streams) < maxStreams:
		free, streams = len(streams), append(streams, stream{})
	default:
		free = 0
	}
	streams[free] = stream{serials: []string{r.Serial}, last: r.Sequence.Value - 1}
	*g = streams
	return &streams[free]
}

// adopt adds the serial numbers of partitions.
func (x *stream) adopt(serials ...string) {
	for _, s := range serials {
		if len(x.serials) < maxSerials && !slices.Contains(x.serials, s) {
			x.serials = append(slices.Clip(x.serials), s)
		}
	}
}

// ofOneHSM reports whether serial numbers are certainly of one HSM: that of a
// partition is the HSM's and three digits. A record without one is of the HSM
// whose log it is.
func ofOneHSM(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	own := b[:max(0, len(b)-3)]
	return a == "" || a == own || len(a) == len(b) && len(a) >= 9 && a[:len(a)-3] == own
}

func (x stream) continuedBy(r *hsm.AuditRecord) bool { return r.Sequence.Value == x.last+1 }

// take adds a record to its stream.
func (x *stream) take(r *hsm.AuditRecord) (v verdict) {
	n := r.Sequence.Value
	switch {
	case slices.Contains(x.recent, recentOf(r)):
		return v
	case n > x.last:
		if n > x.last+1 {
			v.gap = span{x.last + 1, n - 1}
			x.missing = last(append(slices.Clip(x.missing), v.gap), maxMissing)
		}
		x.last = n
	case x.fill(n):
		v.late = true
	default:
		v.back, x.last, x.missing, x.recent = true, n, nil, nil
	}
	x.recent = last(append(slices.Clip(x.recent), recentOf(r)), maxRecent)
	return v
}

func recentOf(r *hsm.AuditRecord) recentRecord {
	return recentRecord{r.Sequence.Value, maphash.String(seed, r.Text)}
}

// last returns the last n of a list.
func last[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// fill takes n from the numbers left out, and reports whether it was one.
func (x *stream) fill(n int64) bool {
	i := slices.IndexFunc(x.missing, func(s span) bool { return s.from <= n && n <= s.to })
	if i < 0 {
		return false
	}
	var parts []span
	for _, part := range []span{{x.missing[i].from, n - 1}, {n + 1, x.missing[i].to}} {
		if part.from <= part.to {
			parts = append(parts, part)
		}
	}
	x.missing = slices.Concat(x.missing[:i], parts, x.missing[i+1:])
	return true
}

// without returns s less the numbers that came late.
func (s span) without(late []int64) span {
	for slices.Contains(late, s.from) && s.from <= s.to {
		s.from++
	}
	for slices.Contains(late, s.to) && s.from <= s.to {
		s.to--
	}
	return s
}

// text names what is missing; "": nothing.
func (s span) text() string {
	switch {
	case s.from > s.to:
		return ""
	case s.from == s.to:
		return fmt.Sprintf("record %d of the audit log is missing", s.from)
	}
	return fmt.Sprintf("records %d to %d of the audit log are missing", s.from, s.to)
}
