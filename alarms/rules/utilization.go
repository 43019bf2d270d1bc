package rules

import (
	"github.com/lunawatch/lunawatch/alarms"
)

// hsmUtilization warns when the HSM has little time left, going by the last
// interval: the average since its reset says nothing of now.
var hsmUtilization = Rule{"utilization", func(p Poll, emit func(Result)) {
	m, ok := p.Monitor.Get(p.Now)
	if !ok || p.UtilizationRatio == 0 || len(m.Samples) == 0 || !m.IntervalSeconds.Known {
		return
	}
	now, limit, at := m.Samples[len(m.Samples)-1].UtilizationInt, p.UtilizationRatio, p.Monitor.Asked()
	switch {
	case now >= limit:
		emit(bad(alarms.Warning, at, "%.0f %% utilized over %d s", 100*now, m.IntervalSeconds.Value).of(now, limit, "ratio"))
	case now < limit-p.UtilizationMargin:
		emit(good(at, "%.0f %% utilized", 100*now).of(now, limit, "ratio"))
	}
}}
