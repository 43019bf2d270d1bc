package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/exporters"
)

var (
	alarmsList    = command{"alarms list", "active alarms, what to do, and silences", runAlarms}
	alarmsShow    = command{"alarms show", "everything about one alarm: alarms show ALARM", runAlarmsShow}
	alarmsHistory = command{"alarms history", "cleared alarms, newest first", runAlarmsHistory}
	alarmsAck     = command{"alarms ack", "acknowledge an alarm: alarms ack ALARM -comment TEXT", runAlarmsAck}
	alarmsUnack   = command{"alarms unack", "withdraw an acknowledgement: alarms unack ALARM", runAlarmsUnack}
	alarmsClear   = command{"alarms clear", "clear an alarm by hand: alarms clear ALARM -reason WHY", runAlarmsClear}
	alarmsTest    = command{"alarms test", "send a test alarm through every receiver", runAlarmsTest}
	alarmsExplain = command{"alarms explain", "what a code or alarm means, and what to do: alarms explain [2001]", runAlarmsExplain}
)

// A filter selects the alarms that are listed; empty: all.
type filter struct{ hsm, group, severity string }

func (f *filter) flags(flags *flag.FlagSet) {
	flags.StringVar(&f.hsm, "hsm", "", "of these HSMs only, comma separated; wildcards * and ? allowed")
	flags.StringVar(&f.group, "group", "", "these alarms only, e.g. temp-warn,hard-*")
	flags.StringVar(&f.severity, "severity", "", "this severity or worse: indeterminate, warning, minor, major, critical")
}

// match returns what f selects.
func (f filter) match() (m alarms.Match, err error) {
	m.HSMs, m.Groups = patterns(f.hsm), patterns(f.group)
	if m.Severity, err = severity(f.severity); err != nil {
		return m, err
	}
	return m, m.Validate()
}

func patterns(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

func severity(name string) (s alarms.Severity, err error) {
	if name == "" {
		return alarms.None, nil
	}
	if err := s.UnmarshalText([]byte(name)); err != nil || s < alarms.Indeterminate {
		return s, fmt.Errorf("severity %q is none of indeterminate, warning, minor, major, critical", name)
	}
	return s, nil
}

func runAlarms(ctx context.Context, args []string, std stdio) int {
	const name = "alarms list"
	flags := newFlags(name, std)
	socket := socketFlag(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	var f filter
	f.flags(flags)
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	match, err := f.match()
	if err != nil {
		return usageError(std, name, err)
	}
	client := agent.NewClient(*socket)
	all, err := client.Alarms(ctx)
	if err != nil {
		return fail(std, name, err)
	}
	list := slices.DeleteFunc(all, func(a alarms.Active) bool { return !match.Takes(a.Alarm) })
	if *asJSON {
		return printJSON(std, name, list)
	}
	silences, err := client.Silences(ctx)
	if err != nil {
		return fail(std, name, err)
	}
	exporters.AlarmsText(std.out, list, time.Now())
	if len(silences) > 0 {
		fmt.Fprintln(std.out)
		exporters.SilencesText(std.out, silences, time.Now())
	}
	return exitOK
}

func runAlarmsShow(ctx context.Context, args []string, std stdio) int {
	const name = "alarms show"
	flags := newFlags(name, std)
	socket := socketFlag(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	alarm, code, ok := parseAlarm(flags, args, std)
	if !ok {
		return code
	}
	found, err := findAlarm(ctx, agent.NewClient(*socket), alarm)
	if err != nil {
		return fail(std, name, err)
	}
	if *asJSON {
		return printJSON(std, name, found)
	}
	exporters.AlarmText(std.out, found, time.Now())
	return exitOK
}

// searched is how many cleared alarms are searched.
const searched = 10000

// findAlarm returns an active alarm, or else the newest cleared one.
func findAlarm(ctx context.Context, client *agent.Client, name string) (alarms.Active, error) {
	is := func(a alarms.Alarm) bool { return a.Key.String() == name || strconv.FormatUint(a.Number, 10) == name }
	list, err := client.Alarms(ctx)
	if err != nil {
		return alarms.Active{}, err
	}
	if i := slices.IndexFunc(list, func(a alarms.Active) bool { return is(a.Alarm) }); i >= 0 {
		return list[i], nil
	}
	old, err := client.History(ctx, searched)
	if err != nil {
		return alarms.Active{}, err
	}
	if i := slices.IndexFunc(old, is); i >= 0 {
		g := alarms.GroupNamed(old[i].Group)
		return alarms.Active{Alarm: old[i], Title: g.Title, Action: alarms.Advice(old[i]), Layer: old[i].DeadLayer()}, nil
	}
	return alarms.Active{}, fmt.Errorf("no alarm %q is active or has cleared; lunawatch alarms list and alarms history list them", name)
}

func runAlarmsHistory(ctx context.Context, args []string, std stdio) int {
	const name = "alarms history"
	flags := newFlags(name, std)
	socket := socketFlag(flags)
	most := flags.Int("n", 20, "how many at most")
	asJSON := flags.Bool("json", false, "print JSON")
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	if *most < 1 {
		return usageError(std, name, fmt.Errorf("-n %d: at least 1 is needed", *most))
	}
	list, err := agent.NewClient(*socket).History(ctx, *most)
	if err != nil {
		return fail(std, name, err)
	}
	if *asJSON {
		return printJSON(std, name, append([]alarms.Alarm{}, list...))
	}
	exporters.HistoryText(std.out, list, time.Now())
	return exitOK
}

const byHelp = "who you are; $SUDO_USER or $USER unless given"

var errNobody = errors.New("say who you are with -by: neither SUDO_USER nor USER is set")

// user returns who runs the command; "": unknown.
func user() string {
	for _, name := range []string{"SUDO_USER", "USER"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}

// parseAlarm is [parseMixed] for a command on one alarm, which it returns: a
// key or a number.
func parseAlarm(flags *flag.FlagSet, args []string, std stdio) (alarm string, code int, ok bool) {
	words, code, ok := parseMixed(flags, args, 1)
	switch {
	case !ok:
		return "", code, false
	case len(words) == 0:
		return "", usageError(std, flags.Name(), errors.New("one alarm is needed, by its number or as HSM/ALARM of alarms list")), false
	}
	return words[0], exitOK, true
}

func runAlarmsAck(ctx context.Context, args []string, std stdio) int {
	const name = "alarms ack"
	flags := newFlags(name, std)
	socket := socketFlag(flags)
	comment := flags.String("comment", "", "what you are doing about it")
	by := flags.String("by", user(), byHelp)
	alarm, code, ok := parseAlarm(flags, args, std)
	switch {
	case !ok:
		return code
	case *comment == "":
		return usageError(std, name, errors.New("-comment is needed: the next shift reads it"))
	case *by == "":
		return usageError(std, name, errNobody)
	}
	return done(std, name, agent.NewClient(*socket).Acknowledge(ctx, alarm, *by, *comment))
}

func runAlarmsUnack(ctx context.Context, args []string, std stdio) int {
	const name = "alarms unack"
	flags := newFlags(name, std)
	socket := socketFlag(flags)
	alarm, code, ok := parseAlarm(flags, args, std)
	if !ok {
		return code
	}
	return done(std, name, agent.NewClient(*socket).Unacknowledge(ctx, alarm))
}

func runAlarmsClear(ctx context.Context, args []string, std stdio) int {
	const name = "alarms clear"
	flags := newFlags(name, std)
	socket := socketFlag(flags)
	reason := flags.String("reason", "", "why it is cleared")
	by := flags.String("by", user(), byHelp)
	alarm, code, ok := parseAlarm(flags, args, std)
	switch {
	case !ok:
		return code
	case *reason == "":
		return usageError(std, name, errors.New("-reason is needed: the history keeps it"))
	case *by == "":
		return usageError(std, name, errNobody)
	}
	return done(std, name, agent.NewClient(*socket).ClearAlarm(ctx, alarm, *by, *reason))
}

func done(std stdio, name string, err error) int {
	if err != nil {
		return fail(std, name, err)
	}
	return exitOK
}

func runAlarmsTest(ctx context.Context, args []string, std stdio) int {
	const name = "alarms test"
	flags := newFlags(name, std)
	socket := socketFlag(flags)
	wait := flags.Duration("wait", 30*time.Second, "how long to wait for the receivers, up to 5m")
	by := flags.String("by", user(), byHelp)
	asJSON := flags.Bool("json", false, "print JSON")
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	switch {
	case *by == "":
		return usageError(std, name, errNobody)
	case *wait <= 0 || *wait > 5*time.Minute:
		return usageError(std, name, fmt.Errorf("-wait %s is not between 0 and 5m", *wait))
	}
	list, err := agent.NewClient(*socket).TestReceivers(ctx, *by, *wait)
	switch {
	case err != nil:
		return fail(std, name, err)
	case *asJSON:
		printJSON(std, name, append([]notify.TestResult{}, list...))
	case len(list) > 0:
		exporters.TestText(std.out, list)
	}
	return testExit(std, name, list)
}

// testExit returns success only if every receiver that is not off took the test
// alarm.
func testExit(std stdio, name string, list []notify.TestResult) int {
	if len(list) == 0 {
		return fail(std, name, errors.New("no receiver is configured: nobody is notified of any alarm; see receivers in the configuration"))
	}
	var not []string
	for _, r := range list {
		if !slices.Contains([]string{"accepted", "confirmed", "off"}, r.Result) {
			not = append(not, r.Receiver)
		}
	}
	if len(not) > 0 {
		return fail(std, name, fmt.Errorf("%s did not take the test alarm; check the receiver and the way to it, or wait longer with -wait", strings.Join(not, ", ")))
	}
	return exitOK
}

func runAlarmsExplain(_ context.Context, args []string, std stdio) int {
	const name = "alarms explain"
	flags := newFlags(name, std)
	if code, ok := parseFlags(flags, args, 1); !ok {
		return code
	}
	if err := exporters.Explain(std.out, flags.Arg(0)); err != nil {
		return usageError(std, name, err)
	}
	return exitOK
}
