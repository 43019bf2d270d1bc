package rules

import (
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// partAdvice is how bad each part of a status is, and what to do about it. A part
// that is not here says nothing against the HSM.
var partAdvice = map[hsm.StatusPart]struct {
	severity alarms.Severity
	advice   string
}{
	hsm.PartTampered:       {alarms.Critical, "restart it, read the tampers, and have the SO clear them"},
	hsm.PartDecommissioned: {alarms.Critical, "its keys are gone: initialize it and restore them from a backup"},
	hsm.PartZeroized:       {alarms.Critical, "its keys are gone: initialize it and restore them from a backup"},
	hsm.PartTransport:      {alarms.Major, "the SO recovers it with stm recover"},
	hsm.PartUnknown:        {alarms.Indeterminate, "it has a word that Lunawatch does not know"},
}

// worstPart returns the worst severity of the parts of a status, None if all
// are good, and what to do about each. It leaves some out.
func worstPart(s hsm.Status, but ...hsm.StatusPart) (worst alarms.Severity, advice string) {
	for _, part := range s.Parts() {
		if slices.Contains(but, part) {
			continue
		}
		if a := partAdvice[part]; a.severity > alarms.None && !strings.Contains(advice, a.advice) {
			worst, advice = max(worst, a.severity), advice+"; "+a.advice
		}
	}
	return worst, advice
}

// hsmStatus warns of a status line that is not good, on versions that print
// one.
var hsmStatus = Rule{"hsm-status", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch worst, advice := worstPart(s.Status); {
	case !ok:
	case worst > alarms.None:
		emit(bad(worst, p.Show.Asked(), "HSM status %s%s", s.Status, advice))
	case s.Status.Good():
		emit(good(p.Show.Asked(), "HSM status %s", s.Status))
	}
}}

// tampered warns of an active tamper: by hsm show or by hsm tamper show, and
// ends when neither states one.
var tampered = Rule{"lock", func(p Poll, emit func(Result)) {
	show, showFresh := p.Show.Get(p.Now)
	list, listFresh := p.Tamper.Get(p.Now)
	switch {
	case listFresh && list.State == hsm.TamperDetected && len(list.Tampers) > 0:
		emit(bad(alarms.Critical, p.Tamper.Asked(), "tamper detected: %s", strings.Join(list.Tampers, ", ")))
	case listFresh && list.State == hsm.TamperDetected:
		emit(bad(alarms.Critical, p.Tamper.Asked(), "tamper detected"))
	case showFresh && show.Tamper == hsm.TamperDetected:
		emit(bad(alarms.Critical, p.Show.Asked(), "tamper detected"))
	case showFresh && show.Status.Has(hsm.PartUnknown):
	case showFresh && show.Tamper == hsm.TamperNone:
		emit(good(p.Show.Asked(), "no tamper"))
	case listFresh && list.State == hsm.TamperNone:
		emit(good(p.Tamper.Asked(), "no tamper"))
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
	case s.Status.Has(hsm.PartUnknown):
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
	case s.Status.Has(hsm.PartUnknown):
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
		emit(bad(alarms.Major, s.At, "%s; so ended %d polls in a row", s.Error, s.Failures).at(s))
	}
}}
