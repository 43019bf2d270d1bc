package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/program"
)

// longestText is how much of the last line of a program is kept, in letters.
const longestText = 200

// afterKill is how long a program that has ended may leave its output open to others.
const afterKill = time.Second

// Once runs the program once. It is killed with all that it started, but for what left
// its process group, when its time is up or ctx is done.
func (s Settings) Once(ctx context.Context) hsm.Probe {
	limit := s.timeout()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var out lastLine
	cmd := exec.CommandContext(ctx, s.Command[0], s.Command[1:]...)
	cmd.Env, cmd.Dir = program.Environ(), "/"
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	kill := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel, cmd.WaitDelay = kill, afterKill
	begun := time.Now()
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) { // what it started goes on
		_ = kill() // unless it is gone by now
		err = nil
	}
	p := hsm.Probe{Name: s.Name, Partition: s.Partition, At: time.Now(), MaxAge: s.maxAge(), Text: out.text()}
	p.Took = p.At.Sub(begun)
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		p.Worked = true
		return p
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("killed, it took longer than %s", limit)
	case !errors.As(err, &exit):
		err = fmt.Errorf("cannot be run: %w", err)
	}
	p.Text = strings.TrimSuffix(answer.CleanLine(err.Error())+": "+p.Text, ": ")
	return p
}

// A lastLine keeps the beginning of the last line that is not blank.
type lastLine struct {
	line, last []byte
}

// Write implements [io.Writer].
func (l *lastLine) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		l.line = append(l.line, line[:min(len(line), 4*longestText-len(l.line))]...)
		if ended {
			l.end()
		}
		p = rest
	}
	return n, nil
}

func (l *lastLine) end() {
	if len(bytes.TrimSpace(l.line)) > 0 {
		l.last = append(l.last[:0], l.line...)
	}
	l.line = l.line[:0]
}

// text returns the line without what could move a cursor or turn the direction of a text.
func (l *lastLine) text() string {
	l.end()
	letters := []rune(strings.TrimSpace(answer.CleanLine(string(l.last))))
	return string(letters[:min(len(letters), longestText)])
}
