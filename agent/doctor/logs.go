package doctor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/ha"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/hsm"
)

// quietAfter is for how long a log may have no line until it wants a look.
const quietAfter = 24 * time.Hour

// logs are the files that the agent follows, and what of Luna is on this host.
func (p Patient) logs() (trials []trial) {
	a := p.account()
	for _, h := range p.Config.HSMs {
		for _, file := range h.Logs {
			trials = append(trials, trial{h.Name, "log " + file, func(context.Context) Finding { return p.log(file, a, quietAfter) }})
		}
		for _, file := range h.AuditLogs {
			trials = append(trials, trial{h.Name, "audit log " + file, func(context.Context) Finding { return p.log(file, a, 0) }})
		}
	}
	c := p.Config
	if c.LunaCM.Enabled && c.LunaCM.Replay == "" {
		trials = append(trials, trial{c.Host.Name, "LunaCM " + c.LunaCM.Path, func(ctx context.Context) Finding { return p.lunaCM(ctx) }})
		if c.LunaCM.KernelLog != "" {
			trials = append(trials, trial{c.Host.Name, "kernel log " + c.LunaCM.KernelLog, func(context.Context) Finding { return p.kernelLog(a) }})
		}
	}
	if c.HA.Enabled && c.HA.Replay == "" {
		trials = append(trials, trial{c.Host.Name, "HA groups in " + c.HA.ClientConfig, func(context.Context) Finding { return p.haFiles(a) }})
	}
	return trials
}

// log says whether a log can be read, and grows; quiet 0: it need not.
func (p Patient) log(file string, a account, quiet time.Duration) Finding {
	if err := a.may(file, mayRead); err != nil {
		return a.unreadable(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return a.unreadable(err)
	}
	const look = "Check syslog remotehost list on the appliance, the firewalls between, and the rule of this host's syslog daemon."
	age := p.Now.Sub(info.ModTime()).Round(time.Second)
	switch {
	case info.IsDir():
		return failed("it is a directory", "Name the file in it that is written to.")
	case quiet == 0:
		return ok("%s may read it; it was last written %s ago", a.name, age)
	case info.Size() == 0:
		return warning("it is empty", look)
	case age > quiet:
		return warning(fmt.Sprintf("it has not grown for %s", age.Round(time.Minute)), look)
	}
	return ok("%s may read it; it has grown %s ago", a.name, age)
}

// agentSays returns what the agent knows of a source of this host.
func (p Patient) agentSays(source string) (f Finding, known bool) {
	if p.Snapshot == nil || !p.same() {
		return f, false
	}
	d := p.Snapshot.Device(p.Config.Host.Name)
	if d == nil {
		return f, false
	}
	s, asked := d.Sources[source]
	if !asked {
		return f, false
	}
	if s.Failure != hsm.None {
		f = dead(s.Layer, s.Error+", says the agent")
	} else {
		f = ok("it answered %s ago, says the agent", p.Now.Sub(s.At).Round(time.Second))
	}
	return f, true
}

func (p Patient) lunaCM(ctx context.Context) Finding {
	if f, known := p.agentSays(lunacm.SlotListSource); known {
		return f
	}
	if _, err := (&lunacm.Program{Path: p.Config.LunaCM.Path}).Ask(ctx, "slot list"); err != nil {
		f := dead(collectors.LayerOf(err), err.Error())
		f.Remedy = "Check the path, and that the agent's user is in group hsmusers: " + f.Remedy
		return f
	}
	return ok("slot list is answered")
}

// kernelLogSource is that of the agent.
const kernelLogSource = "kernel log"

func (p Patient) kernelLog(a account) Finding {
	if f, known := p.agentSays(kernelLogSource); known {
		return f
	}
	const remedy = "Give the agent CAP_SYSLOG, or set kernel_log to journal (group systemd-journal) or to a file."
	switch file := p.Config.LunaCM.KernelLog; file {
	case config.KernelRing:
		f, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return failed(err.Error(), remedy)
		}
		f.Close()
		if uint32(os.Geteuid()) != a.uid {
			return warning("this user can read it; whether "+a.name+" can is known once the agent runs", remedy)
		}
		return ok("it can be read")
	case config.KernelJournal:
		if _, err := exec.LookPath("journalctl"); err != nil {
			return failed(err.Error(), "Install systemd's journalctl, or set kernel_log to kmsg or to a file.")
		}
		return ok("journalctl is there")
	default:
		return p.log(file, a, 0)
	}
}

// haFiles reads the client's configuration, and looks at the HA log that it names.
func (p Patient) haFiles(a account) Finding {
	file := p.Config.HA.ClientConfig
	if err := a.may(file, mayRead); err != nil {
		return a.unreadable(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return a.unreadable(err)
	}
	c, _, err := ha.ParseClientConfig(string(text) + "\n")
	switch {
	case err != nil:
		return failed(err.Error(), "Name the configuration of the Luna client with ha.client_config.")
	case len(c.HA.Groups) == 0:
		return warning("it has no HA group", "Configure one with lunacm (hagroup creategroup), or set ha: {enabled: false}.")
	case c.HA.Log.File() == "" || hsm.Is(c.HA.Log.Enabled, false):
		return warning(fmt.Sprintf("it has %d HA groups, and no HA log", len(c.HA.Groups)), "Without it nobody knows what running applications have lost: see hagroup halog in lunacm.")
	}
	if f := p.log(c.HA.Log.File(), a, 0); f.State != OK {
		f.Result = "HA log: " + f.Result
		return f
	}
	return ok("it has %d HA groups, and an HA log that %s may read", len(c.HA.Groups), a.name)
}
