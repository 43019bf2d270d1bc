package luna

import (
	"iter"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// agentScalars are the scalars of lunaAgent behind those about alarms.
var agentScalars = mib.Table[estate]{
	Entry: lunaObjects.Append(1),
	Parts: func(src mib.Source) iter.Seq[mib.Part[estate]] {
		return func(yield func(mib.Part[estate]) bool) {
			if src.Conditions != nil && src.Alarms != nil {
				yield(mib.Part[estate]{Rows: func(yield func(agentx.OID, estate) bool) { yield(agentx.OID{0}, estateOf(src)) }})
			}
		}
	},
	Columns: []mib.Column[estate]{
		{7, "lunaAgentUpTime", func(e estate) agentx.Value { return mib.Ticks(e.Alarms.Started, e.Now) }},
		{8, "lunaAgentState", func(e estate) agentx.Value { return state(e.worst) }},
		{9, "lunaAgentHsms", func(e estate) agentx.Value { return agentx.Gauge32(e.hsms[0]) }},
		{10, "lunaAgentHsmsOk", func(e estate) agentx.Value { return agentx.Gauge32(e.hsms[mib.StateOK]) }},
		{11, "lunaAgentHsmsWarning", func(e estate) agentx.Value { return agentx.Gauge32(e.hsms[mib.StateWarning]) }},
		{12, "lunaAgentHsmsCritical", func(e estate) agentx.Value { return agentx.Gauge32(e.hsms[mib.StateCritical]) }},
		{13, "lunaAgentHsmsUnknown", func(e estate) agentx.Value { return agentx.Gauge32(e.hsms[mib.StateUnknown]) }},
		{14, "lunaAgentShownAt", func(e estate) agentx.Value { return mib.Moment(e.Now) }},
	},
}

// An estate is all devices together.
type estate struct {
	mib.Source
	worst mib.State
	hsms  [mib.StateUnknown + 1]uint32 // by state; 0: all
}

// badness orders states: unknown is worse than a warning, and critical the worst.
var badness = [...]int{mib.StateOK: 0, mib.StateWarning: 1, mib.StateUnknown: 2, mib.StateCritical: 3}

func estateOf(src mib.Source) estate {
	e := estate{Source: src, worst: mib.StateOK}
	if len(src.Conditions) == 0 {
		e.worst = mib.StateUnknown
	}
	for _, c := range src.Conditions {
		if badness[c.State] > badness[e.worst] {
			e.worst = c.State
		}
	}
	for _, d := range src.Snapshot.Devices {
		if c := src.Conditions[d.Name]; c != nil && d.Kind != hsm.HostMachine {
			e.hsms[0]++
			e.hsms[c.State]++
		}
	}
	return e
}
