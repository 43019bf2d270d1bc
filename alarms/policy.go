package alarms

import (
	"fmt"
	"time"
)

// A Policy is how much a receiver may learn. Somebody who can use an HSM can
// modulate its resources, and so signal to who sees them.
type Policy struct {
	Level Level `yaml:"level"`
	// MinInterval is the least time between two notifications; 0: none. Their
	// times are rounded down to it.
	MinInterval time.Duration `yaml:"min_interval"`
}

// A Level is what a notification holds.
type Level string

// The levels.
const (
	LevelFull     Level = "full"     // everything
	LevelCoded    Level = "coded"    // codes, severity and key: no values, no free text
	LevelCategory Level = "category" // the vendor's six notifications only
	LevelOff      Level = "off"      // nothing
)

// Problem returns what is wrong with p; nil: nothing.
func (p Policy) Problem() error {
	switch p.Level {
	case "", LevelFull, LevelCoded, LevelCategory, LevelOff:
	default:
		return fmt.Errorf("level %q is none of full, coded, category, off", p.Level)
	}
	if p.MinInterval < 0 {
		return fmt.Errorf("min_interval %s is negative", p.MinInterval)
	}
	return nil
}

// Limit returns n as a receiver of that policy may see it.
func (p Policy) Limit(n Notification) Notification {
	if p.MinInterval > 0 {
		n.At = n.At.Truncate(p.MinInterval)
	}
	return n
}
