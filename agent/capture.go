package agent

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
)

// A Capture is what the sources of a configuration say, with everything that
// names the site replaced. It can be replayed, and sent with a bug report.
type Capture struct {
	Files    map[string]string // path -> text
	Replaced map[string]int    // kind -> how many names
	Failed   []string          // sources that gave no answer, and why
}

// logTail bounds what is taken of each log, in bytes.
const logTail = 256 << 10

// NewCapture asks every source of c once.
func NewCapture(ctx context.Context, c Config) Capture {
	r := newRedactor()
	out := Capture{Files: make(map[string]string)}
	for i, h := range c.HSMs {
		r.learn("name", h.Name)
		host, _, _ := strings.Cut(h.Address, ":")
		r.learn("host", host)
		dir := fmt.Sprintf("hsm%d", i+1)
		runner := h.Runner()
		for _, a := range collectors.CaptureAll(ctx, runner) {
			if a.Err != nil {
				out.Failed = append(out.Failed, fmt.Sprintf("%s: %s", h.Name, a.Err))
				continue
			}
			r.learnFrom(a.Fact)
			out.Files[path.Join(dir, a.Format+".txt")] = a.Text
		}
		if l, ok := runner.(*collectors.LunaSH); ok {
			l.Close()
		}
		for n, file := range h.Logs {
			text, err := tail(file)
			if err != nil {
				out.Failed = append(out.Failed, fmt.Sprintf("%s: %s", h.Name, err))
				continue
			}
			for line := range strings.Lines(text) {
				r.learn("host", collectors.ParseLogLine(line).Host)
			}
			out.Files[path.Join(dir, fmt.Sprintf("log%d.txt", n+1))] = text
		}
	}
	for name, text := range out.Files {
		out.Files[name] = r.redact(text)
	}
	for i, why := range out.Failed {
		out.Failed[i] = r.redact(why)
	}
	out.Replaced = r.replaced()
	return out
}

// tail returns the last whole lines of a file.
func tail(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	from := max(0, info.Size()-logTail)
	text, err := io.ReadAll(io.NewSectionReader(f, from, logTail))
	if from > 0 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return string(text), err
}

// Write writes the capture as a tar archive.
func (c Capture) Write(w io.Writer) error {
	archive := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		text := c.Files[name]
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), ModTime: time.Now()}); err != nil {
			return err
		}
		if _, err := io.WriteString(archive, text); err != nil {
			return err
		}
	}
	return archive.Close()
}

// maxCapture bounds what is unpacked, in bytes.
const maxCapture = 64 << 20

// Replay makes c watch a capture, a directory or a tar archive, instead of its
// HSMs. An archive is unpacked into the state directory.
func (c *Config) Replay(from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	dir := from
	if !info.IsDir() {
		dir = filepath.Join(c.StateDirectory, "replay")
		if err := unpack(from, dir); err != nil {
			return fmt.Errorf("replay: %s: %w", from, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	c.HSMs = nil
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		h := HSM{Name: e.Name(), Replay: filepath.Join(dir, e.Name())}
		h.complete(c.Intervals)
		h.Logs, _ = filepath.Glob(filepath.Join(h.Replay, "log*.txt"))
		c.HSMs = append(c.HSMs, h)
	}
	if len(c.HSMs) == 0 {
		return fmt.Errorf("replay: %s holds no folder of captured answers; lunawatch capture makes one", from)
	}
	return nil
}

// unpack writes the files of an archive below dir. It takes nothing but plain
// files of one folder deep.
func unpack(file, dir string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	archive := tar.NewReader(io.LimitReader(f, maxCapture))
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not a capture: %w", err)
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) || strings.Count(path.Clean(h.Name), "/") != 1 {
			return fmt.Errorf("not a capture: it holds %q", h.Name)
		}
		text, err := io.ReadAll(archive)
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		err = cmp.Or(err, os.MkdirAll(filepath.Dir(to), 0o750), os.WriteFile(to, text, 0o640))
		if err != nil {
			return err
		}
	}
}
