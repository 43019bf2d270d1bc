package rest

import (
	"context"

	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
)

// captureFile returns the name of the file of a resource in a capture.
func captureFile(path string) string { return "rest" + path + ".json" }

// Capture implements [collectors.Source].
func (p *Poller) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	p.API.keep = func(path string, text []byte) { keep(captureFile(path), string(text)) }
	defer p.API.Close()
	p.round(ctx, poll.Always, report)
	p.API.keep = nil
}
