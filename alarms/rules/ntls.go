package rules

import (
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// ntlsDown tells that no client can reach the HSM.
var ntlsDown = Rule{"ntls", func(p Poll, say func(Result)) {
	n, ok := p.NTLS.Get(p.Now)
	switch {
	case !ok:
	case n.Status == hsm.NTLSDown:
		say(bad(alarms.Critical, p.NTLS.Asked(), "NTLS is down"))
	case n.Status == hsm.NTLSUp:
		say(good(p.NTLS.Asked(), "NTLS is up"))
	}
}}

// certificate warns before the NTLS server certificate expires.
var certificate = Rule{"ntls-certificate", func(p Poll, say func(Result)) {
	c, ok := p.Certificate.Get(p.Now)
	if !ok || !c.NotAfter.Known {
		return
	}
	say(expiry("NTLS certificate", c.NotAfter.Value, p, p.Certificate.Asked()))
}}

// expiry judges the end of a certificate.
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
