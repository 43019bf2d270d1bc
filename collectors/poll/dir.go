package poll

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// Dir is a [collectors.Runner] that replays the captured answers to commands from
// a directory. Each is a file named after its format, such as hsm-show.txt.
type Dir struct {
	Path     string
	Commands []Command // those that can be replayed
}

// Run implements [collectors.Runner].
func (d Dir) Run(_ context.Context, typed string) ([]byte, error) {
	i := slices.IndexFunc(d.Commands, func(c Command) bool { return c.Name == typed })
	if i < 0 {
		return nil, collectors.Failf(hsm.Command, "replay: no captures of %q", typed)
	}
	text, err := os.ReadFile(filepath.Join(d.Path, d.Commands[i].Format.CaptureFile()))
	if err != nil {
		return nil, collectors.Failf(hsm.Command, "replay: %w", err)
	}
	return text, nil
}

// Has reports whether d holds the answer to any of its commands.
func (d Dir) Has() bool {
	return slices.ContainsFunc(d.Commands, func(c Command) bool {
		_, err := os.Stat(filepath.Join(d.Path, c.Format.CaptureFile()))
		return err == nil
	})
}
