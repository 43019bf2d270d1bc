package collectors

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Follower reads a growing log, every line once and in order, across
// restarts and rotations: by rename or by copy and truncate, and several of
// them between two reads. Rotated files are looked for in the log's directory,
// under names that begin with the log's own; compressed ones are not read.
type Follower struct {
	File string
	Log  *slog.Logger
}

// A cursor is how far a log was read. A file is known by its inode and by its
// first bytes, which tell a truncated or reused one.
type cursor struct {
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"`
	Head   int64  `json:"head"` // number of bytes that Sum is of
	Sum    []byte `json:"sum"`
}

const (
	headSize  = 512       // bytes that tell one file from another
	batchSize = 256 << 10 // bytes read at once; a longer line is cut
	lookEvery = time.Second
)

// Run follows the log from a cursor that it gave before; nil begins at the end
// of the file, or at the beginning of one that appears later. It calls deliver
// with new lines and the cursor behind them, again with the same lines while
// deliver returns an error, until ctx is done.
func (f *Follower) Run(ctx context.Context, from []byte, deliver func(lines []hsm.LogLine, cursor []byte) error) error {
	c, err := f.begin(from)
	if err != nil {
		return err
	}
	changed := f.watchDirectory(ctx)
	failures := 0
	for ctx.Err() == nil {
		err := f.catchUp(ctx, &c, deliver)
		wait := lookEvery
		if err != nil {
			if failures++; failures == 1 {
				f.Log.Warn("log not read; trying again", "file", f.File, "err", err)
			}
			wait = min(backoff(failures), 10*time.Second)
		} else {
			failures = 0
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(wait):
		}
	}
	return nil
}

func (f *Follower) begin(from []byte) (c cursor, err error) {
	if from != nil {
		if err := json.Unmarshal(from, &c); err != nil {
			return c, fmt.Errorf("cursor of %s: %w", f.File, err)
		}
		return c, nil
	}
	file, err := os.Open(f.File)
	if err != nil {
		return c, nil // it may appear, and is read from its beginning then
	}
	defer file.Close()
	c, err = cursorAt(file, 0)
	if err != nil {
		return c, fmt.Errorf("log %s: %w", f.File, err)
	}
	info, err := file.Stat()
	if err != nil {
		return c, fmt.Errorf("log %s: %w", f.File, err)
	}
	return cursorAt(file, lastLineEnd(file, info.Size()))
}

// lastLineEnd returns the offset behind the last complete line before size.
func lastLineEnd(file *os.File, size int64) int64 {
	start := max(0, size-batchSize)
	tail := make([]byte, size-start)
	n, _ := file.ReadAt(tail, start)
	return start + int64(bytes.LastIndexByte(tail[:n], '\n')+1)
}

// cursorAt returns the cursor of an offset in a file.
func cursorAt(file *os.File, offset int64) (cursor, error) {
	c := cursor{Offset: offset, Head: min(offset, headSize)}
	info, err := file.Stat()
	if err != nil {
		return c, err
	}
	c.Inode = inode(info)
	c.Sum, err = sum(file, c.Head)
	return c, err
}

func inode(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}

func sum(file io.ReaderAt, n int64) ([]byte, error) {
	head := make([]byte, n)
	if _, err := file.ReadAt(head, 0); err != nil && (err != io.EOF || n > 0) {
		return nil, err
	}
	s := sha256.Sum256(head)
	return s[:8], nil
}

// is reports whether file is the one that c is in: it has at least what was
// read, and begins with the same bytes.
func (c cursor) is(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Size() < c.Offset {
		return false
	}
	s, err := sum(file, c.Head)
	return err == nil && bytes.Equal(s, c.Sum)
}

// catchUp delivers every complete line that is there.
func (f *Follower) catchUp(ctx context.Context, c *cursor, deliver func([]hsm.LogLine, []byte) error) error {
	for {
		rest, err := f.unread(*c)
		if err != nil {
			return err
		}
		for i, file := range rest {
			if err == nil {
				err = f.read(ctx, file, c, i < len(rest)-1, deliver)
			}
			file.Close()
		}
		if err != nil || len(rest) < 2 {
			return err
		}
		// The last file may have been rotated while the others were read.
	}
}

// unread opens the files that hold what comes after c, oldest first: the one
// that c is in, those that followed it, and the log itself.
func (f *Follower) unread(c cursor) ([]*os.File, error) {
	current, err := os.Open(f.File)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if current != nil {
		info, err := current.Stat()
		if err != nil {
			current.Close()
			return nil, err
		}
		if c.Inode == 0 || inode(info) == c.Inode && c.is(current) {
			return []*os.File{current}, nil
		}
	}
	files := f.rotated(c)
	if len(files) == 0 && c.Inode != 0 && current != nil {
		f.Log.Warn("what was not read of a rotated log is gone; going on with the new one", "file", f.File)
	}
	if current != nil {
		files = append(files, current)
	}
	return files, nil
}

// rotated opens the rotated file that c is in and all that are newer. It
// returns none if c is in none of them.
func (f *Follower) rotated(c cursor) []*os.File {
	if c.Inode == 0 {
		return nil
	}
	names, _ := filepath.Glob(globEscape.Replace(f.File) + "?*")
	type candidate struct {
		*os.File
		info os.FileInfo
	}
	var all []candidate
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			continue
		}
		info, err := file.Stat()
		if err != nil || !info.Mode().IsRegular() || strings.HasSuffix(name, ".gz") {
			file.Close()
			continue
		}
		all = append(all, candidate{file, info})
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(a.info.ModTime().Compare(b.info.ModTime()), cmp.Compare(b.Name(), a.Name()))
	})
	in := slices.IndexFunc(all, func(x candidate) bool { return inode(x.info) == c.Inode && c.is(x.File) })
	if in < 0 { // a copy has another inode, but the same content
		in = slices.IndexFunc(all, func(x candidate) bool { return c.Head > 0 && c.is(x.File) })
	}
	var files []*os.File
	for i, x := range all {
		if in >= 0 && i >= in {
			files = append(files, x.File)
		} else {
			x.Close()
		}
	}
	return files
}

var globEscape = strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`)

// read delivers the lines of file behind c; those of a file that c is not in
// from its beginning. A rotated file's last line needs no line end.
func (f *Follower) read(ctx context.Context, file *os.File, c *cursor, rotated bool, deliver func([]hsm.LogLine, []byte) error) error {
	offset := int64(0)
	if c.Inode != 0 && c.is(file) {
		offset = c.Offset
	}
	buffer := make([]byte, batchSize)
	for ctx.Err() == nil {
		n, err := file.ReadAt(buffer, offset)
		if err != nil && err != io.EOF {
			return err
		}
		chunk := buffer[:n]
		end := bytes.LastIndexByte(chunk, '\n') + 1
		if end == 0 && (rotated || n == batchSize) {
			end = n // the last line of a finished file, or one that is too long
		}
		if end == 0 {
			if n == 0 {
				return f.passOn(file, c, offset)
			}
			return nil
		}
		next, err := cursorAt(file, offset+int64(end))
		if err != nil {
			return err
		}
		text, err := json.Marshal(next)
		if err != nil {
			return err
		}
		if err := deliver(parseLines(chunk[:end]), text); err != nil {
			return err
		}
		*c, offset = next, next.Offset
	}
	return nil
}

// passOn makes c stand in file even if nothing was read of it.
func (f *Follower) passOn(file *os.File, c *cursor, offset int64) error {
	next, err := cursorAt(file, offset)
	if err == nil {
		*c = next
	}
	return err
}

func parseLines(text []byte) []hsm.LogLine {
	var lines []hsm.LogLine
	for line := range bytes.Lines(text) {
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			lines = append(lines, ParseLogLine(string(line)))
		}
	}
	return lines
}

// watchDirectory wakes Run when something happens beside the log. Without it,
// as where the directory does not exist yet, Run looks each second.
func (f *Follower) watchDirectory(ctx context.Context) <-chan struct{} {
	wake := make(chan struct{}, 1)
	w, err := fsnotify.NewWatcher()
	if err == nil {
		err = w.Add(filepath.Dir(f.File))
	}
	if err != nil {
		f.Log.Warn("no wake-up from the log's directory; looking each second", "file", f.File, "err", err)
		return wake
	}
	go func() {
		defer w.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-w.Events:
				if !strings.HasPrefix(e.Name, f.File) {
					continue
				}
			case <-w.Errors:
			}
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	}()
	return wake
}
