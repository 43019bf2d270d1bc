package alarms

import (
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
)

// hsmStatus tells of a status line that is not OK, on versions that print one.
var hsmStatus = Rule{"hsm-status", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || s.Status == "" || strings.HasPrefix(s.Status, "N/A"):
	case statusOK(s.Status):
		say(good(p.Show.Asked(), "HSM status %s", s.Status))
	default:
		say(bad(Critical, p.Show.Asked(), "HSM status %s", s.Status))
	}
}}

// tampered tells of an active tamper.
var tampered = Rule{"lock", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok:
	case s.Tamper == hsm.TamperDetected:
		say(bad(Critical, p.Show.Asked(), "tamper detected"))
	case s.Tamper == hsm.TamperNone:
		say(good(p.Show.Asked(), "no tamper"))
	}
}}

// zeroized tells of an HSM that has lost its keys.
var zeroized = Rule{"zeroize", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || !s.Zeroized.Known:
	case s.Zeroized.Value && hsm.Is(s.ManuallyZeroized, true):
		say(bad(Critical, p.Show.Asked(), "HSM is zeroized, by hand"))
	case s.Zeroized.Value:
		say(bad(Critical, p.Show.Asked(), "HSM is zeroized"))
	default:
		say(good(p.Show.Asked(), "HSM is initialized"))
	}
}}

// secureTransport tells of secure transport mode.
var secureTransport = Rule{"stm", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || !s.SecureTransportMode.Known:
	case s.SecureTransportMode.Value:
		say(bad(Major, p.Show.Asked(), "HSM is in secure transport mode"))
	default:
		say(good(p.Show.Asked(), "HSM is not in secure transport mode"))
	}
}}

// soLogin warns while wrong SO logins stand: at none left the HSM erases itself.
var soLogin = Rule{"so-login-attempts", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	switch n := s.SOLoginAttemptsLeft; {
	case !ok || !n.Known:
	case hsm.Is(s.Zeroized, true):
		say(good(p.Show.Asked(), "HSM is zeroized"))
	case n.Value < p.SOLoginAttempts && n.Value <= 1:
		say(bad(Critical, p.Show.Asked(), "%d SO login attempt left before the HSM erases itself", n.Value))
	case n.Value < p.SOLoginAttempts:
		say(bad(Major, p.Show.Asked(), "%d SO login attempts left before the HSM erases itself", n.Value))
	default:
		say(good(p.Show.Asked(), "%d SO login attempts left", n.Value))
	}
}}

// silent tells of a card that does not answer, or not so that it can be read,
// while its appliance does. One poll proves nothing: a PED operation blocks
// the card for minutes.
var silent = Rule{"hsm-silent", func(p Poll, say func(Opinion)) {
	s, ok := p.Sources[p.first()]
	switch {
	case !ok || s.Failure.OfSession():
	case s.Failure == hsm.None:
		say(good(s.At, "%s answers", p.first()))
	case s.Failures >= p.SilentAfter:
		say(bad(Major, s.At, "no answer to %d polls: %s", s.Failures, s.Error))
	}
}}
