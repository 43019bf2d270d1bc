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
	"github.com/lunawatch/lunawatch/internal/near"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A filter selects the alarms that are listed; empty: all.
type filter struct{ hsm, group, severity string }

func (f *filter) flags(flags *flag.FlagSet) {
	flags.StringVar(&f.hsm, "hsm", "", "of these `HSMS` only, by name or serial number, comma separated; wildcards * and ? allowed")
	flags.StringVar(&f.group, "group", "", "these alarms only, e.g. temp-warn,hard-*")
	flags.StringVar(&f.severity, "severity", "", "this severity or worse: indeterminate, warning, minor, major, critical")
}

// match returns what f selects.
func (f filter) match() (m alarms.Match, err error) {
	m.HSMs, m.Groups = patterns(f.hsm), patterns(f.group)
	if err := knownGroups(m.Groups); err != nil {
		return m, err
	}
	if m.Severity, err = severity(f.severity); err != nil {
		return m, err
	}
	return m, m.Validate()
}

func patterns(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// knownGroups refuses what is no group of alarms; patterns may be of none.
func knownGroups(names []string) error {
	var all []string
	for _, g := range alarms.Groups() {
		all = append(all, g.Name)
	}
	for _, name := range names {
		if !isPattern(name) && !slices.Contains(all, name) {
			return fmt.Errorf("%q is not a group of alarms%s", name, didYouMean(near.Name(name, all), "lunawatch alarms explain lists them"))
		}
	}
	return nil
}

func severity(name string) (s alarms.Severity, err error) {
	if name == "" {
		return alarms.None, nil
	}
	if err := s.UnmarshalText([]byte(name)); err != nil || s < alarms.Indeterminate {
		all := []string{"indeterminate", "warning", "minor", "major", "critical"}
		return s, fmt.Errorf("severity %q is none of %s%s", name, strings.Join(all, ", "), strings.TrimSuffix(didYouMean(near.Name(name, all), ""), "; "))
	}
	return s, nil
}

func alarmsList(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	asJSON := jsonFlag(flags)
	var f filter
	f.flags(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		match, err := f.match()
		if err != nil {
			return usageFault{err}
		}
		client := agent.NewClient(*socket)
		all, err := client.Alarms(ctx)
		if err != nil {
			return err
		}
		if match.HSMs, err = watched(ctx, client, match.HSMs, all); err != nil {
			return err
		}
		list := slices.DeleteFunc(all, func(a alarms.Active) bool { return !match.Takes(a.Alarm) })
		if *asJSON {
			return printJSON(std.out, list)
		}
		silences, err := client.Silences(ctx)
		if err != nil {
			return err
		}
		exporters.AlarmsText(std.out, list, time.Now())
		if len(silences) > 0 {
			fmt.Fprintln(std.out)
			exporters.SilencesText(std.out, silences, time.Now())
		}
		return nil
	}
}

func alarmsShow(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	asJSON := jsonFlag(flags)
	return func(ctx context.Context, words []string, std stdio) error {
		found, err := findAlarm(ctx, agent.NewClient(*socket), words[0])
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(std.out, found)
		}
		exporters.AlarmText(std.out, found, time.Now())
		return nil
	}
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
	var keys []string
	for _, a := range list {
		keys = append(keys, a.Key.String())
	}
	for _, a := range old {
		keys = append(keys, a.Key.String())
	}
	return alarms.Active{}, fmt.Errorf("no alarm %q is active or has cleared%s", name, didYouMean(near.Name(name, keys), "lunawatch alarms list and alarms history list them"))
}

func alarmsHistory(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	most := flags.Int("n", 20, "how many at most")
	asJSON := jsonFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		if *most < 1 {
			return usagef("-n %d: at least 1 is needed", *most)
		}
		list, err := agent.NewClient(*socket).History(ctx, *most)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(std.out, append([]alarms.Alarm{}, list...))
		}
		exporters.HistoryText(std.out, list, time.Now())
		return nil
	}
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

func alarmsAck(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	comment := flags.String("comment", "", "what you are doing about it")
	by := flags.String("by", user(), byHelp)
	return func(ctx context.Context, words []string, std stdio) error {
		switch {
		case *comment == "":
			return usagef("-comment is needed: the next shift reads it")
		case *by == "":
			return usageFault{errNobody}
		}
		return agent.NewClient(*socket).Acknowledge(ctx, words[0], *by, *comment)
	}
}

func alarmsUnack(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	return func(ctx context.Context, words []string, std stdio) error {
		return agent.NewClient(*socket).Unacknowledge(ctx, words[0])
	}
}

func alarmsClear(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	reason := flags.String("reason", "", "why it is cleared")
	by := flags.String("by", user(), byHelp)
	return func(ctx context.Context, words []string, std stdio) error {
		switch {
		case *reason == "":
			return usagef("-reason is needed: the history keeps it")
		case *by == "":
			return usageFault{errNobody}
		}
		return agent.NewClient(*socket).ClearAlarm(ctx, words[0], *by, *reason)
	}
}

func alarmsTest(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	wait := setting.DurationFlag(flags, "wait", 30*time.Second, "how long to wait for the receivers, up to 5m")
	by := flags.String("by", user(), byHelp)
	asJSON := jsonFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		switch {
		case *by == "":
			return usageFault{errNobody}
		case *wait <= 0 || *wait > 5*time.Minute:
			return usagef("-wait %s is not between 0 and 5m", *wait)
		}
		end := progressOn(std.err).during(ctx, "waiting for the receivers", *wait)
		list, err := agent.NewClient(*socket).TestReceivers(ctx, *by, *wait)
		end()
		switch {
		case err != nil:
			return err
		case *asJSON:
			if err := printJSON(std.out, append([]notify.TestResult{}, list...)); err != nil {
				return err
			}
		case len(list) > 0:
			exporters.TestText(std.out, list)
		}
		return allTook(list)
	}
}

// allTook returns an error unless every receiver that is not off took the test alarm.
func allTook(list []notify.TestResult) error {
	if len(list) == 0 {
		return errors.New("no receiver is configured: nobody is notified of any alarm; see receivers in the configuration")
	}
	var not []string
	for _, r := range list {
		if !slices.Contains([]string{"accepted", "confirmed", "off"}, r.Result) {
			not = append(not, r.Receiver)
		}
	}
	if len(not) > 0 {
		return fmt.Errorf("%s did not take the test alarm; check the receiver and the way to it, or wait longer with -wait", strings.Join(not, ", "))
	}
	return nil
}

func alarmsExplain(flags *flag.FlagSet) action {
	return func(_ context.Context, words []string, std stdio) error {
		if err := exporters.Explain(std.out, strings.Join(words, " ")); err != nil {
			return usageFault{err}
		}
		return nil
	}
}
