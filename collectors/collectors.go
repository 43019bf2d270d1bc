// Package collectors asks HSMs and reads what they say. One file per command
// or log; transports beside them. Nothing here knows who reads the result.
package collectors

import (
	"context"
	"errors"
	"fmt"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Source is a [Collector] of which captures are made.
type Source interface {
	Collector
	// Capture asks everything once. It hands over each answer that was read, as
	// it came, with the name of its file in a capture, and reports what it saw.
	// A field Replay of the same type reads those files.
	Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation))
}

// A Collector watches one device and reports what it sees until ctx is done.
// A device that is down is an observation, not an error: Run returns an error
// only if it can never work.
type Collector interface {
	Run(ctx context.Context, report func(hsm.Observation)) error
	fmt.Stringer
}

// A Runner sends one command to a device and returns its answer, without echo
// and prompt. Its errors are a *[Failed].
type Runner interface {
	Run(ctx context.Context, command string) ([]byte, error)
}

// Failed is an attempt that ended at a known step.
type Failed struct {
	Failure hsm.Failure
	Err     error // what failed and what to do
}

func (f *Failed) Error() string { return f.Err.Error() }

func (f *Failed) Unwrap() error { return f.Err }

func Failf(f hsm.Failure, format string, args ...any) *Failed {
	return &Failed{f, fmt.Errorf(format, args...)}
}

// FailureOf returns the step at which err ended an attempt.
func FailureOf(err error) hsm.Failure {
	var f *Failed
	switch {
	case err == nil:
		return hsm.None
	case errors.As(err, &f):
		return f.Failure
	case errors.Is(err, context.DeadlineExceeded):
		return hsm.Timeout
	}
	return hsm.Unreachable
}

// MaxAnswer bounds what one command may print.
const MaxAnswer = 4 << 20
