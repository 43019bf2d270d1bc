package rules

import (
	"cmp"
	"fmt"

	"github.com/lunawatch/lunawatch/alarms"
)

// hsmStorage warns before no further partition fits.
var hsmStorage = Rule{"hsm-storage", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	if ratio, known := s.Storage.UsedRatio(); ok && known {
		r := fill(ratio, p.StorageRatio, alarms.Warning, alarms.Warning)
		r.At = p.Show.Asked()
		emit(r)
	}
}}

// partitionStorage warns before a partition is full.
var partitionStorage = Rule{"partition-storage", func(p Poll, emit func(Result)) {
	ps, ok := p.Partitions.Get(p.Now)
	if !ok {
		return
	}
	for _, x := range ps {
		r := Result{Condition: alarms.Between}
		if ratio, known := x.Storage.UsedRatio(); known {
			r = fill(ratio, p.StorageRatio, alarms.Minor, alarms.Major)
		}
		r.At, r.Text = p.Partitions.Asked(), x.Name+": "+r.Text
		emit(r.on(cmp.Or(x.Serial, x.Name)))
	}
	emit(allOf(p.Partitions))
}}

// fill returns how bad a ratio of use is, 0 to 1: worse from halfway between
// limit and full, and good again a tenth of what remains above limit below it.
func fill(ratio, limit float64, from, worse alarms.Severity) Result {
	r, remaining := Result{Condition: alarms.Between, Text: fmt.Sprintf("%.0f %% used", 100*ratio)}, 1-limit
	switch {
	case ratio >= limit+remaining/2:
		r.Condition, r.Severity = alarms.Bad, worse
	case ratio >= limit:
		r.Condition, r.Severity = alarms.Bad, from
	case ratio < limit-remaining/10:
		r.Condition = alarms.Good
	}
	return r.of(ratio, limit, "ratio")
}
