package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// controlFile is the name of the control socket in the state directory.
const controlFile = "control.sock"

const controlTime = 10 * time.Second

// A request asks for an event, in all appliances if none is named, for an answer of
// LunaCM, or for the counts.
type request struct {
	Appliance string `json:"appliance,omitempty"` // a pattern
	Event
	LunaCM *lunacmLine `json:"lunacm,omitempty"`
	Counts bool        `json:"counts,omitempty"`
}

type reply struct {
	Error  string       `json:"error,omitempty"`
	LunaCM *lunacmReply `json:"lunacm,omitempty"`
	Counts *Counts      `json:"counts,omitempty"`
}

// InjectInto injects an event into the estate that runs in the state directory, as
// [Estate.Inject] does.
func InjectInto(ctx context.Context, stateDir, pattern string, e Event) error {
	_, err := send(ctx, stateDir, request{Appliance: pattern, Event: e})
	return err
}

// send sends a request to the estate that runs in the state directory.
func send(ctx context.Context, stateDir string, q request) (reply, error) {
	path := filepath.Join(stateDir, controlFile)
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return reply{}, fmt.Errorf("no simulation answers in %s: %w", stateDir, err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(controlTime))
	if err := json.NewEncoder(conn).Encode(q); err != nil {
		return reply{}, fmt.Errorf("ask the simulation: %w", err)
	}
	var r reply
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return reply{}, fmt.Errorf("ask the simulation: %w", err)
	}
	if r.Error != "" {
		return reply{}, errors.New(r.Error)
	}
	return r, nil
}

// listenControl opens the control socket. It removes one of a process that has ended.
func listenControl(dir string) (net.Listener, error) {
	path := filepath.Join(dir, controlFile)
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return nil, fmt.Errorf("another simulation runs in %s", dir)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the old control socket: %w", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return ln, nil
}

// control answers requests until ctx is done.
func (e *Estate) control(ctx context.Context, ln net.Listener) error {
	var all sync.WaitGroup
	defer all.Wait()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("control socket: %w", err)
		}
		all.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			conn.SetDeadline(time.Now().Add(controlTime))
			var q request
			if err := json.NewDecoder(conn).Decode(&q); err != nil {
				return
			}
			var r reply
			switch {
			case q.LunaCM != nil:
				answer := e.lunacm(ctx, *q.LunaCM)
				r.LunaCM = &answer
			case q.Counts:
				counts := e.counts()
				r.Counts = &counts
			default:
				if err := e.Inject(q.Appliance, q.Event); err != nil {
					r.Error = err.Error()
				}
			}
			json.NewEncoder(conn).Encode(r)
		})
	}
}
