package receivers

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

func TestExec(t *testing.T) {
	t.Setenv("PASSWORD", theSecret)
	dir := t.TempDir()
	path := script(t, dir, `for a; do echo "$a" >> args; done; env > env; cat > stdin`)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	alarmstest.Overwrite(t, path, strings.Replace(string(text), "\n", "\ncd "+dir+"\n", 1))
	args := []string{"two words", "$(touch evil); `touch evil` > evil", "*"}
	if err := (&Exec{Command: append([]string{path}, args...)}).Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := read("args"); got != strings.Join(args, "\n")+"\n" {
		t.Errorf("arguments: %q", got)
	}
	if got := read("env"); strings.Contains(got, theSecret) || !strings.Contains(got, "PATH=/usr") {
		t.Errorf("environment: %q", got)
	}
	var m notify.Message
	if err := json.Unmarshal([]byte(read("stdin")), &m); err != nil || m.Summary != (notify.Words{}).Message(alarmstest.Complete(alarms.Raised)).Summary || m.Change.Alarm.Object != alarmstest.Complete(alarms.Raised).Change.Alarm.Object {
		t.Errorf("standard input: %+v, %v", m, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "evil")); err == nil {
		t.Error("a shell saw the arguments")
	}
}

func TestExecStatus(t *testing.T) {
	dir := t.TempDir()
	for status, want := range map[int]string{0: "", 1: "again", 64: "again", 65: "rejected", 75: "again", 77: "again", 127: "again"} {
		err := (&Exec{Command: []string{script(t, dir, "echo "+theSecret+"; echo "+theSecret+" >&2; exit "+strconv.Itoa(status))}}).Notify(t.Context(), alarmstest.Complete(alarms.Raised))
		got, rejected := "", (*notify.Rejected)(nil)
		switch {
		case errors.As(err, &rejected):
			got = "rejected"
		case err != nil:
			got = "again"
		}
		if got != want {
			t.Errorf("%d: %q, want %q: %v", status, got, want, err)
		}
		if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("exit status %d", status)) {
			t.Errorf("%d: %v", status, err)
		}
		quiet(t, err)
	}
	err := (&Exec{Command: []string{dir + "/none"}}).Notify(t.Context(), alarmstest.Complete(alarms.Raised))
	if rejected := (*notify.Rejected)(nil); err == nil || errors.As(err, &rejected) {
		t.Errorf("no program: %v", err)
	}
}

// TestExecIsKilled, with all that it has started.
func TestExecIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	began := time.Now()
	err := (&Exec{Command: []string{script(t, dir, "sleep 600 & echo $! > "+dir+"/child; wait")}, Timeout: time.Second}).Notify(t.Context(), alarmstest.Complete(alarms.Raised))
	if err == nil || !strings.Contains(err.Error(), "killed, it took longer than 1s") || time.Since(began) > 10*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the child's end", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		return errors.Is(syscall.Kill(child, 0), syscall.ESRCH) || err != nil || strings.Contains(string(stat), ") Z ")
	})
}
