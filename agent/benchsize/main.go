// Command benchsize measures what the agent costs by the size of the estate: its CPU time
// and memory, how late it polls, and how long /metrics and a full walk take. It starts a
// fleet of simulated HSMs, a private snmpd and the agent for each size, and with -before
// also the agent of another checkout, in turns. What is measured, and how, is in
// docs/performance.md. It ends what it has started, also on SIGINT.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	var o options
	flag.Func("sizes", "`numbers` of HSMs (default 10,100,1000)", o.setSizes)
	flag.Float64Var(&o.minutes, "minutes", 3, "`minutes` that are measured, after the warm-up")
	flag.DurationVar(&o.plan.warmUp, "warm-up", time.Minute, "from when every HSM was read until it is measured")
	flag.IntVar(&o.turns, "turns", 1, "measurements of each size and side; the table has the medians")
	flag.StringVar(&o.agent, "agent", "", "`program` to measure; without it ./cmd/lunawatch is built")
	flag.StringVar(&o.before, "before", "", "`checkout` whose agent is built and measured beside")
	flag.StringVar(&o.json, "json", "", "`file` that gets each measurement as JSON")
	flag.DurationVar(&o.plan.every.fast, "fast", time.Minute, "intervals.fast of the agent")
	flag.DurationVar(&o.plan.every.slow, "slow", 24*time.Hour, "intervals.slow of the agent: after the first round not within the measurement")
	flag.DurationVar(&o.plan.every.hourly, "hourly", 24*time.Hour, "intervals.hourly of the agent")
	flag.DurationVar(&o.plan.between, "scrape", 15*time.Second, "from the end of a scrape to the next one")
	flag.DurationVar(&o.plan.readable, "patience", 10*time.Minute, "until every HSM must have been read")
	flag.IntVar(&o.plan.lines, "lines", 0, "log `lines` a second that the agent follows, with alarms among them")
	flag.StringVar(&o.plan.hang, "hang", "", "`pattern` of the HSMs that hang from the warm-up on, such as hsm-0[1-3]*")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := o.validate()
	if err == nil {
		err = o.run(ctx)
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchsize:", err)
		os.Exit(1)
	}
}

type options struct {
	sizes         []int
	minutes       float64
	turns         int
	agent, before string
	json          string
	plan          plan
}

func (o *options) setSizes(text string) error {
	o.sizes = nil
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of HSMs", word)
		}
		o.sizes = append(o.sizes, n)
	}
	return nil
}

// validate completes the options, and returns what is wrong with them.
func (o *options) validate() error {
	if o.sizes == nil {
		o.sizes = []int{10, 100, 1000}
	}
	o.plan.window = time.Duration(o.minutes * float64(time.Minute))
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	switch {
	case o.turns < 1:
		return errors.New("-turns must be at least 1")
	case o.plan.window <= o.plan.between || o.plan.every.fast <= o.plan.between:
		return fmt.Errorf("-minutes and -fast must be more than the %s between scrapes", o.plan.between)
	}
	for _, size := range o.sizes {
		if o.plan.lines > 0 && size < noisy+alarming {
			return fmt.Errorf("-lines needs %d HSMs", noisy+alarming)
		}
		if err := enoughFiles(size); err != nil {
			return err
		}
	}
	return nil
}

// enoughFiles returns an error if an agent, which has a session with each HSM, may not
// open enough files.
func enoughFiles(size int) error {
	const others = 200
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	if need := uint64(size + others); limit.Cur < need {
		return fmt.Errorf("the agent of %d HSMs needs %d open files, and the limit is %d: raise it with ulimit -Hn %d", size, need, limit.Cur, 2*need)
	}
	return nil
}

// A side is one of the programs that are compared.
type side struct{ name, program string }

func (o *options) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "benchsize")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	lunasim, sides, err := o.build(ctx, dir)
	if err != nil {
		return err
	}
	var results []result
	var failed error
	for i, size := range o.sizes {
		for n := range o.turns * len(sides) {
			s := sides[(n+n/len(sides)+i)%len(sides)] // each is first in turn
			fmt.Fprintf(os.Stderr, "%s: %d HSMs, %s\n", time.Now().Format("15:04:05"), size, s.name)
			r, err := o.one(ctx, dir, lunasim, s, size)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			failed = errors.Join(failed, err) // the others are measured all the same
			results = append(results, r)
			if err := o.writeJSON(results); err != nil {
				return err
			}
		}
	}
	fmt.Printf("%s, %d CPUs; fast interval %s, slow %s, hourly %s; %s measured after %s\n\n", runtime.Version(), runtime.NumCPU(),
		o.plan.every.fast, o.plan.every.slow, o.plan.every.hourly, o.plan.window, o.plan.warmUp)
	fmt.Print(table(results))
	return failed
}

// one makes one measurement. What was measured before it failed is in the result.
func (o *options) one(ctx context.Context, dir, lunasim string, s side, size int) (result, error) {
	r := result{Size: size, Side: s.name}
	stage, err := os.MkdirTemp(dir, "")
	if err == nil {
		r.Figures, err = o.plan.measure(ctx, stage, lunasim, s.program, size)
	}
	if err != nil {
		r.Error = err.Error()
		return r, fmt.Errorf("%d HSMs, %s: %w", size, s.name, err)
	}
	return r, nil
}

// writeJSON writes what there is so far, so that a run that is ended is not lost.
func (o *options) writeJSON(results []result) error {
	if o.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}

// build makes the programs: lunasim of this checkout, and the agents.
func (o *options) build(ctx context.Context, dir string) (lunasim string, sides []side, err error) {
	lunasim = filepath.Join(dir, "lunasim")
	if err := goBuild(ctx, ".", lunasim, "./cmd/lunasim"); err != nil {
		return "", nil, err
	}
	if o.before != "" {
		before := side{"before", filepath.Join(dir, "before")}
		if err := goBuild(ctx, o.before, before.program, "./cmd/lunawatch"); err != nil {
			return "", nil, err
		}
		sides = append(sides, before)
	}
	now := side{"now", o.agent}
	if now.program == "" {
		now.program = filepath.Join(dir, "now")
		if err := goBuild(ctx, ".", now.program, "./cmd/lunawatch"); err != nil {
			return "", nil, err
		}
	}
	return lunasim, append(sides, now), nil
}

// goBuild builds a package of a checkout as make build does.
func goBuild(ctx context.Context, checkout, to, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", to, pkg)
	cmd.Dir = checkout
	cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s of %s: %w\n%s", pkg, checkout, err, out)
	}
	return nil
}
