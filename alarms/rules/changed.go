package rules

import (
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
)

// changed tells that somebody has changed the firmware or a policy. Firmware that is not
// the expected one is an alarm of inventory, and not of this group.
var changed = Rule{"hsm-changed", func(p Poll, emit func(Result)) {
	want := p.Expected[p.Name].Firmware
	for _, c := range p.Memory.Stated.Changes(p.Device, p.Memory.Since, p.Now) {
		if c.Object != "firmware" || want == "" || strings.EqualFold(want, c.Value) {
			r := bad(alarms.Warning, c.At, "%s", c.Text).on(c.Object)
			r.Age = p.EventAge
			emit(r)
		}
	}
}}
