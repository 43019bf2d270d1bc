package agent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/lunawatch/lunawatch/agent/cluster/etcdtest"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// A hook is a receiver that records the IDs of what it is sent, and may refuse it.
type hook struct {
	refuses atomic.Bool
	mu      sync.Mutex
	ids     []string // of what it took
	tried   []string // of what it was sent
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var n struct{ ID string }
	if json.NewDecoder(r.Body).Decode(&n) != nil || strings.HasPrefix(n.ID, alarms.Self) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tried = append(h.tried, n.ID)
	if h.refuses.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	h.ids = append(h.ids, n.ID)
}

func (h *hook) took(parts ...string) (ids []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.ids), func(id string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(id, part) })
	})
}

// A pairAgent is one agent of a cluster, as a process.
type pairAgent struct {
	name    string
	client  *Client
	process *exec.Cmd
	log     *syncBuffer
}

// startPair runs two agents of one cluster that watch the simulated appliances, and notify
// one receiver.
func startPair(t *testing.T) (e *estate, h *hook, all []*pairAgent) {
	etcd := etcdtest.Start(t, 1)
	e = &estate{dir: t.TempDir(), log: new(syncBuffer)}
	check.Must(t, os.Mkdir(filepath.Join(e.dir, "sim"), 0o700))
	e.startSimulator(t.Context(), t)
	h = new(hook)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	for _, name := range []string{"lw1", "lw2"} {
		dir, err := os.MkdirTemp("", "lw")
		check.Must(t, err)
		t.Cleanup(func() { os.RemoveAll(dir) })
		text := fmt.Sprintf("state_directory: %s/state\ncontrol_socket: %s/control\nsnmp: {enabled: false}\nhost: {enabled: false}\nintervals: {fast: 1s, slow: 2s, hourly: 3s}\n", dir, dir)
		text += fmt.Sprintf("cluster: {endpoints: [%q], name: %s, ttl: 2s, listen: \"127.0.0.1:0\"}\nalarms: {notify_interval: 0s, storm_alarms: 0, flap_count: 0}\n", etcd.Servers[0].URL, name)
		text += fmt.Sprintf("receivers:\n- {name: pager, webhook: {url: %q}}\nhsms:\n", server.URL)
		for _, a := range e.ready.Appliances {
			text += fmt.Sprintf("- {name: %s, address: %q, password_file: %s, known_hosts_file: %s, logs: [%s]}\n", a.Name, a.SSHAddress, e.ready.PasswordFile, e.ready.KnownHosts, a.Syslog)
		}
		file := filepath.Join(dir, "agent.yaml")
		check.Must(t, os.WriteFile(file, []byte(text), 0o600))
		p := &pairAgent{name: name, client: NewClient(dir + "/control"), log: new(syncBuffer)}
		p.process = exec.Command(os.Args[0])
		p.process.Env = append(os.Environ(), agentConfig+"="+file)
		p.process.Stdout, p.process.Stderr = p.log, p.log
		p.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		check.Must(t, p.process.Start())
		t.Cleanup(func() {
			p.process.Process.Kill()
			p.process.Wait()
			if t.Failed() {
				t.Logf("log of %s:\n%s", p.name, p.log)
			}
		})
		all = append(all, p)
	}
	return e, h, all
}

// TestPair: the agent that watches an HSM is killed before the pager has taken its alarm. The
// other one, which shows the whole estate and has taken the acknowledgement, pages it once
// under the same ID, goes on watching the HSM, and clears the alarm.
func TestPair(t *testing.T) {
	t.Parallel()
	e, h, agents := startPair(t)
	for _, p := range agents {
		e.until(t, p.name+" shows every HSM", func() bool {
			r, err := p.client.Cluster(t.Context())
			if err != nil || len(r.Members) != 2 {
				return false
			}
			snap, err := p.client.Snapshot(t.Context())
			check.Must(t, err)
			return !slices.ContainsFunc(snap.Devices, func(d *hsm.Device) bool { return d.Show.IsZero() || d.Monitor.IsZero() })
		})
	}
	const luna = "luna72"
	owner, other := agents[0], agents[1]
	e.until(t, "every HSM has the owner that its name says", func() bool {
		r, err := agents[0].client.Cluster(t.Context())
		check.Must(t, err)
		for _, m := range r.Members {
			if m.Name == other.name && slices.Contains(m.HSMs, luna) {
				owner, other = other, owner
			}
			if m.Shards < 100 {
				return false
			}
		}
		return true
	})
	h.refuses.Store(true)
	e.inject(t, luna, "stm on")
	var raised alarms.Active
	e.until(t, "the other agent shows the alarm", func() bool {
		list, err := other.client.Alarms(t.Context())
		check.Must(t, err)
		i := slices.IndexFunc(list, func(a alarms.Active) bool { return a.Device == luna && a.Group == "stm" })
		if i >= 0 {
			raised = list[i]
		}
		return i >= 0
	})
	check.Must(t, other.client.Acknowledge(t.Context(), fmt.Sprint(raised.Number), "anna", "mine"))
	check.Must(t, owner.process.Process.Kill())
	h.refuses.Store(false)
	e.until(t, "the other agent pages", func() bool { return len(h.took(raised.Key.String(), "raised major")) > 0 })
	e.inject(t, luna, "stm off")
	e.until(t, "it is cleared", func() bool { return len(h.took(raised.Key.String(), "cleared")) > 0 })
	if got := h.took("/stm", "raised"); len(got) != 1 {
		t.Errorf("the pager took %q", got)
	}
	past, err := other.client.History(t.Context(), 10)
	check.Must(t, err)
	i := slices.IndexFunc(past, func(a alarms.Alarm) bool { return a.Number == raised.Number })
	if i < 0 || past[i].Ack == nil || past[i].Ack.Comment != "mine" {
		t.Errorf("the history of the other agent: %+v", past)
	}
}
