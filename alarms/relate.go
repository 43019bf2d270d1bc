package alarms

import (
	"slices"
	"time"
)

// tampers are the groups that stop a card by themselves.
var tampers = []string{
	"soft-v", "soft-t", "soft", "hard-ht", "hard-lt", "hard-ov", "hard-osc", "hard-cfg", "hard", "chassis", "removal", "decom",
}

// A consequence is a group whose alarms another one explains while it stands.
type consequence struct {
	group  string
	causes []string // of the same device and card
	parent []string // of what the device depends on
}

var consequences = []consequence{
	{"soft-t", []string{"hard-ht", "hard-lt"}, nil},
	{"soft-v", []string{"hard-ov"}, nil},
	{"soft", slices.Concat([]string{"soft-v", "soft-t"}, tampers[3:9]), nil},
	{"decom", tampers[3:11], nil},
	{"lock", tampers, nil},
	{"restart", tampers, nil},
	{"activation", slices.Concat(tampers, []string{"lock", "battery"}), nil},
	{"zeroize", []string{"decom", "battery"}, nil},
	{"halt", slices.Concat(tampers, []string{"integrity", "battery", "fwupd"}), nil},
	{"comm", slices.Concat(tampers, []string{"halt", "hsm-crashed"}), nil},
	{"temp-warn", []string{"soft-t", "hard-ht"}, nil},
	{"hsm-status", slices.Concat(tampers, []string{"lock", "halt", "restart", "stm", "hsm-crashed"}), nil},
	{"hsm-silent", slices.Concat(tampers, []string{"halt", "restart", "hsm-crashed", "unreachable"}), []string{"unreachable"}},
	{"system-status", slices.Concat(tampers, []string{"halt", "restart", "hsm-crashed", "unreachable"}), nil},
	{"ntls", slices.Concat(tampers, []string{"halt", "restart", "hsm-crashed", "unreachable"}), nil},
	{"ntls-log", slices.Concat(tampers, []string{"halt", "restart", "hsm-crashed"}), nil},
	{"data-stale", slices.Concat(tampers, []string{"halt", "restart", "hsm-crashed", "hsm-silent", "unreachable"}), []string{"unreachable"}},
	{"unreachable", tampers, []string{"unreachable"}},
	{"source-failing", []string{"unreachable", "hsm-silent"}, []string{"unreachable"}},
	{"sources-disagree", []string{"unreachable"}, nil},
	{"appliance-fan", []string{"unreachable"}, nil},
	{"power-supply", []string{"unreachable"}, nil},
	{"motherboard", []string{"unreachable"}, nil},
	{"disk", []string{"unreachable"}, nil},
	{"log-disk", []string{"unreachable"}, nil},
	{"ha-member", []string{"ha-offline", "ha-exhausted"}, nil},
	{"ha-redundancy", []string{"ha-offline"}, nil},
}

// earlier is how long before its cause a consequence can be seen.
const earlier = 10 * time.Minute

// causeOf returns the alarm that explains another one, if one that stands
// does. What is worse than its cause, or older, stands for itself. parent
// tells what a device depends on; nil: all stand alone.
func causeOf(a Alarm, active *overlay[Alarm], parent func(device string) string) (cause Key, explained bool) {
	i := slices.IndexFunc(consequences, func(c consequence) bool { return c.group == a.Group })
	if i < 0 {
		return Key{}, false
	}
	explains := func(k Key) bool {
		c, stands := active.get(k)
		return stands && k != a.Key && c.Severity >= a.Severity && !a.Raised.Before(c.Raised.Add(-earlier))
	}
	for _, object := range []string{a.Object, ""} {
		for _, g := range consequences[i].causes {
			if k := (Key{Device: a.Device, Group: g, Object: object, Test: a.Test}); explains(k) {
				return k, true
			}
		}
	}
	if parent == nil {
		return Key{}, false
	}
	if parent := parent(a.Device); parent != "" {
		for _, g := range consequences[i].parent {
			if k := (Key{Device: parent, Group: g, Test: a.Test}); explains(k) {
				return k, true
			}
		}
	}
	return Key{}, false
}
