package collectors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lunawatch/lunawatch/hsm"
)

// A ring is a kernel's buffer: a record a read, an error where one is put.
type ring struct {
	records []any // string or error
	closed  chan struct{}
	end     bool // begin behind all of them
}

func (r *ring) Seek(int64, int) (int64, error) {
	if r.end {
		r.records = nil
	}
	return 0, nil
}

func (r *ring) Read(b []byte) (int, error) {
	if len(r.records) == 0 {
		<-r.closed
		return 0, os.ErrClosed
	}
	next := r.records[0]
	r.records = r.records[1:]
	if err, ok := next.(error); ok {
		return 0, err
	}
	return copy(b, next.(string)), nil
}

func (r *ring) Close() error {
	select {
	case <-r.closed:
	default:
		close(r.closed)
	}
	return nil
}

func kernelLines(t *testing.T, boot string, from []byte, want int, records ...any) (messages []string, cursor []byte) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	k := &KernelLog{
		Log:  slog.New(slog.DiscardHandler),
		open: func() (kernelRecords, error) { return &ring{records: records, closed: make(chan struct{})}, nil },
		boot: func() (string, error) { return boot, nil },
	}
	failed := false
	err := k.Run(ctx, from, func(lines []hsm.LogLine, c []byte) error {
		if !failed {
			failed = true
			return errors.New("not now") // the same record must come again
		}
		for _, l := range lines {
			messages = append(messages, l.Message)
		}
		cursor = slices.Clone(c)
		if len(messages) == want {
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return messages, cursor
}

func TestKernelLog(t *testing.T) {
	record := func(n int, text string) string { return fmt.Sprintf("6,%d,%d000,-;%s\n SUBSYSTEM=pci\n", n, n, text) }
	all := []any{record(7, "old"), record(8, "k7pf0: ALM0015: PCIe Link Failure"), syscall.EPIPE, "garbage", record(12, "new")}
	got, cursor := kernelLines(t, "b1", nil, 3, all...)
	if want := []string{"old", "k7pf0: ALM0015: PCIe Link Failure", "new"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	got, _ = kernelLines(t, "b1", cursor, 1, append(all, record(13, "after the restart"))...)
	if want := []string{"after the restart"}; !slices.Equal(got, want) {
		t.Errorf("after a restart of the agent: %q", got)
	}
	got, _ = kernelLines(t, "b2", cursor, 1, record(1, "after the boot"))
	if want := []string{"after the boot"}; !slices.Equal(got, want) {
		t.Errorf("after a boot: %q", got)
	}
}

func TestKernelLogWithoutRights(t *testing.T) {
	k := &KernelLog{
		open: func() (kernelRecords, error) { return nil, os.ErrPermission },
		boot: func() (string, error) { return "b", nil },
	}
	if err := k.Run(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "CAP_SYSLOG") {
		t.Errorf("%v", err)
	}
}

// TestJournal follows a journalctl of ours, which tells what it was asked for.
func TestJournal(t *testing.T) {
	script := filepath.Join(t.TempDir(), "journalctl")
	text := `#!/bin/sh
for last; do :; done
echo '{"__CURSOR":"c1","_HOSTNAME":"h","MESSAGE":"k7pf0: [HSM] ALM2001: High temperature warning activated"}'
echo 'not json'
echo '{"__CURSOR":"c2","_HOSTNAME":"h","MESSAGE":[104,105]}'
echo "{\"__CURSOR\":\"c3\",\"_HOSTNAME\":\"h\",\"MESSAGE\":\"$last\"}"
exec sleep 60
`
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, asked string }{{"", "--lines=0"}, {"c9", "--after-cursor=c9"}} {
		ctx, cancel := context.WithCancel(t.Context())
		var got []hsm.LogLine
		var cursors []string
		j := &JournalLog{Log: slog.New(slog.DiscardHandler), command: script}
		err := j.Run(ctx, []byte(c.from), func(lines []hsm.LogLine, cursor []byte) error {
			got, cursors = append(got, lines...), append(cursors, string(cursor))
			if len(got) == 3 {
				cancel()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Alarm == nil || got[0].Alarm.Code != "2001" || got[0].Host != "h" || got[1].Message != "hi" || got[2].Message != c.asked {
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
