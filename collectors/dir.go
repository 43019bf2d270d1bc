package collectors

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/lunawatch/lunawatch/hsm"
)

// Dir is a [Runner] that replays captured answers from a directory: each in a
// file named after its format, as "lunawatch parse" takes it: hsm-show.txt.
type Dir string

// Run implements [Runner].
func (d Dir) Run(_ context.Context, typed string) ([]byte, error) {
	known := slices.Concat(lunash, lunacm)
	i := slices.IndexFunc(known, func(c command) bool { return c.name == typed })
	if i < 0 {
		return nil, failed(hsm.Command, "replay: no captures of %q", typed)
	}
	text, err := os.ReadFile(filepath.Join(string(d), known[i].format+".txt"))
	if err != nil {
		return nil, failed(hsm.Command, "replay: %w", err)
	}
	return text, nil
}

// Has reports whether d holds answers of LunaSH.
func (d Dir) Has() bool {
	return slices.ContainsFunc(lunash, func(c command) bool {
		_, err := os.Stat(filepath.Join(string(d), c.format+".txt"))
		return err == nil
	})
}
