// Package lunacm asks PCIe, USB and backup HSMs of this host through the vendor's
// LunaCM: the process, the commands that may be sent, and the cards that it finds.
// The formats of the answers are in package shell.
package lunacm

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/program"
)

// DefaultPath is the path of LunaCM in the vendor's Luna client.
const DefaultPath = "/usr/safenet/lunaclient/bin/lunacm"

// clientConfig is where the Luna client looks for its configuration before
// /etc/Chrystoki.conf; it is the only variable of the agent that LunaCM gets.
const clientConfig = "ChrystokiConfigurationPath"

// Program runs the vendor's LunaCM with batches of commands on its standard input. It
// starts a process for each batch, because LunaCM reads the slots only when it
// starts. A process that does not end in time is killed with all its children. While
// one cannot even be killed, because it waits in the driver, no other is started.
type Program struct {
	Path string // "": DefaultPath

	kill  func(pid int) // nil: its process group gets SIGKILL
	mu    sync.Mutex
	stuck <-chan struct{} // closed when the process that could not be killed has ended; nil: there is none
}

const (
	timeout = time.Minute            // for one batch: the driver's own limit is 500 s
	grace   = 500 * time.Millisecond // until a killed process has ended
	// emptyLines are the answers to prompts, before exit could be taken for a
	// password: one for each group that Chrystoki.conf can have.
	emptyLines = 100
)

// prompt matches LunaCM's prompt, or several: LunaCM prints one for each empty line
// that it reads.
var prompt = regexp.MustCompile(`(?m)^(?:[ \t]*lunacm:>)+`)

// Ask sends commands to one LunaCM and returns the answer to each, with its result
// line, which may state a failure. It ignores LunaCM's exit status, which means
// nothing. Its errors are a *[collectors.Failed].
func (l *Program) Ask(ctx context.Context, commands ...string) ([]string, error) {
	var script strings.Builder
	for _, c := range commands {
		if err := Allowed(c); err != nil {
			return nil, err
		}
		script.WriteString(c + "\n")
	}
	prompts := 1 // no command should ask for anything; one that did would get an empty line
	if commands[len(commands)-1] == "hagroup listgroups" {
		prompts = emptyLines
	}
	script.WriteString(strings.Repeat("\n", prompts) + "exit\n")
	text, err := l.Session(ctx, script.String())
	if err != nil {
		return nil, err
	}
	answers := answers(text)
	if n := min(len(answers), len(commands)); n < len(commands) {
		return nil, collectors.Failf(hsm.Incomplete, "lunacm: %q: the answer has no result line", commands[n])
	}
	for i, c := range commands {
		answers[i] = strings.TrimPrefix(answers[i], " "+c+"\n") // its echo
	}
	return answers[:len(commands)], nil
}

// answers splits the text of a session into the answers that have a result line,
// without the banner.
func answers(text string) (answers []string) {
	parts := prompt.Split(answer.Clean(text), -1)
	for _, part := range parts[1:] {
		if _, complete, _ := answer.Split(part).Last(); complete {
			answers = append(answers, part)
		}
	}
	return answers
}

// Session runs the program with script on its standard input, and returns its output.
// Its errors are a *[collectors.Failed].
func (l *Program) Session(ctx context.Context, script string, args ...string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.stuck:
		l.stuck = nil
	default:
		if l.stuck != nil {
			return "", collectors.Failf(hsm.Timeout, "HSM does not answer: a lunacm that was killed still waits in the driver; no other is started until it ends")
		}
	}
	path := l.Path
	if path == "" {
		path = DefaultPath
	}
	cmd := exec.Command(path, args...)
	cmd.Env = program.Environ(clientConfig)
	out := &program.Head{Max: collectors.MaxAnswer}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(script), out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal to ask for a password on, and a process group to kill
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return "", collectors.Failf(hsm.Unreachable, "lunacm cannot be started: %w; check lunacm.path, and that the agent's user is in group hsmusers", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if errors.Is(cmd.Wait(), exec.ErrWaitDelay) {
			l.end(cmd.Process.Pid) // its children keep the pipe open
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
	case <-time.After(2 * grace):
		l.stuck = ended
	}
	return "", collectors.Failf(hsm.Timeout, "HSM does not answer: lunacm did not end in time and was killed: %w", context.Cause(ctx))
}

// end kills a process and its children.
func (l *Program) end(pid int) {
	if l.kill != nil {
		l.kill(pid)
		return
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL) // it may have ended
}
