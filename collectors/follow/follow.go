// Package follow reads growing logs: files across rotations, the kernel's messages,
// and the systemd journal. Each line is delivered once, with a cursor behind it,
// also across restarts. It does not store cursors, and does not know what a line
// means.
package follow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Follower reads a growing log, every line once and in order, across restarts and
// rotations: by rename or by copy and truncate, several between two reads,
// compressed with gzip or not. Rotated files are searched for in the directory of
// the log (of its target, if File is a symbolic link).
//
// A line is read once it has its line end. The last line of a file that was renamed
// needs none after nothing was written to that file for 3 s, or 1 min while the new
// file is empty. Lines are cut after 64 KiB. NUL bytes are skipped.
type Follower struct {
	File string
	Log  *slog.Logger
	// FromStart begins at the start of the file if there is no cursor, for example
	// in a capture.
	FromStart bool
	// Rotated begins, with FromStart, at the start of the rotated files, at most
	// the newest maxRotated.
	Rotated bool
	// Watches are shared with others; nil: with nobody.
	Watches *Watches
	// Read parses one line; nil: [syslog.ParseLine].
	Read func(string) hsm.LogLine

	settle time.Duration // 0: settle
}

// WakeInterval is how often a [Follower] polls its log, at least.
const WakeInterval = time.Second

const (
	batchSize   = 256 << 10        // bytes that are read at once
	maxLine     = 64 << 10         // bytes of a line that are delivered
	settle      = 3 * time.Second  // after which half a line, to which nothing was added, is complete
	abandoned   = time.Minute      // the same, while the new file is empty
	linger      = 10 * time.Minute // after the last write to a rotated file until it is no longer read
	maxRetry    = 10 * time.Second
	maxFinished = 8 // rotated files in a cursor
)

// A deliverFunc takes new lines and the cursor behind them. Without lines, only the
// cursor has changed.
type deliverFunc = func(lines []hsm.LogLine, cursor []byte) error

// following is a Follower that runs.
type following struct {
	*Follower
	deliver deliverFunc
	files   []*source // oldest first; the last is the log itself, or the newest seen
	begun   bool
	moved   bool        // files changed since the last cursor was delivered
	seen    fs.FileInfo // of the log when it was last checked; nil: not since files changed
	seenAt  time.Time
	buffer  []byte
}

// Run follows the log from a cursor that it delivered before; nil begins at the end
// of the file, or at the start of one that appears later. It calls deliver with new
// lines and the cursor behind them, and again from the same line on while deliver
// returns an error, until ctx is done. Without lines, only the cursor has changed.
// It returns an error only for a cursor that it did not make.
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
		err := r.poll(ctx)
		if err == nil {
			if failures > 0 {
				f.Log.Info("log is read again", "file", f.File, "after_failures", failures)
			}
			failures = 0
			w.wait(ctx, WakeInterval)
			continue
		}
		if failures++; failures == 1 && ctx.Err() == nil {
			f.Log.Warn("log not read; trying again until it is", "file", f.File, "err", err)
		}
		wait.Sleep(ctx, wait.Backoff(failures, 50*time.Millisecond, maxRetry))
	}
	return nil
}

// poll delivers every complete line that is there.
func (r *following) poll(ctx context.Context) error {
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

// begin chooses the place to begin at. Its cursor is delivered, so that a restart
// continues from there.
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
		if err := r.beginRotated(); err != nil {
			return err
		}
	}
	r.moved = true
	return nil
}

// maxRotated bounds the rotated files that are read from their start.
const maxRotated = 20

// beginRotated puts the rotated files that are read before the log. If none is, it
// puts the end of the newest one there, by which later ones are known to be newer.
func (r *following) beginRotated() error {
	rotated, err := r.rotated()
	if err != nil || len(rotated) == 0 {
		return err
	}
	if r.FromStart && r.Rotated {
		first := max(0, len(rotated)-maxRotated)
		closeAll(rotated[:first])
		for _, s := range rotated[first:] {
			if err := s.moveTo(0); err != nil {
				closeAll(rotated[first:])
				return err
			}
		}
		r.files = append(rotated[first:], r.files...)
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

// explain adds the remedy to an error.
func (r *following) explain(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; let the agent's user read %s and search its directory (group adm, or setfacl -m u:USER:r)", err, r.File)
	}
	return err
}

func (r *following) close() { closeAll(r.files) }

// real returns the target of File if that is a symbolic link.
func (f *Follower) real() string {
	if file, err := filepath.EvalSymlinks(f.File); err == nil {
		return file
	}
	return f.File
}

// lineText returns a line without its end and without NULs, which fill the holes
// after a crash or a truncation under a writer that does not append.
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

// cutMark ends a line that was cut.
const cutMark = " [cut: longer than 65536 bytes]"
