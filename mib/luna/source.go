package luna

import (
	"iter"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A source is a source of a device.
type source struct {
	hsm.Source
	name   string
	device mib.Device
}

var failures = map[hsm.Failure]int32{
	hsm.None: 1, hsm.Unreachable: 2, hsm.HostKey: 3, hsm.Login: 4, hsm.Timeout: 5, hsm.Command: 6, hsm.Unrecognised: 7, hsm.Incomplete: 8,
}

// sourceTable has the sources of every HSM and host. They do not become stale.
var sourceTable = mib.Table[source]{
	Name:  "lunaSourceTable",
	Entry: lunaObjects.Append(11, 1),
	Parts: mib.ByDevice(func(d mib.Device) []any { return []any{d.Device} }, sources),
	Columns: []mib.Column[source]{
		{3, "lunaSourceLabel", func(s source) agentx.Value { return text(s.name) }},
		{4, "lunaSourceFailure", func(s source) agentx.Value { return mib.Enum(s.Failure, failures) }},
		{5, "lunaSourceReach", func(s source) agentx.Value { return agentx.Integer(reachOfSource(s.Source)) }},
		{6, "lunaSourceError", func(s source) agentx.Value { return text(s.Error) }},
		{7, "lunaSourceTriedAt", func(s source) agentx.Value { return mib.Moment(s.At) }},
		{8, "lunaSourceSucceededAt", func(s source) agentx.Value { return mib.Moment(s.Success) }},
		{9, "lunaSourceTook", func(s source) agentx.Value { return mib.Gauge32(uint64(max(0, s.Took/time.Millisecond))) }},
		{10, "lunaSourceFailures", func(s source) agentx.Value { return mib.Gauge32(uint64(s.Failures)) }},
		{11, "lunaSourceUnread", func(s source) agentx.Value { return mib.Gauge32(uint64(len(s.Unread))) }},
	},
}

// sourceAges is the last column of lunaSourceTable.
var sourceAges = mib.Table[source]{
	Entry: sourceTable.Entry,
	Parts: aging(sources),
	Columns: []mib.Column[source]{
		{12, "lunaSourceAge", func(s source) agentx.Value { return age(s.device, s.Success) }},
	},
}

// sources yields the sources of a device.
func sources(d mib.Device) iter.Seq2[agentx.OID, source] {
	return func(yield func(agentx.OID, source) bool) {
		for name, s := range d.Sources {
			if !yield(mib.Text(slices.Clip(d.Index), name[:min(len(name), 48)]), source{s, name, d}) {
				return
			}
		}
	}
}
