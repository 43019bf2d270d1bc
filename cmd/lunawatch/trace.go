package main

import (
	"context"
	"flag"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/trace"
)

func traceCommand(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	return func(ctx context.Context, words []string, std stdio) error {
		i := strings.LastIndex(words[0], ".")
		if i < 1 {
			return usagef("%q is no HSM.VALUE such as luna-a.temperature; the values are %s", words[0], strings.Join(glance.ReadMeasures(), ", "))
		}
		name, measure := words[0][:i], words[0][i+1:]
		if !slices.Contains(glance.ReadMeasures(), measure) {
			return noMeasure(measure)
		}
		k, err := known(ctx, agent.NewClient(*socket))
		if err != nil {
			return err
		}
		found, err := chosen(k.Snapshot.HSMs(), name)
		if err != nil {
			return err
		}
		return trace.Text(std.out, k, found[0], measure)
	}
}

// known asks the agent for all that a trace needs.
func known(ctx context.Context, client *agent.Client) (k trace.Known, err error) {
	k.At, k.Served = time.Now(), make(map[string]string)
	if k.Snapshot, err = client.Snapshot(ctx); err != nil {
		return k, err
	}
	if k.Thresholds, err = client.Thresholds(ctx); err != nil {
		return k, err
	}
	if k.Active, err = client.Alarms(ctx); err != nil {
		return k, err
	}
	served, err := client.Walk(ctx)
	for _, i := range served {
		k.Served[i.OID] = i.Value
	}
	return k, err
}
