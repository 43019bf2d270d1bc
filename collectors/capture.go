package collectors

import (
	"bytes"
	"context"
	"io"
	"os"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Source is a [Collector] of which captures are made.
type Source interface {
	Collector
	// Capture asks everything once. It hands over each answer that was read, as
	// it came, with the name of its file in a capture, and reports what it saw.
	// A field Replay of the same type reads those files.
	Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation))
}

func always(Pace) bool { return true }

// Capture implements [Source].
func (p *Poller) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	p.keep = keep
	p.round(ctx, always, report)
	p.keep = nil
}

// restFile is the file of a resource in a capture.
func restFile(path string) string { return "rest" + path + ".json" }

// Capture implements [Source].
func (p *RESTPoller) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	p.REST.keep = func(path string, text []byte) { keep(restFile(path), string(text)) }
	defer p.REST.Close()
	p.round(ctx, always, report)
	p.REST.keep = nil
}

// WalkFile is what an SNMP agent serves, in a capture.
const WalkFile = "snmpwalk.txt"

// Capture implements [Source].
func (a *SNMPAgent) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	a.poll(ctx, func(ctx context.Context) (snmpAnswer, error) {
		answer, err := a.walkAll(ctx)
		if err == nil {
			keep(WalkFile, answer.String())
		}
		return answer, err
	}, report)
}

const cardsDir = "cards/"

// Capture implements [Source].
func (c *Cards) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	obs, text, slots := c.look(ctx, &LunaCM{Path: c.Path})
	report(obs)
	if obs.Failure == hsm.None {
		keep(cardsDir+SlotList.CaptureFile(), text)
	}
	for _, s := range slots {
		if isAdmin(s) {
			c.poller(s.Serial).Capture(ctx, func(file, text string) { keep(cardsDir+s.Serial+"/"+file, text) }, report)
		}
	}
}

// Tail returns the last whole lines of a file, at most so many bytes.
func Tail(file string, most int64) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	from := max(0, info.Size()-most)
	text, err := io.ReadAll(io.NewSectionReader(f, from, most))
	if from > 0 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return string(text), err
}
