package lunacm

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
)

// TestEnvironment checks that LunaCM gets nothing of the agent's environment but
// where the client's configuration is.
func TestEnvironment(t *testing.T) {
	t.Setenv("LUNAWATCH_SECRET", "planted")
	t.Setenv("LD_PRELOAD", "")
	t.Setenv("LANG", "de_DE.UTF-8")
	t.Setenv("ChrystokiConfigurationPath", "/etc/luna")
	l := &Program{Path: collectortest.WriteNew(t, "lunacm", "#!/bin/sh\ncat >/dev/null\nexec env\n", 0o755)}
	text, err := l.Session(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, "=")
		if name != "PWD" && name != "_" && name != "SHLVL" { // the shell's own
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if want := []string{"ChrystokiConfigurationPath", "LANG", "PATH"}; !slices.Equal(names, want) || !strings.Contains(text, "LANG=C.UTF-8\n") {
		t.Errorf("%q, want %q", text, want)
	}
}

// TestOutputIsBounded checks that a LunaCM that never stops printing costs no more
// memory than the longest answer.
func TestOutputIsBounded(t *testing.T) {
	l := &Program{Path: collectortest.WriteNew(t, "lunacm", "#!/bin/sh\ncat >/dev/null\nhead -c "+strconv.Itoa(3*collectors.MaxAnswer)+" /dev/zero\n", 0o755)}
	text, err := l.Session(t.Context(), "")
	if err != nil || len(text) != collectors.MaxAnswer {
		t.Errorf("%d bytes, %v, want %d", len(text), err, collectors.MaxAnswer)
	}
}
