package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/simulator"
)

const (
	servers  = 3   // of etcd
	agents   = 3   //
	pretend  = 100 // HSMs of which only the log is heard
	polled   = 12  // simulated HSMs
	perGroup = 5   // pretended HSMs for each receiver
	here     = "10.77.0.1"
)

// A stage is everything that runs. Its nodes are what faults strike.
type stage struct {
	dir    string
	etcd   []*node
	agents []*node
	sim    *node
	ready  simulator.Ready
	client *clientv3.Client
	book   *book
	owners *owners

	ending []func(context.Context) error // of the faults that have begun
}

// A node is a process in a network of its own, which can be ended and started again.
type node struct {
	name, address string // "" for what runs beside this process
	args          []string
	log           string
	disk          string // of a server of etcd: where its file system is
	client        *agent.Client

	cmd  *exec.Cmd
	done chan struct{}
}

// lay gives the node a network, on the bridge.
func (n *node) lay(ctx context.Context) error {
	for _, line := range []string{
		"ip netns add " + n.name,
		"ip link add " + n.name + " type veth peer name eth0 netns " + n.name,
		"ip link set " + n.name + " master lwf-br up",
		"ip -n " + n.name + " address add " + n.address + "/24 dev eth0",
		"ip -n " + n.name + " link set eth0 up",
		"ip -n " + n.name + " link set lo up",
	} {
		if err := run(ctx, strings.Fields(line)...); err != nil {
			return err
		}
	}
	return nil
}

// start starts the process, for the first time or again.
func (n *node) start() error {
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := n.args
	if n.address != "" {
		args = append([]string{"ip", "netns", "exec", n.name}, args...)
	}
	n.cmd, n.done = exec.Command(args[0], args[1:]...), make(chan struct{})
	n.cmd.Stdout, n.cmd.Stderr = log, log
	if err := n.cmd.Start(); err != nil {
		return err
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // how it ended is in its log
		close(done)
	}(n.cmd, n.done)
	return nil
}

// signal sends a signal to the process, if it runs.
func (n *node) signal(s syscall.Signal) error {
	if err := n.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	return nil
}

// stop ends the process by a signal, and by SIGKILL if it takes longer than 20 s.
func (n *node) stop(s syscall.Signal) error {
	err := n.signal(s)
	select {
	case <-n.done:
		return err
	case <-time.After(20 * time.Second):
		fmt.Fprintf(os.Stderr, "%s did not end within 20 s\n", n.name)
		return errors.Join(err, n.signal(syscall.SIGKILL))
	}
}

// ended reports whether the process has ended by itself.
func (n *node) ended() bool {
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}

// startStage starts everything, and returns once each agent reads every simulated HSM.
func startStage(ctx context.Context, dir, programs string) (s *stage, err error) {
	s = &stage{dir: dir, owners: new(owners), book: new(book)}
	if err := os.Mkdir("/run/netns", 0o755); err != nil {
		return nil, err
	}
	for _, line := range []string{"ip link set lo up", "ip link add lwf-br type bridge", "ip address add " + here + "/24 dev lwf-br", "ip link set lwf-br up"} {
		if err := run(ctx, strings.Fields(line)...); err != nil {
			return nil, err
		}
	}
	for i := range servers {
		s.etcd = append(s.etcd, &node{name: fmt.Sprintf("lwf-e%d", i+1), address: fmt.Sprintf("10.77.0.%d", 11+i)})
	}
	for i := range agents {
		s.agents = append(s.agents, &node{name: fmt.Sprintf("lwf-a%d", i+1), address: fmt.Sprintf("10.77.0.%d", 21+i)})
	}
	config, err := certify(dir)
	if err != nil {
		return nil, err
	}
	if err := s.startEtcd(ctx, config); err != nil {
		return nil, err
	}
	if err := s.startSimulator(ctx, programs); err != nil {
		return nil, err
	}
	if err := s.book.serve(); err != nil {
		return nil, err
	}
	return s, s.startAgents(ctx, programs)
}

// startEtcd starts the servers, each on a small file system of its own.
func (s *stage) startEtcd(ctx context.Context, config *tls.Config) error {
	var initial, urls []string
	for _, n := range s.etcd {
		initial = append(initial, n.name+"=http://"+n.address+":2380")
		urls = append(urls, "https://"+n.address+":2379")
	}
	for i, n := range s.etcd {
		n.disk, n.log = filepath.Join(s.dir, n.name), filepath.Join(s.dir, n.name+".log")
		if err := os.MkdirAll(n.disk, 0o700); err != nil {
			return err
		}
		if err := run(ctx, "mount", "-t", "tmpfs", "-o", "size=600m", n.name, n.disk); err != nil {
			return err
		}
		n.args = []string{"etcd", "--name", n.name, "--data-dir", filepath.Join(n.disk, "data"),
			"--listen-peer-urls", "http://" + n.address + ":2380", "--initial-advertise-peer-urls", "http://" + n.address + ":2380",
			"--listen-client-urls", urls[i], "--advertise-client-urls", urls[i], "--initial-cluster", strings.Join(initial, ","),
			"--client-cert-auth", "--trusted-ca-file", filepath.Join(s.dir, "ca.pem"),
			"--cert-file", filepath.Join(s.dir, "node.pem"), "--key-file", filepath.Join(s.dir, "node.key"),
			"--logger", "zap", "--auto-compaction-mode", "revision", "--auto-compaction-retention", "5000"}
		if err := errors.Join(n.lay(ctx), n.start()); err != nil {
			return err
		}
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: urls, TLS: config, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	s.client = client
	if err := until(ctx, time.Minute, "etcd answers", func() bool {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := client.Get(ctx, "a")
		return err == nil
	}); err != nil {
		return err
	}
	go s.owners.follow(ctx, client)
	return nil
}

func (s *stage) startSimulator(ctx context.Context, programs string) error {
	s.sim = &node{name: "lwf-sim", log: filepath.Join(s.dir, "lunasim.log"),
		args: []string{filepath.Join(programs, "lunasim"), "-state-dir", filepath.Join(s.dir, "sim"), "-fleet", fmt.Sprint(polled), "-ssh.listen-address", here + ":2200"}}
	if err := s.sim.start(); err != nil {
		return err
	}
	return until(ctx, time.Minute, "the simulator is ready", func() bool {
		file, err := os.Open(s.sim.log)
		if err != nil {
			return false
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if json.Unmarshal(lines.Bytes(), &s.ready) == nil && len(s.ready.Appliances) == polled {
				return true
			}
		}
		return false
	})
}

func (s *stage) startAgents(ctx context.Context, programs string) error {
	for _, a := range s.ready.Appliances {
		s.owners.count(a.Name)
	}
	for _, n := range s.agents {
		file, socket := filepath.Join(s.dir, n.name+".yaml"), filepath.Join(s.dir, n.name+".control")
		if err := os.WriteFile(file, []byte(s.configuration(n, socket)), 0o600); err != nil {
			return err
		}
		n.log, n.client = filepath.Join(s.dir, n.name+".log"), agent.NewClient(socket)
		n.args = []string{filepath.Join(programs, "lunawatch"), "agent", "-config.file", file, "-web.listen-address", "127.0.0.1:9477"}
		if err := errors.Join(n.lay(ctx), n.start()); err != nil {
			return err
		}
	}
	return until(ctx, time.Minute, "the agents share the HSMs", func() bool {
		counts, err := simulator.CountsOf(ctx, filepath.Join(s.dir, "sim"))
		return err == nil && counts.Answered == polled && s.owners.spread(agents)
	})
}

// configuration is that of one agent.
func (s *stage) configuration(n *node, socket string) string {
	var b strings.Builder
	empty := filepath.Join(s.dir, "empty")
	_ = os.MkdirAll(empty, 0o700) // the agent says if it is not there
	var endpoints []string
	for _, e := range s.etcd {
		endpoints = append(endpoints, "https://"+e.address+":2379")
	}
	list, _ := json.Marshal(endpoints)
	names, _ := json.Marshal(pretended())
	fmt.Fprintf(&b, "state_directory: %s\ncontrol_socket: %s\nsnmp: {enabled: false}\nhost: {enabled: false}\nintervals: {fast: 5s, slow: 1m, hourly: 1h}\n", filepath.Join(s.dir, n.name+".state"), socket)
	fmt.Fprintf(&b, "alarms: {notify_interval: 0s, storm_alarms: 0, flap_count: 0, brief_severity: warning}\n")
	fmt.Fprintf(&b, "syslog: {udp: \"%s:514\", trusted: true, relays: [{address: %s, hsms: %s}]}\n", n.address, here, names)
	fmt.Fprintf(&b, "cluster: {endpoints: %s, name: %s, ca_file: %s/ca.pem, cert_file: %s/node.pem, key_file: %s/node.key}\n", list, n.name, s.dir, s.dir, s.dir)
	b.WriteString("receivers:\n")
	for group := 0; group < pretend; group += perGroup {
		hsms, _ := json.Marshal(pretended()[group : group+perGroup])
		for _, kind := range []string{steady, flaky} {
			fmt.Fprintf(&b, "- {name: %s-%02d, webhook: {url: \"http://%s:%d/%s\"}, only: {severity: warning, hsms: %s}}\n", kind, group/perGroup, here, bookPort, kind, hsms)
		}
	}
	b.WriteString("hsms:\n")
	for _, name := range pretended() {
		fmt.Fprintf(&b, "- {name: %s, replay: %s}\n", name, empty)
	}
	for _, a := range s.ready.Appliances {
		fmt.Fprintf(&b, "- {name: %s, address: %q, password_file: %s, known_hosts_file: %s}\n", a.Name, a.SSHAddress, s.ready.PasswordFile, s.ready.KnownHosts)
	}
	return b.String()
}

// sleep waits, and returns early, with an error, when ctx is done.
func (s *stage) sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// until waits for a condition.
func until(ctx context.Context, most time.Duration, what string, is func() bool) error {
	for end := time.Now().Add(most); !is(); {
		if time.Now().After(end) {
			return fmt.Errorf("not within %s: %s", most, what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// pretended returns the names of the pretended HSMs.
var pretended = sync.OnceValue(func() (names []string) {
	for i := range pretend {
		names = append(names, fmt.Sprintf("p%03d", i))
	}
	return names
})
