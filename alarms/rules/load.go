package rules

import (
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// applianceLoad warns of an appliance that is short of CPU, memory or swap.
var applianceLoad = Rule{"appliance-load", func(p Poll, emit func(Result)) {
	if c, ok := p.CPU.Get(p.Now); ok && p.LoadAverage > 0 {
		switch at, limit := p.CPU.Asked(), p.LoadAverage; {
		case c.Load15 >= limit:
			emit(bad(alarms.Minor, at, "load average %.2f over 15 minutes", c.Load15).of(c.Load15, limit, "").on("cpu"))
		case c.Load15 < 0.8*limit:
			emit(good(at, "load average %.2f over 15 minutes", c.Load15).of(c.Load15, limit, "").on("cpu"))
		}
	}
	m, ok := p.RAM.Get(p.Now)
	if !ok {
		return
	}
	for _, x := range []struct {
		object    string
		all, free hsm.Opt[int64]
		limit     float64
	}{
		{"memory", m.Total, m.Available, p.MemoryRatio},
		{"swap", m.SwapTotal, hsm.Opt[int64]{Value: m.SwapTotal.Value - m.SwapUsed.Value, Known: m.SwapUsed.Known}, p.SwapRatio},
	} {
		used := hsm.Storage{Total: x.all, Used: hsm.Opt[int64]{Value: x.all.Value - x.free.Value, Known: x.free.Known}}
		if ratio, known := used.UsedRatio(); known && x.limit > 0 {
			r := fill(ratio, x.limit, alarms.Minor, alarms.Minor)
			r.At, r.Text = p.RAM.Asked(), x.object+": "+r.Text
			emit(r.on(x.object))
		}
	}
}}
