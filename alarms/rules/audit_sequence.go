package rules

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// AuditSequences are how far the audit logs are read, by sequence number. They
// are not kept over a restart: the first record of each log is where it begins.
// AuditSequences do not change.
type AuditSequences map[auditFile]auditLog

// An auditFile is a device's log: the same records may come by several ways.
type auditFile struct{ device, file string }

// An auditLog has a stream for each HSM whose records are in it.
type auditLog []auditStream

// An auditStream is the records of one HSM. They bear its serial number, none,
// or that of a partition: what continues a stream is of it.
type auditStream struct {
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

const (
	maxStreams = 8
	maxSerials = 256 // of partitions
	maxMissing = 32
	maxRecent  = 256
)

var auditSeed = maphash.MakeSeed()

// An auditVerdict is what a record says of its stream.
type auditVerdict struct {
	gap  span // numbers before it that were left out; zero: none
	back bool // it does not follow those before it
	late bool // it was left out before
}

// With returns s with the records among lines, and a finding for every gap and
// every step back. Records that overtake each other within lines are no gap.
func (s AuditSequences) With(lines []Line) (next AuditSequences, findings []alarms.Finding) {
	type gap struct {
		span
		behind Line
	}
	var gaps []gap
	late := make(map[auditFile][]int64)
	next = maps.Clone(s)
	for _, l := range lines {
		if l.Audit == nil || !l.Audit.Sequence.Known || l.Test {
			continue
		}
		if next == nil {
			next = make(AuditSequences)
		}
		file, n := auditFile{l.Device, l.File}, l.Audit.Sequence.Value
		log := slices.Clone(next[file])
		x := log.streamOf(l.Audit)
		before := x.last
		v := x.take(l.Audit)
		switch {
		case v.gap != span{}:
			gaps = append(gaps, gap{v.gap, l})
		case v.back:
			findings = append(findings, auditGap(l, " reset", fmt.Sprintf("record %d of the audit log follows record %d: the log was reset, or put back", n, before)))
		case v.late:
			late[file] = append(late[file], n)
		}
		next[file] = log
	}
	for _, g := range gaps {
		if text := g.without(late[auditFile{g.behind.Device, g.behind.File}]).text(); text != "" {
			findings = append(findings, auditGap(g.behind, "", text))
		}
	}
	return next, findings
}

// auditGap is a state: what is missing does not come back. Somebody clears it.
// A reset is an alarm beside that of a gap.
func auditGap(l Line, kind, text string) alarms.Finding {
	return alarms.Finding{Key: alarms.Key{Device: l.Device, Group: "audit-gap", Object: strings.TrimSpace(l.Audit.Serial + kind)}, Condition: alarms.Bad, Severity: alarms.Major,
		Text: text, Serial: l.Audit.Serial, Evidence: alarms.Evidence{At: l.At, Text: alarms.Clip(text + ": " + l.Audit.Text), Log: placeOf(l)}}
}

// streamOf returns the stream of a record, a new one if need be. A serial
// number that continues an older stream is of that.
func (log *auditLog) streamOf(r *hsm.AuditRecord) *auditStream {
	streams := *log
	own := slices.IndexFunc(streams, func(x auditStream) bool { return slices.Contains(x.serials, r.Serial) })
	if own >= 0 && (streams[own].continuedBy(r) || slices.Contains(streams[own].recent, recentOf(r))) {
		return &streams[own]
	}
	older := slices.IndexFunc(streams, func(x auditStream) bool { return len(x.serials) > 0 && len(x.serials) < maxSerials && x.continuedBy(r) })
	switch {
	case older >= 0 && own < 0:
		streams[older].serials = append(slices.Clip(streams[older].serials), r.Serial)
		return &streams[older]
	case older >= 0 && older < own:
		streams[older].serials = append(slices.Clip(streams[older].serials), streams[own].serials...)
		streams[own] = auditStream{}
		return &streams[older]
	case own >= 0:
		return &streams[own]
	}
	x := auditStream{serials: []string{r.Serial}, last: r.Sequence.Value - 1}
	free := slices.IndexFunc(streams, func(x auditStream) bool { return len(x.serials) == 0 })
	switch {
	case free >= 0:
	case len(streams) < maxStreams:
		free, streams = len(streams), append(streams, x)
	}
	free = max(free, 0)
	streams[free] = x
	*log = streams
	return &streams[free]
}

func (x auditStream) continuedBy(r *hsm.AuditRecord) bool { return r.Sequence.Value == x.last+1 }

// take adds a record to its stream.
func (x *auditStream) take(r *hsm.AuditRecord) (v auditVerdict) {
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
	return recentRecord{r.Sequence.Value, maphash.String(auditSeed, r.Text)}
}

// last returns the last n of a list.
func last[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// fill takes n from the numbers left out, and reports whether it was one.
func (x *auditStream) fill(n int64) bool {
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
