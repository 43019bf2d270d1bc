package poll

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/internal/check"
)

// TestDocumentedAge: the rule for the age of data is what the documents say.
func TestDocumentedAge(t *testing.T) {
	text, err := os.ReadFile("../../docs/sources.md")
	check.Must(t, err)
	if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), "stale: two and a half intervals of its source, and the time that the answer may take") {
		t.Error("docs/sources.md has another rule")
	}
	if got := (Intervals{Fast: 40 * time.Second}).maxAge(Command{Timeout: 7 * time.Second}); got != 107*time.Second {
		t.Errorf("two and a half intervals of 40 s and 7 s are %s", got)
	}
}
