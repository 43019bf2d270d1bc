package poll

import (
	"context"
	"errors"
	"testing"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// says gives the same text to every command.
type says string

func (s says) Run(context.Context, string) ([]byte, error) { return []byte(s), nil }

// TestAnswersAreKept: what an HSM said is reported with what was read from it, and all the
// more if nothing could be.
func TestAnswersAreKept(t *testing.T) {
	const good, refused = "Serial 53\nCommand Result : 0 (Success)\n", "no such thing\nCommand Result : 65535 (Luna Shell execution)\n"
	reads := answer.Format{Name: "x", Read: func(s answer.Session) (hsm.Fact, []string, error) {
		if s.Text != good {
			return nil, nil, errors.New("not understood")
		}
		return hsm.Show{Serial: "53"}, nil, nil
	}}
	for text, want := range map[string]hsm.Failure{good: hsm.None, refused: hsm.Command, "garbage\nCommand Result : 0 (Success)\n": hsm.Unrecognised, "cut": hsm.Incomplete} {
		p := Poller{Device: "a", Commands: []Command{{Name: "hsm show", Format: reads, Timeout: lightTimeout}}, Runner: says(text)}
		p.round(t.Context(), Always, func(o hsm.Observation) {
			if o.Answer != text || o.Failure != want {
				t.Errorf("%q: failure %q, and the answer %q", text, o.Failure, o.Answer)
			}
		})
	}
}
