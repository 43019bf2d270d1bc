package main

import (
	"context"
	"flag"
	"io"
	"math"
	"strings"

	"github.com/lunawatch/lunawatch/exporters/glance"
)

// A command is one subcommand, as a value: the dispatcher, the help, completion
// and the man pages read the same row.
type command struct {
	name     string   // as typed, blank separated: "hsm information monitor"; "" is no command
	group    string   // the heading under which the help lists it, one of groups
	args     string   // its arguments as the help names them: "FORMAT [FILE]"; "": it takes none
	summary  string   // one line, without a full stop
	examples []string // as typed after "lunawatch "; every command has one
	// flags declares the flags, each with `PLACEHOLDER` in its text where that helps,
	// and returns what runs with them once they are parsed.
	flags func(*flag.FlagSet) action
	// verdict: its exit code is the state of what it shows, and 3 where there is none.
	verdict bool
	more    func(io.Writer) // what the help says after the flags; nil: nothing
}

// An action runs a command on its arguments. A [usageFault] and an [exit] have exit
// codes of their own; any other error is [exitError].
type action func(ctx context.Context, args []string, std stdio) error

// The groups of commands, in the order of the help.
var groups = []string{"The estate", "Alarms", "The agent", "Tools"}

// commands lists every subcommand, in the order of the help within its group.
var commands = []command{
	{name: "status", group: "The estate", summary: "every HSM, card and host in a line, worst first, with the reason", flags: statusCommand, verdict: true,
		examples: []string{"status", "status -all", "status -json"}},
	{name: "top", group: "The estate", summary: "the estate on a whole terminal, live; ? shows the keys", flags: topCommand,
		examples: []string{"top"}},
	{name: "plot", group: "The estate", args: "HSM MEASURE", summary: "one value of an HSM over the last 24 hours and while it runs, drawn", flags: plotCommand,
		examples: []string{"plot luna-a temperature", "plot luna-a utilization -for 1h"}},
	{name: "trace", group: "The estate", args: "HSM.VALUE", summary: "the way of one value: source, parser, age, OIDs, metrics, rules and what they say", flags: traceCommand,
		examples: []string{"trace luna-a.temperature"}},
	{name: "check", group: "The estate", args: "[HSM]", summary: "one HSM or all, as a plugin of Nagios, Icinga or Checkmk", flags: checkCommand, more: listMeasures, verdict: true,
		examples: []string{"check", "check luna-a -warning temperature=60 -critical temperature=70", "check -format checkmk"}},
	{name: "hsm show", group: "The estate", summary: "state of the HSMs, as LunaSH shows it", flags: hsmShow,
		examples: []string{"hsm show", "hsm show -serial 532018 -json"}},
	{name: "hsm information show", group: "The estate", summary: "request counters of the HSMs", flags: hsmInformationShow,
		examples: []string{"hsm information show"}},
	{name: "hsm information monitor", group: "The estate", summary: "utilization of one HSM, live, in the vendor's table", flags: hsmInformationMonitor,
		examples: []string{"hsm information monitor -interval 10 -rounds 6", "hsm information monitor -source luna-a -csv", "hsm information monitor -rounds 12 -plot"}},
	{name: "hsm partition list", group: "The estate", summary: "partitions of the HSMs", flags: hsmPartitionList,
		examples: []string{"hsm partition list -serial 532018"}},
	{name: "ha show", group: "The estate", summary: "HA groups of the client host, and who has lost which member", flags: haShow,
		examples: []string{"ha show", "ha show -json"}},

	{name: "alarms list", group: "Alarms", summary: "active alarms, what to do, and silences", flags: alarmsList,
		examples: []string{"alarms list", "alarms list -hsm luna-a -severity major", "alarms list -group hard-* -json"}},
	{name: "alarms show", group: "Alarms", args: "ALARM", summary: "everything about one alarm", flags: alarmsShow,
		examples: []string{"alarms show 17", "alarms show luna-a/battery"}},
	{name: "alarms history", group: "Alarms", summary: "cleared alarms, newest first", flags: alarmsHistory,
		examples: []string{"alarms history -n 50"}},
	{name: "alarms ack", group: "Alarms", args: "ALARM", summary: "acknowledge an alarm", flags: alarmsAck,
		examples: []string{`alarms ack 17 -comment "on my way"`}},
	{name: "alarms unack", group: "Alarms", args: "ALARM", summary: "withdraw an acknowledgement", flags: alarmsUnack,
		examples: []string{"alarms unack 17"}},
	{name: "alarms clear", group: "Alarms", args: "ALARM", summary: "clear an alarm that no source ever reports as over", flags: alarmsClear,
		examples: []string{"alarms clear luna-a/battery -reason replaced"}},
	{name: "alarms silence", group: "Alarms", summary: "suppress notifications of some alarms for a time: planned work, a known fault", flags: alarmsSilence,
		examples: []string{`alarms silence -hsm luna-a -group battery -for 12h -reason "new unit comes on Monday"`,
			`alarms silence -hsm luna-b -from 22:00 -until 06:00 -reason "firmware update"`,
			`alarms silence -hsm luna-b -from "sat 02:00" -for 2h -every week -zone Europe/Zurich -reason "weekly restart" -dry-run`}},
	{name: "alarms unsilence", group: "Alarms", args: "SILENCE", summary: "end a silence", flags: alarmsUnsilence,
		examples: []string{"alarms unsilence 3"}},
	{name: "alarms silences", group: "Alarms", summary: "active and future silences", flags: alarmsSilences,
		examples: []string{"alarms silences"}},
	{name: "alarms test", group: "Alarms", summary: "send a test alarm through every receiver", flags: alarmsTest,
		examples: []string{"alarms test", "alarms test -wait 2m"}},
	{name: "alarms explain", group: "Alarms", args: "[WHAT...]", summary: "what an alarm, a code, an event ID, an error or a warning means, and what to do", flags: alarmsExplain,
		examples: []string{"alarms explain", "alarms explain ALM2001", "alarms explain luna-a/battery", `alarms explain "port refused: dial tcp 192.0.2.1:22"`}},
	{name: "alarms replay", group: "Alarms", args: "LOGFILE", summary: "what the alarms would have done on an old log", flags: alarmsReplay,
		examples: []string{"alarms replay -device luna-a messages.1.gz"}},

	{name: "agent", group: "The agent", summary: "watch the HSMs of a configuration file", flags: agentCommand,
		examples: []string{"agent", "agent -config.file lunawatch.yaml -log.level debug", "agent -replay lunawatch-capture.tar"}},
	{name: "reload", group: "The agent", summary: "have the agent read its configuration anew; what has not changed goes on", flags: reload,
		examples: []string{"reload", "reload -force"}},
	{name: "cluster status", group: "The agent", summary: "which agents share the HSMs, who watches which, and how etcd answers", flags: clusterStatus,
		examples: []string{"cluster status", "cluster status -json"}},
	{name: "cluster drain", group: "The agent", args: "AGENT", summary: "have an agent give its HSMs to the others, before its host is worked on", flags: clusterDrain,
		examples: []string{"cluster drain lw1", "cluster drain lw1 -end"}},
	{name: "cluster move", group: "The agent", args: "HSM [AGENT]", summary: "have an HSM watched by one agent while that runs; without one, by any", flags: clusterMove,
		examples: []string{"cluster move luna-a lw2", "cluster move luna-a"}},
	{name: "check-config", group: "The agent", summary: "check a configuration, and show what it costs", flags: checkConfig,
		examples: []string{"check-config -config.file lunawatch.yaml"}},
	{name: "init", group: "The agent", summary: "write a first configuration: finds what is on this host, and shows the keys of appliances to be confirmed", flags: initCommand,
		examples: []string{"init", "init -hsm luna-a=192.0.2.10 -hsm luna-b=192.0.2.11 -user lunawatch -rest"}},
	{name: "doctor", group: "The agent", summary: "try every source, receiver and file of a configuration once, and say what to do about what fails", flags: doctorCommand,
		examples: []string{"doctor", "doctor -config.file lunawatch.yaml -json"}},
	{name: "capture", group: "The agent", summary: "capture what every source and the logs say, with the names of the site replaced", flags: captureCommand,
		examples: []string{"capture -out bug.tar"}},

	{name: "walk", group: "Tools", args: "[OBJECT]", summary: "what SNMP serves, without snmpd: all, or from an OID or a name of the MIBs on", flags: walk,
		examples: []string{"walk", "walk -On hsmTable", "walk 1.3.6.1.4.1.12383"}},
	{name: "mibs", group: "Tools", summary: "write the MIB modules into a directory", flags: mibsCommand,
		examples: []string{"mibs -out /usr/share/snmp/mibs"}},
	{name: "parse", group: "Tools", args: "FORMAT [FILE]", summary: "read captured output and print it as JSON", flags: parseCommand, more: listFormats,
		examples: []string{"parse hsm-show hsm-show.txt"}},
	{name: "version", group: "Tools", summary: "print the version", flags: versionCommand,
		examples: []string{"version"}},
}

// needs says what an argument is, for whoever left it out.
var needs = map[string]string{
	"ALARM":   "one alarm is needed, by its number or as HSM/ALARM of alarms list",
	"SILENCE": "the number of a silence is needed; lunawatch alarms silences lists them",
	"LOGFILE": "one log file is needed; - is standard input",
	"FORMAT":  "a format is needed",
	"AGENT":   "an agent is needed, by its name in the cluster; lunawatch cluster status lists them",
	"HSM":     "an HSM is needed, by its name or serial number; lunawatch status -all lists them",
	"MEASURE": "a measure is needed: " + strings.Join(glance.ReadMeasures(), ", "),

	"HSM.VALUE": "an HSM and one of its values are needed, such as luna-a.temperature; the values are " + strings.Join(glance.ReadMeasures(), ", "),
}

// arguments returns the names of what c must be given, and how many it may be given: any
// number of the last one if that ends in "...".
func (c command) arguments() (required []string, most int) {
	all := strings.Fields(c.args)
	for _, name := range all {
		if !strings.HasPrefix(name, "[") {
			required = append(required, name)
		}
	}
	if strings.HasSuffix(c.args, "...]") {
		return required, math.MaxInt
	}
	return required, len(all)
}
