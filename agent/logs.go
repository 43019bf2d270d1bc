package agent

import (
	"context"
	"fmt"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/hsm"
)

// follow passes every line of a log to the alarms, from its stored cursor on.
func (a *Agent) follow(ctx context.Context, h config.HSM, file string, read func(string) hsm.LogLine) error {
	f := follow.Follower{File: file, Log: a.log, FromStart: h.Replay != "", Read: read, Watches: &a.watches}
	from, err := a.watch.Journal.Cursor(file)
	if err != nil {
		return fmt.Errorf("where to continue in %s: %w", file, err)
	}
	return f.Run(ctx, from, func(lines []hsm.LogLine, cursor []byte) error {
		return a.watch.Lines(h.Name, file, lines, cursor)
	})
}
