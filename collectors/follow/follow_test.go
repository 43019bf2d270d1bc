package follow

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A reading follows one log, poll by poll.
type reading struct {
	*testing.T
	file   string
	logged bytes.Buffer
	got    []string
	cursor []byte
	*following
}

func read(t *testing.T, file string) *reading {
	r := &reading{T: t, file: file}
	r.restart()
	t.Cleanup(func() { r.following.close() })
	return r
}

func (r *reading) restart() {
	if r.following != nil {
		r.following.close()
	}
	f := &Follower{File: r.file, Log: slog.New(slog.NewTextHandler(&r.logged, nil)), settle: time.Nanosecond}
	r.following = &following{Follower: f, buffer: make([]byte, batchSize), deliver: func(lines []hsm.LogLine, cursor []byte) error {
		for _, l := range lines {
			r.got = append(r.got, l.Message)
		}
		r.cursor = cursor
		return nil
	}}
	if r.cursor != nil {
		if err := r.resume(r.cursor); err != nil {
			r.Fatal(err)
		}
	}
	must(r.T, r.poll(r.Context()))
}

// sees polls, and compares the lines delivered since it was last called.
func (r *reading) sees(want ...string) {
	r.Helper()
	for range 3 {
		if err := r.poll(r.Context()); err != nil {
			r.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, r.got); diff != "" {
		r.Fatalf("lines (-want +got):\n%.2000s", diff)
	}
	r.got = nil
}

func add(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFollowBeginsAtTheEnd(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	add(t, log, "old\nhal")
	r := read(t, log)
	r.restart() // the cursor was delivered although no line was
	add(t, log, "f\nnew\n")
	r.sees("half", "new")
}

func TestFollowFileThatAppears(t *testing.T) {
	log := filepath.Join(t.TempDir(), "later", "messages")
	r := read(t, log)
	must(t, os.Mkdir(filepath.Dir(log), 0o700))
	r.restart()
	add(t, log, "first\n")
	r.sees("first")
}

func TestFollowHalfLine(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	add(t, log, "")
	r := read(t, log)
	for _, piece := range []string{"a", "b", "c"} {
		add(t, log, piece)
		r.sees()
		r.restart()
	}
	add(t, log, "\n")
	r.sees("abc")

	add(t, log, "no end")
	must(t, os.Rename(log, log+".1"))
	r.sees()
	add(t, log, "next\n")
	r.sees("no end", "next")
	add(t, log+".1", "late\n")
	r.sees("late")
}

func TestFollowLongLine(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	add(t, log, "")
	r := read(t, log)
	cut := strings.Repeat("x", maxLine) + cutMark
	add(t, log, strings.Repeat("x", maxLine+1)+"\nshort\n")
	r.sees(cut, "short")
	for range 5 {
		add(t, log, strings.Repeat("x", batchSize-1))
	}
	r.sees(cut)
	r.restart()
	add(t, log, "the rest\nshort\n")
	r.sees("short")
}

func TestFollowHole(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	add(t, log, "")
	r := read(t, log)
	must(t, os.Truncate(log, 3*batchSize+7))
	add(t, log, "after\x00wards\nnext\n")
	r.sees("afterwards", "next")
}

func TestFollowReplaced(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "messages")
	add(t, log, "")
	r := read(t, log)
	text := strings.Repeat("line\n", 300)
	add(t, log, text)
	r.poll(t.Context())
	r.got = nil
	add(t, filepath.Join(dir, "new"), text+"next\n")
	must(t, os.Rename(filepath.Join(dir, "new"), log))
	r.sees("next")
}

// TestFollowReusedInode has an older rotated file take the inode of the log, which was
// empty when it was last read.
func TestFollowReusedInode(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	r := read(t, log)
	add(t, log, strings.Repeat("old\n", fingerprint))
	r.sees(slices.Repeat([]string{"old"}, fingerprint)...)
	must(t, os.Rename(log, log+".1"))
	add(t, log, "")
	r.sees()

	text, err := os.ReadFile(log + ".1")
	must(t, err)
	add(t, log, string(text))
	must(t, os.Rename(log, log+".2"))
	must(t, os.WriteFile(log+".1", []byte("meanwhile\n"), 0o600))
	add(t, log, "new\n")
	r.restart()
	r.sees("meanwhile", "new")
}

func TestFollowLink(t *testing.T) {
	dir := t.TempDir()
	log, link := filepath.Join(dir, "real"), filepath.Join(t.TempDir(), "messages")
	add(t, log, "")
	must(t, os.Symlink(log, link))
	r := read(t, link)
	add(t, log, "a\n")
	r.following.close()
	must(t, os.Rename(log, log+".1"))
	add(t, log, "b\n")
	r.restart()
	r.sees("a", "b")
}

func TestFollowOtherFilesBeside(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	r := read(t, log)
	for _, name := range []string{"-ha.log", ".bak", ".swp", ".1.xz", "-audit-1", "2"} {
		add(t, log+name, "not ours\n")
	}
	add(t, log, "ours\n")
	r.sees("ours")
}

func TestFollowWarnsOfLoss(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	add(t, log, "first\n")
	r := read(t, log)
	r.following.close()
	must(t, os.Remove(log))
	add(t, log, "b\n")
	r.restart()
	r.sees("b")
	if n := strings.Count(r.logged.String(), "level=WARN"); n != 1 || !strings.Contains(r.logged.String(), "lines may be missing") {
		t.Errorf("%d warnings:\n%s", n, r.logged.String())
	}
}

func TestFollowDamagedCursor(t *testing.T) {
	for _, cursor := range []string{"", "{", "{}", `{"files":[{"inode":1,"offset":-1}]}`, `{"inode":7,"offset":3}`} {
		f := Follower{File: "messages", Log: slog.New(slog.DiscardHandler)}
		err := f.Run(t.Context(), []byte(cursor), nil)
		if err == nil || !strings.Contains(err.Error(), "cursor of log messages is damaged") {
			t.Errorf("%s: %v", cursor, err)
		}
	}
}

func TestFollowNames(t *testing.T) {
	for name, want := range map[string]string{
		"ha.txt.1": ".1", "ha.txt.12.gz": ".12", "ha.txt-20261121": "-20261121", "ha-20261121.txt": "-20261121", "ha.txt.old": ".old",
		"ha_2026-11-21T10:15:00Z.txt": "_2026-11-21T10:15:00Z", "ha.txt.Sat Nov 21 10:15:00 2026": ".Sat Nov 21 10:15:00 2026",
		"ha20261121101500.txt": "20261121101500", "ha.txt": "", "ha.txt.gz": "", "ha.txt2": "", "ha2.txt": "", "ha.txt.bak": "", "ha-audit.txt": "", "ha.txt.1.xz": "",
	} {
		if got := rotationSuffix("ha.txt", name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// follow runs a Follower; the returned function waits for its next line.
func follow(t *testing.T, f *Follower) (next func() string) {
	ctx, cancel := context.WithCancel(t.Context())
	lines, ended, begun := make(chan string, 100), make(chan error, 1), make(chan struct{}, 100)
	go func() {
		ended <- f.Run(ctx, nil, func(list []hsm.LogLine, _ []byte) error {
			begun <- struct{}{}
			for _, l := range list {
				lines <- l.Message
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-begun
	return func() string {
		select {
		case l := <-lines:
			return l
		case <-time.After(20 * time.Second):
			return "(nothing)"
		}
	}
}

func TestFollowDirectoryThatAppears(t *testing.T) {
	log := filepath.Join(t.TempDir(), "later", "messages")
	next := follow(t, &Follower{File: log, Log: slog.New(slog.DiscardHandler)})
	for _, line := range []string{"a", "b"} { // the second time, it is another directory
		must(t, os.Mkdir(filepath.Dir(log), 0o700))
		add(t, log, line+"\n")
		if got := next(); got != line {
			t.Fatalf("%q, want %q", got, line)
		}
		must(t, os.RemoveAll(filepath.Dir(log)))
	}
}

func TestFollowNotReadable(t *testing.T) {
	log := filepath.Join(t.TempDir(), "messages")
	must(t, os.Symlink(log, log)) // a loop of links cannot be opened, even by root
	var logged bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	f := &Follower{File: log, Log: slog.New(slog.NewTextHandler(&logged, nil))}
	go func() { // after some attempts it is a file
		for range 5 {
			wait.Sleep(ctx, 20*time.Millisecond)
		}
		os.Remove(log)
		os.WriteFile(log, nil, 0o600)
	}()
	err := f.Run(ctx, nil, func([]hsm.LogLine, []byte) error { cancel(); return nil })
	if err != nil || strings.Count(logged.String(), "log not read") != 1 {
		t.Errorf("%v\n%s", err, logged.String())
	}
	if err := (&following{Follower: f}).explain(os.ErrPermission); !strings.Contains(err.Error(), "let the agent's user read") {
		t.Error(err)
	}
}

// BenchmarkFollow reads a file of 200,000 lines, one in ten an ALM line, and reports
// lines per second, for comparison also of grep -c ALM.
func BenchmarkFollow(b *testing.B) {
	const lines = 200_000
	log := filepath.Join(b.TempDir(), "messages")
	var text strings.Builder
	for n := range lines {
		text.WriteString(stressLine(1, n) + "\n")
	}
	if err := os.WriteFile(log, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	var grep time.Duration
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		n := 0
		r := &following{Follower: &Follower{File: log, Log: slog.New(slog.DiscardHandler)}, buffer: make([]byte, batchSize), begun: true}
		r.deliver = func(l []hsm.LogLine, _ []byte) error { n += len(l); return nil }
		if err := r.poll(b.Context()); err != nil || n != lines {
			b.Fatal(n, err)
		}
		r.close()
		b.StopTimer()
		start := time.Now()
		if err := exec.Command("grep", "-c", "ALM", log).Run(); err != nil {
			b.Fatal(err)
		}
		grep += time.Since(start)
		b.StartTimer()
	}
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(lines)*float64(b.N)/grep.Seconds(), "grep-lines/s")
}

// TestFollowFromStart reads a captured log.
func TestFollowFromStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log1.txt")
	if err := os.WriteFile(file, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	f := Follower{File: file, Log: slog.New(slog.DiscardHandler), FromStart: true}
	err := f.Run(ctx, nil, func(lines []hsm.LogLine, _ []byte) error {
		for _, l := range lines {
			got = append(got, l.Message)
		}
		if len(got) == 2 {
			cancel()
		}
		return nil
	})
	if err != nil || len(got) != 2 || got[0] != "one" {
		t.Errorf("%q, %v", got, err)
	}
}
