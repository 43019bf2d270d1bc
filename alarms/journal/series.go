package journal

import "time"

// A Sample is a value, and when it was read.
type Sample struct {
	At    time.Time
	Value float64
}

// A Series names the samples of one value of a device.
type Series struct {
	Device string
	Object string // battery, hsm-storage, log-disk, partition-storage/SERIAL
}

// SamplesKept is how long samples are kept.
const SamplesKept = 60 * 24 * time.Hour
