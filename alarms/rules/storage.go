package rules

import (
	"cmp"
	"fmt"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// hsmStorage warns before no further partition fits.
var hsmStorage = Rule{"hsm-storage", func(p Poll, say func(Result)) {
	s, ok := p.Show.Get(p.Now)
	if ratio, known := used(s.Storage); ok && known {
		o := fill(ratio, p.StorageRatio, alarms.Warning, alarms.Warning)
		o.At = p.Show.Asked()
		say(o)
	}
}}

// partitionStorage warns before a partition is full.
var partitionStorage = Rule{"partition-storage", func(p Poll, say func(Result)) {
	ps, ok := p.Partitions.Get(p.Now)
	if !ok {
		return
	}
	for _, x := range ps {
		o := Result{Condition: alarms.Between}
		if ratio, known := used(x.Storage); known {
			o = fill(ratio, p.StorageRatio, alarms.Minor, alarms.Major)
		}
		o.At, o.Text = p.Partitions.Asked(), x.Name+": "+o.Text
		say(o.on(cmp.Or(x.Serial, x.Name)))
	}
	say(Result{All: true, At: p.Partitions.Asked()})
}}

func used(s hsm.Storage) (ratio float64, known bool) {
	if !s.Total.Known || !s.Used.Known || s.Total.Value <= 0 {
		return 0, false
	}
	return float64(s.Used.Value) / float64(s.Total.Value), true
}

// fill judges how full something is: worse from halfway between limit and
// full, and good again a tenth of the rest below limit.
func fill(ratio, limit float64, from, worse alarms.Severity) Result {
	o, rest := Result{Condition: alarms.Between, Text: fmt.Sprintf("%.0f %% used", 100*ratio)}, 1-limit
	switch {
	case ratio >= limit+rest/2:
		o.Condition, o.Severity = alarms.Bad, worse
	case ratio >= limit:
		o.Condition, o.Severity = alarms.Bad, from
	case ratio < limit-rest/10:
		o.Condition = alarms.Good
	}
	return o.of(ratio, limit, "ratio")
}
