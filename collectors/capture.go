package collectors

import (
	"context"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Captured is the answer to one command, as it came and as it was read.
type Captured struct {
	Format string
	Text   string
	Fact   hsm.Fact
	Err    error // nil: the answer is whole and was read
}

// CaptureAll asks every command once.
func CaptureAll(ctx context.Context, r Runner) []Captured {
	var all []Captured
	p := &Poller{Runner: r}
	for _, c := range lunash {
		if p.major < c.since {
			continue
		}
		text, facts, _, err := p.askText(ctx, c)
		a := Captured{Format: c.format, Text: string(text), Err: err}
		if err == nil {
			a.Fact = facts[0]
		}
		all = append(all, a)
		if failure(err).OfSession() {
			break
		}
	}
	return all
}
