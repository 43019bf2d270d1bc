package receivers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/program"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Exec runs a program for each notification, with a [notify.Message] as JSON on
// its standard input. No shell is involved, the environment holds PATH and LANG
// only, and what the program writes is dropped: it may hold anything.
//
// Status 0 is delivered and 65 (EX_DATAERR) is [notify.Rejected]: the program
// will never take that notification. After every other status, a signal or the
// time limit it is retried, as it is after EX_TEMPFAIL (75) or without the
// program.
type Exec struct {
	Command []string      `yaml:"command"`                                   // absolute path, then arguments
	Timeout time.Duration `yaml:"timeout" default:"10s" range:"0s,1s..<30s"` // 0: ExecTimeout

	Words notify.Words `yaml:"-"`
}

// ExecTimeout is how long a program without a Timeout may take. Then it is
// killed, with what it has started.
const ExecTimeout = 10 * time.Second

const exDataErr = 65 // of sysexits.h

// Validate returns all that is wrong with e.
func (e *Exec) Validate() error {
	var errs []error
	if len(e.Command) == 0 || !filepath.IsAbs(e.Command[0]) {
		errs = append(errs, setting.Faultf("command", "the absolute path of a program is needed first"))
	}
	return errors.Join(append(errs, setting.Limits(e))...)
}

// Notify implements [notify.Notifier].
func (e *Exec) Notify(ctx context.Context, n alarms.Notification) error {
	body, err := e.Words.Message(n).JSON()
	if err != nil {
		return &notify.Rejected{Err: err}
	}
	limit := cmp.Or(e.Timeout, ExecTimeout)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, e.Command[0], e.Command[1:]...)
	cmd.Env = program.Environ()
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(body)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s: killed, it took longer than %s", e.Command[0], limit)
	case errors.As(err, &exit) && exit.ExitCode() == exDataErr:
		return &notify.Rejected{Err: fmt.Errorf("%s: %w", e.Command[0], err)}
	case errors.As(err, &exit):
		return fmt.Errorf("%s: %w", e.Command[0], err)
	}
	return fmt.Errorf("%s cannot be run: %w", e.Command[0], err)
}
