package netsnmp

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A TrapdConfig is the settings of a private snmptrapd.
type TrapdConfig struct {
	Address   string   // UDP, such as "127.0.0.1:1162" or "[::1]:1162"; empty: a free port of 127.0.0.1
	Community string   // of v1 and v2c traps and informs; empty: "public"
	Users     []User   // of v3 traps (EngineID is the sender's) and v3 informs (no EngineID)
	Output    string   // net-snmp's output options, such as "-On"; empty prints names that MIBDirs resolve
	Lines     []string // more of snmptrapd.conf, such as users of other protocols
	MIBDirs   []string // directories of MIB modules, all of which are loaded; nil: none is
}

// A Trapd is a private snmptrapd. It stores every notification as one line: the varbinds, separated by TABs.
type Trapd struct {
	Address string // UDP host:port for senders
	LogPath string // the lines, as a file

	process *process
	log     *os.File

	mu      sync.Mutex
	partial []byte
	lines   []string
	grown   chan struct{} // closed and replaced when lines grow
}

// trapMark begins each line of a notification, which distinguishes it from snmptrapd's own messages.
const trapMark = "trap\t"

// StartTrapd starts snmptrapd with all its files in dir, and returns when it listens.
// The process ends with ctx, or by Stop.
func StartTrapd(ctx context.Context, dir string, c TrapdConfig) (*Trapd, error) {
	snmptrapd, err := find("snmptrapd")
	if err != nil {
		return nil, err
	}
	if c.Address == "" {
		if c.Address, err = FreeAddress(); err != nil {
			return nil, err
		}
	}
	number, err := port(c.Address)
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "snmptrapd.conf")
	if err := os.WriteFile(conf, []byte(c.configuration()), 0o600); err != nil {
		return nil, err
	}
	d := &Trapd{Address: c.Address, LogPath: filepath.Join(dir, "snmptrapd.log"), grown: make(chan struct{})}
	if d.log, err = os.Create(d.LogPath); err != nil {
		return nil, err
	}
	command := []string{snmptrapd, "-f", "-Lo", "-C", "-c", conf, "-F", trapMark + "%v\n"}
	transport := "udp:"
	if strings.HasPrefix(c.Address, "[") {
		transport = "udp6:"
	}
	if c.Output != "" {
		command = append(command, c.Output)
	}
	if len(c.MIBDirs) > 0 {
		command = append(command, "-M", "+"+strings.Join(c.MIBDirs, ":"), "-m", "ALL")
	} else {
		command = append(command, "-m", "")
	}
	if d.process, err = startProcess(ctx, append(command, transport+c.Address), dir, d); err != nil {
		d.log.Close()
		return nil, err
	}
	if err := d.process.until(ctx, func() bool { return bound(number) }); err != nil {
		d.Stop()
		return nil, fmt.Errorf("snmptrapd: %w; its log is %s", err, d.LogPath)
	}
	return d, nil
}

func (c TrapdConfig) configuration() string {
	community := c.Community
	if community == "" {
		community = "public"
	}
	lines := []string{"authCommunity log " + community}
	for _, u := range c.Users {
		lines = append(lines, u.createLine(), "authUser log "+u.Name+" priv")
	}
	return strings.Join(append(lines, c.Lines...), "\n") + "\n"
}

// bound reports whether a UDP port of 127.0.0.1 or of ::1 is taken.
func bound(port uint16) bool {
	four, _ := os.ReadFile("/proc/net/udp")
	six, _ := os.ReadFile("/proc/net/udp6")
	return bytes.Contains(four, fmt.Appendf(nil, " 0100007F:%04X ", port)) ||
		bytes.Contains(six, fmt.Appendf(nil, " 00000000000000000000000001000000:%04X ", port))
}

// Stop ends snmptrapd and waits until it is gone.
func (d *Trapd) Stop() {
	d.process.end(terminate)
	d.log.Close()
}

// Write takes the output of snmptrapd.
func (d *Trapd) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.partial = append(d.partial, b...)
	for {
		line, rest, whole := bytes.Cut(d.partial, []byte("\n"))
		if !whole {
			break
		}
		d.partial = rest
		if text, isTrap := strings.CutPrefix(string(line), trapMark); isTrap {
			d.lines = append(d.lines, text)
		}
	}
	close(d.grown)
	d.grown = make(chan struct{})
	return d.log.Write(b)
}

// Lines returns the notifications so far, in order of arrival.
func (d *Trapd) Lines() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// Wait returns the first notification, from the start, that contains text. It waits for it until ctx is done.
func (d *Trapd) Wait(ctx context.Context, text string) (string, error) {
	lines, err := d.WaitCount(ctx, text, 1)
	if err != nil {
		return "", err
	}
	return lines[0], nil
}

// WaitCount returns the notifications that contain text once there are n of them. It waits until ctx is done.
func (d *Trapd) WaitCount(ctx context.Context, text string, n int) ([]string, error) {
	without := func(line string) bool { return !strings.Contains(line, text) }
	for {
		d.mu.Lock()
		lines, grown := slices.Clone(d.lines), d.grown
		d.mu.Unlock()
		lines = slices.DeleteFunc(lines, without)
		if len(lines) >= n {
			return lines, nil
		}
		select {
		case <-grown:
		case <-d.process.gone:
			return lines, fmt.Errorf("snmptrapd has ended: %w", d.process.err)
		case <-ctx.Done():
			return lines, fmt.Errorf("%d of %d traps with %q: %w", len(lines), n, text, ctx.Err())
		}
	}
}
