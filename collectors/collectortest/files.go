package collectortest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// WriteNew writes a file in a directory of its own, which the test may execute, and
// returns its path.
func WriteNew(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	// A process that another test starts meanwhile would inherit the file open for
	// writing, which could not be executed then.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return file
}
