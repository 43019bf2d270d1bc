package hsm

import (
	"slices"
	"strings"
)

// A Status is the status line of an HSM or a partition, as the source prints it: parts
// that are joined by commas, such as "L3 Device, Zeroized". The first may only say what
// the card is.
type Status string

// A StatusPart is one part of a [Status].
type StatusPart string

// The parts of a status. Those that are good say nothing against the HSM.
const (
	PartOK             StatusPart = "ok"
	PartL3Device       StatusPart = "l3 device"   // K7: what the card is
	PartInitialized    StatusPart = "initialized" // REST API
	PartTampered       StatusPart = "tampered"
	PartZeroized       StatusPart = "zeroized"
	PartDecommissioned StatusPart = "decommissioned"
	PartTransport      StatusPart = "transport mode"
	PartNone           StatusPart = "none"    // of an HA group: it has no status of its own
	PartUnknown        StatusPart = "unknown" // no known word
)

var goodParts = []StatusPart{PartOK, PartL3Device, PartInitialized}

// statusParts are the words of parts, in lower case.
var statusParts = map[string]StatusPart{
	"ok":                    PartOK,
	"l3 device":             PartL3Device,
	"initialized":           PartInitialized,
	"hardware tamper":       PartTampered,
	"hsm tamper":            PartTampered,
	"zeroized":              PartZeroized,
	"decommissioned":        PartDecommissioned,
	"transport mode":        PartTransport,
	"secure transport mode": PartTransport,
}

// Parts returns the parts of s in their order; nil: there is no status.
func (s Status) Parts() (parts []StatusPart) {
	if strings.TrimSpace(string(s)) == "" {
		return nil
	}
	for word := range strings.SplitSeq(strings.ReplaceAll(string(s), ";", ","), ",") {
		word = strings.ToLower(strings.Join(strings.Fields(word), " "))
		part, known := statusParts[word]
		switch {
		case strings.HasPrefix(word, "n/a"):
			part = PartNone
		case !known:
			part = stemOf(word)
		}
		parts = append(parts, part)
	}
	return parts
}

// stemOf returns the bad part that an unknown word is about, unless it denies it.
func stemOf(word string) StatusPart {
	for _, x := range []struct {
		stem string
		part StatusPart
	}{{"tamper", PartTampered}, {"zeroiz", PartZeroized}, {"decommission", PartDecommissioned}, {"transport", PartTransport}} {
		first, _, _ := strings.Cut(word, " ")
		if strings.Contains(word, x.stem) && first != "no" && first != "not" {
			return x.part
		}
	}
	return PartUnknown
}

// Has reports whether s has one of these parts.
func (s Status) Has(any ...StatusPart) bool {
	return slices.ContainsFunc(s.Parts(), func(p StatusPart) bool { return slices.Contains(any, p) })
}

// Good reports whether s is there and all its parts are good.
func (s Status) Good() bool {
	parts := s.Parts()
	return len(parts) > 0 && !slices.ContainsFunc(parts, func(p StatusPart) bool { return !slices.Contains(goodParts, p) })
}

// Zeroized returns whether s states that the keys are gone; unknown if it says neither.
// "L3 Device" says neither.
func (s Status) Zeroized() Opt[bool] {
	switch {
	case s.Has(PartZeroized, PartDecommissioned):
		return Some(true)
	case s.Good() && s.Has(PartOK, PartInitialized):
		return Some(false)
	}
	return Opt[bool]{}
}

// WithStatus returns v with what its status states: it is believed where it is worse than
// the other values of the same source.
func (v Show) WithStatus() Show {
	switch z := v.Status.Zeroized(); {
	case z.Known && (z.Value || !v.Zeroized.Known):
		v.Zeroized = z
	}
	if v.Status.Has(PartTransport) {
		v.SecureTransportMode = Some(true)
	}
	if v.Status.Has(PartTampered) {
		v.Tamper = TamperDetected
	}
	return v
}
