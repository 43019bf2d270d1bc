package alarms

import "github.com/lunawatch/lunawatch/hsm"

// hsmStatus tells of a status line that is not OK, on versions that print one.
var hsmStatus = Rule{"hsm-status", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || s.Status == "":
	case statusOK(s.Status):
		say(good(p.Show.At, "HSM status %s", s.Status))
	default:
		say(bad(Critical, p.Show.At, "HSM status %s", s.Status))
	}
}}

// tampered tells of an active tamper.
var tampered = Rule{"lock", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok:
	case s.Tamper == hsm.TamperDetected:
		say(bad(Critical, p.Show.At, "tamper detected"))
	case s.Tamper == hsm.TamperNone:
		say(good(p.Show.At, "no tamper"))
	}
}}

// zeroized tells of an HSM that has lost its keys.
var zeroized = Rule{"zeroize", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || !s.Zeroized.Known:
	case s.Zeroized.Value && hsm.Is(s.ManuallyZeroized, true):
		say(bad(Critical, p.Show.At, "HSM is zeroized, by hand"))
	case s.Zeroized.Value:
		say(bad(Critical, p.Show.At, "HSM is zeroized"))
	default:
		say(good(p.Show.At, "HSM is initialized"))
	}
}}

// secureTransport tells of secure transport mode.
var secureTransport = Rule{"stm", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || !s.SecureTransportMode.Known:
	case s.SecureTransportMode.Value:
		say(bad(Major, p.Show.At, "HSM is in secure transport mode"))
	default:
		say(good(p.Show.At, "HSM is not in secure transport mode"))
	}
}}

// soLogin warns while wrong SO logins stand: at none left the HSM erases itself.
var soLogin = Rule{"so-login-attempts", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	switch n := s.SOLoginAttemptsLeft; {
	case !ok || !n.Known:
	case hsm.Is(s.Zeroized, true):
		say(good(p.Show.At, "HSM is zeroized"))
	case n.Value <= 1:
		say(bad(Critical, p.Show.At, "%d SO login attempt left before the HSM erases itself", n.Value))
	case n.Value < p.SOLoginAttempts:
		say(bad(Major, p.Show.At, "%d SO login attempts left before the HSM erases itself", n.Value))
	default:
		say(good(p.Show.At, "%d SO login attempts left", n.Value))
	}
}}

// silent tells of a card that does not answer while its appliance does. One
// poll proves nothing: a PED operation blocks the card for minutes.
var silent = Rule{"hsm-silent", func(p Poll, say func(Opinion)) {
	s, ok := p.Sources["hsm show"]
	switch {
	case !ok:
	case s.Failure == hsm.None:
		say(good(s.At, "hsm show answers"))
	case (s.Failure == hsm.Timeout || s.Failure == hsm.Command) && s.Failures >= p.SilentAfter:
		say(bad(Major, s.At, "no answer to %d polls: %s", s.Failures, s.Error))
	}
}}
