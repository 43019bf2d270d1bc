package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/act"
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
	from := flags.String("from", "", "when it begins: 22:00, \"sat 22:00\", \"2026-03-01 22:00\"; now unless given")
	until := flags.String("until", "", "when it ends")
	length := setting.DurationFlag(flags, "for", 0, "how long it lasts, a `DURATION` such as 2h, 3d or 1w; instead of -until")
	every := flags.String("every", "", "it comes again every `day` or week, at the same time, until unsilence ends it")
	zone := flags.String("zone", "", "on whose clocks all times are, e.g. Europe/Zurich; those of this host unless given")
	dry := flags.Bool("dry-run", false, "print what it would hide of what is active, and change nothing")
	reason := flags.String("reason", "", "why")
	yes := flags.Bool("yes-all", false, "confirm a silence of every alarm, of more than a day, or of more than half of every day; it is an alarm while it lasts")
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
		now, err := act.Clock(*zone)
		if err != nil {
			return usageFault{err}
		}
		if s.Every, err = act.ComesAgain(*every, *zone); err != nil {
			return usageFault{err}
		}
		s.From, s.Until, err = act.Span(*from, *until, *length, now)
		if *dry {
			s.Author, s.Reason = cmp.Or(*by, "somebody"), cmp.Or(*reason, "a preview")
		}
		switch {
		case named == *all:
			return usagef("say what to silence, with -hsm, -group, -object, -code or -severity, or -all")
		case err != nil:
			return usageFault{err}
		case s.Author == "":
			return usageFault{errNobody}
		case s.Reason == "":
			return usagef("-reason is needed: the next shift reads it")
		}
		if err := s.Validate(); err != nil {
			return usageFault{err}
		}
		if s.Wide() && !*yes && !*dry {
			return usagef("it would silence every alarm, or last for more than %s, or for more than half of every day; use -yes-all if that is meant", alarms.LongSilence)
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
		if *dry {
			p, err := client.Preview(ctx, s)
			if err == nil {
				exporters.PreviewText(std.out, p.Silence, p.Hides, time.Now())
			}
			return err
		}
		added, err := client.Silence(ctx, s, *yes)
		if err != nil {
			return err
		}
		again := ""
		if added.Every != nil {
			again = ", " + added.Every.String()
		}
		fmt.Fprintf(std.out, "silence %d, from %s until %s%s\n", added.ID, added.From.Local().Format(exporters.TimeLayout), added.Until.Local().Format(exporters.TimeLayout), again)
		return nil
	}
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
