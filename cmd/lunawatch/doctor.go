package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/agent/doctor"
)

func doctorCommand(flags *flag.FlagSet) action {
	file := configFlag(flags)
	web := flags.String("web.listen-address", agent.DefaultListenAddress, "as of lunawatch agent")
	asJSON := jsonFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		p, err := patient(ctx, *file)
		if err != nil {
			return err
		}
		p.Web = *web
		found := p.Examine(ctx, progress(std.err))
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %w", ctx.Err())
		}
		if *asJSON {
			if err := printJSON(std.out, found); err != nil {
				return err
			}
		} else {
			printFindings(std.out, found)
		}
		if slices.ContainsFunc(found, func(f doctor.Finding) bool { return f.State == doctor.Failed }) {
			return exit(exitError)
		}
		return nil
	}
}

// askTime bounds the questions to a running agent.
const askTime = 2 * time.Second

// patient reads a configuration, and asks the agent that runs with it.
func patient(ctx context.Context, file string) (p doctor.Patient, err error) {
	if p.Config, err = config.Read(file); err != nil {
		return p, err
	}
	_, p.Unchecked, p.Faults = config.Check(file)
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	client := agent.NewClient(p.Config.ControlSocket)
	if p.Snapshot, p.Silent = client.Snapshot(ctx); p.Silent == nil {
		if inForce, err := client.InForce(ctx); err == nil {
			p.InForce = &inForce
		}
	}
	p.Now = time.Now()
	return p, nil
}

// progress returns what shows on a terminal, and nowhere else, how far the tries are.
func progress(w io.Writer) func(done, all int) {
	if !isTerminal(w) {
		return func(int, int) {}
	}
	var mu sync.Mutex
	most := 0
	return func(done, all int) {
		mu.Lock()
		defer mu.Unlock()
		if most = max(most, done); most == all {
			fmt.Fprint(w, "\r\x1b[K")
			return
		}
		fmt.Fprintf(w, "\r%d of %d tried", most, all)
	}
}

// printFindings prints a line for each, and how many there are in each state.
func printFindings(w io.Writer, found []doctor.Finding) {
	count := make(map[doctor.State]int)
	for _, f := range found {
		fmt.Fprintln(w, f)
		count[f.State]++
	}
	fmt.Fprintf(w, "\n%d OK, %s, %d failed.\n", count[doctor.OK], counted(count[doctor.Warning], "warning"), count[doctor.Failed])
}
