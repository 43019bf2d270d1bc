package alarms

import (
	"cmp"

	"github.com/lunawatch/lunawatch/hsm"
)

// Advice returns what to do about a, for people: that of the worst code seen,
// the newest of several; that of a's group where no code has its own. What a
// poll finds as bad as one code only is what that code says.
func Advice(a Alarm) string {
	var worst Code
	for _, name := range a.Codes {
		if c, known := CodeNamed(name); known && c.Group == a.Group && c.Severity >= worst.Severity {
			worst = c
		}
	}
	if worst.Severity < a.Severity {
		worst = onlyCode(a.Group, a.Severity)
	}
	return cmp.Or(worst.Action, layerAdvice[a.DeadLayer()], GroupNamed(a.Group).Action)
}

// layerAdvice is what to check first where the layer is known at which the way to an HSM
// is dead.
var layerAdvice = map[hsm.Layer]string{
	hsm.LayerName:        "Check the name in the configuration and the DNS servers of this host (getent hosts NAME); with an IP address as address neither is needed.",
	hsm.LayerRoute:       "Check the interfaces and routes of this host (ip route get ADDRESS), then its gateway: packets do not get as far as the appliance.",
	hsm.LayerNoAnswer:    "Check the power and the network cable of the appliance, then the firewalls between it and this host: nothing comes back.",
	hsm.LayerPortRefused: "Check that the service runs on the appliance (service list), then the port and the address in the configuration: the host is alive, and nothing listens there.",
	hsm.LayerHandshake:   "Check at the console that this is the appliance and how loaded it is, then the algorithms and versions that it offers: it accepts connections, and agrees on no SSH or TLS.",
	hsm.LayerIdentity:    "Compare the fingerprint with that at the appliance's console: unless its key or certificate was changed on purpose, somebody may be in between.",
	hsm.LayerAccount:     "Check that the account is enabled and not locked on the appliance, then its password or key file here.",
	hsm.LayerShell:       "Log in at the appliance's console and check its load and disks; if LunaSH is silent there too, reboot it when its clients can do without: the HSM may still serve them.",
	hsm.LayerCard:        "Look whether somebody works at the PED, which blocks the HSM for minutes; otherwise check its load, then restart it (hsm restart): the appliance answers, its HSM does not.",
	hsm.LayerSessionLost: "Check whether the appliance has restarted, then what is between and may cut connections, such as a firewall that forgets them: this one broke in the midst of an answer.",
}

// onlyCode returns the code of a group that alone has a severity.
func onlyCode(group string, s Severity) (only Code) {
	for _, c := range catalogue {
		if c.Group != group || c.Severity != s {
			continue
		}
		if only.Code != "" {
			return Code{}
		}
		only = c
	}
	return only
}
