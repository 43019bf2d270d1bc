package collectortest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func WriteNew(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	// A process that another test starts meanwhile would have the file open for
	// writing, and then it cannot be executed.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return file
}
