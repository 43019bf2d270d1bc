package follow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Follower reads a growing log, every line once and in order, across
// restarts and rotations: by rename or by copy and truncate, and several of
// them between two reads, compressed with gzip or not. Rotated files are
// looked for beside the log (where it really is, if File is a symbolic link)
// under the names that rotated says.
//
// A line counts when its line end is written. The last line of a file that was
// renamed away needs none, once nothing was written to that file for settle.
// Lines longer than maxLine are cut. NUL bytes are left out.
type Follower struct {
	File string
	Log  *slog.Logger
	// FromStart begins at the beginning of the file where there is no cursor,
	// as for a log that was captured.
	FromStart bool
	// Rotated begins, with FromStart, with the files that were rotated away
	// before, at most the newest maxPast of them.
	Rotated bool
	// Read reads one line; nil: ParseLogLine.
	Read func(string) hsm.LogLine

	settle time.Duration // 0: settle
}

const (
	batchSize   = 256 << 10 // bytes read at once
	maxLine     = 64 << 10  // bytes of a line that are kept
	WakeEvery   = time.Second
	settle      = 3 * time.Second  // no write for so long: half a line stays so
	abandoned   = time.Minute      // the same, while the new file is empty
	linger      = 10 * time.Minute // a rotated file is read on for so long after its last write
	maxRetry    = 10 * time.Second
	maxFinished = 8 // rotated files that a cursor keeps in mind
)

// Deliver takes new lines and the cursor behind them. Without lines, only the
// cursor has moved.
type deliverFunc = func(lines []hsm.LogLine, cursor []byte) error

// following is a Follower at work.
type following struct {
	*Follower
	deliver deliverFunc
	files   []*source // oldest first; the last is the log itself, or the newest seen
	begun   bool
	moved   bool // files changed since the last cursor was delivered
	seen    fs.FileInfo
	seenAt  time.Time
	buffer  []byte
}

// Run follows the log from a cursor that it gave before; nil begins at the end
// of the file, or at the beginning of one that appears later. It calls deliver
// with new lines and the cursor behind them, and again from the same line on
// while deliver returns an error, until ctx is done. With no lines only the
// cursor has moved. The one error it returns is a cursor that it did not make.
func (f *Follower) Run(ctx context.Context, from []byte, deliver func(lines []hsm.LogLine, cursor []byte) error) error {
	r := &following{Follower: f, deliver: deliver, buffer: make([]byte, batchSize)}
	defer r.close()
	if from != nil {
		if err := r.resume(from); err != nil {
			return err
		}
	}
	w := f.newWatch()
	defer w.close()
	failures := 0
	for ctx.Err() == nil {
		w.arm(f)
		err := r.look(ctx)
		if err == nil {
			if failures > 0 {
				f.Log.Info("log is read again", "file", f.File, "after_failures", failures)
			}
			failures = 0
			w.wait(ctx, WakeEvery)
			continue
		}
		if failures++; failures == 1 && ctx.Err() == nil {
			f.Log.Warn("log not read; trying again until it is", "file", f.File, "err", err)
		}
		wait.Sleep(ctx, wait.Backoff(failures, 50*time.Millisecond, maxRetry))
	}
	return nil
}

// look delivers every complete line that is there.
func (r *following) look(ctx context.Context) error {
	if !r.begun {
		if err := r.begin(); err != nil {
			return err
		}
		r.begun = true
	}
	if _, err := r.arrange(); err != nil {
		return err
	}
	if err := r.drain(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	if r.prune(); r.moved {
		return r.commit(nil)
	}
	return nil
}

// begin stands at the end of the log, and behind the rotated files. That is
// delivered, so that a restart goes on from here.
func (r *following) begin() (err error) {
	defer func() {
		if err != nil {
			r.close()
			r.files = nil
			err = r.explain(err)
		}
	}()
	current, err := openSource(r.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if current != nil {
		r.files = append(r.files, current)
		var end int64
		if !r.FromStart {
			end, current.Skip = lastLineEnd(current.content, current.Size)
		}
		if err := current.moveTo(end); err != nil {
			return err
		}
	}
	if current == nil || current.Offset < fingerprint {
		if err := r.passRotated(); err != nil {
			return err
		}
	}
	r.moved = true
	return nil
}

// maxPast bounds the rotated files that are read from their beginning.
const maxPast = 20

// passRotated puts the end of the newest rotated file before what is followed:
// of what comes later, it tells that it is newer.
func (r *following) passRotated() error {
	rotated, err := r.rotated()
	if err != nil || len(rotated) == 0 {
		return err
	}
	if r.FromStart && r.Rotated {
		past := max(0, len(rotated)-maxPast)
		closeAll(rotated[:past])
		for _, s := range rotated[past:] {
			if err := s.moveTo(0); err != nil {
				closeAll(rotated[past:])
				return err
			}
		}
		r.files = append(rotated[past:], r.files...)
		return nil
	}
	last := len(rotated) - 1
	closeAll(rotated[:last])
	end, err := rotated[last].end()
	if err != nil {
		rotated[last].close()
		return err
	}
	rotated[last].place = end
	r.files = append([]*source{rotated[last]}, r.files...)
	return nil
}

// explain adds to an error what to do about it.
func (r *following) explain(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; let the agent's user read %s and search its directory (group adm, or setfacl -m u:USER:r)", err, r.File)
	}
	return err
}

func (r *following) close() { closeAll(r.files) }

// A watch wakes a Follower when something happens beside its log. Where that
// does not work, the Follower looks each lookEvery.
type watch struct {
	*fsnotify.Watcher
	directories map[string]fs.FileInfo
	told        bool
}

func (f *Follower) newWatch() *watch {
	w := &watch{directories: make(map[string]fs.FileInfo)}
	var err error
	if w.Watcher, err = fsnotify.NewWatcher(); err != nil {
		w.tell(f, err)
	}
	return w
}

func (w *watch) tell(f *Follower, err error) {
	if !w.told {
		f.Log.Warn("no wake-up from the log's directory; looking each second", "file", f.File, "err", err)
	}
	w.told = true
}

// arm watches the log's directory, and that of the file that it is a link to,
// again when they are others than before.
func (w *watch) arm(f *Follower) {
	if w.Watcher == nil {
		return
	}
	for _, d := range []string{filepath.Dir(f.File), filepath.Dir(f.real())} {
		info, err := os.Stat(d)
		if err != nil {
			delete(w.directories, d)
			continue // it may appear
		}
		if old := w.directories[d]; old != nil && os.SameFile(old, info) {
			continue
		}
		w.Remove(d) // it may be watched under a name that another has now
		if err := w.Add(d); err != nil {
			w.tell(f, err)
			continue
		}
		w.directories[d] = info
	}
}

// wait returns when something happened, or after d.
func (w *watch) wait(ctx context.Context, d time.Duration) {
	if w.Watcher == nil {
		wait.Sleep(ctx, d)
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-timer.C:
		return
	case <-w.Events:
	case <-w.Errors:
	}
	for range 100 { // what has happened by now is seen by one look
		select {
		case <-w.Events:
		case <-w.Errors:
		default:
			return
		}
	}
}

func (w *watch) close() {
	if w.Watcher != nil {
		w.Close()
	}
}

// real returns where the log is, if File is a symbolic link.
func (f *Follower) real() string {
	if file, err := filepath.EvalSymlinks(f.File); err == nil {
		return file
	}
	return f.File
}

// lineText returns a line without its end and without NULs, which fill holes
// after a crash and before a writer that does not append.
func lineText(line []byte) string {
	n := len(line)
	for n > 0 && (line[n-1] == '\n' || line[n-1] == '\r') {
		n--
	}
	s, cut := string(line[:min(n, maxLine)]), n > maxLine
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	if cut {
		s += cutMark
	}
	return s
}

const cutMark = " [cut: longer than 65536 bytes]"
