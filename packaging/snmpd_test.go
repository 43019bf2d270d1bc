package packaging

import (
	"os"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib/modules"
)

// TestViews: whoever has the view of the drop-in sees all that Lunawatch serves.
func TestViews(t *testing.T) {
	text, err := os.ReadFile("snmpd/lunawatch.conf")
	check.Must(t, err)
	for _, r := range modules.Registrations() {
		subtree, seen := r.Subtree, false
		for line := range strings.Lines(string(text)) {
			root, included := strings.CutPrefix(strings.TrimSpace(line), "view lunawatch included ")
			seen = seen || included && strings.HasPrefix("."+strings.TrimPrefix(subtree.String(), ".")+".", root+".")
		}
		if !seen {
			t.Errorf("no view has %s", subtree)
		}
	}
}
