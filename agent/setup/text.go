package setup

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// likeGroup gives a file the group of a directory, if this is root.
func likeGroup(f *os.File, dir string) error {
	info, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		return f.Chown(-1, int(owner.Gid))
	}
	return nil
}

// A Plan is what is going to be watched, and how.
type Plan struct {
	Host         Host
	Appliances   []Appliance
	User         string
	PasswordFile string
	Directory    string // of state and socket; "": the defaults
}

// Config returns the text of the configuration.
func (p Plan) Config() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# The configuration of Lunawatch, as lunawatch init wrote it. Every other key, with its")
	line("# default: lunawatch.yaml(5). After a change: lunawatch check-config, then lunawatch reload.")
	if p.Directory != "" {
		line("state_directory: %s\ncontrol_socket: %s", strconv.Quote(p.Directory), strconv.Quote(filepath.Join(p.Directory, "control.sock")))
	}
	line("")
	if len(p.Appliances) > 0 {
		line("hsms:")
	}
	for _, a := range p.Appliances {
		p.appliance(line, a)
	}
	line("")
	p.rest(line)
	return b.String()
}

func (p Plan) appliance(line func(string, ...any), a Appliance) {
	line("  - name: %s", strconv.Quote(a.Name))
	line("    address: %s", strconv.Quote(a.Address))
	line("    # An account with role monitor, whose password is the first line of this file.")
	line("    user: %s", strconv.Quote(p.User))
	line("    password_file: %s", strconv.Quote(p.PasswordFile))
	line("    # Compared with the appliance's when this was written. When the key is changed on")
	line("    # purpose, list the new one behind it.")
	line("    host_key: %s", a.Key.Fingerprint)
	if list := algorithms(a); len(list) > 0 {
		line("    # All that this appliance offers. A newer release would need none of it.")
		line("    algorithms:")
		for _, kind := range list {
			line("      %s", kind)
		}
	}
	if len(a.Logs) > 0 {
		line("    # Its forwarded syslog, as this host's syslog daemon writes it.")
		line("    logs: [%s]", quoted(a.Logs))
	}
	if a.REST != "" {
		line("    # A second way to the same HSM, used while LunaSH fails.")
		line("    rest:")
		line("      address: %s", strconv.Quote(a.REST))
		line("      user: %s", strconv.Quote(p.User))
		line("      password_file: %s", strconv.Quote(p.PasswordFile))
		line("      certificate: %s", a.Certificate)
	}
}

// algorithms returns what SSH must be allowed for a, by keys.
func algorithms(a Appliance) (list []string) {
	for _, kind := range []struct {
		key   string
		names []string
	}{
		{"key_exchanges", a.Key.Algorithms.KeyExchanges}, {"ciphers", a.Key.Algorithms.Ciphers},
		{"macs", a.Key.Algorithms.MACs}, {"host_keys", a.Key.Algorithms.HostKeys},
	} {
		if len(kind.names) > 0 {
			list = append(list, fmt.Sprintf("%s: [%s]", kind.key, strings.Join(kind.names, ", ")))
		}
	}
	return list
}

// rest is what is not of one appliance.
func (p Plan) rest(line func(string, ...any)) {
	h := p.Host
	if h.LunaCM != "" && len(h.Cards) > 0 {
		line("# The HSMs in this host (%s). The agent's user must be in group hsmusers.", strings.Join(h.Cards, ", "))
		line("lunacm:\n  enabled: true\n  path: %s", strconv.Quote(h.LunaCM))
		if !h.KernelLog {
			line("  kernel_log: \"\"   # there is no /dev/kmsg")
		}
		line("")
	}
	if h.Groups > 0 {
		line("# The HA groups of this client: %d in its configuration. The agent's user must be able to", h.Groups)
		line("# read that, and the HA log.")
		line("ha:\n  enabled: true\n  client_config: %s", strconv.Quote(h.ClientConfig))
		if h.LunaCM == "" {
			line("  listgroups: false   # there is no lunacm")
		}
		line("")
	}
	if p.listens() {
		line("# Logs that the appliances forward. UDP and TCP may raise alarms, and neither clear nor")
		line("# explain any; TLS is the way to use where the appliances know it.")
		line("syslog:\n  udp: %s\n", strconv.Quote(h.Listen))
	}
	if h.AgentX == "" {
		line("# No socket of snmpd was found. true, once snmpd.conf has: master agentx")
		line("snmp:\n  enabled: false\n")
	} else {
		line("# Through the host's snmpd.")
		line("snmp:\n  enabled: true\n  agentXSocket: %s\n", strconv.Quote(h.AgentX))
	}
	line("# Who is notified of alarms: nobody yet. As an example, mail:")
	line("# receivers:\n#   - name: mail\n#     smtp: {address: mail.example.net, from: lunawatch@example.net, to: [noc@example.net]}\n#     only: {severity: minor}")
}

// listens reports whether logs have to be received, since nobody else does for all.
func (p Plan) listens() bool {
	for _, a := range p.Appliances {
		if len(a.Logs) == 0 {
			return p.Host.Listen != ""
		}
	}
	return false
}

func quoted(list []string) string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = strconv.Quote(s)
	}
	return strings.Join(all, ", ")
}

// Account returns the LunaSH commands that make the account, for an administrator. The
// built-in monitor only has to be enabled.
func (p Plan) Account() string {
	if p.User == "monitor" {
		return "user enable -username monitor\n"
	}
	return fmt.Sprintf("user add -username %[1]s\nuser role add -role monitor -username %[1]s\n", p.User)
}

// Forwarding returns the LunaSH command by which an appliance forwards its logs to this
// host; "": nobody here would receive them.
func (p Plan) Forwarding(a Appliance) string {
	switch {
	case len(a.Logs) > 0:
		return fmt.Sprintf("syslog remotehost add -host %s\n", a.Key.Local)
	case p.listens():
		return fmt.Sprintf("syslog remotehost add -host %s -protocol udp -port %s\n", a.Key.Local, portOf(p.Host.Listen))
	}
	return ""
}

func portOf(address string) string { return address[strings.LastIndex(address, ":")+1:] }

// Snmpd is what snmpd.conf needs.
const Snmpd = "master agentx\nagentXPerms 0660 0755 root lunawatch\n"
