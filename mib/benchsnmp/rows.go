package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

const (
	firstColumn = 2
	lastColumn  = 11
	columns     = lastColumn - firstColumn + 1
)

// rows are n varbinds below subtree, as subagent.c makes them.
func rows(subtree agentx.OID, n int) []mib.Row {
	var all []mib.Row
	for column := uint32(firstColumn); column <= lastColumn; column++ {
		for id := uint32(1); id <= uint32(n/columns); id++ {
			all = append(all, mib.Row{OID: subtree.Append(1, 1, column, id), Value: value(column, id)})
		}
	}
	return all
}

func value(column, id uint32) agentx.Value {
	n := id * column
	switch {
	case column == 2:
		return agentx.Text(fmt.Sprintf("partition-%05d", id))
	case column <= 5:
		return agentx.Gauge32(n)
	case column <= 8:
		return agentx.Counter64(uint64(column)<<32 | uint64(n))
	case column == 9:
		return agentx.TimeTicks(n)
	}
	return agentx.Integer(int32(n))
}

// serve is the Go side: the session of the product with a view of n varbinds. It prints how many threads run Go code.
func serve(ctx context.Context, socket string, subtree agentx.OID, n int) error {
	view, err := mib.NewView(rows(subtree, n))
	if err != nil {
		return err
	}
	fmt.Println(runtime.GOMAXPROCS(0))
	return agentx.New(agentx.Config{
		Socket:        socket,
		Retries:       agentx.DefaultRetries,
		PingInterval:  agentx.DefaultPingInterval,
		Registrations: []agentx.Registration{{Subtree: subtree}},
		Current:       func() agentx.Handler { return view },
	}).Run(ctx)
}
