package rules

import (
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// ntlsDown warns that no client can reach the HSM.
var ntlsDown = Rule{"ntls", func(p Poll, emit func(Result)) {
	n, ok := p.NTLS.Get(p.Now)
	switch {
	case !ok:
	case n.Status == hsm.NTLSDown:
		emit(bad(alarms.Critical, p.NTLS.Asked(), "NTLS is down"))
	case n.Status == hsm.NTLSUp:
		emit(good(p.NTLS.Asked(), "NTLS is up"))
	}
}}

// certificate warns before the NTLS server certificate expires.
var certificate = Rule{"ntls-certificate", func(p Poll, emit func(Result)) {
	c, ok := p.Certificate.Get(p.Now)
	if !ok || !c.NotAfter.Known {
		return
	}
	emit(expiry("NTLS certificate", c.NotAfter.Value, p, p.Certificate.Asked()))
}}

// expiry returns the condition of a certificate that ends at a time.
func expiry(what string, end time.Time, p Poll, at time.Time) Result {
	days, date := int(end.Sub(p.Now).Hours()/24), end.UTC().Format(time.DateOnly)
	switch {
	case !p.Now.Before(end):
		return bad(alarms.Critical, at, "%s expired on %s", what, date)
	case days <= 7:
		return bad(alarms.Major, at, "%s expires on %s", what, date)
	case days <= p.CertificateDays:
		return bad(alarms.Warning, at, "%s expires on %s", what, date)
	}
	return good(at, "%s is good until %s", what, date)
}
