package collectortest

import (
	"context"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// WatchCollector runs a collector until enough, and returns the snapshot then. It
// fails the test after 30 s.
func WatchCollector(t *testing.T, c collectors.Collector, enough func(*hsm.Snapshot) bool) *hsm.Snapshot {
	t.Helper()
	store := hsm.NewStore()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, store.Apply) }()
	snap := store.Latest()
	for !enough(snap) {
		next, err := store.Wait(ctx, snap)
		if err != nil {
			t.Fatalf("not observed in time; the last: %+v", snap.Devices)
		}
		snap = next
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return snap
}

// DeviceOf returns the device with that name, or a zero one.
func DeviceOf(s *hsm.Snapshot, name string) *hsm.Device {
	for _, d := range s.Devices {
		if d.Name == name {
			return d
		}
	}
	return new(hsm.Device)
}
