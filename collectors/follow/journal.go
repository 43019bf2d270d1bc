package follow

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/program"
)

// A JournalLog reads the kernel's messages from the systemd journal with journalctl,
// so that the agent only has to be in group systemd-journal. Each entry is delivered
// once, by the journal's own cursor.
type JournalLog struct {
	Log *slog.Logger

	command string // "": journalctl
}

// A journalEntry is the part of a line of journalctl -o json that is used.
type journalEntry struct {
	Cursor       string          `json:"__CURSOR"`
	Microseconds string          `json:"__REALTIME_TIMESTAMP"` // since 1970
	Host         string          `json:"_HOSTNAME"`
	Message      json.RawMessage `json:"MESSAGE"` // a string, or its bytes as numbers if it is not UTF-8
}

// journalctl is its path in every distribution that has systemd.
const journalctl = "/usr/bin/journalctl"

// maxEntry bounds one entry, in bytes.
const maxEntry = 1 << 20

// Run follows the journal from a cursor that it delivered before; without one, from
// the boot. It calls deliver without lines when it begins, then with each entry, and
// again while deliver returns an error, until ctx is done. It returns an error if
// journalctl ends before that.
func (j *JournalLog) Run(ctx context.Context, from []byte, deliver func(lines []hsm.LogLine, cursor []byte) error) error {
	command := j.command
	if command == "" {
		command = journalctl
	}
	args := []string{"--dmesg", "--follow", "--no-tail", "--output=json", "--quiet"}
	if len(from) > 0 {
		args = append(args, "--after-cursor="+string(from))
	}
	child, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(child, command, args...)
	cmd.Env = program.Environ()
	cmd.WaitDelay = time.Second
	stderr := program.Head{Max: 4096}
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("kernel log: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("kernel log: %w; install systemd, or set kernel_log: kmsg", err)
	}
	deliverUntil(ctx, j.Log, func() error { return deliver(nil, from) })
	entries := bufio.NewScanner(out)
	entries.Buffer(nil, maxEntry)
	for ctx.Err() == nil && entries.Scan() {
		line, at, err := journalLine(entries.Bytes())
		if err != nil {
			j.Log.Warn("journal entry not understood", "err", err)
			continue
		}
		deliverUntil(ctx, j.Log, func() error { return deliver([]hsm.LogLine{line}, []byte(at)) })
	}
	cancel()
	err = errors.Join(entries.Err(), cmd.Wait())
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("kernel log: %s: %w: %s; the agent's user must be in group systemd-journal", command, err, strings.TrimSpace(stderr.String()))
}

func journalLine(text []byte) (line hsm.LogLine, cursor string, err error) {
	var e journalEntry
	if err := json.Unmarshal(text, &e); err != nil {
		return line, "", err
	}
	message, err := journalText(e.Message)
	if err != nil {
		return line, "", err
	}
	line = syslog.ParseLine(message)
	line.Host, line.Process, line.Facility = e.Host, "kernel", "kern"
	if us, err := strconv.ParseInt(e.Microseconds, 10, 64); err == nil {
		line.Time = hsm.Some(time.UnixMicro(us).UTC())
	}
	return line, e.Cursor, nil
}

// journalText reads a string, or the numbers of its bytes.
func journalText(v json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(v, &text) == nil {
		return text, nil
	}
	var numbers []int
	if err := json.Unmarshal(v, &numbers); err != nil {
		return "", fmt.Errorf("message: %w", err)
	}
	octets := make([]byte, len(numbers))
	for i, n := range numbers {
		octets[i] = byte(n)
	}
	return string(octets), nil
}
