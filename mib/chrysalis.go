package mib

import (
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// The scalars of CHRYSALIS-UTSP-MIB have no index, so with several HSMs they are sums. A
// sum that lacks an HSM would be wrong but look right, so an object exists only while
// the value of every HSM that has one is known. The module is the appliance's: a card
// has neither NTLS nor, in LunaCM, these counters, and is not counted where there is an
// appliance. Its own values are in hsmTable.

// chrysalisHSM is the group of HSM counters.
var chrysalisHSM = table[Source]{
	entry: chrysalisUTSP.Append(1),
	rows:  scalar(func(src Source) Source { return src }),
	columns: []column[Source]{
		{1, "hsmOperationRequests", sumInformation(func(i hsm.Information) hsm.Opt[uint64] { return i.OperationRequests })},
		{2, "hsmOperationErrors", sumInformation(func(i hsm.Information) hsm.Opt[uint64] { return i.OperationErrors })},
		{3, "hsmCriticalEvents", func(src Source) agentx.Value { return events(src, true) }},
		{4, "hsmNonCriticalEvents", func(src Source) agentx.Value { return events(src, false) }},
	},
}

// chrysalisNTLS is the group of NTLS objects.
var chrysalisNTLS = table[Source]{
	entry: chrysalisUTSP.Append(2),
	rows:  scalar(func(src Source) Source { return src }),
	columns: []column[Source]{
		{1, "ntlsOperStatus", ntlsOperStatus},
		{2, "ntlsConnectedClients", sumClients(func(n hsm.NTLS) hsm.Opt[uint64] { return n.ConnectedClients })},
		{3, "ntlsLinks", sumClients(func(n hsm.NTLS) hsm.Opt[uint64] { return n.Links })},
		{4, "ntlsSuccessfulClientConnections", sumNTLS(func(n hsm.NTLS) hsm.Opt[uint64] { return n.SuccessfulConnections })},
		{5, "ntlsFailedClientConnections", sumNTLS(func(n hsm.NTLS) hsm.Opt[uint64] { return n.FailedConnections })},
		{6, "ntlsCertExpireDay", ntlsCertExpireDay},
	},
}

// sum returns the sum of part over devices; unknown if it is unknown for one of them.
func sum(devices []hsm.Device, part func(hsm.Device) hsm.Opt[uint64]) hsm.Opt[uint64] {
	total := hsm.Opt[uint64]{Known: len(devices) > 0}
	for _, d := range devices {
		n := part(d)
		total.Value += n.Value
		total.Known = total.Known && n.Known
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
func counted(src Source) []hsm.Device {
	return slices.DeleteFunc(src.Snapshot.HSMs(), func(d hsm.Device) bool { return d.Kind == hsm.CardHSM && d.Information.IsZero() })
}

func sumInformation(get func(hsm.Information) hsm.Opt[uint64]) func(Source) agentx.Value {
	return func(src Source) agentx.Value {
		return opt(sum(counted(src), func(d hsm.Device) hsm.Opt[uint64] { return fresh(d.Information, src.Now, get) }), agentx.Counter64)
	}
}

func sumNTLS(get func(hsm.NTLS) hsm.Opt[uint64]) func(Source) agentx.Value {
	return func(src Source) agentx.Value {
		return opt(sum(src.Snapshot.NetworkHSMs(), func(d hsm.Device) hsm.Opt[uint64] { return fresh(d.NTLS, src.Now, get) }), agentx.Counter64)
	}
}

func sumClients(get func(hsm.NTLS) hsm.Opt[uint64]) func(Source) agentx.Value {
	return func(src Source) agentx.Value {
		return opt(sum(src.Snapshot.NetworkHSMs(), func(d hsm.Device) hsm.Opt[uint64] { return fresh(d.NTLS, src.Now, get) }), gauge32)
	}
}

func events(src Source, critical bool) agentx.Value {
	return opt(sum(counted(src), func(d hsm.Device) hsm.Opt[uint64] {
		n := fresh(d.Information, src.Now, func(i hsm.Information) hsm.Opt[uint64] {
			if critical {
				return i.CriticalEvents
			}
			return i.NoncriticalEvents
		})
		if n.Value == 0 && n.Known && src.Events != nil {
			c, other := src.Events(d.Name)
			if !critical {
				c = other
			}
			return hsm.Some(c)
		}
		return n
	}), agentx.Counter64)
}

// ntlsOperStatus is up(1) only if NTLS is up on every appliance.
func ntlsOperStatus(src Source) agentx.Value {
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
		return none
	}
	return enum(worst, map[hsm.NTLSStatus]int32{hsm.NTLSUp: 1, hsm.NTLSDown: 2, hsm.NTLSUnknown: 3})
}

// ntlsCertExpireDay is the earliest expiry, in the form of OpenSSL.
func ntlsCertExpireDay(src Source) agentx.Value {
	var first time.Time
	for _, d := range src.Snapshot.NetworkHSMs() {
		c, ok := d.Certificate.Get(src.Now)
		if !ok || !c.NotAfter.Known {
			return none
		}
		if first.IsZero() || c.NotAfter.Value.Before(first) {
			first = c.NotAfter.Value
		}
	}
	if first.IsZero() {
		return none
	}
	return display(first.UTC().Format("Jan _2 15:04:05 2006 GMT"))
}
