package glance

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// BenchmarkThousand is the state of 1,000 HSMs, of which fifty have an alarm, and its text.
func BenchmarkThousand(b *testing.B) {
	s := &hsm.Snapshot{}
	var active []alarms.Active
	for i := range 1000 {
		name := fmt.Sprintf("hsm%03d", i)
		s.Devices = append(s.Devices, network(name, time.Second))
		if i%20 == 0 {
			active = append(active, alarm(name, "fan", alarms.Minor, "fan 1 failed", time.Hour))
		}
	}
	for b.Loop() {
		Text(io.Discard, Of(s, active, noon), Look{Width: 80})
	}
}
