package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// configuration is the file, what it names, and whether it is in force.
func (p Patient) configuration() (trials []trial) {
	add := func(tried string, f Finding) {
		trials = append(trials, trial{"configuration", tried, func(context.Context) Finding { return f }})
	}
	if faults, found := errors.AsType[config.Faults](p.Faults); found {
		for line := range strings.Lines(faults.Error()) {
			add("files that it names", failed(strings.TrimSpace(line), "Correct the key or the file; lunawatch check-config says when it is right."))
		}
	}
	for _, w := range append(slices.Clone(p.Unchecked), p.Config.Warnings()...) {
		add("files that it names", warning(w, "lunawatch alarms explain says what that means."))
	}
	a, files := p.account(), p.Config.ReadFiles()
	for _, key := range slices.Sorted(maps.Keys(files)) {
		if err := a.may(files[key], mayRead); errors.Is(err, os.ErrPermission) {
			add(key, a.unreadable(err))
		}
	}
	if len(trials) == 0 {
		add(p.Config.File, ok("it is valid; the files that it names are there, and %s may read them", a.name))
	}
	add("in force", p.inForce())
	return trials
}

// inForce compares the file with what the agent runs with.
func (p Patient) inForce() Finding {
	const reload = "lunawatch reload has the agent take it."
	file, _ := filepath.Abs(p.Config.File)
	switch f := p.InForce; {
	case errors.Is(p.Silent, os.ErrPermission):
		return warning("an agent may run: "+p.Silent.Error(), "Run lunawatch doctor as root, or as a user in the group of the control socket.")
	case p.Silent != nil:
		return warning(fmt.Sprintf("no agent runs: %s: %v", p.Config.ControlSocket, cause(p.Silent)), "systemctl enable --now lunawatch starts it.")
	case f == nil:
		return warning("the agent does not say which configuration it runs with", "It is an older one: systemctl restart lunawatch.")
	case f.File != file:
		return warning("the agent runs with "+f.File, "Name that with -config.file, or have the agent started with this one.")
	case f.Sum != p.Config.Sum:
		return warning("the file has changed since the agent read it at "+f.Loaded.Local().Format("2006-01-02 15:04:05 -07:00"), reload)
	}
	return ok("the agent runs with it, read at %s", p.InForce.Loaded.Local().Format("2006-01-02 15:04:05 -07:00"))
}

// cause returns what err wraps, if it wraps one error.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// same reports whether an agent runs with this file.
func (p Patient) same() bool { return p.InForce != nil && p.InForce.Sum == p.Config.Sum }

// borders are the sockets, the state and the clock of this host.
func (p Patient) borders() (trials []trial) {
	c := p.Config
	add := func(tried string, try func(ctx context.Context) Finding) {
		trials = append(trials, trial{"this host", tried, try})
	}
	add("state directory "+c.StateDirectory, func(context.Context) Finding { return state(c.StateDirectory, p.account()) })
	if c.SNMP.Enabled {
		add("snmpd's AgentX at "+c.SNMP.Socket, func(ctx context.Context) Finding { return snmpd(ctx, c.SNMP.Socket, p.account()) })
	}
	for _, l := range []struct{ network, address, what string }{{"udp", c.Syslog.UDP, "UDP"}, {"tcp", c.Syslog.TCP, "TCP"}, {"tcp", c.Syslog.TLS, "TLS"}} {
		if l.address != "" {
			add("forwarded logs, "+l.what+" "+l.address, func(context.Context) Finding { return p.bound(l.network, l.address) })
		}
	}
	if p.Web != "" {
		add("web server at "+p.Web, func(ctx context.Context) Finding { return p.web(ctx) })
	}
	add("clock", func(context.Context) Finding { return clock() })
	return trials
}

// The free space of the state directory below which it is a fault, or wants a look.
const (
	tooLittle = 10 << 20
	little    = 100 << 20
)

func state(dir string, a account) Finding {
	info, err := os.Stat(dir)
	if err != nil {
		return failed(err.Error(), fmt.Sprintf("install -d -m 750 -o %s %s", a.name, dir))
	}
	if err := a.may(dir, mayWrite|mayEnter); err != nil {
		return failed(err.Error(), fmt.Sprintf("chown %s %s", a.name, dir))
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != a.uid {
		return warning(fmt.Sprintf("it belongs to uid %d, and the agent runs as %s", owner.Uid, a.name), fmt.Sprintf("chown -R %s %s", a.name, dir))
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return failed(err.Error(), "Look at the file system.")
	}
	free := fs.Bavail * uint64(fs.Bsize)
	const room = "Make room: without it alarms are held in memory only."
	text := fmt.Sprintf("%s may write there, %d MB are free", a.name, free>>20)
	switch {
	case free < tooLittle:
		return failed(text, room)
	case free < little:
		return warning(text, room)
	}
	return ok("%s", text)
}

// snmpd connects to its socket for subagents, and registers nothing.
func snmpd(ctx context.Context, socket string, a account) Finding {
	network, address, err := agentx.ParseAddress(socket)
	if err != nil {
		return failed(err.Error(), "Correct agentXSocket.")
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		conn.Close()
		if network == "unix" {
			err = a.may(address, mayRead|mayWrite)
		}
	}
	switch {
	case err == nil:
		return ok("it accepts connections of %s", a.name)
	case errors.Is(err, os.ErrPermission):
		return failed(err.Error(), "In snmpd.conf: agentXPerms 0660 0755 root lunawatch; then restart snmpd.")
	}
	return failed(err.Error(), "Start snmpd, with \"master agentx\" in snmpd.conf; without SNMP, set snmp: {enabled: false}.")
}

// bound says whether somebody has an address, and whether that is the agent.
func (p Patient) bound(network, address string) Finding {
	err := bind(network, address)
	switch used := errors.Is(err, syscall.EADDRINUSE); {
	case used && p.same():
		return ok("it is in use, and the agent runs with it")
	case used && p.Silent == nil:
		return warning("it is in use, and the agent runs with another configuration", "See what lunawatch doctor says of the configuration; ss -lnp names the program.")
	case used:
		return failed("another program has it", "Find that (ss -lnp), or choose another port here and at the appliances.")
	case errors.Is(err, syscall.EACCES):
		return warning("only the agent can tell: "+err.Error(), "A port below 1024 needs CAP_NET_BIND_SERVICE; choose a higher one, or run lunawatch doctor as root.")
	case err != nil:
		return failed(err.Error(), "Correct the address: it must be one of this host.")
	case p.same():
		return failed("nobody has it, although the agent runs with it", "Restart the agent (systemctl restart lunawatch), and read its log.")
	}
	return ok("it can be bound")
}

func bind(network, address string) error {
	if network == "udp" {
		conn, err := net.ListenPacket(network, address)
		if err == nil {
			conn.Close()
		}
		return err
	}
	l, err := net.Listen(network, address)
	if err == nil {
		l.Close()
	}
	return err
}

// web says whether the agent listens there, or could.
func (p Patient) web(ctx context.Context) Finding {
	if p.Silent == nil {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.Web)
		if err != nil {
			return warning(err.Error(), "Name the address that the agent was started with: -web.listen-address.")
		}
		conn.Close()
		return ok("it accepts connections")
	}
	if err := bind("tcp", p.Web); err != nil {
		return failed(err.Error(), "Choose another address with -web.listen-address, here and for the agent, or end the program that has it (ss -lntp).")
	}
	return ok("it is free")
}

// earliest is before any time at which this can run.
const earliest = 1767225600 // 2026-01-01 UTC

// clock says whether the kernel's is kept right.
func clock() Finding {
	const remedy = "Set it, and keep it right: timedatectl set-ntp true, or chrony."
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	switch {
	case err != nil:
		return warning("whether it is right is not known: "+err.Error(), "timedatectl may tell.")
	case t.Time.Sec < earliest:
		return failed("it is years behind", remedy)
	case state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0:
		return warning("it is not synchronized, says the kernel", remedy)
	}
	return ok("it is synchronized")
}
