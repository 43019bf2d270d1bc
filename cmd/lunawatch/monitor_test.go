package main

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/exporters/monitor"
	"github.com/lunawatch/lunawatch/hsm"
)

// rounds gives so many rounds of a half-used HSM, and then an error.
func rounds(n int, err error) iter.Seq2[hsm.Monitor, error] {
	return func(yield func(hsm.Monitor, error) bool) {
		for range n {
			if !yield(hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: 60, Utilization: 0.1, UtilizationInt: 0.5}}}, nil) {
				return
			}
		}
		yield(hsm.Monitor{}, err)
	}
}

// TestInterruptedMonitor: Ctrl-C ends the table with its average, as it does in LunaSH.
func TestInterruptedMonitor(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, x := range []struct {
		name   string
		ctx    context.Context
		rounds iter.Seq2[hsm.Monitor, error]
		fails  bool
		want   string
	}{
		{"interrupted", ctx, rounds(2, context.Canceled), false, "Average HSM Utilization In This Period  :  50.00%"},
		{"interrupted at once", ctx, rounds(0, context.Canceled), true, ""},
		{"the HSM fails", t.Context(), rounds(2, errors.New("no answer")), true, ""},
	} {
		var b strings.Builder
		err := monitor.Table{Interval: 5}.Print(&b, untilInterrupted(x.ctx, x.rounds))
		if (err != nil) != x.fails || !strings.Contains(b.String(), x.want) || x.fails && strings.Contains(b.String(), "Average") {
			t.Errorf("%s: %v\n%s", x.name, err, &b)
		}
		var csv strings.Builder
		if err := (monitor.CSV{}).Print(&csv, untilInterrupted(x.ctx, x.rounds)); (err != nil) != x.fails {
			t.Errorf("%s, as CSV: %v", x.name, err)
		}
	}
}

// TestMonitorForms: -plot draws beside the table only.
func TestMonitorForms(t *testing.T) {
	if code := run(t.Context(), []string{"hsm", "information", "monitor", "-plot", "-csv"}, stdio{nil, discard{}, discard{}}); code != exitUsage {
		t.Errorf("-plot -csv: exit code %d", code)
	}
}
