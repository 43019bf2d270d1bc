package follow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A ring is a kernel's ring buffer. Each Read returns a record or an error; records
// behind a live arrive later.
type ring struct {
	records []any // string, error or live
	waited  bool
	closed  chan struct{}
	close   func()
}

func newRing(records []any) *ring {
	closed := make(chan struct{})
	return &ring{records: records, closed: closed, close: sync.OnceFunc(func() { close(closed) })}
}

type live struct{}

func (r *ring) Read(b []byte) (int, error) {
	for len(r.records) > 0 {
		next := r.records[0]
		r.records = r.records[1:]
		switch x := next.(type) {
		case error:
			return 0, x
		case string:
			return copy(b, x), nil
		}
		r.waited = true
	}
	<-r.closed
	return 0, os.ErrClosed
}

func (r *ring) CaughtUp() bool { return r.waited }

func (r *ring) Close() error {
	r.close()
	return nil
}

var booted = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// kernelLines returns each message, with its time if it has one.
func kernelLines(t *testing.T, boot string, from []byte, want int, records ...any) (messages []string, cursor []byte) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		k := &KernelLog{
			Log:  slog.New(slog.DiscardHandler),
			open: func() (kernelRecords, error) { return newRing(records), nil },
			boot: func() (kernelBoot, error) { return kernelBoot{boot, booted}, nil },
		}
		failed, begun := false, false
		err := k.Run(ctx, from, func(lines []hsm.LogLine, c []byte) error {
			if len(lines) == 0 {
				begun = true
				return nil
			}
			if !failed {
				failed = true
				return errors.New("not now") // the same record must come again
			}
			for _, l := range lines {
				m := l.Message
				if l.Time.Known {
					m = l.Time.Value.Format("15:04:05 ") + m
				}
				messages = append(messages, m)
			}
			cursor = slices.Clone(c)
			if len(messages) == want {
				cancel()
			}
			return nil
		})
		if err != nil || !begun {
			t.Fatal(begun, err)
		}
	})
	return messages, cursor
}

func TestKernelLog(t *testing.T) {
	record := func(n int, text string) string {
		return fmt.Sprintf("6,%d,%d000000,-;%s\n SUBSYSTEM=pci\n", n, n, text)
	}
	all := []any{record(0, "first"), record(8, "k7pf0: ALM0015: PCIe Link Failure"), syscall.EPIPE, "garbage", live{}, record(12, "new")}
	got, cursor := kernelLines(t, "b1", nil, 3, all...)
	if want := []string{"12:00:00 first", "12:00:08 k7pf0: ALM0015: PCIe Link Failure", "new"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	got, _ = kernelLines(t, "b1", cursor, 1, append(all, record(13, "after the restart"))...)
	if want := []string{"after the restart"}; !slices.Equal(got, want) {
		t.Errorf("after a restart of the agent: %q", got)
	}
	got, _ = kernelLines(t, "b2", cursor, 1, record(1, "after the boot"))
	if want := []string{"12:00:01 after the boot"}; !slices.Equal(got, want) {
		t.Errorf("after a boot: %q", got)
	}
}

// TestKernelLogOfThisHost reads the real one, if permitted.
func TestKernelLogOfThisHost(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	err := (&KernelLog{Log: slog.New(slog.DiscardHandler)}).Run(ctx, nil, func(lines []hsm.LogLine, _ []byte) error {
		for _, l := range lines {
			if n++; !l.UptimeSeconds.Known || !l.Time.Known || l.Message == "" {
				t.Errorf("%+v", l)
			}
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	if n == 0 {
		t.Error("no record")
	}
}

func TestKernelLogWithoutRights(t *testing.T) {
	k := &KernelLog{
		open: func() (kernelRecords, error) { return nil, os.ErrPermission },
		boot: func() (kernelBoot, error) { return kernelBoot{id: "b"}, nil },
	}
	if err := k.Run(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "CAP_SYSLOG") {
		t.Errorf("%v", err)
	}
}

// TestJournal follows a script in place of journalctl, which prints its last
// argument.
func TestJournal(t *testing.T) {
	script := filepath.Join(t.TempDir(), "journalctl")
	text := `#!/bin/sh
for last; do :; done
echo '{"__CURSOR":"c1","__REALTIME_TIMESTAMP":"1772366400000000","_HOSTNAME":"h","MESSAGE":"k7pf0: [HSM] ALM2001: High temperature warning activated"}'
echo 'not json'
echo '{"__CURSOR":"c2","_HOSTNAME":"h","MESSAGE":[104,105]}'
echo "{\"__CURSOR\":\"c3\",\"_HOSTNAME\":\"h\",\"MESSAGE\":\"$last\"}"
exec sleep 60
`
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, asked string }{{"", "--quiet"}, {"c9", "--after-cursor=c9"}} {
		ctx, cancel := context.WithCancel(t.Context())
		var got []hsm.LogLine
		var cursors []string
		j := &JournalLog{Log: slog.New(slog.DiscardHandler), command: script}
		err := j.Run(ctx, []byte(c.from), func(lines []hsm.LogLine, cursor []byte) error {
			if len(lines) == 0 {
				return nil
			}
			got, cursors = append(got, lines...), append(cursors, string(cursor))
			if len(got) == 3 {
				cancel()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Alarm == nil || got[0].Alarm.Code != "2001" || got[0].Host != "h" || !got[0].Time.Value.Equal(booted) || got[1].Message != "hi" || got[2].Message != c.asked {
			t.Errorf("%+v", got)
		}
		if !slices.Equal(cursors, []string{"c1", "c2", "c3"}) {
			t.Errorf("cursors %q", cursors)
		}
	}
}

func TestJournalMissing(t *testing.T) {
	j := &JournalLog{Log: slog.New(slog.DiscardHandler), command: "journalctl-that-is-not-there"}
	if err := j.Run(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "kernel_log: kmsg") {
		t.Errorf("%v", err)
	}
}

// TestJournalEnds checks that the error includes the output of journalctl, bounded,
// and that journalctl gets nothing of the agent's environment.
func TestJournalEnds(t *testing.T) {
	script := filepath.Join(t.TempDir(), "journalctl")
	t.Setenv("LUNAWATCH_SECRET", "planted")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho no rights $LUNAWATCH_SECRET >&2\nseq 100000 >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	j := &JournalLog{Log: slog.New(slog.DiscardHandler), command: script}
	err := j.Run(t.Context(), nil, func([]hsm.LogLine, []byte) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "no rights") || !strings.Contains(err.Error(), "systemd-journal") {
		t.Errorf("%v", err)
	}
	if err != nil && (len(err.Error()) > 5000 || strings.Contains(err.Error(), "planted")) {
		t.Errorf("an error of %d bytes: %.200s", len(err.Error()), err)
	}
}
