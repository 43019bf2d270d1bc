package collectors

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/lunawatch/lunawatch/hsm"
)

// Dir is a [Runner] that replays captured answers to Commands from a directory:
// each in a file named after its format, as "lunawatch parse" takes it:
// hsm-show.txt.
type Dir struct {
	Path     string
	Commands []command
}

// Run implements [Runner].
func (d Dir) Run(_ context.Context, typed string) ([]byte, error) {
	i := slices.IndexFunc(d.Commands, func(c command) bool { return c.name == typed })
	if i < 0 {
		return nil, failed(hsm.Command, "replay: no captures of %q", typed)
	}
	text, err := os.ReadFile(filepath.Join(d.Path, d.Commands[i].format.CaptureFile()))
	if err != nil {
		return nil, failed(hsm.Command, "replay: %w", err)
	}
	return text, nil
}

// Has reports whether d holds any of the answers.
func (d Dir) Has() bool {
	return slices.ContainsFunc(d.Commands, func(c command) bool {
		_, err := os.Stat(filepath.Join(d.Path, c.format.CaptureFile()))
		return err == nil
	})
}
