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
	"github.com/lunawatch/lunawatch/hsm"
)

func traceCommand(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	raw := flags.Bool("raw", false, "print the newest answer of the value's source instead, as it came")
	return func(ctx context.Context, words []string, std stdio) error {
		i := strings.LastIndex(words[0], ".")
		if i < 1 {
			return usagef("%q is no HSM.VALUE such as luna-a.temperature; the values are %s", words[0], strings.Join(glance.ReadMeasures(), ", "))
		}
		name, measure := words[0][:i], words[0][i+1:]
		if !slices.Contains(glance.ReadMeasures(), measure) {
			return noMeasure(measure)
		}
		client := agent.NewClient(*socket)
		k, err := known(ctx, client)
		if err != nil {
			return err
		}
		found, err := chosen(k.Snapshot.HSMs(), name)
		if err != nil {
			return err
		}
		if k.Said, err = client.Answers(ctx, found[0].Name, ""); err != nil {
			return err
		}
		if *raw {
			r, _ := glance.Read(found[0], measure, k.Thresholds, k.At)
			trace.Raw(std.out, slices.DeleteFunc(k.Said, func(a hsm.Answer) bool { return a.Source != r.Source }), k.At)
			return nil
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
