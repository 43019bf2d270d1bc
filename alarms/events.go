package alarms

import "slices"

// notCounted are groups of what people do to the appliance and to logs; the
// vendor counts none of it as an event of the HSM.
var notCounted = []string{"recover-login", "audit-change", "audit-gap"}

// Events counts what HSMs themselves report as alarms.
type Events struct {
	Critical uint64 `json:"critical"`
	Other    uint64 `json:"other"`
	// What its audit log says, possibly of the same events.
	AuditCritical uint64 `json:"audit_critical,omitempty"`
	FailedLogins  uint64 `json:"failed_logins,omitempty"`
}

// Plus returns the sum of two counts.
func (e Events) Plus(n Events) Events {
	return Events{e.Critical + n.Critical, e.Other + n.Other, e.AuditCritical + n.AuditCritical, e.FailedLogins + n.FailedLogins}
}

// With returns e with what the HSM itself reports in findings.
func (e Events) With(findings []Finding) Events {
	for _, f := range findings {
		switch {
		case f.Condition != Bad || f.Test || GroupNamed(f.Group).Trap != CryptoAttention:
		case slices.Contains(notCounted, f.Group):
		case f.Group == "audit-event":
			e.AuditCritical++
		case f.Group == "failed-login":
			e.FailedLogins++
		case f.Severity == Critical:
			e.Critical++
		default:
			e.Other++
		}
	}
	return e
}
