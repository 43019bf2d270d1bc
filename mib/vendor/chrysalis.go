package vendor

import (
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// The scalars of CHRYSALIS-UTSP-MIB have no index, so with several HSMs a counter is
// that of all ([Totals]), and a number is the sum over those that are read. Managers ask
// for all of a group at once and stumble over a missing one, so an object exists while
// one HSM states it; ntlsOperStatus says whether one is away. The module is the
// appliance's: a card has neither NTLS nor, in LunaCM, these counters, and is not
// counted where there is an appliance. Its own values are in hsmTable.

// operations and connections are the counters of the two groups.
var (
	operations = []sharedCounter{
		{1, "hsmOperationRequests", counted, ofInformation(func(i hsm.Information) hsm.Opt[uint64] { return i.OperationRequests })},
		{2, "hsmOperationErrors", counted, ofInformation(func(i hsm.Information) hsm.Opt[uint64] { return i.OperationErrors })},
		{3, "hsmCriticalEvents", counted, criticalEvents},
		{4, "hsmNonCriticalEvents", counted, otherEvents},
	}
	connections = []sharedCounter{
		{4, "ntlsSuccessfulClientConnections", appliances, ofNTLS(func(n hsm.NTLS) hsm.Opt[uint64] { return n.SuccessfulConnections })},
		{5, "ntlsFailedClientConnections", appliances, ofNTLS(func(n hsm.NTLS) hsm.Opt[uint64] { return n.FailedConnections })},
	}
	sharedCounters = slices.Concat(operations, connections)
)

// chrysalisHSM is the group of HSM counters.
var chrysalisHSM = mib.Table[mib.Source]{
	Entry:   chrysalisUTSP.Append(1),
	Parts:   mib.Scalar(func(src mib.Source) mib.Source { return src }),
	Columns: []mib.Column[mib.Source]{operations[0].column(), operations[1].column(), operations[2].column(), operations[3].column()},
}

// chrysalisNTLS is the group of NTLS objects.
var chrysalisNTLS = mib.Table[mib.Source]{
	Entry: chrysalisUTSP.Append(2),
	Parts: mib.Scalar(func(src mib.Source) mib.Source { return src }),
	Columns: []mib.Column[mib.Source]{
		{1, "ntlsOperStatus", ntlsOperStatus},
		{2, "ntlsConnectedClients", sumNTLS(func(n hsm.NTLS) hsm.Opt[uint64] { return n.ConnectedClients })},
		{3, "ntlsLinks", sumNTLS(func(n hsm.NTLS) hsm.Opt[uint64] { return n.Links })},
		connections[0].column(),
		connections[1].column(),
		{6, "ntlsCertExpireDay", ntlsCertExpireDay},
	},
}

// column returns the total, or, without totals, the sum.
func (c sharedCounter) column() mib.Column[mib.Source] {
	return mib.Column[mib.Source]{c.id, c.name, func(src mib.Source) agentx.Value {
		n := sum(src, c.devices(src), c.part)
		if total, ok := src.Totals[c.name]; ok {
			n.Value = total
		}
		return mib.Optional(n, agentx.Counter64)
	}}
}

// sum returns the sum of part over the devices where it is known; unknown if it is
// known for none.
func sum(src mib.Source, devices []*hsm.Device, part func(mib.Source, *hsm.Device) hsm.Opt[uint64]) hsm.Opt[uint64] {
	var total hsm.Opt[uint64]
	for _, d := range devices {
		n := part(src, d)
		total.Value += n.Value
		total.Known = total.Known || n.Known
	}
	return total
}

// fresh returns the part of a section's value that get returns, unknown unless the
// section is fresh.
func fresh[T, V any](s hsm.Section[T], now time.Time, get func(T) hsm.Opt[V]) hsm.Opt[V] {
	if !s.Fresh(now) {
		return hsm.Opt[V]{}
	}
	return get(s.Value)
}

// counted returns the HSMs whose values are added up: the appliances, and a card only if
// a source states its counters (luna-snmp of its host).
func counted(src mib.Source) []*hsm.Device {
	return slices.DeleteFunc(src.Snapshot.HSMs(), func(d *hsm.Device) bool { return d.Kind == hsm.CardHSM && d.Information.IsZero() })
}

func appliances(src mib.Source) []*hsm.Device { return src.Snapshot.NetworkHSMs() }

func ofInformation(get func(hsm.Information) hsm.Opt[uint64]) func(mib.Source, *hsm.Device) hsm.Opt[uint64] {
	return func(src mib.Source, d *hsm.Device) hsm.Opt[uint64] { return fresh(d.Information, src.Now, get) }
}

func ofNTLS(get func(hsm.NTLS) hsm.Opt[uint64]) func(mib.Source, *hsm.Device) hsm.Opt[uint64] {
	return func(src mib.Source, d *hsm.Device) hsm.Opt[uint64] { return fresh(d.NTLS, src.Now, get) }
}

func sumNTLS(get func(hsm.NTLS) hsm.Opt[uint64]) func(mib.Source) agentx.Value {
	return func(src mib.Source) agentx.Value {
		return mib.Optional(sum(src, appliances(src), ofNTLS(get)), mib.Gauge32)
	}
}

// criticalEvents and otherEvents are what the HSM states, or where that is 0 what was
// an alarm.
func criticalEvents(src mib.Source, d *hsm.Device) hsm.Opt[uint64] {
	n := fresh(d.Information, src.Now, func(i hsm.Information) hsm.Opt[uint64] { return i.CriticalEvents })
	if hsm.Is(n, 0) && src.Events != nil {
		n.Value, _ = src.Events(d.Name)
	}
	return n
}

func otherEvents(src mib.Source, d *hsm.Device) hsm.Opt[uint64] {
	n := fresh(d.Information, src.Now, func(i hsm.Information) hsm.Opt[uint64] { return i.NoncriticalEvents })
	if hsm.Is(n, 0) && src.Events != nil {
		_, n.Value = src.Events(d.Name)
	}
	return n
}

// ntlsOperStatus is up(1) only if NTLS is up on every appliance.
func ntlsOperStatus(src mib.Source) agentx.Value {
	read, worst := 0, hsm.NTLSUp
	for _, d := range src.Snapshot.NetworkHSMs() {
		n, ok := d.NTLS.Get(src.Now)
		switch {
		case !ok:
			n.Status = hsm.NTLSUnknown
		default:
			read++
		}
		if n.Status == hsm.NTLSDown || worst == hsm.NTLSUp {
			worst = n.Status
		}
	}
	if read == 0 {
		return agentx.Value{}
	}
	return mib.Enum(worst, map[hsm.NTLSStatus]int32{hsm.NTLSUp: 1, hsm.NTLSDown: 2, hsm.NTLSUnknown: 3})
}

// ntlsCertExpireDay is the earliest expiry, in the form of OpenSSL. A certificate that
// is not read at present has not changed, but one HSM must be read.
func ntlsCertExpireDay(src mib.Source) agentx.Value {
	var first time.Time
	read := false
	for _, d := range src.Snapshot.NetworkHSMs() {
		c := d.Certificate.Value
		read = read || d.Certificate.Fresh(src.Now)
		if c.NotAfter.Known && (first.IsZero() || c.NotAfter.Value.Before(first)) {
			first = c.NotAfter.Value
		}
	}
	if !read || first.IsZero() {
		return agentx.Value{}
	}
	return mib.Display(first.UTC().Format("Jan _2 15:04:05 2006 GMT"))
}
