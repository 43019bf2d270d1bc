// Command faults tries a cluster of agents: three servers of etcd, three agents, simulated
// HSMs and receivers that fail a third of the time, each behind a network of its own, while
// faults drawn at random strike them and an event is due each 50 ms. At the end it prints
// what was lost, what was notified twice, and how long it took.
//
// It needs root. All of it runs in namespaces of its own, for processes, mounts and
// networks, so that nothing of it outlives the command, and nothing outside is touched but
// a temporary folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

type options struct {
	faults   int
	seed     uint64
	lasts    time.Duration
	long     time.Duration
	only     string
	dir      string
	programs string
}

// inside is set in the environment of the process that has the namespaces.
const inside = "LUNAWATCH_FAULTS_INSIDE"

func main() {
	var o options
	flag.IntVar(&o.faults, "faults", 10, "`number` of faults")
	flag.Uint64Var(&o.seed, "seed", 1, "of the faults that are drawn; the same `number` draws the same")
	flag.DurationVar(&o.lasts, "for", time.Hour, "no fault begins after this `time`")
	flag.DurationVar(&o.long, "long", 0, "at the end, all of etcd is down for this `time`, too")
	flag.StringVar(&o.only, "only", "", "draw only faults whose `name` begins so, or those of several whole names with \" + \" in between, at once")
	flag.StringVar(&o.dir, "dir", "", "`folder` for logs and state, which is kept; without it a temporary one")
	flag.StringVar(&o.programs, "programs", "", "`folder` with lunawatch and lunasim; without it they are built")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := o.outside
	if os.Getenv(inside) != "" {
		do = o.inside
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// outside builds the programs, and runs this one again in namespaces of its own.
func (o *options) outside(ctx context.Context) (err error) {
	switch {
	case os.Geteuid() != 0:
		return errors.New("must be root, to make network namespaces")
	case flag.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "lwf-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	if o.programs == "" {
		o.programs = o.dir
		for _, name := range []string{"lunawatch", "lunasim"} {
			build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(o.dir, name), "./cmd/"+name)
			if out, err := build.CombinedOutput(); err != nil {
				return fmt.Errorf("build %s: %w\n%s", name, err, out)
			}
		}
	}
	runtime.LockOSThread() // which Pdeathsig is about
	again := exec.CommandContext(ctx, "/proc/self/exe", append(os.Args[1:], "-dir", o.dir, "-programs", o.programs)...)
	again.Env = append(os.Environ(), inside+"=1")
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	again.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID}
	again.Cancel = func() error { return again.Process.Signal(syscall.SIGTERM) }
	again.WaitDelay = 10 * time.Second
	return again.Run()
}

// inside runs it all. What it starts ends with this process, the first of its namespace.
func (o *options) inside(ctx context.Context) error {
	for _, m := range []struct {
		kind, at string
		flags    uintptr
	}{{"", "/", unix.MS_REC | unix.MS_PRIVATE}, {"proc", "/proc", 0}, {"tmpfs", "/run", 0}} {
		if err := unix.Mount(m.kind, m.at, m.kind, m.flags, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	s, err := startStage(ctx, o.dir, o.programs)
	if err != nil {
		return err
	}
	driven, stop := context.WithCancel(ctx)
	sent := make(chan []event)
	go func() { sent <- s.drive(driven) }()
	strikes, err := o.strike(ctx, s)
	if err == nil {
		err = s.sleep(ctx, 5*time.Second)
	}
	stop()
	events := <-sent
	if err != nil {
		return err
	}
	end := s.settle(ctx, events)
	fmt.Print(judge(events, s.book.all(), strikes).table())
	fmt.Print(end)
	return nil
}

// strike has the faults happen, one after the other and sometimes two at once.
func (o *options) strike(ctx context.Context, s *stage) ([]strike, error) {
	draw := rand.New(rand.NewPCG(o.seed, 0)) //nolint:gosec // which faults are drawn is no secret, and must be repeatable
	var all []strike
	for begun := time.Now(); len(all) < o.faults && time.Since(begun) < o.lasts; {
		struck := drawFaults(draw, o.only)
		for _, d := range struck {
			st, err := s.begin(ctx, d)
			if len(struck) > 1 {
				st.Name += ", and another"
			}
			if err != nil {
				return all, err
			}
			all = append(all, st)
			fmt.Fprintf(os.Stderr, "%s %3d %s %s for %s\n", time.Now().Format("15:04:05.000"), len(all), d.name, st.Of, d.lasts.Round(time.Millisecond))
			if d.last {
				if err := s.sleep(ctx, d.lasts); err != nil {
					return all, err
				}
			}
		}
		if err := errors.Join(s.endFaults(ctx), s.sleep(ctx, time.Duration(3000+draw.IntN(3000))*time.Millisecond)); err != nil {
			return all, err
		}
	}
	if o.long > 0 {
		f := faultNamed("all etcd down")
		st, err := s.begin(ctx, drawn{fault: f, lasts: o.long})
		if err == nil {
			err = errors.Join(s.sleep(ctx, o.long), s.endFaults(ctx), s.sleep(ctx, 10*time.Second))
		}
		return append(all, st), err
	}
	return all, nil
}

// run runs a program to its end; its error has what it said.
func run(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
