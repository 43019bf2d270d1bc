package netsnmp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const terminate = syscall.SIGTERM

const (
	startLimit = 20 * time.Second // for a daemon to listen
	poll       = 5 * time.Millisecond
)

// find returns the path of a daemon, from PATH or from where Debian installs it for root.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	if path, err := exec.LookPath(filepath.Join("/usr/sbin", name)); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("%s: %w (Debian: apt-get install snmpd snmptrapd snmp)", name, ErrMissing)
}

// A process is a running daemon.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{}
	err  error // of Wait, once gone
}

// startProcess runs a daemon that stores its state in dir and reads only the given configuration.
func startProcess(ctx context.Context, command []string, dir string, output io.Writer) (*process, error) {
	state := filepath.Join(dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+state, "SNMPCONFPATH="+state, "MIBS=")
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, gone: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.gone)
	}()
	return p, nil
}

// until waits for a condition that the daemon causes.
func (p *process) until(ctx context.Context, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ticks := time.NewTicker(poll)
	defer ticks.Stop()
	for !ready() {
		select {
		case <-p.gone:
			return errors.Join(errors.New("ended before it listened"), p.err)
		case <-ctx.Done():
			return fmt.Errorf("does not listen: %w", ctx.Err())
		case <-ticks.C:
		}
	}
	return nil
}

func (p *process) end(signal os.Signal) {
	p.cmd.Process.Signal(signal) // an error means it has ended already
	<-p.gone
}
