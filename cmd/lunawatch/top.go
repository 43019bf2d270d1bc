package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/top"
	"github.com/lunawatch/lunawatch/internal/setting"
)

func topCommand(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	by := flags.String("by", user(), byHelp)
	return func(ctx context.Context, _ []string, std stdio) error {
		client := agent.NewClient(*socket)
		if _, err := client.Thresholds(ctx); err != nil { // a mistyped socket is no estate that is away
			return err
		}
		shown := look(std.out, true)
		if shown.Width == 0 {
			return errors.New("it needs a terminal; lunawatch status prints the estate anywhere")
		}
		model := top.New(asked(client, *by), top.Look{Colour: shown.Colour, Plain: plainLocale()}, time.Now())
		_, err := tea.NewProgram(model, tea.WithContext(ctx), tea.WithInput(std.in), tea.WithOutput(std.out)).Run()
		if ctx.Err() != nil { // SIGTERM
			return nil
		}
		return err
	}
}

// asked is a running agent as top asks it. Acts are those of by.
func asked(client *agent.Client, by string) top.Agent {
	return top.Agent{
		Ask: func(ctx context.Context) (a top.Answer, err error) {
			if a.Snapshot, err = client.Snapshot(ctx); err == nil {
				a.Active, err = client.Alarms(ctx)
			}
			return a, err
		},
		Acknowledge: func(ctx context.Context, alarm, comment string) error {
			if by == "" {
				return errNobody
			}
			return client.Acknowledge(ctx, alarm, by, comment)
		},
		Silence: func(ctx context.Context, s alarms.Silence) (alarms.Silence, error) {
			if by == "" {
				return s, errNobody
			}
			s.Author = by
			return client.Silence(ctx, s, false)
		},
		Answers:  client.Answers,
		Duration: setting.ParseDuration,
	}
}

// plainLocale reports whether the terminal's locale has no letters beyond ASCII.
func plainLocale() bool {
	locale := strings.ToUpper(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG")))
	return !strings.Contains(locale, "UTF-8") && !strings.Contains(locale, "UTF8")
}
