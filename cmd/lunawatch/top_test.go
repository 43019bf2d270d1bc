package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lunawatch/lunawatch/internal/check"
)

// A screen is a terminal of tmux, with a server of its own.
type screen struct {
	t   *testing.T
	dir string
}

// tmux runs a command of tmux.
func (s screen) tmux(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", filepath.Join(s.dir, "tmux"), "-f", os.DevNull}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

// frame is what the screen shows.
func (s screen) frame() string { return s.tmux("capture-pane", "-p") }

// waits waits until the screen shows what matches.
func (s screen) waits(pattern string) string {
	s.t.Helper()
	is := regexp.MustCompile(pattern)
	var frame string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if frame = s.frame(); is.MatchString(frame) {
			return frame
		}
	}
	s.t.Fatalf("%q has never matched the screen:\n%s", pattern, frame)
	return ""
}

// watching starts an agent on captures, and ends it with the returned function. Flags are
// added to its own.
func watching(t *testing.T, dir string, flags ...string) (end func()) {
	t.Helper()
	var log bytes.Buffer
	if len(flags) == 0 {
		flags = []string{"-web.listen-address", "127.0.0.1:0"}
	}
	cmd := exec.Command("lunawatch", append([]string{"agent", "-config.file", "agent.yaml", "-replay", "captured"}, flags...)...)
	cmd.Dir, cmd.Stderr = dir, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if !ended {
			ended = true
			cmd.Process.Signal(os.Interrupt)
			if err := cmd.Wait(); err != nil {
				t.Errorf("the agent: %v\n%s", err, &log)
			}
		}
	}
	t.Cleanup(end)
	return end
}

// captured makes a directory with a configuration and captures of two HSMs: one that is
// well, and one of which nothing is ever read.
func captured(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	archive, err := txtar.ParseFile("testdata/status.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"captured/good", "captured/empty"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range archive.Files {
		name := map[string]string{"agent.yaml": "agent.yaml", "hsm-show.txt": "captured/good/hsm-show.txt"}[f.Name]
		if err := os.WriteFile(filepath.Join(dir, name), f.Data, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// volatile are the parts of a frame that are different each time, with what is shown for
// them, as long as they are.
var volatile = []struct {
	is *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d`), "YYYY-MM-DD hh:mm:ss +zz:zz"},
	{regexp.MustCompile(`\b\d\d:\d\d\b`), "hh:mm"},
	{regexp.MustCompile(`\b\d\ds\b`), "NNs"},
	{regexp.MustCompile(`\b\ds\b ?`), "NNs"},
}

func settled(frame string) string {
	for _, v := range volatile {
		frame = v.is.ReplaceAllString(frame, v.by)
	}
	var lines []string
	for line := range strings.SplitSeq(frame, "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.Join(lines, "\n")
}

// TestTop runs the program on a terminal at both sizes, against an agent on captures, and
// holds what is on the screen; through a change of size, and while the agent is away.
func TestTop(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("tmux is not installed: apt-get install tmux")
		}
		t.Skip("SKIPPED: tmux is not installed, so lunawatch top is not tried on a terminal: apt-get install tmux")
	}
	dir := captured(t)
	end := watching(t, dir)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		cmd := exec.Command("lunawatch", "status", "-all", "-control.socket", "control")
		cmd.Dir = dir
		if out, _ := cmd.Output(); bytes.Contains(out, []byte("1 unknown, 1 ok")) {
			break
		} else if time.Now().After(end) {
			t.Fatalf("the agent has never read its captures: %s", out)
		}
	}
	t.Run("plot", func(t *testing.T) {
		s := screen{t, t.TempDir()}
		s.tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", dir, "-e", "LC_ALL=C.UTF-8", "-e", "PATH="+os.Getenv("PATH"),
			"lunawatch plot good temperature -for 3s -control.socket control; echo ended; cat")
		defer s.tmux("kill-server")
		if frame := s.waits(`ended`); strings.Count(frame, "good, of the card") != 1 || !strings.Contains(frame, "█") {
			t.Errorf("it is not drawn anew in its place:\n%s", frame)
		}
	})
	for _, size := range [][2]int{{80, 24}, {200, 60}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			s := screen{t, t.TempDir()}
			plain := map[int]string{200: "yes"}[size[0]] // any value of NO_COLOR
			s.tmux("new-session", "-d", "-x", fmt.Sprint(size[0]), "-y", fmt.Sprint(size[1]), "-c", dir, "-e", "LC_ALL=C.UTF-8", "-e", "NO_COLOR="+plain, "-e", "PATH="+os.Getenv("PATH"),
				"lunawatch top -by kim -control.socket control; echo ended; cat")
			defer s.tmux("kill-server")
			for _, x := range []struct{ keys, waits, golden string }{
				{"", `1-2 of 2`, "estate"},
				{"2", `\[2 HSM\][\s\S]*empty`, "empty"},
				{"Escape", `\[1 Estate\]`, ""},
				{"Down", `> +ok +good`, ""},
				{"Enter", `Battery, V: 3.072`, ""},
				{"5", `\[5 Sources\]`, ""},
				{"?", `Keys`, "keys"},
				{"Escape", `(?m)\[5 Sources\]$`, ""},
				{"1", `\[1 Estate\]`, ""},
			} {
				if x.keys != "" {
					s.tmux("send-keys", x.keys)
				}
				frame := s.waits(x.waits)
				if x.golden != "" {
					check.Golden(t, fmt.Sprintf("top-%s-%dx%d.golden", x.golden, size[0], size[1]), []byte(settled(frame)))
				}
			}
			if coloured := strings.Contains(s.tmux("capture-pane", "-p", "-e"), "\x1b[35m"); coloured != (plain == "") {
				t.Errorf("coloured: %v, with NO_COLOR=%q", coloured, plain)
			}
			s.tmux("resize-window", "-x", "60", "-y", "15")
			if frame := s.waits(`(?s)q quit +1-2 of 2\n*$`); strings.Count(frame, "\n") != 15 {
				t.Errorf("after a resize:\n%s", frame)
			}
			s.tmux("resize-window", "-x", fmt.Sprint(size[0]), "-y", fmt.Sprint(size[1]))
			s.waits(`(?m)^>  `)
			if size[0] == 200 { // the last
				end()
				s.waits(`OLD, of \d\d:\d\d:\d\d \([\s\S]*no agent answers[\s\S]*o +ok +good`)
				watching(t, dir)
				s.waits(`^\d{4}-[^\n]*: .*\d ok`)
			}
			s.tmux("send-keys", "q")
			s.waits(`ended`)
		})
	}
}
