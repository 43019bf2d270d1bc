package poll

import (
	"context"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Pace is how often a command is worth its cost.
type Pace int

// The paces, fastest first.
const (
	Fast   Pace = iota // state and utilization
	Slow               // sensors and disks
	Hourly             // what changes only by hand
	paces
)

// A Command is one question to an HSM.
type Command struct {
	Name    string        // as typed; also the name of the source
	Format  answer.Format // of its answer
	Pace    Pace
	Timeout time.Duration
	Since   int                                                      // first major version of the software, of a card's firmware, that knows it; 0: all
	Card    bool                                                     // waits for the HSM card, which a PED operation can block for minutes
	Ask     func(context.Context, collectors.Runner) ([]byte, error) // nil: send name
	// read reads the answer where its format does not say all; nil: it does.
	Read func(text string) ([]hsm.Fact, []string, error)
}
