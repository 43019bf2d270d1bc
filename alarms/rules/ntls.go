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
	case n.Status == hsm.NTLSUnknown:
		emit(bad(alarms.Indeterminate, p.NTLS.Asked(), "whether NTLS is up is unknown to the appliance, or said in an unknown word"))
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
	case days <= lastDays:
		return bad(alarms.Major, at, "%s expires on %s", what, date)
	case days <= p.CertificateDays:
		return bad(alarms.Warning, at, "%s expires on %s", what, date)
	}
	return good(at, "%s is good until %s", what, date)
}

// lastDays is from how many days before its end on a certificate is a major alarm.
const lastDays = 7

// NextExpiry returns when time alone next changes the result of a certificate; zero:
// never.
func NextExpiry(d *hsm.Device, limits Thresholds, now time.Time) (next time.Time) {
	consider := func(end time.Time) {
		for _, days := range []int{limits.CertificateDays + 1, lastDays + 1, 0} {
			if at := end.Add(-time.Duration(days) * 24 * time.Hour); !at.Before(now) {
				next = alarms.Sooner(next, at)
			}
		}
	}
	if c, ok := d.Certificate.Get(now); ok && c.NotAfter.Known {
		consider(c.NotAfter.Value)
	}
	if ha, ok := d.HA.Get(now); ok {
		for _, c := range ha.Certificates {
			consider(c.NotAfter)
		}
	}
	return next
}
