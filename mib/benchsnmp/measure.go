package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// A side is one running subagent.
type side struct {
	name    string
	subtree agentx.OID
	process *exec.Cmd
}

// A stage is snmpd with both subagents, all of them behind the same wrapper.
type stage struct {
	agent   *netsnmp.Agent
	wrapper []string
	sides   [2]side // ours, theirs
	threads int     // GOMAXPROCS of our side
}

func (s *stage) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	line := append(append(append([]string(nil), s.wrapper...), name), args...)
	return exec.CommandContext(ctx, line[0], line[1:]...)
}

// newStage starts everything and returns when both sides serve n varbinds. It ends with ctx.
func newStage(ctx context.Context, dir, subagent string, wrapper []string, n int) (*stage, error) {
	agent, err := netsnmp.StartAgent(ctx, dir, netsnmp.Config{Wrapper: wrapper})
	if err != nil {
		return nil, err
	}
	s := &stage{agent: agent, wrapper: wrapper}
	root := agentx.OID{1, 3, 6, 1, 4, 1, 8072, 9999, 9999}
	for i, name := range []string{"lunawatch", "libsnmp"} {
		s.sides[i] = side{name: name, subtree: root.Append(uint32(i + 1))}
	}
	ours, theirs := &s.sides[0], &s.sides[1]
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ours.process = s.command(ctx, self, "-serve", "-socket", agent.Socket, "-subtree", ours.subtree.String(), "-n", strconv.Itoa(n))
	threads, err := ours.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	theirs.process = s.command(ctx, subagent, agent.Socket, theirs.subtree.String(), strconv.Itoa(n/columns))
	for _, side := range s.sides {
		side.process.Env = append(os.Environ(), "SNMPCONFPATH="+dir+"/state", "SNMP_PERSISTENT_DIR="+dir+"/"+side.name, "MIBS=")
		side.process.Stderr = os.Stderr
		if err := side.process.Start(); err != nil {
			return nil, err
		}
	}
	line, err := bufio.NewReader(threads).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("our side: %w", err)
	}
	if s.threads, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		return nil, err
	}
	return s, s.verify(ctx, n)
}

// verify waits until both sides serve, and compares everything that they serve.
func (s *stage) verify(ctx context.Context, n int) error {
	deadline := time.Now().Add(15 * time.Second)
	for {
		ours, err := s.walkText(ctx, s.sides[0])
		if err != nil {
			return err
		}
		theirs, err := s.walkText(ctx, s.sides[1])
		if err != nil {
			return err
		}
		served := bytes.Count(ours, []byte("\n"))
		if served == n && bytes.Equal(ours, theirs) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("served are %d and %d varbinds instead of the same %d", served, bytes.Count(theirs, []byte("\n")), n)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// walkText is what snmpbulkwalk prints of a side, without its subtree.
func (s *stage) walkText(ctx context.Context, side side) ([]byte, error) {
	cmd := s.tool(ctx, tools[2], side)
	cmd.Stdout = nil
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", cmd.Args, err)
	}
	return bytes.ReplaceAll(text, []byte("."+side.subtree.String()+"."), nil), nil
}

// A tool is one way to read everything.
type tool struct {
	label string
	name  string
	args  []string
	reads int     // varbinds of one measurement, for two to three seconds, since CPU time counts in hundredths
	wants float64 // target for the ratio of our rate to theirs
}

var tools = []tool{
	{"walk", "snmpwalk", nil, 60000, 1.0},
	{"bulk -Cr10", "snmpbulkwalk", []string{"-Cr10"}, 150000, 1.2},
	{"bulk -Cr50", "snmpbulkwalk", []string{"-Cr50"}, 150000, 1.2},
}

const wantsCPU = 0.7 // target for the ratio of our CPU time to theirs

func (s *stage) tool(ctx context.Context, t tool, side side) *exec.Cmd {
	args := append([]string{"-v2c", "-c", "public", "-m", "", "-On"}, t.args...)
	cmd := s.command(ctx, t.name, append(args, s.agent.Address, side.subtree.String())...)
	cmd.Env = append(os.Environ(), "SNMPCONFPATH="+filepath.Dir(s.agent.Socket)+"/state")
	return cmd
}

// A figure is one measurement.
type figure struct {
	rate   float64 // varbinds per second
	cpu    float64 // seconds of the subagent
	master float64 // seconds of snmpd
}

// measure reads n varbinds a number of times, one walk after the other.
func (s *stage) measure(ctx context.Context, t tool, side side, n, times int) (figure, error) {
	cpu, err := cpuSeconds(side.process.Process.Pid)
	if err != nil {
		return figure{}, err
	}
	master, err := cpuSeconds(s.agent.PID())
	if err != nil {
		return figure{}, err
	}
	begun := time.Now()
	for range times {
		if err := s.tool(ctx, t, side).Run(); err != nil { // its output goes to the null device
			return figure{}, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	elapsed := time.Since(begun).Seconds()
	cpuAfter, err := cpuSeconds(side.process.Process.Pid)
	if err != nil {
		return figure{}, err
	}
	masterAfter, err := cpuSeconds(s.agent.PID())
	return figure{float64(n*times) / elapsed, cpuAfter - cpu, masterAfter - master}, err
}

// clockTick is the unit of /proc/PID/stat on Linux, in seconds.
const clockTick = 0.01

// cpuSeconds is the user and system time of a process and all its threads, from /proc/PID/stat.
func cpuSeconds(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // the name may contain anything else
	fields := strings.Fields(string(rest))
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(fields))
	}
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	return (user + system) * clockTick, err
}
