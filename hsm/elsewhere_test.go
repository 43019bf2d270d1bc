package hsm

import (
	"errors"
	"testing"
	"time"
)

// TestOutage: others are asked when a source loses the network, once, and again in the next
// outage; never for what is no matter of the network.
func TestOutage(t *testing.T) {
	s := new(Snapshot)
	now := t0
	poll := func(source string, l Layer) {
		o := Observation{Device: "a", Source: source, At: now, MaxAge: time.Minute}
		if l != LayerUnknown {
			o.Failure, o.Layer, o.Err = Unreachable, l, errors.New("x")
		}
		s = s.With(o)
	}
	asked := func() {
		s = s.With(Observation{Device: "a", Facts: []Fact{Elsewhere{Asked: now}}})
	}
	for i, step := range []struct {
		do   func()
		want bool
	}{
		{func() { poll("hsm show", LayerUnknown) }, false},
		{func() { poll("hsm show", LayerHandshake) }, false},
		{func() { poll("hsm show", LayerNoAnswer) }, true},
		{asked, false},
		{func() { poll("hsm show", LayerPortRefused) }, false},
		{func() { poll("rest hsm", LayerUnknown) }, false},
		{func() { poll("rest hsm", LayerRoute) }, true}, // it worked when the others were asked
		{asked, false},
		{func() { poll("hsm show", LayerUnknown) }, false},
		{func() { poll("hsm show", LayerName) }, true},
	} {
		now = now.Add(time.Second)
		step.do()
		if got := s.Device("a").Outage(); got != step.want {
			t.Errorf("step %d: an outage of which nobody knows: %v, want %v", i, got, step.want)
		}
	}
}
