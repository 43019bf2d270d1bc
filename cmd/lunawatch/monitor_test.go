package main

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

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
		err := tableView{header: true, interval: 5}.print(&b, untilInterrupted(x.ctx, x.rounds))
		if (err != nil) != x.fails || !strings.Contains(b.String(), x.want) || x.fails && strings.Contains(b.String(), "Average") {
			t.Errorf("%s: %v\n%s", x.name, err, &b)
		}
		var csv strings.Builder
		if err := (csvView{}).print(&csv, untilInterrupted(x.ctx, x.rounds)); (err != nil) != x.fails {
			t.Errorf("%s, as CSV: %v", x.name, err)
		}
	}
}

// TestMonitorBars: a bar is beside the row that it is of, and there is none of what is not
// known; without -plot the table is the vendor's.
func TestMonitorBars(t *testing.T) {
	measured := func(ratio float64, known bool) hsm.Monitor {
		return hsm.Monitor{IntervalSeconds: hsm.Opt[int64]{Value: 5, Known: known}, Samples: []hsm.Sample{{UptimeSeconds: 60, UtilizationInt: ratio}}}
	}
	rounds := func(yield func(hsm.Monitor, error) bool) {
		_ = yield(measured(0.5, true), nil) && yield(measured(0, true), nil) && yield(measured(0, false), nil)
	}
	for _, x := range []struct {
		view tableView
		want string
	}{
		{tableView{bars: 10}, " 50.00 █████\n 0.00 █\n 0.00 ?\n"},
		{tableView{bars: 10, plain: true}, " 50.00 #####\n 0.00 #\n 0.00 ?\n"},
		{tableView{}, " 50.00\n 0.00\n 0.00\n"},
	} {
		var b strings.Builder
		if err := x.view.print(&b, rounds); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for line := range strings.Lines(b.String()) {
			if fields := strings.Split(line, " | "); len(fields) == 5 {
				got.WriteString(" " + strings.TrimLeft(fields[4], " "))
			}
		}
		if got.String() != x.want {
			t.Errorf("%+v:\n%s", x.view, &b)
		}
	}
	if code := run(t.Context(), []string{"hsm", "information", "monitor", "-plot", "-csv"}, stdio{nil, discard{}, discard{}}); code != exitUsage {
		t.Errorf("-plot -csv: exit code %d", code)
	}
}
