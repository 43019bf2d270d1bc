package status

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// CPU is the format of the load averages of an appliance.
var CPU = answer.Latest("status-cpu", "status cpu", parseCPU)

// parseCPU reads LunaSH "status cpu": the line of /proc/loadavg below its
// heading, and how long the appliance is up, which is not stored.
func parseCPU(lines []string, unread func(string)) hsm.Fact {
	var c hsm.CPU
	found := false
	for _, line := range lines {
		low := strings.ToLower(answer.Collapse(answer.Clip(line, 200)))
		switch {
		case answer.IsRule(line), strings.HasPrefix(low, "cpu load averages"), strings.HasPrefix(low, "system uptime"):
		case strings.HasPrefix(low, "at ") && strings.Contains(low, "i am up"):
		case !found && loadAverages(&c, strings.Fields(low)):
			found = true
		default:
			unread(line)
		}
	}
	if !found {
		return nil
	}
	return c
}

// loadAverages reads "0.30 0.22 0.18 2/365 27794".
func loadAverages(c *hsm.CPU, f []string) bool {
	if len(f) != 5 || !strings.Contains(f[3], "/") || !answer.IsDigits(f[4]) {
		return false
	}
	for i, to := range []*float64{&c.Load1, &c.Load5, &c.Load15} {
		v, ok := answer.Decimal(f[i], 0)
		if !ok || v < 0 {
			return false
		}
		*to = v
	}
	return true
}
