package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/internal/setting"
)

func alarmsSilence(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	hsms := flags.String("hsm", "", "of these `HSMS`, by name or serial number, comma separated; wildcards * and ? allowed")
	force := flags.Bool("force", false, "take an -hsm that is not watched, such as one that will be")
	groups := flags.String("group", "", "these alarms, e.g. temp-warn,hard-*")
	objects := flags.String("object", "", "on these partitions, sensors, sources")
	codes := flags.String("code", "", "with one of these ALM codes, e.g. 2001,20*")
	worst := flags.String("severity", "", "this severity or milder: indeterminate, warning, minor, major, critical")
	all := flags.Bool("all", false, "every alarm")
	from := flags.String("from", "", "when it begins: 22:00, \"2026-03-01 22:00\"; now unless given")
	until := flags.String("until", "", "when it ends")
	length := setting.DurationFlag(flags, "for", 0, "how long it lasts, a `DURATION` such as 2h, 3d or 1w; instead of -until")
	reason := flags.String("reason", "", "why")
	yes := flags.Bool("yes-all", false, "confirm a silence of every alarm, or of more than a day; it is an alarm while it lasts")
	by := flags.String("by", user(), byHelp)
	return func(ctx context.Context, _ []string, std stdio) error {
		s := alarms.Silence{Author: *by, Reason: *reason}
		s.Match = alarms.Match{HSMs: patterns(*hsms), Groups: patterns(*groups), Objects: patterns(*objects), Codes: patterns(*codes)}
		var err error
		if s.Match.Severity, err = severity(*worst); err != nil {
			return usageFault{err}
		}
		if err := knownGroups(s.Match.Groups); err != nil {
			return usageFault{err}
		}
		named := *hsms+*groups+*objects+*codes+*worst != ""
		s.From, s.Until, err = span(*from, *until, *length, time.Now())
		switch {
		case named == *all:
			return usagef("say what to silence, with -hsm, -group, -object, -code or -severity, or -all")
		case err != nil:
			return usageFault{err}
		case *by == "":
			return usageFault{errNobody}
		case *reason == "":
			return usagef("-reason is needed: the next shift reads it")
		}
		if err := s.Validate(); err != nil {
			return usageFault{err}
		}
		if s.Wide() && !*yes {
			return usagef("it would silence every alarm, or last for more than %s; use -yes-all if that is meant", alarms.LongSilence)
		}
		client := agent.NewClient(*socket)
		if !*force {
			active, err := client.Alarms(ctx)
			if err != nil {
				return err
			}
			if s.Match.HSMs, err = watched(ctx, client, s.Match.HSMs, active); err != nil {
				return usagef("%w; -force takes it all the same", err)
			}
		}
		added, err := client.Silence(ctx, s, *yes)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "silence %d, from %s until %s\n", added.ID, added.From.Local().Format(exporters.TimeLayout), added.Until.Local().Format(exporters.TimeLayout))
		return nil
	}
}

// span returns when a silence begins and ends. A clock time without a day is
// the next one: for the beginning after now, for the end after the beginning.
func span(from, until string, length time.Duration, now time.Time) (begin, end time.Time, err error) {
	begin = now
	if from != "" {
		if begin, err = readTime(from, now); err != nil {
			return begin, end, fmt.Errorf("-from: %w", err)
		}
	}
	switch {
	case (until == "") == (length == 0):
		return begin, end, errors.New("say when it ends, with -for 2h or -until 06:00")
	case length < 0:
		return begin, end, fmt.Errorf("-for %s is negative", length)
	case length > 0:
		return begin, begin.Add(length), nil
	}
	if end, err = readTime(until, begin); err != nil {
		return begin, end, fmt.Errorf("-until: %w", err)
	}
	if !end.After(begin) || !end.After(now) {
		return begin, end, fmt.Errorf("-until %s is not after now and after the beginning", until)
	}
	return begin, end, nil
}

var timeLayouts = []string{"2006-01-02 15:04", "2006-01-02T15:04", time.DateTime, exporters.TimeLayout, time.RFC3339}

// readTime reads a time on the reader's clock; one without a day is the next
// one after a time.
func readTime(s string, after time.Time) (time.Time, error) {
	if t, err := time.Parse("15:04", s); err == nil {
		t = time.Date(after.Year(), after.Month(), after.Day(), t.Hour(), t.Minute(), 0, 0, after.Location())
		if !t.After(after) {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, after.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 22:00 or \"2026-03-01 22:00\"", s)
}

func alarmsUnsilence(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	return func(ctx context.Context, words []string, std stdio) error {
		return agent.NewClient(*socket).Unsilence(ctx, words[0])
	}
}

func alarmsSilences(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	asJSON := jsonFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		list, err := agent.NewClient(*socket).Silences(ctx)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(std.out, append([]alarms.Silence{}, list...))
		}
		exporters.SilencesText(std.out, list, time.Now())
		return nil
	}
}
