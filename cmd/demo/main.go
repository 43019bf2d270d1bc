// Command demo runs Lunawatch with a simulated estate and the host's real snmpd,
// snmptrapd and snmp tools, shows what a newcomer can try, and cleans up.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/simulator"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

func main() {
	clustered := flag.Bool("cluster", false, "two agents that share an etcd, of which one is killed")
	once := flag.Bool("once", false, "try everything once, check it, and end")
	binary := flag.String("lunawatch", "bin/lunawatch", "the program to show")
	simulation := flag.String("lunasim", "bin/lunasim", "the program that simulates the HSMs")
	mibs := flag.String("mibs", "mibs", "directory of the MIB modules")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, *binary, *simulation, *mibs, *once, *clustered); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, simulation, mibs string, once, clustered bool) error {
	if clustered {
		packages = map[string]string{"etcd": "etcd-server"}
	}
	if err := installPeers(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "lunawatch-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := &demo{dir: dir}
	if d.binary, err = filepath.Abs(binary); err != nil {
		return err
	}
	if d.lunasim, err = filepath.Abs(simulation); err != nil {
		return err
	}
	if d.mibs, err = filepath.Abs(mibs); err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	defer d.wait()
	defer cancel()
	steps, err := d.begin(running, clustered)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if err := d.try(ctx, s, once); err != nil {
			return err
		}
	}
	if once {
		fmt.Println("\nEverything works.")
		return nil
	}
	if d.web != "" {
		fmt.Printf("\nhttp://%s/ is the page.", d.web)
	}
	fmt.Println("\nAll of it goes on running, with a value read each 5 seconds. Ctrl-C ends it and leaves nothing behind.")
	<-ctx.Done()
	return nil
}

// begin starts everything, and returns what to try.
func (d *demo) begin(ctx context.Context, clustered bool) ([]step, error) {
	if clustered {
		p, err := d.startPair(ctx)
		if err != nil {
			return nil, err
		}
		return p.pairSteps(), nil
	}
	if err := d.start(ctx); err != nil {
		return nil, err
	}
	return d.steps(), nil
}

// packages are the Debian packages of the programs that are needed.
var packages = map[string]string{"snmpd": "snmpd", "snmptrapd": "snmptrapd", "snmpwalk": "snmp", "snmptable": "snmp"}

// installPeers installs the missing packages if permitted. The error states how to.
func installPeers(ctx context.Context) error {
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	var missing []string
	for program, pkg := range packages {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	advice := "install " + strings.Join(missing, " ") + ": apt-get update && apt-get install -y --no-install-recommends " + strings.Join(missing, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("no apt-get here; " + advice)
	}
	if os.Geteuid() != 0 {
		return errors.New("not root; as root, " + advice)
	}
	fmt.Println("Installing", strings.Join(missing, ", "), "...")
	for _, args := range [][]string{{"update", "-q"}, append([]string{"install", "-qy", "--no-install-recommends"}, missing...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
		}
	}
	return nil
}

// A demo is all processes that run, and their files.
type demo struct {
	dir, binary, mibs string
	lunasim           string // the program that simulates the HSMs
	trapd             *netsnmp.Trapd
	snmpd             *netsnmp.Agent
	estate            simulator.Ready
	web               string
	children          []*child
	traps             int // seen so far
}

func (d *demo) path(name ...string) string { return filepath.Join(append([]string{d.dir}, name...)...) }

func (d *demo) wait() {
	for _, c := range d.children {
		<-c.done
	}
	if d.trapd != nil {
		d.trapd.Stop()
	}
	if d.snmpd != nil {
		d.snmpd.Stop()
	}
}

// start starts the estate, snmpd, snmptrapd and the agent.
func (d *demo) start(ctx context.Context) error {
	for _, name := range []string{"estate", "snmpd", "snmptrapd", "client"} {
		if err := os.Mkdir(d.path(name), 0o700); err != nil {
			return err
		}
	}
	fmt.Println("Starting three simulated appliances (5.4, 6.2, 7.2), a private snmpd and snmptrapd, and the agent ...")
	if err := d.startEstate(ctx); err != nil {
		return err
	}
	user := netsnmp.User{Name: "noc", Auth: secret(), Priv: secret()}
	engine := "80001f8805" + "6c756e617761746368" // of the private snmpd; snmptrapd must know it
	sender := user
	sender.EngineID = engine
	var err error
	d.trapd, err = netsnmp.StartTrapd(ctx, d.path("snmptrapd"), netsnmp.TrapdConfig{
		Users: []netsnmp.User{user, sender}, MIBDirs: []string{d.mibs, filepath.Join(d.mibs, "base")},
	})
	if err != nil {
		return err
	}
	d.snmpd, err = netsnmp.StartAgent(ctx, d.path("snmpd"), netsnmp.Config{
		User: &user, EngineID: engine,
		Lines: []string{fmt.Sprintf("trapsess -v 3 -u %s -l authPriv -a SHA-256 -A %s -x AES -X %s %s", user.Name, user.Auth, user.Priv, d.trapd.Address)},
	})
	if err != nil {
		return err
	}
	if err := d.writeClient(user); err != nil {
		return err
	}
	return d.startAgent(ctx)
}

func (d *demo) startEstate(ctx context.Context) error {
	c, err := startChild(ctx, d.lunasim, "-state-dir", d.path("estate"))
	if err != nil {
		return err
	}
	d.children = append(d.children, c)
	line, err := c.firstLine(ctx)
	if err != nil {
		return fmt.Errorf("the simulated estate did not start: %w", err)
	}
	return json.Unmarshal(line, &d.estate)
}

// writeClient writes the user into the configuration of the snmp tools, so that no
// secret is typed.
func (d *demo) writeClient(u netsnmp.User) error {
	conf := fmt.Sprintf("defVersion 3\ndefSecurityName %s\ndefSecurityLevel authPriv\ndefAuthType SHA-256\ndefAuthPassphrase %s\ndefPrivType AES\ndefPrivPassphrase %s\nmibdirs %s:%s\nmibs ALL\n",
		u.Name, u.Auth, u.Priv, d.mibs, filepath.Join(d.mibs, "base"))
	return os.WriteFile(d.path("client", "snmp.conf"), []byte(conf), 0o600)
}

func (d *demo) startAgent(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.web = l.Addr().String()
	l.Close()
	var conf strings.Builder
	fmt.Fprintf(&conf, "state_directory: %s\ncontrol_socket: %s\nsnmp:\n  agentXSocket: %s\n", d.path("state"), d.path("control.sock"), d.snmpd.Socket)
	conf.WriteString("intervals: {fast: 5s, slow: 15s, hourly: 60s}\nalarms: {notify_interval: 1s, storm_alarms: 0}\nreceivers:\n  - name: snmpd\n    agentx: {}\nhsms:\n")
	for _, a := range d.estate.Appliances {
		conf.WriteString(hsm(d.estate, a))
	}
	if err := os.WriteFile(d.path("lunawatch.yaml"), []byte(conf.String()), 0o600); err != nil {
		return err
	}
	c, err := startChild(ctx, d.binary, "agent", "-config.file", d.path("lunawatch.yaml"), "-web.listen-address", d.web)
	if err != nil {
		return err
	}
	d.children = append(d.children, c)
	return nil
}

// hsm returns what the configuration has of an appliance.
func hsm(estate simulator.Ready, a simulator.ReadyAppliance) string {
	return fmt.Sprintf("  - name: %s\n    address: %s\n    password_file: %s\n    known_hosts_file: %s\n    logs: [%s]\n", a.Name, a.SSHAddress, estate.PasswordFile, estate.KnownHosts, a.Syslog)
}

// secret returns a random passphrase.
func secret() string { return rand.Text() }

// A child is a process that the demo started. It ends with its context.
type child struct {
	out  io.Reader
	err  bytes.Buffer // read only after done
	done chan struct{}
}

func startChild(ctx context.Context, name string, args ...string) (*child, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error {
		if errors.Is(context.Cause(ctx), errKilled) {
			return cmd.Process.Kill()
		}
		return cmd.Process.Signal(syscall.SIGTERM)
	}
	cmd.WaitDelay = 5 * time.Second
	out, w := io.Pipe()
	c := &child{out: out, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = w, &c.err
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	go func() {
		defer close(c.done)
		_ = cmd.Wait()
		w.Close()
	}()
	return c, nil
}

// firstLine returns the first line of the output, and discards the others.
func (c *child) firstLine(ctx context.Context) ([]byte, error) {
	line := make(chan []byte, 1)
	go func() {
		var b []byte
		one := make([]byte, 1)
		for {
			n, err := c.out.Read(one)
			b = append(b, one[:n]...)
			if err != nil || n == 1 && one[0] == '\n' {
				break
			}
		}
		line <- b
		_, _ = io.Copy(io.Discard, c.out)
	}()
	select {
	case b := <-line:
		if len(bytes.TrimSpace(b)) > 0 {
			return b, nil
		}
		<-c.done
		return nil, errors.New(strings.TrimSpace(c.err.String()))
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
