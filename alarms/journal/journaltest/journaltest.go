// Package journaltest opens journals for tests. It knows nothing of what they
// hold.
package journaltest

import (
	"testing"

	"github.com/lunawatch/lunawatch/alarms/journal"
)

// Open opens the journal in a directory until the test ends.
func Open(t testing.TB, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}
