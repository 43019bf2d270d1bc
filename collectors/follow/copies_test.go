package follow

import (
	"os"
	"path/filepath"
	"testing"
)

// ending is the second half of more than one line: a log that was truncated within them
// begins with it each time.
const ending = "daemon info sshd[77]: session opened for user operator\n"

// copyTruncate is logrotate with copytruncate.
func copyTruncate(t *testing.T, log, name string) {
	t.Helper()
	text, err := os.ReadFile(log)
	must(t, err)
	must(t, os.WriteFile(name, text, 0o600))
	must(t, os.Truncate(log, 0))
}

// TestFollowCopiesThatBeginAlike compresses a copy that was read, while an older one, which
// is longer, begins with all that is in it.
func TestFollowCopiesThatBeginAlike(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	add(t, log, "")
	r := read(t, log)
	add(t, log, "one ")
	copyTruncate(t, log, log+"-20261101")
	add(t, log, ending+"two ")
	r.sees("one " + ending[:len(ending)-1])
	copyTruncate(t, log, log+"-20261102")
	add(t, log, ending)
	pack(t, log+"-20261102")
	must(t, os.Remove(log+"-20261102"))
	r.sees("two " + ending[:len(ending)-1])
	copyTruncate(t, log, log+"-20261103")
	r.sees()

	pack(t, log+"-20261103")
	must(t, os.Remove(log+"-20261103"))
	r.restart()
	add(t, log, "three\n")
	r.sees("three")
}

// TestFollowCopyWithReusedInode has a copy take the inode of an older one, which is longer
// and begins with all that is in it.
func TestFollowCopyWithReusedInode(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	add(t, log, "")
	r := read(t, log)
	add(t, log, "one ")
	copyTruncate(t, log, log+"-20261101")
	add(t, log, ending+"two ")
	r.sees("one " + ending[:len(ending)-1])
	copyTruncate(t, log, log+"-20261102")
	r.sees()

	add(t, log, ending)
	pack(t, log+"-20261102")
	must(t, os.Rename(log+"-20261102", log+"-20261103"))
	copyTruncate(t, log, log+"-20261103")
	r.restart()
	add(t, log, "three\n")
	r.sees("two "+ending[:len(ending)-1], "three")
}
