package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/internal/check"
)

// TestHangup closes the terminal of a demo: everything that it started ends with it.
func TestHangup(t *testing.T) {
	for _, program := range []string{"snmpd", "snmptrapd", "snmpwalk"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("CI") == "" {
			t.Skipf("%s is not installed", program)
		}
	}
	dir := t.TempDir()
	for _, program := range []string{"lunawatch", "lunasim", "demo"} {
		out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "../"+program).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", program, err, out)
		}
	}
	demo := exec.CommandContext(t.Context(), filepath.Join(dir, "demo"), "-lunawatch", filepath.Join(dir, "lunawatch"), "-lunasim", filepath.Join(dir, "lunasim"), "-mibs", "../../mibs")
	demo.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	demo.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := demo.StdoutPipe()
	check.Must(t, err)
	demo.Stderr = os.Stderr
	check.Must(t, demo.Start())
	said := bufio.NewScanner(out)
	for said.Scan() && !strings.HasPrefix(said.Text(), "  $ ") { // its first step, for which all runs
	}
	go func() {
		for said.Scan() { // else it could wait for a reader
		}
	}()
	started := ofSession(t, demo.Process.Pid)
	if len(started) < 4 {
		t.Errorf("processes %q; there should be the agent, the appliances, snmpd and snmptrapd", started)
	}
	check.Must(t, syscall.Kill(-demo.Process.Pid, syscall.SIGHUP)) // as the terminal does, to its foreground group
	_ = demo.Wait()                                                // the command that it was showing was hung up, too
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left := ofSession(t, demo.Process.Pid)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("left behind: %q", left)
		}
	}
}

// ofSession returns the names of the processes of a session.
func ofSession(t *testing.T, session int) (names []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	check.Must(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		name, rest, _ := strings.Cut(string(text), ") ") // state, parent, group, session
		if fields := strings.Fields(rest); len(fields) > 3 && fields[3] == strconv.Itoa(session) && fields[0] != "Z" {
			names = append(names, name[strings.Index(name, "(")+1:])
		}
	}
	return names
}
