package doctor

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// andThen names what proves more than a door that opens.
const andThen = "; lunawatch alarms test sends something"

// receivers are the doors of the receivers.
func (p Patient) receivers() (trials []trial) {
	for _, r := range p.Config.Receivers {
		name := "receiver " + r.Name
		for _, d := range r.Doors() {
			trials = append(trials, trial{name, r.Kind() + " at " + d.Where, func(ctx context.Context) Finding { return door(d.Open(ctx)) }})
		}
		switch {
		case r.SNMP != nil:
			trials = append(trials, trial{name, "snmp at " + r.SNMP.Address, func(ctx context.Context) Finding { return manager(ctx, *r.SNMP) }})
		case r.AgentX != nil:
			trials = append(trials, trial{name, "agentx, through snmpd", func(context.Context) Finding {
				return ok("sent by snmpd to its own trap sinks%s", andThen)
			}})
		case r.Exec != nil:
			trials = append(trials, trial{name, "program " + r.Exec.Command[0], func(context.Context) Finding { return runnable(r) }})
		}
	}
	return trials
}

func door(answer string, err error) Finding {
	if err != nil {
		return shut(err)
	}
	return ok("%s%s", answer, andThen)
}

// manager asks an SNMP manager who it is. One that only takes traps need not say.
func manager(ctx context.Context, t snmp.Target) Finding {
	answer, err := t.Discover(ctx)
	switch {
	case !errors.Is(err, snmp.ErrSilent):
		return door(answer, err)
	case t.Inform:
		return failed("no answer: "+err.Error(), "Check the address and the firewalls, and that the manager listens and takes informs of SNMPv3.")
	}
	return warning(err.Error()+", which one that only takes traps need not", "Check with lunawatch alarms test that a trap arrives.")
}

// shutRemedies are what to check first where a receiver is not reached.
var shutRemedies = map[hsm.Layer]string{
	hsm.LayerName:        "Check the name in the configuration and the DNS servers of this host (getent hosts NAME).",
	hsm.LayerRoute:       "Check the interfaces and routes of this host (ip route get ADDRESS).",
	hsm.LayerNoAnswer:    "Check the address, and the firewalls between this host and the receiver: nothing comes back.",
	hsm.LayerPortRefused: "Check that the receiver runs, then the port in the configuration: the host is alive, and nothing listens there.",
	hsm.LayerHandshake:   "Check whether the receiver speaks TLS at this port.",
	hsm.LayerIdentity:    "Check ca_file and the name in the URL or address: the certificate is not signed by what is trusted, or is for another name.",
	hsm.LayerSessionLost: "Check what is between this host and the receiver, and the receiver's log: it ended the connection.",
}

func shut(err error) Finding {
	l := collectors.LayerOf(err)
	return failed(l.Explain(err.Error()), cmp.Or(shutRemedies[l], "Check the address in the configuration and the receiver's log."))
}

// runnable says whether the program of a receiver can be run.
func runnable(r config.Receiver) Finding {
	info, err := os.Stat(r.Exec.Command[0])
	switch {
	case err != nil:
		return failed(err.Error(), "Install the program, or correct command.")
	case info.IsDir() || info.Mode().Perm()&0o111 == 0:
		return failed("it is no program that can be run", "Make it executable (chmod +x), or correct command.")
	}
	return ok("it can be run%s", andThen)
}
