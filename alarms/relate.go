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

// causes returns, for each alarm that another one explains, which that is.
// What is worse than its cause, or older, stands for itself. parents tells
// what a device depends on.
func causes(active map[Key]Alarm, parents map[string]string) map[Key]Key {
	related := make(map[Key]Key)
	for key, a := range active {
		i := slices.IndexFunc(consequences, func(c consequence) bool { return c.group == a.Group })
		if i < 0 {
			continue
		}
		explains := func(device, object string, groups []string) {
			for _, g := range groups {
				k := Key{Device: device, Group: g, Object: object, Test: key.Test}
				cause, stands := active[k]
				if _, found := related[key]; !found && stands && k != key && cause.Severity >= a.Severity && !a.Raised.Before(cause.Raised.Add(-earlier)) {
					related[key] = k
				}
			}
		}
		explains(a.Device, a.Object, consequences[i].causes)
		explains(a.Device, "", consequences[i].causes)
		if parent := parents[a.Device]; parent != "" {
			explains(parent, "", consequences[i].parent)
		}
	}
	return related
}
