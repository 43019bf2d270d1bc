package rules

import (
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// statusAdvice is what to do about a part of a status line, in the order in
// which they are checked.
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

// hsmStatus warns of a status line that is not OK, on versions that print one.
// A line of several parts, "Transport Mode, zeroized", gets advice on each.
var hsmStatus = Rule{"hsm-status", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || s.Status == "" || strings.HasPrefix(s.Status, "N/A"):
	case alarms.StatusOK(s.Status):
		emit(good(p.Show.Asked(), "HSM status %s", s.Status))
	default:
		worst, text := alarms.Indeterminate, ""
		for _, a := range statusAdvice {
			if strings.Contains(strings.ToLower(s.Status), a.word) && !strings.Contains(text, a.advice) {
				worst, text = max(worst, a.severity), text+"; "+a.advice
			}
		}
		emit(bad(worst, p.Show.Asked(), "HSM status %s%s", s.Status, text))
	}
}}

// tampered warns of an active tamper.
var tampered = Rule{"lock", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok:
	case s.Tamper == hsm.TamperDetected:
		emit(bad(alarms.Critical, p.Show.Asked(), "tamper detected"))
	case s.Tamper == hsm.TamperNone:
		emit(good(p.Show.Asked(), "no tamper"))
	}
}}

// zeroized warns of an HSM that has lost its keys.
var zeroized = Rule{"zeroize", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || !s.Zeroized.Known:
	case s.Zeroized.Value && hsm.Is(s.ManuallyZeroized, true):
		emit(bad(alarms.Critical, p.Show.Asked(), "HSM is zeroized, by hand"))
	case s.Zeroized.Value:
		emit(bad(alarms.Critical, p.Show.Asked(), "HSM is zeroized"))
	default:
		emit(good(p.Show.Asked(), "HSM is initialized"))
	}
}}

// secureTransport warns of secure transport mode.
var secureTransport = Rule{"stm", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch {
	case !ok || !s.SecureTransportMode.Known:
	case s.SecureTransportMode.Value:
		emit(bad(alarms.Major, p.Show.Asked(), "HSM is in secure transport mode"))
	default:
		emit(good(p.Show.Asked(), "HSM is not in secure transport mode"))
	}
}}

// soLogin warns while few SO login attempts are left: at none the HSM erases
// itself.
var soLogin = Rule{"so-login-attempts", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch n := s.SOLoginAttemptsLeft; {
	case !ok || !n.Known:
	case hsm.Is(s.Zeroized, true):
		emit(good(p.Show.Asked(), "HSM is zeroized"))
	case n.Value < p.SOLoginAttempts && n.Value <= 1:
		emit(bad(alarms.Critical, p.Show.Asked(), "%d SO login attempt left before the HSM erases itself", n.Value))
	case n.Value < p.SOLoginAttempts:
		emit(bad(alarms.Major, p.Show.Asked(), "%d SO login attempts left before the HSM erases itself", n.Value))
	default:
		emit(good(p.Show.Asked(), "%d SO login attempts left", n.Value))
	}
}}

// silent warns of a card that gives no readable answer while its appliance
// does. One poll proves nothing: a PED operation blocks the card for minutes.
var silent = Rule{"hsm-silent", func(p Poll, emit func(Result)) {
	s, ok := p.Sources[p.first()]
	switch {
	case !ok || s.Failure.OfSession():
	case s.Failure == hsm.None:
		emit(good(s.At, "%s answers", p.first()))
	case s.Failures >= p.SilentAfter:
		emit(bad(alarms.Major, s.At, "no answer to %d polls: %s", s.Failures, s.Error))
	}
}}
