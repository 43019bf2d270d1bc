package collectors

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A JournalLog reads the kernel's messages from the systemd journal, by
// journalctl, so that the agent needs no right but that of group
// systemd-journal. The journal's own cursor makes each entry count once.
type JournalLog struct {
	Log *slog.Logger

	command string // "": journalctl
}

// A journalEntry is what is used of one line of journalctl -o json.
type journalEntry struct {
	Cursor  string          `json:"__CURSOR"`
	Host    string          `json:"_HOSTNAME"`
	Message json.RawMessage `json:"MESSAGE"` // a string, or numbers where it is not UTF-8
}

// maxEntry bounds one entry, in bytes.
const maxEntry = 1 << 20

// Run follows the journal from a cursor that it gave before; without one from
// the present. It calls deliver with each entry, again while deliver returns
// an error, until ctx is done. journalctl is started again when it ends.
func (j *JournalLog) Run(ctx context.Context, from []byte, deliver func(lines []hsm.LogLine, cursor []byte) error) error {
	cursor := string(from)
	for failures := 0; ctx.Err() == nil; failures++ {
		begun := time.Now()
		err := j.follow(ctx, &cursor, deliver)
		if errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("kernel log: %w; install systemd, or use kernel_log: kmsg", err)
		}
		if time.Since(begun) > time.Minute {
			failures = 0
		}
		if ctx.Err() == nil && failures == 0 {
			j.Log.Warn("journalctl ended; it is started again", "err", err)
		}
		pause(ctx, min(backoff(failures), maxRetry))
	}
	return nil
}

func (j *JournalLog) follow(ctx context.Context, cursor *string, deliver func([]hsm.LogLine, []byte) error) error {
	command := j.command
	if command == "" {
		command = "journalctl"
	}
	args := []string{"--dmesg", "--follow", "--output=json", "--quiet"}
	if *cursor == "" {
		args = append(args, "--lines=0")
	} else {
		args = append(args, "--after-cursor="+*cursor)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.WaitDelay = time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxEntry)
	for lines.Scan() {
		line, at, err := journalLine(lines.Bytes())
		if err != nil {
			j.Log.Warn("journal entry not understood", "err", err)
			continue
		}
		if !deliverUntil(ctx, j.Log, func() error { return deliver([]hsm.LogLine{line}, []byte(at)) }) {
			break
		}
		*cursor = at
	}
	cancel()
	err = errors.Join(lines.Err(), cmd.Wait())
	return fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(stderr.String()))
}

func journalLine(text []byte) (line hsm.LogLine, cursor string, err error) {
	var e journalEntry
	if err := json.Unmarshal(text, &e); err != nil {
		return line, "", err
	}
	var message string
	if err := json.Unmarshal(e.Message, &message); err != nil {
		var octets []byte
		var numbers []int
		if err := json.Unmarshal(e.Message, &numbers); err != nil {
			return line, "", fmt.Errorf("message: %w", err)
		}
		for _, n := range numbers {
			octets = append(octets, byte(n))
		}
		message = string(octets)
	}
	line = ParseLogLine(message)
	line.Host, line.Process, line.Facility = e.Host, "kernel", "kern"
	return line, e.Cursor, nil
}
