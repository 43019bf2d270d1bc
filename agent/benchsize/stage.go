package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/simulator"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// A stage is a fleet, a private snmpd, and an agent that watches the one and serves the
// other. All of it ends with its context.
type stage struct {
	dir   string
	state string // directory of the fleet
	fleet *child
	ready simulator.Ready
	snmpd *netsnmp.Agent
	agent *child
	load  *load
	web   string // host:port of /metrics
	begun time.Time
}

// intervals are how often the agent asks.
type intervals struct{ fast, slow, hourly time.Duration }

// startStage starts everything in dir. What was started is in the stage even if it fails.
func startStage(ctx context.Context, dir, lunasim, agent string, size, lines int, every intervals) (s *stage, err error) {
	s = &stage{dir: dir, state: filepath.Join(dir, "fleet")}
	if s.fleet, err = startChild(ctx, "the fleet", filepath.Join(dir, "fleet.log"), lunasim, "-state-dir", s.state, "-fleet", fmt.Sprint(size)); err != nil {
		return s, err
	}
	line, err := s.fleet.line(ctx)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(line, &s.ready); err != nil {
		return s, fmt.Errorf("the fleet: %w", err)
	}
	master := filepath.Join(dir, "snmpd")
	if err := os.Mkdir(master, 0o700); err != nil {
		return s, err
	}
	snmpd, err := netsnmp.StartAgent(ctx, master, netsnmp.Config{})
	if err != nil {
		return s, err
	}
	s.snmpd = snmpd
	if s.load, err = newLoad(dir, lines); err != nil {
		return s, err
	}
	if s.web, err = freeAddress(); err != nil {
		return s, err
	}
	file := filepath.Join(dir, "lunawatch.yaml")
	if err := os.WriteFile(file, []byte(configuration(dir, s.snmpd.Socket, s.ready, every, s.load)), 0o600); err != nil {
		return s, err
	}
	s.begun = time.Now()
	s.agent, err = startChild(ctx, "the agent", filepath.Join(dir, "agent.log"), agent, "agent", "-config.file", file, "-web.listen-address", s.web, "-log.level", "warn")
	return s, err
}

// end waits until everything is gone. The context of the stage must be done.
func (s *stage) end() {
	for _, c := range []*child{s.agent, s.fleet} {
		if c != nil {
			<-c.done
		}
	}
	if s.snmpd != nil {
		s.snmpd.Kill()
	}
	s.load.close()
}

// configuration has only keys that every version of the agent knows.
func configuration(dir, socket string, r simulator.Ready, every intervals, l *load) string {
	var conf strings.Builder
	fmt.Fprintf(&conf, "state_directory: %s\ncontrol_socket: %s\nsnmp:\n  agentXSocket: %s\n", filepath.Join(dir, "state"), filepath.Join(dir, "control.sock"), socket)
	fmt.Fprintf(&conf, "intervals: {fast: %s, slow: %s, hourly: %s}\nhsms:\n", every.fast, every.slow, every.hourly)
	for i, a := range r.Appliances {
		fmt.Fprintf(&conf, "  - name: %s\n    address: %s\n    password_file: %s\n    known_hosts_file: %s\n", a.Name, a.SSHAddress, r.PasswordFile, r.KnownHosts)
		conf.WriteString(l.logs(i))
	}
	conf.WriteString(l.receiver())
	return conf.String()
}

// freeAddress returns a TCP address of 127.0.0.1 that was just free.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// A child is a process that was started here. SIGTERM ends it when its context is done,
// and SIGKILL ten seconds later.
type child struct {
	name string
	log  string // path of its standard error
	cmd  *exec.Cmd
	out  *bufio.Reader
	done chan struct{}
}

func startChild(ctx context.Context, name, log, program string, args ...string) (*child, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd.Stdout, cmd.Stderr = w, file
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), r.Close())
	}
	c := &child{name: name, log: log, cmd: cmd, out: bufio.NewReader(r), done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		_ = r.Close()
		close(c.done)
	}()
	return c, nil
}

// pid returns its process ID.
func (c *child) pid() int { return c.cmd.Process.Pid }

// line returns the next line of its output.
func (c *child) line(ctx context.Context) ([]byte, error) {
	line, err := c.out.ReadBytes('\n')
	switch {
	case err == nil:
		return line, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	<-c.done
	return nil, c.gone()
}

// gone returns why it ended, by the end of its log.
func (c *child) gone() error {
	text, _ := os.ReadFile(c.log)
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return fmt.Errorf("%s ended: %s", c.name, lines[len(lines)-1])
}

// sleep waits, and returns why that ended early.
func (s *stage) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.agent.done:
		return errors.Join(ctx.Err(), s.agent.gone())
	case <-s.fleet.done:
		return errors.Join(ctx.Err(), s.fleet.gone())
	case <-ctx.Done():
		return ctx.Err()
	}
}
