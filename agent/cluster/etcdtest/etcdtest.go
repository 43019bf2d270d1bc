// Package etcdtest runs private etcd servers on the loopback interface, for tests.
package etcdtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// A Cluster is servers that form one etcd.
type Cluster struct {
	Servers []*Server
	Client  *clientv3.Client // past every proxy; for what a test looks at
}

// A Server is one server of etcd, as a process. Its methods are for one goroutine.
type Server struct {
	URL string // for clients

	tb      testing.TB
	log     string
	args    []string
	process *exec.Cmd
}

// Start starts n servers, whose data are in a folder of the test, and returns when they
// answer. They end with the test. Without etcd the test is skipped; it fails if CI is set.
func Start(tb testing.TB, n int) *Cluster {
	tb.Helper()
	path, err := exec.LookPath("etcd")
	if err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal("etcd is not installed: apt-get install etcd-server")
		}
		tb.Skip("etcd is not installed: apt-get install etcd-server")
	}
	dir, err := os.MkdirTemp("", "etcdtest")
	must(tb, err)
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := new(Cluster)
	var initial []string
	peers, clients := make([]string, n), make([]string, n)
	for i := range n {
		peers[i], clients[i] = "http://"+FreeAddress(tb), "http://"+FreeAddress(tb)
		initial = append(initial, fmt.Sprintf("n%d=%s", i, peers[i]))
	}
	for i := range n {
		s := &Server{URL: clients[i], tb: tb, log: filepath.Join(dir, fmt.Sprintf("n%d.log", i)), args: []string{path,
			"--name", fmt.Sprintf("n%d", i), "--data-dir", filepath.Join(dir, fmt.Sprintf("n%d", i)),
			"--listen-peer-urls", peers[i], "--initial-advertise-peer-urls", peers[i],
			"--listen-client-urls", clients[i], "--advertise-client-urls", clients[i],
			"--initial-cluster", strings.Join(initial, ","), "--initial-cluster-token", filepath.Base(dir),
			"--logger", "zap", "--unsafe-no-fsync", "--snapshot-count", "10000"}}
		if !supports(path, "--unsafe-no-fsync") {
			s.args = s.args[:len(s.args)-3]
		}
		c.Servers = append(c.Servers, s)
		s.Run()
		tb.Cleanup(s.Kill)
	}
	c.Client, err = clientv3.New(clientv3.Config{Endpoints: c.URLs(), Logger: zap.NewNop()})
	must(tb, err)
	tb.Cleanup(func() { _ = c.Client.Close() })
	c.Await()
	return c
}

func supports(path, flag string) bool {
	help, _ := exec.Command(path, "--help").CombinedOutput()
	return strings.Contains(string(help), flag[2:])
}

// URLs returns what clients connect to.
func (c *Cluster) URLs() (urls []string) {
	for _, s := range c.Servers {
		urls = append(urls, s.URL)
	}
	return urls
}

// Await returns once a majority answers.
func (c *Cluster) Await() {
	tb := c.Servers[0].tb
	tb.Helper()
	end := time.Now().Add(30 * time.Second)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err := c.Client.Get(ctx, "a")
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(c.Servers[0].log)
			tb.Fatalf("etcd does not answer: %v\n%s", err, text[max(0, len(text)-2000):])
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Run starts the server, for the first time or again, with the data that it has.
func (s *Server) Run() {
	s.tb.Helper()
	if s.process != nil {
		s.tb.Fatal("etcd runs already")
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(s.tb, err)
	defer log.Close()
	s.process = exec.Command(s.args[0], s.args[1:]...)
	s.process.Stdout, s.process.Stderr = log, log
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.process.Env = append(os.Environ(), "ETCD_UNSUPPORTED_ARCH=arm64")
	must(s.tb, s.process.Start())
}

// Kill ends the server with SIGKILL, if it runs.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	s.process = nil
}

// Stop stops the process, which keeps its connections, until Continue.
func (s *Server) Stop() { must(s.tb, s.process.Process.Signal(syscall.SIGSTOP)) }

// Continue ends Stop.
func (s *Server) Continue() { must(s.tb, s.process.Process.Signal(syscall.SIGCONT)) }

// FreeAddress returns an address of the loopback interface where nothing listens.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(tb, err)
	defer l.Close()
	return l.Addr().String()
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
