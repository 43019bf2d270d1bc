package alarms

import (
	"time"
)

// A Sample is a value that was read at a time.
type Sample struct {
	At    time.Time
	Value float64
}

// A Series is what one value has been, oldest first, sampleEvery apart.
type Series struct {
	Device string
	Object string // battery, hsm-storage, log-disk, partition-storage/SERIAL
}

// SamplesKept is how long a trend is remembered.
const SamplesKept = 60 * 24 * time.Hour
