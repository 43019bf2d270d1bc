// Package packaging makes what the packages have besides the program, of what the
// program says about itself: manual pages, and completion for three shells. Its tests
// make a package, and install it.
package packaging

import (
	"flag"
	"fmt"
	"strings"
)

// A Command is one subcommand of lunawatch.
type Command struct {
	Words    string // as typed: "alarms list"
	Args     string // what follows the flags, as its help names it; "": nothing
	Summary  string // one line, without a full stop
	Flags    []*flag.Flag
	Examples []string // as typed after "lunawatch "
}

// Files returns the text of each file by its path below /usr/share: the manual pages
// lunawatch(1), of the commands, lunawatch(8), of the agent, and lunawatch.yaml(5), of the
// reference configuration; and completion for bash, zsh and fish. The agent must be one
// of the commands, and be called agent. version is shown at the foot of the pages.
func Files(commands []Command, reference, version string) map[string]string {
	return map[string]string{
		"man/man1/lunawatch.1":                     commandsPage(commands, version),
		"man/man5/lunawatch.yaml.5":                configurationPage(reference, version),
		"man/man8/lunawatch.8":                     agentPage(commands, version),
		"bash-completion/completions/lunawatch":    bash(commands),
		"zsh/vendor-completions/_lunawatch":        zsh(commands),
		"fish/vendor_completions.d/lunawatch.fish": fish(commands),
	}
}

// header begins a page: its date is left out, so that the same program has the same
// page.
func header(name, section, summary, version string) string {
	return fmt.Sprintf(".TH %s %s \"\" \"Lunawatch %s\" \"Lunawatch\"\n.SH NAME\n%s \\- %s\n", strings.ToUpper(name), section, roff(version), name, roff(summary))
}

// roff returns text as troff prints it unchanged.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", `\(ga`, "'", `\(aq`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// verbatim returns text as a block without filling.
func verbatim(text string) string { return ".nf\n" + roff(strings.TrimRight(text, "\n")) + "\n.fi\n" }

func commandsPage(commands []Command, version string) string {
	var b strings.Builder
	b.WriteString(header("lunawatch", "1", "monitors Luna HSMs", version))
	b.WriteString(".SH SYNOPSIS\n.B lunawatch\n.I COMMAND\n[flags]\n.SH DESCRIPTION\n" +
		"Commands ask a running agent, lunawatch(8), over its control socket, unless they say otherwise. A flag may have one dash or two.\n" +
		"A link to the program with the name hsm takes\n.B hsm information monitor\nas typed in LunaSH.\n.SH COMMANDS\n")
	for _, c := range commands {
		writeCommand(&b, c)
	}
	b.WriteString(".SH EXIT STATUS\n.TP\n.B 0\nThe command succeeded.\n.TP\n.B 1\nIt failed; standard error says why and what to do.\n.TP\n.B 2\nThe command line or a value in it is wrong.\n" +
		".SH SEE ALSO\nlunawatch.yaml(5), lunawatch(8)\n")
	return b.String()
}

func writeCommand(b *strings.Builder, c Command) {
	fmt.Fprintf(b, ".SS lunawatch %s\n%s.\n", roff(strings.TrimSpace(c.Words+" "+c.Args)), roff(c.Summary))
	writeFlags(b, c.Flags)
	if len(c.Examples) > 0 {
		b.WriteString(".PP\nExamples:\n.PP\n.RS\n")
		b.WriteString(verbatim("lunawatch "+strings.Join(c.Examples, "\nlunawatch ")) + ".RE\n")
	}
}

func writeFlags(b *strings.Builder, flags []*flag.Flag) {
	for _, f := range flags {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(b, ".TP\n.B \\-%s", roff(f.Name))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
		}
		fmt.Fprintf(b, "\n%s.", roff(usage))
		if d := f.DefValue; d != "" && d != "false" && d != "0" && d != "0s" {
			fmt.Fprintf(b, " Default: %s.", roff(d))
		}
		b.WriteString("\n")
	}
}

func agentPage(commands []Command, version string) string {
	var b strings.Builder
	b.WriteString(header("lunawatch", "8", "the agent that watches Luna HSMs", version))
	b.WriteString(".SH SYNOPSIS\n.B lunawatch agent\n[flags]\n.br\n.B systemctl enable \\-\\-now lunawatch\n.SH DESCRIPTION\n" +
		"The agent polls the HSMs of its configuration, lunawatch.yaml(5), and follows their logs. It raises and clears alarms, has receivers notified, and serves SNMP, metrics and a status page. " +
		"Under systemd it is ready once every source was tried and every socket is open, or after a minute;\n.B systemctl status lunawatch\nshows what it waits for. " +
		"Its watchdog is fed by the evaluation of alarms: an agent whose evaluation hangs is restarted.\n.SH OPTIONS\n")
	for _, c := range commands {
		if c.Words == "agent" {
			writeFlags(&b, c.Flags)
		}
	}
	b.WriteString(".SH FILES\n.TP\n.I /etc/lunawatch/lunawatch.yaml\nIts configuration.\n.TP\n.I /etc/default/lunawatch\nLUNAWATCH_OPTIONS, flags that the unit gives to it.\n" +
		".TP\n.I /var/lib/lunawatch\nAlarms, log cursors and queued notifications.\n.TP\n.I /run/lunawatch/control.sock\nWhere commands ask it. Members of group lunawatch may.\n" +
		".SH SEE ALSO\nlunawatch(1), lunawatch.yaml(5), snmpd(8)\n")
	return b.String()
}

func configurationPage(reference, version string) string {
	return header("lunawatch.yaml", "5", "configuration of Lunawatch", version) +
		".SH DESCRIPTION\n.I /etc/lunawatch/lunawatch.yaml\nis YAML. Unknown keys and wrong values are errors.\n.B lunawatch check\\-config\nfinds them. What follows has every key, with its default or an example.\n.SH KEYS\n" +
		verbatim(reference) + ".SH SEE ALSO\nlunawatch(1), lunawatch(8)\n"
}
