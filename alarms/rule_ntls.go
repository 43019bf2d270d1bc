package alarms

import (
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// ntlsDown tells that no client can reach the HSM.
var ntlsDown = Rule{"ntls", func(p Poll, say func(Opinion)) {
	n, ok := p.NTLS.Get(p.Now)
	switch {
	case !ok:
	case n.Status == hsm.NTLSDown:
		say(bad(Critical, p.NTLS.Asked(), "NTLS is down"))
	case n.Status == hsm.NTLSUp:
		say(good(p.NTLS.Asked(), "NTLS is up"))
	}
}}

// certificate warns before the NTLS server certificate expires.
var certificate = Rule{"ntls-certificate", func(p Poll, say func(Opinion)) {
	c, ok := p.Certificate.Get(p.Now)
	if !ok || !c.NotAfter.Known {
		return
	}
	end := c.NotAfter.Value
	days, date := int(end.Sub(p.Now).Hours()/24), end.UTC().Format(time.DateOnly)
	switch {
	case !p.Now.Before(end):
		say(bad(Critical, p.Certificate.Asked(), "NTLS certificate expired on %s", date))
	case days <= 7:
		say(bad(Major, p.Certificate.Asked(), "NTLS certificate expires on %s", date))
	case days <= p.CertificateDays:
		say(bad(Warning, p.Certificate.Asked(), "NTLS certificate expires on %s", date))
	default:
		say(good(p.Certificate.Asked(), "NTLS certificate is good until %s", date))
	}
}}
