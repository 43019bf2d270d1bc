package alarms

import "github.com/lunawatch/lunawatch/hsm"

// hsmStorage warns before no further partition fits.
var hsmStorage = Rule{"hsm-storage", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	if ratio, known := used(s.Storage); ok && known {
		o := fill(ratio, p.StorageRatio, Warning, Warning)
		o.At = p.Show.At
		say(o)
	}
}}

// partitionStorage warns before a partition is full.
var partitionStorage = Rule{"partition-storage", func(p Poll, say func(Opinion)) {
	ps, ok := p.Partitions.Get(p.Now)
	if !ok {
		return
	}
	for _, x := range ps {
		if ratio, known := used(x.Storage); known {
			o := fill(ratio, p.StorageRatio, Minor, Major)
			o.At, o.Text = p.Partitions.At, x.Name+": "+o.Text
			say(o.on(x.Serial))
		}
	}
	say(Opinion{All: true, At: p.Partitions.At})
}}

func used(s hsm.Storage) (ratio float64, known bool) {
	if !s.Total.Known || !s.Used.Known || s.Total.Value <= 0 {
		return 0, false
	}
	return float64(s.Used.Value) / float64(s.Total.Value), true
}

// fill judges how full something is: worse from halfway between limit and
// full, and good again a tenth of the rest below limit.
func fill(ratio, limit float64, from, worse Severity) Opinion {
	o := Opinion{Verdict: Between, Severity: from}
	switch rest := 1 - limit; {
	case ratio >= limit+rest/2:
		o = bad(worse, o.At, "%.0f %% used", 100*ratio)
	case ratio >= limit:
		o = bad(from, o.At, "%.0f %% used", 100*ratio)
	case ratio < limit-rest/10:
		o = good(o.At, "%.0f %% used", 100*ratio)
	}
	return o
}
