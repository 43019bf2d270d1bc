package exporters

import (
	"testing"

	"github.com/lunawatch/lunawatch/hsm"
)

func TestLabel(t *testing.T) {
	for _, c := range []struct {
		label hsm.Opt[string]
		want  string
	}{{hsm.Opt[string]{}, "-"}, {hsm.Some(""), "(none)"}, {hsm.Some("root"), "root"}} {
		if got := label(c.label); got != c.want {
			t.Errorf("%+v: %q, want %q", c.label, got, c.want)
		}
	}
}
