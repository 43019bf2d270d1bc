package main

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestCPUSeconds compares the clock of this process with what the kernel bills it.
func TestCPUSeconds(t *testing.T) {
	billed := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return (time.Duration(u.Utime.Nano()) + time.Duration(u.Stime.Nano())).Seconds()
	}
	least := billed()
	got, err := cpuSeconds(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if most := billed(); got < least-0.01 || got > most+0.01 {
		t.Errorf("%f s, and the kernel bills %f to %f s", got, least, most)
	}
	if _, err := cpuSeconds(1 << 26); err == nil {
		t.Error("a process that is not there has used CPU time")
	}
}

func TestMemory(t *testing.T) {
	got, err := memory(os.Getpid(), "VmRSS", "VmHWM", "Name")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["VmRSS"] <= 1 || got["VmHWM"] < got["VmRSS"] {
		t.Errorf("memory of this process: %v", got)
	}
}
