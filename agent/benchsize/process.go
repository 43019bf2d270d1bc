package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// cpuSeconds returns the user and system time of a process and all its threads: the sum
// that /proc/PID/stat has in hundredths, from the clock of the process, in nanoseconds.
func cpuSeconds(pid int) (float64, error) {
	const scheduler = 2 // CPUCLOCK_SCHED
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return float64(t.Nano()) / 1e9, nil
}

// memory returns lines of /proc/PID/status that are in kB, in MB of 1e6 bytes.
func memory(pid int, names ...string) (map[string]float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, err
	}
	sizes := make(map[string]float64)
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		for _, name := range names {
			if len(fields) == 3 && string(fields[0]) == name+":" {
				if kB, err := strconv.ParseFloat(string(fields[1]), 64); err == nil {
					sizes[name] = kB * 1024 / 1e6
				}
			}
		}
	}
	return sizes, nil
}
