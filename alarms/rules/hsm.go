package rules

import (
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// statusAdvice is what to do about a part of a status line, in the order in
// which the parts are looked for.
var statusAdvice = []struct {
	word     string
	severity alarms.Severity
	advice   string
}{
	{"tamper", alarms.Critical, "restart it, read the tampers, and have the SO clear them"},
	{"decommissioned", alarms.Critical, "its keys are gone: initialize it and restore them from a backup"},
	{"zeroized", alarms.Critical, "its keys are gone: initialize it and restore them from a backup"},
	{"transport", alarms.Major, "the SO recovers it with stm recover"},
}

// hsmStatus tells of a status line that is not OK, on versions that print one.
// What is said of it in parts is advised on in parts: "Transport Mode, zeroized".
var hsmStatus = Rule{"hsm-status", func(p Poll, say func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || s.Status == "" || strings.HasPrefix(s.Status, "N/A"):
	case alarms.StatusOK(s.Status):
		say(good(p.Show.Asked(), "HSM status %s", s.Status))
	default:
		worst, text := alarms.Indeterminate, ""
		for _, a := range statusAdvice {
			if strings.Contains(strings.ToLower(s.Status), a.word) && !strings.Contains(text, a.advice) {
				worst, text = max(worst, a.severity), text+"; "+a.advice
			}
		}
		say(bad(worst, p.Show.Asked(), "HSM status %s%s", s.Status, text))
	}
}}

// tampered tells of an active tamper.
var tampered = Rule{"lock", func(p Poll, say func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok:
	case s.Tamper == hsm.TamperDetected:
		say(bad(alarms.Critical, p.Show.Asked(), "tamper detected"))
	case s.Tamper == hsm.TamperNone:
		say(good(p.Show.Asked(), "no tamper"))
	}
}}

// zeroized tells of an HSM that has lost its keys.
var zeroized = Rule{"zeroize", func(p Poll, say func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || !s.Zeroized.Known:
	case s.Zeroized.Value && hsm.Is(s.ManuallyZeroized, true):
		say(bad(alarms.Critical, p.Show.Asked(), "HSM is zeroized, by hand"))
	case s.Zeroized.Value:
		say(bad(alarms.Critical, p.Show.Asked(), "HSM is zeroized"))
	default:
		say(good(p.Show.Asked(), "HSM is initialized"))
	}
}}

// secureTransport tells of secure transport mode.
var secureTransport = Rule{"stm", func(p Poll, say func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || !s.SecureTransportMode.Known:
	case s.SecureTransportMode.Value:
		say(bad(alarms.Major, p.Show.Asked(), "HSM is in secure transport mode"))
	default:
		say(good(p.Show.Asked(), "HSM is not in secure transport mode"))
	}
}}

// soLogin warns while wrong SO logins stand: at none left the HSM erases itself.
var soLogin = Rule{"so-login-attempts", func(p Poll, say func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch n := s.SOLoginAttemptsLeft; {
	case !ok || !n.Known:
	case hsm.Is(s.Zeroized, true):
		say(good(p.Show.Asked(), "HSM is zeroized"))
	case n.Value < p.SOLoginAttempts && n.Value <= 1:
		say(bad(alarms.Critical, p.Show.Asked(), "%d SO login attempt left before the HSM erases itself", n.Value))
	case n.Value < p.SOLoginAttempts:
		say(bad(alarms.Major, p.Show.Asked(), "%d SO login attempts left before the HSM erases itself", n.Value))
	default:
		say(good(p.Show.Asked(), "%d SO login attempts left", n.Value))
	}
}}

// silent tells of a card that does not answer, or not so that it can be read,
// while its appliance does. One poll proves nothing: a PED operation blocks
// the card for minutes.
var silent = Rule{"hsm-silent", func(p Poll, say func(Result)) {
	s, ok := p.Sources[p.first()]
	switch {
	case !ok || s.Failure.OfSession():
	case s.Failure == hsm.None:
		say(good(s.At, "%s answers", p.first()))
	case s.Failures >= p.SilentAfter:
		say(bad(alarms.Major, s.At, "no answer to %d polls: %s", s.Failures, s.Error))
	}
}}
