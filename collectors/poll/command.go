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

// The paces.
const (
	Fast    Pace = iota // state and utilization
	Slow                // sensors and disks
	Hourly              // what changes only by hand
	Counted             // counters that show when the HSM last did work; as Fast where it has no interval
	paces
)

// Always is a filter by pace under which every command is due.
func Always(Pace) bool { return true }

// A Command is one question to an HSM.
type Command struct {
	Name    string        // as typed; also the name of the source
	Format  answer.Format // of its answer
	Pace    Pace
	Timeout time.Duration
	Since   int // first major version of the software, or of a card's firmware, that has it; 0: all
	// Optional: not every role may ask it. Until it was answered once, a refusal
	// is no failure, and it is asked again at the slowest pace only.
	Optional bool
	Card     bool // needs the HSM card, which a PED operation can block for minutes

	// Ask sends the command in a way of its own. nil: [Ask] with Name.
	Ask func(context.Context, collectors.Runner) (answer.Session, error)
	// Read parses the answer where Format does not cover all of it. nil: Format
	// does.
	Read func(answer.Session) ([]hsm.Fact, []string, error)
}

// Ask sends command and returns its whole answer. Its error is a
// *[collectors.Failed] at step [hsm.Command] if the result line states a failure,
// and at step [hsm.Incomplete] if there is no result line; the answer is returned, too.
func Ask(ctx context.Context, r collectors.Runner, command string) (answer.Session, error) {
	text, err := r.Run(ctx, command)
	if err != nil {
		return answer.Session{}, err
	}
	s := answer.Split(string(text))
	switch _, complete, err := s.Last(); {
	case err != nil:
		return s, collectors.Failf(hsm.Command, "%s: %w", command, err)
	case !complete:
		return s, collectors.Failf(hsm.Incomplete, "%s: the answer has no result line", command)
	}
	return s, nil
}

func (c Command) ask(ctx context.Context, r collectors.Runner) (answer.Session, error) {
	if c.Ask != nil {
		return c.Ask(ctx, r)
	}
	return Ask(ctx, r, c.Name)
}

func (c Command) read(s answer.Session) (facts []hsm.Fact, unread []string, err error) {
	if c.Read != nil {
		facts, unread, err = c.Read(s)
	} else {
		var fact hsm.Fact
		fact, unread, err = c.Format.Read(s)
		facts = []hsm.Fact{fact}
	}
	if err != nil {
		return nil, nil, err
	}
	detach(facts)
	detachAll(unread)
	return facts, unread, nil
}
