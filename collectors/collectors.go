// Package collectors holds what all ways to an HSM share: the interfaces
// between transports, pollers and the agent, the steps at which an attempt can
// fail, and the lists of commands that may be sent. The packages below it ask
// HSMs and hosts and parse the answers. None of them knows who uses the result.
package collectors

import (
	"context"
	"errors"
	"fmt"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Collector watches one device and reports what it sees until ctx is done.
// A device that is down is an observation, not an error: Run returns an error
// only if it can never work. String names the collector in logs.
type Collector interface {
	Run(ctx context.Context, report func(hsm.Observation)) error
	fmt.Stringer
}

// A Source is a [Collector] that can be captured.
type Source interface {
	Collector
	// Capture polls everything once. It passes each answer that could be parsed
	// to keep, unchanged and with the name of its file in a capture, and reports
	// what it saw. The implementations have a field Replay (of a poll.Poller:
	// its Runner), which makes them read those files instead.
	Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation))
}

// A Runner sends one command to a device and returns its answer, without echo
// and prompt. Its errors are a *[Failed].
type Runner interface {
	Run(ctx context.Context, command string) ([]byte, error)
}

// Failed is an attempt that failed at a known step.
type Failed struct {
	Failure hsm.Failure
	Layer   hsm.Layer // hsm.LayerUnknown: [LayerOf] finds it by Err
	Err     error     // what failed and what to do about it
}

// Error implements error.
func (f *Failed) Error() string { return f.Err.Error() }

// Unwrap returns f.Err.
func (f *Failed) Unwrap() error { return f.Err }

// Failf returns a Failed at step f whose Err is formatted as by [fmt.Errorf].
func Failf(f hsm.Failure, format string, args ...any) *Failed {
	return &Failed{Failure: f, Err: fmt.Errorf(format, args...)}
}

// FailureOf returns the step at which an attempt failed: [hsm.None] if err is
// nil, the step of a [Failed], [hsm.Timeout] after a deadline, and otherwise
// [hsm.Unreachable].
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

// UnrecognisedFile ends the name of the file, in a capture, of an answer that no parser
// understood. A replay does not read it.
const UnrecognisedFile = ".unrecognised.txt"

// MaxAnswer bounds the answer to one command, in bytes.
const MaxAnswer = 4 << 20
