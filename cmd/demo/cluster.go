package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// A pager is a receiver that shows what it was sent.
type pager struct {
	mu    sync.Mutex
	pages []page
}

// A page is a notification, as a webhook has it.
type page struct {
	ID      string
	Summary string
	at      time.Time
}

func (p *pager) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var m page
	if json.NewDecoder(r.Body).Decode(&m) != nil || strings.Contains(m.ID, "lunawatch") { // of the agents themselves
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m.at = time.Now()
	p.pages = append(p.pages, m)
}

// shown returns the pages, and fails if one came twice.
func (p *pager) shown(context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	times := make(map[string]int)
	for _, m := range p.pages {
		if times[m.ID]++; times[m.ID] > 1 {
			return "", fmt.Errorf("%q came twice", m.ID)
		}
		fmt.Fprintf(&b, "%s  %s\n", m.at.Format(time.TimeOnly), m.Summary)
	}
	return b.String(), nil
}

// servers is how many servers etcd has.
const servers = 3

// A pair is two agents that share an etcd.
type pair struct {
	*demo
	pager     *pager
	page      string // URL of the pager
	endpoints []string
	agents    map[string]*killable
}

// A killable is an agent that can be killed.
type killable struct {
	*child
	kill context.CancelCauseFunc
}

// startPair starts the estate, etcd, the pager and the agents.
func (d *demo) startPair(ctx context.Context) (*pair, error) {
	p := &pair{demo: d, pager: new(pager), agents: make(map[string]*killable)}
	fmt.Println("Starting three simulated appliances (5.4, 6.2, 7.2), three servers of etcd, a pager and two agents ...")
	if err := os.Mkdir(d.path("estate"), 0o700); err != nil {
		return nil, err
	}
	if err := d.startEstate(ctx); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.page = "http://" + l.Addr().String()
	server := &http.Server{Handler: p.pager, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }() // it ends with Close
	context.AfterFunc(ctx, func() { server.Close() })
	if err := p.startEtcd(ctx); err != nil {
		return nil, err
	}
	for _, name := range []string{"lw1", "lw2"} {
		if err := p.startMember(ctx, name); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *pair) startEtcd(ctx context.Context) error {
	var peers, initial []string
	for i := range servers {
		client, err := freeAddress()
		if err != nil {
			return err
		}
		peer, err := freeAddress()
		if err != nil {
			return err
		}
		p.endpoints, peers = append(p.endpoints, "http://"+client), append(peers, "http://"+peer)
		initial = append(initial, fmt.Sprintf("e%d=http://%s", i, peer))
	}
	for i := range servers {
		c, err := startChild(ctx, "etcd", "--name", fmt.Sprintf("e%d", i), "--data-dir", p.path(fmt.Sprintf("e%d", i)),
			"--listen-client-urls", p.endpoints[i], "--advertise-client-urls", p.endpoints[i],
			"--listen-peer-urls", peers[i], "--initial-advertise-peer-urls", peers[i],
			"--initial-cluster", strings.Join(initial, ","), "--log-level", "error")
		if err != nil {
			return err
		}
		p.children = append(p.children, c)
	}
	return nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (p *pair) socket(name string) []string {
	return []string{"-control.socket", p.path(name + ".sock")}
}

func (p *pair) startMember(ctx context.Context, name string) error {
	var conf strings.Builder
	fmt.Fprintf(&conf, "state_directory: %s\ncontrol_socket: %s\nsnmp: {enabled: false}\nhost: {enabled: false}\n", p.path(name), p.path(name+".sock"))
	fmt.Fprintf(&conf, "cluster: {endpoints: [\"%s\"], name: %s, listen: \"127.0.0.1:0\"}\n", strings.Join(p.endpoints, `", "`), name)
	fmt.Fprintf(&conf, "intervals: {fast: 5s, slow: 15s, hourly: 60s}\nalarms: {notify_interval: 1s, storm_alarms: 0}\nreceivers:\n  - name: pager\n    webhook: {url: %q}\nhsms:\n", p.page)
	for _, a := range p.estate.Appliances {
		conf.WriteString(hsm(p.estate, a))
	}
	file := p.path(name + ".yaml")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		return err
	}
	ctx, kill := context.WithCancelCause(ctx)
	c, err := startChild(ctx, p.binary, "agent", "-config.file", file, "-web.listen-address", "127.0.0.1:0")
	if err != nil {
		kill(err)
		return err
	}
	p.children = append(p.children, c)
	p.agents[name] = &killable{c, kill}
	return nil
}

// errKilled has a child end by SIGKILL.
var errKilled = errors.New("killed")

func (p *pair) pairSteps() []step {
	k7 := p.estate.Appliances[len(p.estate.Appliances)-1].Name
	status := func(name string) func(context.Context) (string, error) {
		return p.lunawatch(append([]string{"cluster", "status"}, p.socket(name)...)...)
	}
	return []step{
		{
			title: "Two agents share the HSMs",
			shown: p.binary + " cluster status " + strings.Join(p.socket("lw1"), " "),
			run:   status("lw1"), wants: []string{"lw1 ", "lw2 ", "answers"},
		},
		{
			title: "Each shows the whole estate",
			shown: p.binary + " status -all " + strings.Join(p.socket("lw2"), " "),
			run:   p.lunawatch(append([]string{"status", "-all"}, p.socket("lw2")...)...), wants: []string{": 3 ok"},
		},
		{
			title: "The agent that watches " + k7 + " is killed, and " + k7 + " is put into transport mode: the pager",
			shown: "kill -9 AGENT; " + p.lunasim + " inject -state-dir " + p.path("estate") + " -appliance " + k7 + " stm on",
			run:   p.killAndBreak(k7), wants: []string{"ecure transport"},
		},
		{
			title: "The fault ends; each page has come once",
			shown: p.lunasim + " inject -state-dir " + p.path("estate") + " -appliance " + k7 + " stm off",
			run:   p.repair(k7), wants: []string{"ecure transport", "CLEARED"},
		},
	}
}

// killAndBreak returns what the pager shows after the owner of an HSM was killed, and then
// the HSM has a fault.
func (p *pair) killAndBreak(luna string) func(context.Context) (string, error) {
	var done bool
	return func(ctx context.Context) (string, error) {
		if done {
			return p.pager.shown(ctx)
		}
		out, err := p.lunawatch(append([]string{"cluster", "status", "-json"}, p.socket("lw1")...)...)(ctx)
		if err != nil {
			return "", err
		}
		var report struct {
			Members []struct {
				Name string
				HSMs []string
			}
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			return "", err
		}
		for _, m := range report.Members {
			if a := p.agents[m.Name]; a != nil && slices.Contains(m.HSMs, luna) {
				a.kill(errKilled)
				<-a.done
				fmt.Printf("  %s watched %s, and is killed\n", m.Name, luna)
				done = true
				return "", exec.CommandContext(ctx, p.lunasim, "inject", "-state-dir", p.path("estate"), "-appliance", luna, "stm", "on").Run()
			}
		}
		return "", errors.New("nobody watches " + luna)
	}
}

// repair returns what the pager shows after an HSM's fault has ended.
func (p *pair) repair(luna string) func(context.Context) (string, error) {
	var done bool
	return func(ctx context.Context) (string, error) {
		if !done {
			done = true
			if err := exec.CommandContext(ctx, p.lunasim, "inject", "-state-dir", p.path("estate"), "-appliance", luna, "stm", "off").Run(); err != nil {
				return "", err
			}
		}
		return p.pager.shown(ctx)
	}
}
