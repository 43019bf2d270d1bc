// Command benchsnmp measures our AgentX session against a subagent written in C with libsnmp. Both serve the same
// varbinds under one private snmpd, and are read in turns. Everything is pinned to one CPU, which is the most stable
// measurement; -free also measures without that.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/mib/agentx"
)

//go:embed libsnmp/subagent.c
var source []byte

func main() {
	var (
		pairs   = flag.Int("pairs", 7, "measurements of each side")
		cpu     = flag.String("cpu", "0", "the CPU that all processes are pinned to")
		free    = flag.Bool("free", false, "measure without pinning too")
		serving = flag.Bool("serve", false, "be our side of the comparison")
		socket  = flag.String("socket", "", "with -serve: the master's AgentX socket")
		subtree = flag.String("subtree", "", "with -serve: what to register")
		n       = flag.Int("n", 0, "with -serve: number of varbinds; otherwise the only size to measure")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *serving {
		var oid agentx.OID
		if oid, err = agentx.ParseOID(*subtree); err == nil {
			err = serve(ctx, *socket, oid, *n)
		}
	} else {
		sizes := []int{1000, 10000}
		if *n > 0 {
			sizes = []int{*n}
		}
		err = compare(ctx, sizes, *pairs, *cpu, *free)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchsnmp:", err)
		os.Exit(1)
	}
}

// compare prints one table pinned, and one free if asked for.
func compare(ctx context.Context, sizes []int, pairs int, cpu string, free bool) error {
	dir, err := os.MkdirTemp("", "benchsnmp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	subagent, err := compile(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Printf("medians of %d pairs; CPU seconds are for the varbinds in column read, by /proc/PID/stat (hundredths)\n", pairs)
	if err := table(ctx, dir, subagent, []string{"taskset", "-c", cpu}, "all processes on CPU "+cpu, sizes, pairs); err != nil {
		return err
	}
	if !free {
		return nil
	}
	return table(ctx, dir, subagent, nil, "free on all CPUs", sizes, pairs)
}

// compile builds the C side with the options of net-snmp-config.
func compile(ctx context.Context, dir string) (string, error) {
	file, binary := filepath.Join(dir, "subagent.c"), filepath.Join(dir, "subagent")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return "", err
	}
	args := []string{"-O2", "-o", binary, file}
	for _, option := range []string{"--base-cflags", "--agent-libs"} {
		flags, err := exec.CommandContext(ctx, "net-snmp-config", option).Output()
		if err != nil {
			return "", fmt.Errorf("net-snmp-config %s: %w (Debian: apt-get install libsnmp-dev gcc)", option, err)
		}
		args = append(args, strings.Fields(string(flags))...)
	}
	if out, err := exec.CommandContext(ctx, "cc", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("cc: %w\n%s", err, out)
	}
	return binary, nil
}

func table(ctx context.Context, dir, subagent string, wrapper []string, title string, sizes []int, pairs int) error {
	for i, n := range sizes {
		if err := one(ctx, dir, subagent, wrapper, title, n, pairs, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// one prints the lines of one size.
func one(parent context.Context, dir, subagent string, wrapper []string, title string, n, pairs int, heading bool) error {
	ctx, cancel := context.WithCancel(parent)
	sub, err := os.MkdirTemp(dir, "")
	if err != nil {
		cancel()
		return err
	}
	s, err := newStage(ctx, sub, subagent, wrapper, n)
	if err != nil {
		cancel()
		return err
	}
	defer func() {
		cancel()
		for _, side := range s.sides {
			_ = side.process.Wait()
		}
		s.agent.Kill()
	}()
	if heading {
		fmt.Printf("\n%s; our side with GOMAXPROCS %d\n", title, s.threads)
		fmt.Printf("%-7s %-10s %8s | %9s %9s %6s %-14s | %6s %6s %6s %-14s | %7s %7s\n", "n", "", "read",
			"lunawatch", "libsnmp", "ratio", "target", "CPU", "libsnmp", "ratio", "target", "snmpd", "libsnmp")
	}
	for _, t := range tools {
		ours, theirs, times, err := s.compare(ctx, t, n, pairs)
		if err != nil {
			return err
		}
		rate, cpu := ours.rate/theirs.rate, ours.cpu/theirs.cpu
		fmt.Printf("%-7d %-10s %8d | %9.0f %9.0f %6.2f %-14s | %6.2f %7.2f %5.2f %-14s | %7.2f %7.2f\n", n, t.label, n*times,
			ours.rate, theirs.rate, rate, s.verdict(n, rate >= t.wants, ">=", t.wants),
			ours.cpu, theirs.cpu, cpu, s.verdict(n, cpu <= wantsCPU, "<=", wantsCPU), ours.master, theirs.master)
	}
	return nil
}

// verdict compares with a target, which is set for all processes on one CPU and 10,000 varbinds only.
func (s *stage) verdict(n int, met bool, relation string, target float64) string {
	switch {
	case len(s.wrapper) == 0 || n != 10000:
		return ""
	case met:
		return fmt.Sprintf("%s %.1f met", relation, target)
	}
	return fmt.Sprintf("%s %.1f MISSED", relation, target)
}

// compare measures both sides in turns, the first to go alternating, and returns the medians.
func (s *stage) compare(ctx context.Context, t tool, n, pairs int) (ours, theirs figure, times int, err error) {
	times = max(1, t.reads/n)
	var figures [2][]figure
	for i := range 2 * pairs {
		who := (i + i/2) % 2
		f, err := s.measure(ctx, t, s.sides[who], n, times)
		if err != nil {
			return ours, theirs, times, err
		}
		figures[who] = append(figures[who], f)
	}
	return medians(figures[0]), medians(figures[1]), times, nil
}

func medians(figures []figure) figure {
	return figure{
		median(figures, func(f figure) float64 { return f.rate }),
		median(figures, func(f figure) float64 { return f.cpu }),
		median(figures, func(f figure) float64 { return f.master }),
	}
}

func median(figures []figure, of func(figure) float64) float64 {
	values := make([]float64, len(figures))
	for i, f := range figures {
		values[i] = of(f)
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
