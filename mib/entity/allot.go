package entity

import (
	"fmt"
	"maps"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
)

// Allot returns e with numbers for the parts of d that have none, or e itself if all have.
// What was allotted once is never changed. The error names the first part for which there is
// no number left: it has no rows.
func Allot(e *mib.Entity, d *hsm.Device) (*mib.Entity, error) {
	var missing []found
	pending := make(map[string]bool)
	for f := range parts(d) {
		if _, known := e.Parts[f.key]; !known && !pending[f.key] && f.worthANumber() {
			pending[f.key] = true
			missing = append(missing, f)
		}
	}
	if len(missing) == 0 {
		return e, nil
	}
	next := &mib.Entity{Number: e.Number, Parts: maps.Clone(e.Parts), Since: e.Since}
	if next.Parts == nil {
		next.Parts = make(map[string]mib.EntityPart)
	}
	names, last := make(map[string]bool), uint32(firstFree-1)
	for _, p := range next.Parts {
		names[strings.ToUpper(p.Name)], last = true, max(last, p.Number)
	}
	for i, f := range missing {
		p := mib.EntityPart{Number: fixed[f.key], Class: f.class, Name: f.name, In: next.Parts[f.in].Number}
		if p.Number == 0 {
			if last == mib.MaxParts {
				if i == 0 {
					next = e
				}
				return next, fmt.Errorf("ENTITY-MIB: %s: no row for %q and %d more: a device has at most %d parts", d.Name, f.name, len(missing)-i-1, mib.MaxParts)
			}
			last++
			p.Number = last
		}
		if names[strings.ToUpper(p.Name)] {
			p.Name = fmt.Sprintf("%s (%d)", p.Name, p.Number)
		}
		names[strings.ToUpper(p.Name)] = true
		next.Parts[f.key] = p
	}
	return next, nil
}

// worthANumber reports whether a part that was not there before is one: the sources print
// some sensors that no unit has, and never read them.
func (f found) worthANumber() bool {
	switch f.class {
	case classSensor, classBattery:
		return f.measure.value.Known
	}
	return true
}
