package poll

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// startingApart is the time between the first polls of two HSMs, and startWithin the
// time for all: a login costs both sides milliseconds of CPU.
const (
	startingApart = 20 * time.Millisecond
	startWithin   = 30 * time.Second
)

// Start returns how long after the agent's start a device of so many is first polled. It
// is the same at each start.
func Start(device string, among int) time.Duration {
	within := min(time.Duration(among-1)*startingApart, startWithin)
	return time.Duration(phase(device) * float64(within))
}

// Next returns when a device is polled after a time: at the device's own phase of the
// interval, counted from the Unix epoch, so that devices are spread over it and stay so.
func Next(device string, after time.Time, interval time.Duration) time.Time {
	if interval <= 0 {
		return after
	}
	offset := time.Duration(phase(device) * float64(interval))
	since := time.Duration(after.UnixNano())
	return after.Add(interval - (since-offset)%interval)
}

// phase returns the part of an interval, from 0 to 1, after which a device is polled.
func phase(device string) float64 {
	sum := sha256.Sum256([]byte(device))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}
