package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestLossyHour watches appliances at shipped settings, over SSH, REST and SNMP, through
// a network that loses one packet in a hundred and delays each by up to 200 ms: nobody is
// notified of a dead appliance. Then the cable is cut, and all are. It lasts an hour, or
// LUNAWATCH_LOSSY (5m), and needs root.
func TestLossyHour(t *testing.T) {
	if os.Getenv("LUNAWATCH_STRESS") == "" {
		t.Skip("LUNAWATCH_STRESS is not set")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root makes network namespaces")
	}
	lasts := time.Hour
	if text := os.Getenv("LUNAWATCH_LOSSY"); text != "" {
		var err error
		lasts, err = time.ParseDuration(text)
		check.Must(t, err)
	}
	dir, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	check.Must(t, os.Mkdir(filepath.Join(dir, "sim"), 0o700))
	l := layCable(t)
	e := &estate{dir: dir, log: new(syncBuffer)}
	check.Must(t, json.NewDecoder(l.run(t, l.far, simulatorDir+"="+dir+"/sim", simulatorListen+"="+l.farAddress+":0")).Decode(&e.ready))
	client := NewClient(dir + "/control")
	text := fmt.Sprintf("state_directory: %s/state\ncontrol_socket: %s/control\nsnmp: {enabled: false}\nhost: {enabled: false}\nhsms:\n", dir, dir)
	for _, a := range e.ready.Appliances {
		text += fmt.Sprintf("- {name: %s, address: %q, password_file: %s, known_hosts_file: %s%s}\n", a.Name, a.SSHAddress, e.ready.PasswordFile, e.ready.KnownHosts, withRESTOf(e, a))
	}
	text += l.snmpd(t, dir)
	check.Must(t, os.WriteFile(dir+"/agent.yaml", []byte(text), 0o600))
	go io.Copy(e.log, l.run(t, l.near, agentConfig+"="+dir+"/agent.yaml"))
	all := len(e.ready.Appliances) + 1
	e.until(t, "all answer", func() bool { return answering(t, client) == all })

	begun := time.Now()
	for time.Since(begun) < lasts {
		time.Sleep(min(lasts, 10*time.Second))
		if bad := unreached(t, client); len(bad) > 0 {
			t.Fatalf("after %s: %s\n%s", time.Since(begun).Round(time.Second), bad, e.log)
		}
	}
	t.Logf("%s: %d packets, %d lost", lasts, l.packets.Load(), l.lost.Load())
	if l.packets.Load() < 100 || l.lost.Load() == 0 {
		t.Error("the network has lost nothing")
	}
	l.cut.Store(true)
	cut := time.Now()
	e.until(t, "all are gone", func() bool {
		active, err := client.Alarms(t.Context())
		check.Must(t, err)
		gone := slices.DeleteFunc(active, func(a alarms.Active) bool { return a.Group != "unreachable" || a.Layer != hsm.LayerNoAnswer })
		return len(gone) == all
	})
	t.Logf("LunaSH and SNMP: all are alarms %s after the cut", time.Since(cut).Round(100*time.Millisecond))
	e.until(t, "the REST API is gone, by its idle connection", func() bool {
		s, err := client.Snapshot(t.Context())
		check.Must(t, err)
		return !slices.ContainsFunc(s.Devices, func(d *hsm.Device) bool {
			rest, has := d.Sources["rest hsm"]
			return has && (rest.Layer != hsm.LayerNoAnswer || rest.Failures < 2)
		})
	})
	t.Logf("REST: two polls failed %s after the cut", time.Since(cut).Round(100*time.Millisecond))
}

// answering returns how many HSMs the source answers that opens their rounds. What snmpd
// answers has no object of an HSM.
func answering(t *testing.T, c *Client) (n int) {
	s, err := c.Snapshot(t.Context())
	if err != nil {
		return 0
	}
	for _, d := range s.Devices {
		ssh, snmp := d.Sources["hsm show"], d.Sources["snmp hsmTable"]
		if !ssh.Success.IsZero() || snmp.Failure == hsm.Unrecognised {
			n++
		}
	}
	return n
}

// unreached returns the alarms, active or cleared, on an HSM or a source that was not
// reached. Those of a source that was reached have no layer.
func unreached(t *testing.T, c *Client) (found []string) {
	active, err := c.Alarms(t.Context())
	check.Must(t, err)
	cleared, err := c.History(t.Context(), 1000)
	check.Must(t, err)
	for _, a := range active {
		cleared = append(cleared, a.Alarm)
	}
	for _, a := range cleared {
		lost := slices.ContainsFunc(a.Evidence, func(e alarms.Evidence) bool { return e.Layer != hsm.LayerUnknown })
		if a.Group == "unreachable" || lost {
			found = append(found, a.Key.String()+": "+a.Text)
		}
	}
	return found
}

// A cable joins two network namespaces, and drops and delays what it carries.
type cable struct {
	near, far     string // namespaces
	farAddress    string
	packets, lost atomic.Int64
	cut           atomic.Bool
}

func layCable(t *testing.T) *cable {
	name := fmt.Sprintf("lw%d", os.Getpid())
	l := &cable{near: name + "a", far: name + "b", farAddress: "10.99.8.2"}
	var ends []*os.File
	for _, end := range []struct{ space, address, peer string }{{l.near, "10.99.8.1", l.farAddress}, {l.far, l.farAddress, "10.99.8.1"}} {
		ip(t, "netns", "add", end.space)
		t.Cleanup(func() { ip(t, "netns", "del", end.space) })
		tun, err := openTUN(end.space)
		check.Must(t, err)
		t.Cleanup(func() { tun.Close() })
		ip(t, "link", "set", end.space, "netns", end.space)
		ip(t, "-n", end.space, "link", "set", "lo", "up")
		ip(t, "-n", end.space, "addr", "add", end.address, "peer", end.peer, "dev", end.space)
		ip(t, "-n", end.space, "link", "set", end.space, "up")
		ends = append(ends, tun)
	}
	go l.carry(ends[0], ends[1])
	go l.carry(ends[1], ends[0])
	return l
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %q: %v: %s", args, err, out)
	}
}

// openTUN makes a network device whose packets are read and written as a file.
func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return nil, fmt.Errorf("TUNSETIFF: %w", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// carry moves packets until an end is closed.
func (l *cable) carry(from, to *os.File) {
	for {
		b := make([]byte, 1<<16)
		n, err := from.Read(b)
		if err != nil {
			return
		}
		l.packets.Add(1)
		if l.cut.Load() || rand.IntN(100) == 0 {
			l.lost.Add(1)
			continue
		}
		time.AfterFunc(rand.N(200*time.Millisecond), func() { _, _ = to.Write(b[:n]) })
	}
}

// run runs this test binary in a namespace and returns what it prints.
func (l *cable) run(t *testing.T, space string, env ...string) io.Reader {
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "ip", "netns", "exec", space, os.Args[0])
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	check.Must(t, err)
	check.Must(t, cmd.Start())
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	return out
}

// snmpd starts an SNMP agent at the far end and returns the HSM that is it; "": there is
// no snmpd.
func (l *cable) snmpd(t *testing.T, dir string) string {
	address := net.JoinHostPort(l.farAddress, "1161")
	check.Must(t, os.WriteFile(dir+"/snmpd.conf", []byte("agentaddress udp:"+address+"\nrocommunity public\n"), 0o600))
	check.Must(t, os.WriteFile(dir+"/community", []byte("public\n"), 0o600))
	cmd := exec.Command("ip", "netns", "exec", l.far, "snmpd", "-f", "-Ln", "-C", "-c", dir+"/snmpd.conf", "-p", dir+"/snmpd.pid")
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+dir)
	check.Must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); _ = cmd.Wait() })
	return fmt.Sprintf("- {name: snmp, snmp_agent: {address: %q, version: 2c, community_file: %s/community}}\n", address, dir)
}

// agentConfig makes the test binary the agent of a configuration.
const agentConfig = "LUNAWATCH_TEST_AGENT"

// simulatorListen is where the simulator listens; "": on the loopback interface.
const simulatorListen = "LUNAWATCH_TEST_LISTEN"

// runAlone runs the agent of a configuration until the process is killed.
func runAlone(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	c, err := config.Parse(text)
	if err != nil {
		return err
	}
	return errors.Join(New(c, freeWeb(), slog.New(slog.NewTextHandler(os.Stdout, nil))).Run(context.Background()), errors.New("it has ended"))
}
