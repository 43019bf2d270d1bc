package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What a fault strikes.
const (
	anAgent = "agent"
	aServer = "etcd"
	more    = "several"
)

// A fault is what may go wrong, and how it ends. victim is the index of the agent or server.
type fault struct {
	name     string
	of       string
	weight   int
	from, to time.Duration // it lasts
	begin    func(ctx context.Context, s *stage, victim int) error
	end      func(ctx context.Context, s *stage, victim int) error
}

// faults are all that are drawn; those of weight 0 only by their name.
func faults() []fault {
	return []fault{
		{"agent killed", anAgent, 4, 2 * time.Second, 7 * time.Second, killAgent, startAgent},
		{"agent stopped", anAgent, 3, 8 * time.Second, 8 * time.Second, signalAgent(syscall.SIGSTOP), signalAgent(syscall.SIGCONT)},
		{"agent cut off", anAgent, 3, 5 * time.Second, 10 * time.Second, agentRuns("ip link set NODE down"), agentRuns("ip link set NODE up")},
		{"agent hears nothing", anAgent, 2, 5 * time.Second, 10 * time.Second, agentRuns(inside1 + "-A INPUT -i eth0 -j DROP"), agentRuns(inside1 + "-F")},
		{"agent is not heard", anAgent, 2, 5 * time.Second, 10 * time.Second, agentRuns(inside1 + "-A OUTPUT -o eth0 -j DROP"), agentRuns(inside1 + "-F")},
		{"agent cut off from etcd", anAgent, 3, 5 * time.Second, 10 * time.Second, agentRuns(inside1+"-A OUTPUT -d 10.77.0.8/29 -j DROP", inside1+"-A INPUT -s 10.77.0.8/29 -j DROP"), agentRuns(inside1 + "-F")},
		{"agent blinks", anAgent, 0, time.Second, 1500 * time.Millisecond, agentRuns("ip link set NODE down"), agentRuns("ip link set NODE up")},
		{"agent drained", anAgent, 1, 8 * time.Second, 8 * time.Second, drain(false), drain(true)},
		{"server of etcd killed", aServer, 2, 2 * time.Second, 6 * time.Second, killServer, startServer},
		{"leader of etcd stopped", aServer, 2, 8 * time.Second, 8 * time.Second, stopLeader, continueServers},
		{"disk of etcd full", aServer, 2, 5 * time.Second, 5 * time.Second, fillDisk, emptyDisk},
		{"all etcd down", more, 2, 10 * time.Second, 10 * time.Second, eachServer(killServer), eachServer(startServer)},
		{"rolling restart", more, 1, 0, 0, rollingRestart, func(context.Context, *stage, int) error { return nil }},
	}
}

// inside1 is how a rule of the firewall of a node begins.
const inside1 = "ip netns exec NODE iptables -w "

func faultNamed(name string) fault {
	all := faults()
	return all[slices.IndexFunc(all, func(f fault) bool { return f.name == name })]
}

// A drawn fault has a victim and a time. last: there is none at the same time after it.
type drawn struct {
	fault
	victim int
	lasts  time.Duration
	last   bool
}

// drawFaults draws one fault, or two at once: one of an agent, and one of a server of etcd.
// only is the name of one, or the names of several with " + " in between, or how names begin.
func drawFaults(r *rand.Rand, only string) (list []drawn) {
	const both = 7 // one time in
	for name := range strings.SplitSeq(only, " + ") {
		if i := slices.IndexFunc(faults(), func(f fault) bool { return f.name == name }); i >= 0 {
			f := faults()[i]
			list = append(list, drawn{fault: f, victim: r.IntN(3), lasts: f.between(r)})
		}
	}
	if len(list) == 0 {
		list = append(list, drawOne(r, func(f fault) bool { return strings.HasPrefix(f.name, only) }))
	}
	first := list[0]
	if other := map[string]string{anAgent: aServer, aServer: anAgent}[first.of]; other != "" && r.IntN(both) == 0 && only == "" {
		list = append(list, drawOne(r, func(f fault) bool { return f.of == other }))
	}
	for _, d := range list {
		list[len(list)-1].lasts = max(list[len(list)-1].lasts, d.lasts)
	}
	list[len(list)-1].last = true
	return list
}

func drawOne(r *rand.Rand, may func(fault) bool) drawn {
	var bag []fault
	for _, f := range faults() {
		if may(f) {
			bag = append(bag, slices.Repeat([]fault{f}, f.weight)...)
		}
	}
	f := bag[r.IntN(len(bag))]
	return drawn{fault: f, victim: r.IntN(3), lasts: f.between(r)}
}

func (f fault) between(r *rand.Rand) time.Duration {
	return f.from + time.Duration(r.Float64()*float64(f.to-f.from))
}

// begin has a fault begin, and returns what the judge needs of it.
func (s *stage) begin(ctx context.Context, d drawn) (strike, error) {
	st := strike{Name: d.name}
	switch d.of {
	case anAgent:
		n := s.agents[d.victim]
		st.Of, st.Address, st.Devices = n.name, n.address, s.owners.devices(n.name)
	case aServer:
		st.Of = s.etcd[d.victim].name
	}
	st.Begun = time.Now()
	s.ending = append(s.ending, func(ctx context.Context) error { return d.end(ctx, s, d.victim) })
	if err := d.begin(ctx, s, d.victim); err != nil {
		return st, fmt.Errorf("%s: %w", d.name, err)
	}
	return st, nil
}

// endFaults ends all faults that have begun.
func (s *stage) endFaults(ctx context.Context) (err error) {
	for _, end := range s.ending {
		err = errors.Join(err, end(ctx))
	}
	s.ending = nil
	return err
}

func killAgent(_ context.Context, s *stage, i int) error   { return s.agents[i].stop(syscall.SIGKILL) }
func startAgent(_ context.Context, s *stage, i int) error  { return s.agents[i].start() }
func killServer(_ context.Context, s *stage, i int) error  { return s.etcd[i].stop(syscall.SIGKILL) }
func startServer(_ context.Context, s *stage, i int) error { return s.etcd[i].start() }

func signalAgent(sig syscall.Signal) func(context.Context, *stage, int) error {
	return func(_ context.Context, s *stage, i int) error { return s.agents[i].signal(sig) }
}

// agentRuns runs lines, with the name of the agent for NODE.
func agentRuns(lines ...string) func(context.Context, *stage, int) error {
	return func(ctx context.Context, s *stage, i int) error {
		for _, line := range lines {
			if err := run(ctx, strings.Fields(strings.ReplaceAll(line, "NODE", s.agents[i].name))...); err != nil {
				return err
			}
		}
		return nil
	}
}

// drain asks any agent to have another one drained, or not any more.
func drain(end bool) func(context.Context, *stage, int) error {
	return func(ctx context.Context, s *stage, i int) (err error) {
		for _, asked := range s.agents {
			if err = asked.client.Drain(ctx, s.agents[i].name, end); err == nil {
				return nil
			}
		}
		return err
	}
}

// stopLeader stops the leader, whichever server was drawn.
func stopLeader(ctx context.Context, s *stage, victim int) error {
	for _, n := range s.etcd {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		status, err := s.client.Status(ctx, "https://"+n.address+":2379")
		cancel()
		if err == nil && status.Leader == status.Header.MemberId {
			return n.signal(syscall.SIGSTOP)
		}
	}
	return s.etcd[victim].signal(syscall.SIGSTOP)
}

func continueServers(_ context.Context, s *stage, _ int) (err error) {
	for _, n := range s.etcd {
		err = errors.Join(err, n.signal(syscall.SIGCONT))
	}
	return err
}

func fillDisk(_ context.Context, s *stage, i int) error {
	file, err := os.Create(filepath.Join(s.etcd[i].disk, "full"))
	if err != nil {
		return err
	}
	defer file.Close()
	for block := make([]byte, 1<<20); err == nil; {
		_, err = file.Write(block)
	}
	if errors.Is(err, unix.ENOSPC) {
		return nil
	}
	return err
}

// emptyDisk also starts the server again, if it has ended for want of space.
func emptyDisk(_ context.Context, s *stage, i int) error {
	err := os.Remove(filepath.Join(s.etcd[i].disk, "full"))
	if err == nil && s.etcd[i].ended() {
		err = s.etcd[i].start()
	}
	return err
}

func eachServer(do func(context.Context, *stage, int) error) func(context.Context, *stage, int) error {
	return func(ctx context.Context, s *stage, _ int) (err error) {
		for i := range s.etcd {
			err = errors.Join(err, do(ctx, s, i))
		}
		return err
	}
}

// rollingRestart ends each agent as systemd does, and starts it again once it has ended; the
// next one follows when it is a member.
func rollingRestart(ctx context.Context, s *stage, _ int) error {
	for _, n := range s.agents {
		if err := errors.Join(n.stop(syscall.SIGTERM), n.start()); err != nil {
			return err
		}
		if err := until(ctx, time.Minute, n.name+" is back", func() bool {
			r, err := n.client.Cluster(ctx)
			return err == nil && r.Trouble == "" && len(r.Members) >= agents
		}); err != nil {
			return err
		}
		if err := s.sleep(ctx, 2*time.Second); err != nil {
			return err
		}
	}
	return nil
}
