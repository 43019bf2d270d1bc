package follow

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// ending is the second half of more than one line: a log that was truncated within them
// begins with it each time.
const ending = "daemon info sshd[77]: session opened for user operator"

// copyTruncate is logrotate with copytruncate.
func copyTruncate(t *testing.T, log, name string) {
	t.Helper()
	text, err := os.ReadFile(log)
	must(t, err)
	must(t, os.WriteFile(name, text, 0o600))
	must(t, os.Truncate(log, 0))
}

// compress is logrotate with compress.
func compress(t *testing.T, name string) {
	t.Helper()
	pack(t, name)
	must(t, os.Remove(name))
}

// TestFollowCopiesThatBeginAlike compresses a copy that was read, while an older one, which
// is longer, begins with all that is in it.
func TestFollowCopiesThatBeginAlike(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	add(t, log, "")
	r := read(t, log)
	add(t, log, "one ")
	copyTruncate(t, log, log+"-20261101")
	add(t, log, ending+"\ntwo ")
	r.sees("one " + ending)
	copyTruncate(t, log, log+"-20261102")
	add(t, log, ending+"\n")
	compress(t, log+"-20261102")
	r.sees("two " + ending)
	copyTruncate(t, log, log+"-20261103")
	r.sees()

	compress(t, log+"-20261103")
	r.restart()
	add(t, log, "three\n")
	r.sees("three")
}

// TestFollowCopiesThatAreEqual compresses a copy that was read, while an older one, made a
// second before it was written, has the same bytes.
func TestFollowCopiesThatAreEqual(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	add(t, log, "")
	r := read(t, log)
	add(t, log, "one ")
	copyTruncate(t, log, log+"-20261101")
	add(t, log, ending+"\n")
	r.sees("one " + ending)
	copyTruncate(t, log, log+"-20261102")
	add(t, log, "two ")
	r.sees()
	copyTruncate(t, log, log+"-20261103")
	before := time.Now().Add(-time.Second)
	for _, name := range []string{log + "-20261102", log + "-20261103"} {
		must(t, os.Chtimes(name, before, before))
		compress(t, name)
	}
	add(t, log, ending+"\n")
	r.sees("two " + ending)
	copyTruncate(t, log, log+"-20261104")
	r.sees()

	later := time.Now().Add(time.Hour)
	must(t, os.Chtimes(log+"-20261104", later, later))
	compress(t, log+"-20261104")
	add(t, log, "three\n")
	copyTruncate(t, log, log+"-20261105")
	r.restart()
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
	add(t, log, ending+"\ntwo ")
	r.sees("one " + ending)
	copyTruncate(t, log, log+"-20261102")
	r.sees()

	add(t, log, ending+"\n")
	pack(t, log+"-20261102")
	must(t, os.Rename(log+"-20261102", log+"-20261103"))
	copyTruncate(t, log, log+"-20261103")
	r.restart()
	add(t, log, "three\n")
	r.sees("two "+ending, "three")
}

// TestReusedInode: a compressed file that begins with the half line of a copy, and has the
// inode that the copy had, is not the copy, which would hide that one is compressed, too.
func TestReusedInode(t *testing.T) {
	dir := t.TempDir()
	open := func(name, text string, packed bool) *source {
		t.Helper()
		file := filepath.Join(dir, name)
		must(t, os.WriteFile(file, []byte(text), 0o600))
		if packed {
			pack(t, file)
			file += ".gz"
		}
		s, err := openSource(file)
		must(t, err)
		t.Cleanup(s.close)
		return s
	}
	p, err := open("messages.log.3", "lin", false).end()
	must(t, err)
	p.Size = p.Offset
	for text, want := range map[string]int{"lin": 0, "line 1\nline 2\n": -1, "other": -1} {
		s := open("messages.log.1", text, true)
		p.Device, p.Inode = s.Device, s.Inode
		if got := byInode([]*source{s}, p); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
