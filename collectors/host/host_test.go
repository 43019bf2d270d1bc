package host

import (
	"context"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestHost polls this machine twice, and finds in the second poll what this test did
// between the two.
func TestHost(t *testing.T) {
	h := &Collector{Device: "here", Interval: time.Minute}
	first := h.poll(t.Context())
	if first.Err != nil {
		t.Fatal(first.Err)
	}
	for start := time.Now(); time.Since(start) < 200*time.Millisecond; {
	}
	o := h.poll(t.Context())
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	v := o.Facts[0].(hsm.Host)
	if name, _ := os.Hostname(); v.Name != name {
		t.Errorf("name %q, want %q", v.Name, name)
	}
	if v.CPUs < 1 || v.CPUSeconds["user"] <= 0 || v.Memory.Total < 1<<26 || v.Memory.Available > v.Memory.Total {
		t.Errorf("implausible CPU or memory: %+v", v)
	}
	if v.Boot.After(time.Now()) || v.Boot.Before(time.Now().AddDate(-10, 0, 0)) {
		t.Errorf("boot %s", v.Boot)
	}
	if _, ok := v.Daemons["luna-snmp"]; !ok {
		t.Errorf("daemons %v", v.Daemons)
	}
	if !slices.ContainsFunc(v.Processes, func(p hsm.Process) bool { return int(p.PID) == os.Getpid() && p.Resident > 0 }) {
		t.Errorf("this test is not among the busiest: %+v", v.Processes)
	}
}

// TestHostLinks counts an established connection to the NTLS port.
func TestHostLinks(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.9:1792")
	if err != nil {
		t.Skipf("SKIPPED: 127.0.0.9:1792 is not free: %v", err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var v hsm.Host
	if err := readLinks(t.Context(), &v); err != nil {
		t.Fatal(err)
	}
	if v.NTLSLinks["127.0.0.9"] != 1 {
		t.Errorf("links %v", v.NTLSLinks)
	}
}

func TestHostInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		n := 0
		h := &Collector{Device: "here", Interval: time.Minute}
		if err := h.Run(ctx, func(hsm.Observation) { n++ }); err != nil {
			t.Fatal(err)
		}
		if n != 3 {
			t.Errorf("%d polls in 150 seconds", n)
		}
	})
}
