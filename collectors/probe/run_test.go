package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// script writes a program.
func script(t *testing.T, mode os.FileMode, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "probe")
	check.Must(t, os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), mode))
	return file
}

// TestOnce: how a program ends is what is reported, and its last line as plain text.
func TestOnce(t *testing.T) {
	t.Setenv("LUNA_PIN", "not for it")
	long := strings.Repeat("ä", 300)
	for _, test := range []struct {
		name, program string
		mode          os.FileMode
		worked        bool
		want          string // the text, or its beginning with ...
	}{
		{"works", "echo signing; echo '2 signatures'; echo", 0o700, true, "2 signatures"},
		{"says nothing", "", 0o700, true, ""},
		{"fails", "echo CKR_DEVICE_ERROR >&2; exit 3", 0o700, false, "exit status 3: CKR_DEVICE_ERROR"},
		{"fails in silence", "exit 1", 0o700, false, "exit status 1"},
		{"hangs", "trap '' TERM; echo waits; while :; do sleep 100; done", 0o700, false, "killed, it took longer than 1s: waits"},
		{"escapes", `printf 'a\033]0;title\007\033[31mred\033[0m \302\233\342\200\256b\n'`, 0o700, true, "a..."},
		{"a long line", "echo " + long, 0o700, true, strings.Repeat("ä", longestText)},
		{"much", "head -c 100000000 /dev/zero | tr '\\0' 'x'; echo; echo done", 0o700, true, "done"},
		{"no shell, no environment", `echo "$LUNA_PIN,$PWD,$#,$1"`, 0o700, true, ",/,1,a b;c"},
		{"not executable", "echo works", 0o600, false, "cannot be run: fork/exec ..."},
	} {
		s := Settings{Name: "sign", Command: []string{script(t, test.mode, test.program), "a b;c"}, Timeout: 10 * time.Second}
		if test.name == "hangs" {
			s.Timeout = time.Second
		}
		p := s.Once(t.Context())
		begin, some := strings.CutSuffix(test.want, "...")
		if p.Worked != test.worked || p.Text != test.want && !(some && strings.HasPrefix(p.Text, begin)) {
			t.Errorf("%s: worked %v, %q, want %v, %q", test.name, p.Worked, p.Text, test.worked, test.want)
		}
		if strings.ContainsAny(p.Text, "\x1b\a\u009b\u202e\n") {
			t.Errorf("%s: %q is not plain", test.name, p.Text)
		}
	}
	p := Settings{Name: "sign", Command: []string{"/nonexistent/sign"}}.Once(t.Context())
	if want := "cannot be run: fork/exec /nonexistent/sign: no such file or directory"; p.Worked || p.Text != want {
		t.Errorf("missing: worked %v, %q, want %q", p.Worked, p.Text, want)
	}
}

// TestNothingIsLeft: what a program has started ends with it, whether it ends by itself or
// is killed, although that holds its output open.
func TestNothingIsLeft(t *testing.T) {
	for _, test := range []struct {
		name, end string
		worked    bool
	}{{"it ends", "exit 0", true}, {"it hangs", "sleep 100", false}} {
		pids := filepath.Join(t.TempDir(), "pids")
		s := Settings{Name: "fork", Timeout: time.Second, Command: []string{script(t, 0o700, fmt.Sprintf("trap '' TERM; sleep 100 & echo $! > %s; echo forked; %s", pids, test.end))}}
		if p := s.Once(t.Context()); p.Worked != test.worked || !strings.HasSuffix(p.Text, "forked") {
			t.Errorf("%s: worked %v, %q", test.name, p.Worked, p.Text)
		}
		text, err := os.ReadFile(pids)
		check.Must(t, err)
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		check.Must(t, err)
		for ctx, cancel := context.WithTimeout(t.Context(), time.Minute); ; wait.Sleep(ctx, 10*time.Millisecond) {
			if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || err != nil || bytes.Contains(stat, []byte(") Z ")) {
				cancel()
				break
			}
			if ctx.Err() != nil {
				t.Fatalf("%s: process %d is left", test.name, pid)
			}
		}
	}
}

// TestRun: a program runs once in each interval at its own moment of it, and not while
// there is no room.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		turns, ended := semaphore.NewWeighted(1), make(chan error, 1)
		var got []time.Time
		s := Settings{Name: "sign", Command: []string{"/nonexistent/sign"}, Interval: time.Minute}
		go func() { ended <- s.Run(ctx, "a", turns, func(p hsm.Probe) { got = append(got, p.At) }) }()
		time.Sleep(10*time.Minute + time.Second) // of the bubble
		synctest.Wait()
		if len(got) < 10 || len(got) > 11 {
			t.Fatalf("%d runs in ten minutes", len(got))
		}
		for i, at := range got[1:] {
			if apart := at.Sub(got[i]); apart != time.Minute {
				t.Errorf("run %d %s after the one before", i+1, apart)
			}
		}
		if !turns.TryAcquire(1) {
			t.Fatal("it has a turn between its runs")
		}
		before := len(got)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(got) != before {
			t.Errorf("%d runs without a turn", len(got)-before)
		}
		turns.Release(1)
		time.Sleep(time.Second)
		synctest.Wait()
		if len(got) != before+1 {
			t.Errorf("%d runs with a turn again, want one", len(got)-before)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestValidate names the key of each fault.
func TestValidate(t *testing.T) {
	good := Settings{Name: "sign", Command: []string{"/bin/true"}}
	for want, list := range map[string][]Settings{
		"[0].name":     {{Command: good.Command}},
		"[0].command":  {{Name: "a", Command: []string{"true"}}},
		"[0].timeout":  {{Name: "a", Command: good.Command, Interval: 10 * time.Second, Timeout: time.Minute}},
		"[0].interval": {{Name: "a", Command: good.Command, Interval: time.Millisecond}},
		"[1].name":     {good, good},
	} {
		if err := ValidateAll(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	if err := ValidateAll([]Settings{good, {Name: "b", Command: good.Command}}); err != nil {
		t.Error(err)
	}
}
