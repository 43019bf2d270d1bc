package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
)

// unknown is what a value that is not known reads as: neither zero nor good.
const unknown = "unknown"

// A stamp is a time as the page has it: the script makes "12 s ago" of it.
type stamp struct{ Machine, Full, Clock string }

func stampOf(at, now time.Time) stamp {
	if at.IsZero() {
		return stamp{Clock: "never"}
	}
	at = at.In(now.Location())
	s := stamp{Machine: at.Format(time.RFC3339), Full: at.Format(exporters.TimeLayout), Clock: at.Format("2006-01-02 15:04")}
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		s.Clock = at.Format(time.TimeOnly)
	}
	return s
}

// said returns a value with its unit; unknown if it is not known.
func said(o hsm.Opt[float64], format string) string {
	if !o.Known {
		return unknown
	}
	return fmt.Sprintf(format, o.Value)
}

func number[T int64 | uint64](o hsm.Opt[T]) string {
	if !o.Known {
		return unknown
	}
	return fmt.Sprint(o.Value)
}

func yes(o hsm.Opt[bool]) string {
	switch {
	case !o.Known:
		return unknown
	case o.Value:
		return "yes"
	}
	return "no"
}

// stated returns what a source printed; unknown if it printed nothing.
func stated(s string) string {
	if strings.TrimSpace(s) == "" {
		return unknown
	}
	return s
}

// labelled is stated, but for a label that is known to be empty.
func labelled(o hsm.Opt[string]) string {
	if o.Known && o.Value == "" {
		return "(none)"
	}
	return stated(o.Value)
}

// bytesOf returns a size with a unit of which it has at most four digits.
func bytesOf(o hsm.Opt[int64]) string {
	if !o.Known {
		return unknown
	}
	v, units := float64(o.Value), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for len(units) > 1 && v >= 10000 {
		v, units = v/1024, units[1:]
	}
	return fmt.Sprintf("%.0f %s", v, units[0])
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
