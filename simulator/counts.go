package simulator

import (
	"context"
	"errors"
)

// Counts is what has happened to an estate over SSH since it was started.
type Counts struct {
	Appliances  int   `json:"appliances"`
	Answered    int   `json:"answered"`    // appliances that have answered a command
	Connections int64 `json:"connections"` // that are open
	Logins      int64 `json:"logins"`      // that succeeded
	Commands    int64 `json:"commands"`    // lines that LunaSH was given
}

// CountsOf returns the counts of the estate that runs in the state directory.
func CountsOf(ctx context.Context, stateDir string) (Counts, error) {
	r, err := send(ctx, stateDir, request{Counts: true})
	if err == nil && r.Counts == nil {
		err = errors.New("the simulation does not count")
	}
	if err != nil {
		return Counts{}, err
	}
	return *r.Counts, nil
}

// counts adds up those of the appliances.
func (e *Estate) counts() Counts {
	sum := Counts{Appliances: len(e.appliances)}
	for _, a := range e.appliances {
		sum.Connections += a.connections.Load()
		sum.Logins += a.logins.Load()
		sum.Commands += a.commands.Load()
		if a.answered.Load() {
			sum.Answered++
		}
	}
	return sum
}
