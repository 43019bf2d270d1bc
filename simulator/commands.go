package simulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A command is a command of LunaSH that role monitor may run.
type command struct {
	words    string
	help     string
	models   string   // versions that have it, separated by blanks; "": all
	flags    []option // in the order of the help text
	requests int      // to the card
	alone    bool     // answered by the appliance itself while the card is not reachable
	close    bool     // one blank line before the result line, not two
	render   func(s *state, p params) (string, error)
	stream   func(ctx context.Context, a *appliance, p params, w io.Writer) error // instead of render
}

// An option is one flag of a command. A flag without a value is a switch.
type option struct {
	name, short string
	value       bool
	required    bool
}

// params are the flags of one call, by name.
type params map[string]string

// Requests to the card that one command costs.
const (
	shellRequests = 42
	cardRequests  = 47
)

var commands = []command{
	{words: "client list", help: "List the clients", requests: shellRequests, alone: true, render: clientList},
	{words: "client show", help: "Show one client", requests: shellRequests, alone: true, render: clientShow,
		flags: []option{{name: "-client", short: "-c", value: true, required: true}}},
	{words: "hsm displaylicenses", help: "Show the licenses", requests: cardRequests, render: licenses},
	{words: "hsm information monitor", help: "Monitor the use of the HSM", close: true, requests: cardRequests, stream: monitor,
		flags: []option{{name: "-serial", value: true}, {name: "-interval", value: true}, {name: "-rounds", value: true}, {name: "-noheader"}, {name: "-save"}}},
	{words: "hsm information show", help: "Show the counters of the HSM", requests: cardRequests, render: informationShow},
	{words: "hsm show", help: "Show the state of the HSM", requests: cardRequests, render: hsmShow},
	{words: "hsm showpolicies", help: "Show capabilities and policies", requests: cardRequests, render: policies},
	{words: "hsm tamper show", help: "Show the tampers", close: true, models: "7.2", requests: cardRequests, render: tamperShow},
	{words: "ntls certificate show", help: "Show the server certificate", requests: shellRequests, alone: true, render: certificateShow},
	{words: "ntls information show", help: "Show the state of NTLS", requests: shellRequests, alone: true, render: ntlsShow},
	{words: "partition list", help: "List the partitions", requests: cardRequests, render: partitionList},
	{words: "partition show", help: "Show partitions", requests: cardRequests, render: partitionShow,
		flags: []option{{name: "-partition", short: "-p", value: true}}},
	{words: "status cpu", help: "Show the load averages", requests: shellRequests, alone: true, render: cpuShow},
	{words: "status disk", help: "Show the hard disk", requests: shellRequests, alone: true, render: diskShow},
	{words: "status mem", help: "Show the memory", requests: shellRequests, alone: true, render: memShow},
	{words: "status sensors", help: "Show fans, temperatures and voltages", close: true, requests: shellRequests, alone: true, render: sensorsShow},
	{words: "status sysstat show", help: "Show the system status", close: true, requests: shellRequests, alone: true, render: sysstatShow},
}

// refused are commands of the product that role monitor may not run.
var refused = []string{
	"audit", "client assignpartition", "client delete", "client register", "client revokepartition",
	"hsm changepw", "hsm changepolicy", "hsm factoryreset", "hsm init", "hsm information reset", "hsm login", "hsm logout",
	"hsm restart", "hsm tamper clear", "hsm zeroize", "ntls bind", "ntls deactivatekeys", "ntls information reset",
	"partition activate", "partition clear", "partition create", "partition deactivate", "partition delete",
	"service restart", "service start", "service stop", "sysconf appliance reboot", "sysconf forcesologin",
	"sysconf regencert", "sysconf snmp user", "syslog cleanup", "syslog rotate", "user", "webserver",
}

// A shellError is a failure as LunaSH reports it, after what was printed before.
type shellError struct {
	printed string
	lines   []string
}

func (e *shellError) Error() string { return strings.Join(e.lines, " ") }

// Return codes as LunaSH prints them.
const (
	codeNotInList   = "C000040A : RC_OBJECT_NOT_IN_LIST"
	codeDataInvalid = "C0000102 : RC_DATA_INVALID"
	codeUnsupported = "C0000105 : RC_FUNCTION_NOT_SUPPORTED"
	codeDevice      = "300000 : LUNA_RET_DEVICE_ERROR"
	codeTransport   = "8000006E : CKR_CMD_NOT_ALLOWED_HSM_IN_TRANSPORT"
	codeTampered    = "80000076 : CKR_HSM_TAMPERED"
)

// failed returns the failure of a command with a return code and explanations.
func failed(words, code string, explained ...string) *shellError {
	e := &shellError{lines: []string{fmt.Sprintf("Error:  '%s' failed. (%s)", words, code)}}
	for _, text := range explained {
		e.lines = append(e.lines, "Error:  "+text)
	}
	return e
}

const (
	resultGood = "Command Result : 0 (Success)\n"
	resultBad  = "Command Result : 65535 (Luna Shell execution)\n"
)

func (c *command) in(version string) bool {
	return c.models == "" || slices.Contains(strings.Fields(c.models), version)
}

// find returns the command at the start of a line, and the text behind it.
func find(version string, words []string) (*command, []string) {
	for i := range commands {
		c := &commands[i]
		own := strings.Fields(c.words)
		if c.in(version) && len(words) >= len(own) && slices.Equal(words[:len(own)], own) {
			return c, words[len(own):]
		}
	}
	return nil, nil
}

// parse reads the flags of a command, in which -c abbreviates -client.
func (c *command) parse(args []string) (params, *shellError) {
	p := params{}
	for len(args) > 0 {
		i := slices.IndexFunc(c.flags, func(o option) bool { return args[0] == o.name || o.short != "" && args[0] == o.short })
		if i < 0 {
			return nil, failed(c.words, codeDataInvalid, fmt.Sprintf("'%s' is not a parameter of this command.", args[0]))
		}
		o := c.flags[i]
		args = args[1:]
		if !o.value {
			p[o.name] = ""
			continue
		}
		if len(args) == 0 || strings.HasPrefix(args[0], "-") {
			return nil, failed(c.words, codeDataInvalid, fmt.Sprintf("Parameter '%s' needs a value.", o.name))
		}
		p[o.name], args = args[0], args[1:]
	}
	for _, o := range c.flags {
		if _, given := p[o.name]; o.required && !given {
			return nil, failed(c.words, codeDataInvalid, fmt.Sprintf("Parameter '%s' is missing.", o.name))
		}
	}
	return p, nil
}

// run executes one line and prints its output, result line included.
func (a *appliance) run(ctx context.Context, line string, remote string, w io.Writer) error {
	words := strings.Fields(line)
	a.commands.Add(1)
	a.do(func(s *state) { s.logCommand(words, remote) })
	c, args := find(a.spec.model.version, words)
	err := a.execute(ctx, c, words, args, w)
	var fail *shellError
	switch {
	case err == nil:
		_, err = io.WriteString(w, choose(c != nil && c.close, "\n", "\n\n")+resultGood)
		if err == nil {
			a.answered.Store(true)
		}
	case errors.As(err, &fail):
		_, err = io.WriteString(w, fail.printed+"\n"+strings.Join(fail.lines, "\n\n")+"\n\n\n"+resultBad)
	}
	return err
}

func (a *appliance) execute(ctx context.Context, c *command, words, args []string, w io.Writer) error {
	if words[0] == "help" || words[0] == "?" {
		_, err := io.WriteString(w, help(a.spec.model.version))
		return err
	}
	if c == nil {
		return unknown(strings.Join(words, " "))
	}
	p, bad := c.parse(args)
	if bad != nil {
		return bad
	}
	a.do(func(s *state) { s.charge(c.requests) })
	if c.stream != nil {
		return c.stream(ctx, a, p, w)
	}
	var text string
	var err error
	a.do(func(s *state) { text, err = s.render(c, p) })
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// render answers a command from the state, or with the reason why the card does not.
func (s *state) render(c *command, p params) (string, error) {
	if !c.alone && !s.answers() {
		e := failed(c.words, codeDevice, "Unable to communicate with HSM.")
		if c.words == "hsm show" {
			e.printed = applianceDetails(s)
		}
		return "", e
	}
	if strings.HasPrefix(c.words, "partition ") {
		switch {
		case s.transport:
			return "", failed(c.words, codeTransport)
		case s.condition == locked:
			return "", failed(c.words, codeTampered)
		}
	}
	return c.render(s, p)
}

func unknown(line string) *shellError {
	for _, r := range refused {
		if line == r || strings.HasPrefix(line, r+" ") {
			return &shellError{lines: []string{fmt.Sprintf("Error:  '%s' is not permitted for the role of this user.", r)}}
		}
	}
	return &shellError{lines: []string{fmt.Sprintf("Error:  '%s' is an unknown command.", line)}}
}

func help(version string) string {
	var b bytes.Buffer
	b.WriteString("\nThe following commands are available:\n\n   Syntax                     Description\n   ------------------------------------------------------------\n")
	for _, c := range commands {
		if c.in(version) {
			fmt.Fprintf(&b, "   %-26s %s\n", c.words, c.help)
		}
	}
	b.WriteString("   exit                       Leave the shell\n   help                       Show this list\n")
	return b.String()
}

// logCommand writes the two lines of each command in lunalogs.
func (s *state) logCommand(words []string, remote string) {
	c, args := find(s.version, words)
	named, rest := strings.Join(words, " "), ""
	if c != nil {
		named, rest = c.words, strings.Join(args, " ")
	}
	s.lunash("info", "info : 0 : Command: %s %s : monitor : %s", named, rest, remote)
	if s.version == "5.4" {
		s.lunash("info", "info : 0 : Command: %s %s : monitor : %s", named, rest, remote)
		return
	}
	s.log("local5", "info", fmt.Sprintf("hsm[%d]", 1000+int(30000*s.noise("hsm", s.now.Unix()))),
		"STC policy is set to \"OFF\" on partition %d : Unknown ResultCode value", s.spec.serial)
}
