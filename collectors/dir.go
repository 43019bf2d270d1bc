package collectors

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
)

// Dir is a [Runner] that replays captured answers from a directory: the
// answer to "hsm show" is in hsm-show.txt.
type Dir string

// Run implements [Runner].
func (d Dir) Run(_ context.Context, command string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(string(d), strings.NewReplacer(" ", "-", `"`, "").Replace(command)+".txt"))
	if err != nil {
		return nil, failed(hsm.Unreachable, "replay: %w", err)
	}
	return b, nil
}
