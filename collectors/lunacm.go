package collectors

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// DefaultLunaCM is where the vendor's Luna client has LunaCM.
const DefaultLunaCM = "/usr/safenet/lunaclient/bin/lunacm"

// LunaCM runs the vendor's LunaCM as batches of commands on its standard
// input, a new process for each, since LunaCM reads the slots only when it
// starts. One that does not end in time is killed with all its children. While
// one cannot even be killed, since it waits in the driver, no other is started.
type LunaCM struct {
	Path string // "": DefaultLunaCM

	kill  func(pid int) // nil: killGroup
	mu    sync.Mutex
	stuck <-chan struct{} // closed when the process that could not be killed has ended; nil: none
}

const (
	lunacmTimeout = time.Minute            // for one batch: the driver's own limit is 500 s
	lunacmGrace   = 500 * time.Millisecond // for the end of a process that was killed
	// prompts that are answered, each by an empty line, before exit could be
	// taken for a password: one for each group that Chrystoki.conf can hold.
	lunacmPrompts = 100
)

// lunacmPrompt is LunaCM's prompt; several stand behind each other where empty
// lines were read.
var lunacmPrompt = regexp.MustCompile(`(?m)^(?:[ \t]*lunacm:>)+`)

// ask sends commands to one LunaCM and returns the answer to each, with its
// result line. An answer can be that the command failed. LunaCM's exit status
// means nothing and is not looked at.
func (l *LunaCM) ask(ctx context.Context, commands ...string) ([]string, error) {
	var script strings.Builder
	for _, c := range commands {
		if err := AllowedLunaCM(c); err != nil {
			return nil, err
		}
		script.WriteString(c + "\n")
	}
	prompts := 1 // none of the commands asks for anything; if one did, it would get nothing
	if commands[len(commands)-1] == "hagroup listgroups" {
		prompts = lunacmPrompts
	}
	script.WriteString(strings.Repeat("\n", prompts) + "exit\n")
	text, err := l.session(ctx, script.String())
	if err != nil {
		return nil, err
	}
	answers := lunacmAnswers(text)
	if n := min(len(answers), len(commands)); n < len(commands) {
		return nil, failed(hsm.Incomplete, "lunacm: %q: the answer has no result line", commands[n])
	}
	for i, c := range commands {
		answers[i] = strings.TrimPrefix(answers[i], " "+c+"\n") // its echo
	}
	return answers[:len(commands)], nil
}

// lunacmAnswers takes the text of a session apart: every answer that has its
// result line. The banner is none.
func lunacmAnswers(text string) (answers []string) {
	parts := lunacmPrompt.Split(clean(text), -1)
	for _, part := range parts[1:] {
		replies, _ := split(part)
		if n := len(replies); n > 0 && replies[n-1].result != nil {
			answers = append(answers, part)
		}
	}
	return answers
}

// session runs LunaCM, or the program that Path names, on a script. Its errors
// are a *[Failed].
func (l *LunaCM) session(ctx context.Context, script string, args ...string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.stuck:
		l.stuck = nil
	default:
		if l.stuck != nil {
			return "", failed(hsm.Timeout, "HSM does not answer: a lunacm that was killed still waits in the driver, so that none is started")
		}
	}
	path := l.Path
	if path == "" {
		path = DefaultLunaCM
	}
	cmd := exec.Command(path, args...)
	out := &head{max: maxAnswer}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(script), out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal to ask a password on, and a group to kill
	cmd.WaitDelay = lunacmGrace
	if err := cmd.Start(); err != nil {
		return "", failed(hsm.Unreachable, "lunacm cannot be started: %w; check lunacm.path, and that the agent's user is in group hsmusers", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if errors.Is(cmd.Wait(), exec.ErrWaitDelay) {
			l.end(cmd.Process.Pid) // its children have the pipe
		}
	}()
	select {
	case <-ended:
		return out.String(), nil
	case <-ctx.Done():
	}
	l.end(cmd.Process.Pid)
	select {
	case <-ended:
	case <-time.After(2 * lunacmGrace):
		l.stuck = ended
	}
	return "", failed(hsm.Timeout, "HSM does not answer: lunacm did not end in time and was killed: %w", context.Cause(ctx))
}

func (l *LunaCM) end(pid int) {
	if l.kill != nil {
		l.kill(pid)
		return
	}
	syscall.Kill(-pid, syscall.SIGKILL)
}

// A head keeps the first max bytes that are written to it.
type head struct {
	bytes.Buffer
	max int
}

func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), max(0, h.max-h.Len()))])
	return len(p), nil
}
