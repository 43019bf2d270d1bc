package follow

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A KernelLog reads the kernel's messages, among which the driver of a card in this
// host writes its alarms, from /dev/kmsg: each record once, also across restarts of
// the agent within one boot. It needs CAP_SYSLOG where dmesg is restricted.
//
// A record that was there before it began has a Time; one that arrives while it
// reads has none, which means now.
type KernelLog struct {
	Log *slog.Logger

	open func() (kernelRecords, error) // nil: /dev/kmsg
	boot func() (kernelBoot, error)    // nil: the kernel's
}

// kernelRecords returns one record per Read, and EPIPE if the ring buffer was
// overwritten before it was read.
type kernelRecords interface {
	io.ReadCloser
	CaughtUp() bool // whether it has waited for a record
}

// A kernelBoot is the ID and time of a boot.
type kernelBoot struct {
	id string
	at time.Time
}

// A kernelCursor is the last record that was delivered.
type kernelCursor struct {
	Boot     string `json:"boot"`
	Sequence int64  `json:"sequence"` // -1: none
}

const maxRecord = 8 << 10 // the kernel's own limit, in bytes

// Run follows the kernel's messages from a cursor that it delivered before; without
// one, or after a boot, from the oldest that is there. It calls deliver without
// lines when it begins, then with each record, and again while deliver returns an
// error, until ctx is done. It returns an error if the messages cannot be read or
// the cursor is damaged.
func (k *KernelLog) Run(ctx context.Context, from []byte, deliver func(lines []hsm.LogLine, cursor []byte) error) error {
	open, boot := k.open, k.boot
	if open == nil {
		open, boot = openKmsg, readBoot
	}
	now, err := boot()
	if err != nil {
		return fmt.Errorf("kernel log: %w", err)
	}
	last, err := startAt(from, now.id)
	if err != nil {
		return err
	}
	records, err := open()
	if err != nil {
		return fmt.Errorf("kernel log: %w; give the agent CAP_SYSLOG, or set kernel_log: journal", err)
	}
	defer records.Close()
	stop := context.AfterFunc(ctx, func() { records.Close() })
	defer stop()
	store := func(lines ...hsm.LogLine) error {
		cursor, err := json.Marshal(last)
		if err != nil {
			return err
		}
		deliverUntil(ctx, k.Log, func() error { return deliver(lines, cursor) })
		return nil
	}
	if err := store(); err != nil {
		return err
	}
	buffer := make([]byte, maxRecord)
	for ctx.Err() == nil {
		n, err := records.Read(buffer)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, syscall.EPIPE):
			k.Log.Warn("kernel messages were overwritten before they were read; some are lost")
			continue
		case err != nil:
			return fmt.Errorf("kernel log: %w", err)
		}
		sequence, line, ok := kernelRecord(buffer[:n])
		if !ok || sequence <= last.Sequence {
			continue
		}
		if !records.CaughtUp() {
			line.Time = hsm.Some(now.at.Add(time.Duration(line.UptimeSeconds.Value * float64(time.Second))).UTC())
		}
		last.Sequence = sequence
		if err := store(line); err != nil {
			return err
		}
	}
	return nil
}

// startAt reads a cursor. If it is of another boot, every record is new.
func startAt(from []byte, boot string) (kernelCursor, error) {
	none := kernelCursor{boot, -1}
	if from == nil {
		return none, nil
	}
	var c kernelCursor
	if err := json.Unmarshal(from, &c); err != nil {
		return none, fmt.Errorf("cursor of the kernel log: %w", err)
	}
	if c.Boot != boot {
		return none, nil
	}
	return c, nil
}

// kernelRecord reads "priority,sequence,microseconds,flags;text" and ignores the
// lines of keys and values behind it.
func kernelRecord(b []byte) (sequence int64, line hsm.LogLine, ok bool) {
	b, _, _ = bytes.Cut(b, []byte("\n"))
	head, _, found := bytes.Cut(b, []byte(";"))
	fields := strings.SplitN(string(head), ",", 4)
	if !found || len(fields) < 4 {
		return 0, line, false
	}
	sequence, ok = answer.Number(fields[1])
	line = syslog.ParseLine(string(b))
	if line.Facility == "kern" { // programs may also write here
		line.Process = "kernel"
	}
	return sequence, line, ok && line.UptimeSeconds.Known
}

// deliverUntil repeats deliver until it succeeds or ctx is done.
func deliverUntil(ctx context.Context, log *slog.Logger, deliver func() error) {
	for failures := 0; ctx.Err() == nil; failures++ {
		err := deliver()
		if err == nil {
			return
		}
		if failures == 0 {
			log.Error("log lines not stored; trying again", "err", err)
		}
		wait.Sleep(ctx, wait.Backoff(failures, time.Second, maxRetry))
	}
}

func readBoot() (b kernelBoot, err error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return b, err
	}
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return b, err
	}
	up, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(up, 64)
	return kernelBoot{strings.TrimSpace(string(id)), time.Now().Add(-time.Duration(seconds * float64(time.Second)))}, err
}

// A kmsgFile is /dev/kmsg.
type kmsgFile struct {
	*os.File
	conn   syscall.RawConn
	waited bool
}

func openKmsg() (kernelRecords, error) {
	f, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	conn, err := f.SyscallConn()
	return &kmsgFile{File: f, conn: conn}, err
}

// Read waits for a record and returns it.
func (k *kmsgFile) Read(b []byte) (n int, err error) {
	closed := k.conn.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), b)
		wait := errors.Is(err, syscall.EAGAIN)
		k.waited = k.waited || wait
		return !wait
	})
	return n, cmp.Or(closed, err)
}

// CaughtUp implements [kernelRecords].
func (k *kmsgFile) CaughtUp() bool { return k.waited }
