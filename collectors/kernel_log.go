package collectors

import (
	"bytes"
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

	"github.com/lunawatch/lunawatch/hsm"
)

// A KernelLog reads the kernel's messages, where the driver of a card in this
// host writes its alarms, from /dev/kmsg: each record once, also over restarts
// of the agent within one boot. It needs CAP_SYSLOG where dmesg is restricted.
type KernelLog struct {
	Log *slog.Logger

	open func() (kernelRecords, error) // nil: /dev/kmsg
	boot func() (string, error)        // nil: the kernel's boot id
}

// kernelRecords gives one record a read, and EPIPE where the ring buffer has
// overtaken the reader.
type kernelRecords interface {
	io.ReadCloser
	io.Seeker
}

// A kernelCursor is the last record that was delivered.
type kernelCursor struct {
	Boot     string `json:"boot"`
	Sequence uint64 `json:"sequence"`
}

const maxRecord = 8 << 10 // the kernel's own limit, in bytes

func openKmsg() (kernelRecords, error) {
	return os.OpenFile("/dev/kmsg", os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func bootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
}

// Run follows the kernel's messages from a cursor that it gave before; without
// one, or after a boot, from the present or from the boot. It calls deliver
// with each record, again while deliver returns an error, until ctx is done.
func (k *KernelLog) Run(ctx context.Context, from []byte, deliver func(lines []hsm.LogLine, cursor []byte) error) error {
	open, boot := k.open, k.boot
	if open == nil {
		open, boot = openKmsg, bootID
	}
	id, err := boot()
	if err != nil {
		return fmt.Errorf("kernel log: %w", err)
	}
	records, err := open()
	if err != nil {
		return fmt.Errorf("kernel log: %w; the agent needs CAP_SYSLOG, or kernel_log: journal", err)
	}
	defer records.Close()
	stop := context.AfterFunc(ctx, func() { records.Close() })
	defer stop()
	var last kernelCursor
	if from == nil {
		if _, err := records.Seek(0, io.SeekEnd); err != nil {
			return fmt.Errorf("kernel log: %w", err)
		}
	} else if err := json.Unmarshal(from, &last); err != nil {
		return fmt.Errorf("cursor of the kernel log: %w", err)
	}
	known := last.Boot == id // else every record of this boot is new
	buffer := make([]byte, maxRecord)
	for {
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
		if !ok || known && sequence <= last.Sequence {
			continue
		}
		last, known = kernelCursor{id, sequence}, true
		text, err := json.Marshal(last)
		if err != nil {
			return err
		}
		if !deliverUntil(ctx, k.Log, func() error { return deliver([]hsm.LogLine{line}, text) }) {
			return nil
		}
	}
}

// kernelRecord reads "priority,sequence,microseconds,flags;text" and leaves
// out the lines of keys and values behind it.
func kernelRecord(b []byte) (sequence uint64, line hsm.LogLine, ok bool) {
	b, _, _ = bytes.Cut(b, []byte("\n"))
	head, _, found := bytes.Cut(b, []byte(";"))
	fields := strings.SplitN(string(head), ",", 4)
	if !found || len(fields) < 3 {
		return 0, line, false
	}
	sequence, err := strconv.ParseUint(fields[1], 10, 64)
	return sequence, ParseLogLine(string(b)), err == nil
}

// deliverUntil repeats deliver until it succeeds, and reports false if ctx
// ended first.
func deliverUntil(ctx context.Context, log *slog.Logger, deliver func() error) bool {
	for failures := 0; ; failures++ {
		err := deliver()
		if err == nil {
			return true
		}
		if failures == 0 {
			log.Error("log lines not stored; trying again", "err", err)
		}
		pause(ctx, min(backoff(failures), maxRetry))
		if ctx.Err() != nil {
			return false
		}
	}
}
