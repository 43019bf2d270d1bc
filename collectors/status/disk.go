package status

import (
	"math"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// Disk is the format of the file systems and drives of an appliance.
var Disk = answer.Latest("status-disk", "status disk", parseDisk)

// parseDisk reads LunaSH "status disk": df in units of 1 KiB, where a long device
// name can have a line of its own, and the overall result in a report of smartctl.
func parseDisk(lines []string, unread func(string)) hsm.Fact {
	d := hsm.Disk{}
	inTable, inReport, device := false, false, ""
	for _, line := range lines {
		low := strings.ToLower(answer.Collapse(answer.Clip(line, 200)))
		fields := strings.Fields(answer.Clip(line, 1000))
		switch {
		case answer.IsRule(line), strings.HasSuffix(low, "hard disk utilization ====================="):
		case strings.HasPrefix(low, "filesystem "):
			inTable = strings.Contains(low, "1k-blocks") || strings.Contains(low, "1024-blocks")
		case strings.Contains(low, "smart report"):
			inTable, inReport = false, true
		case smartResult(&d, line):
		case inReport:
		case inTable && len(fields) == 1 && strings.HasPrefix(fields[0], "/"):
			device = fields[0]
		case inTable && filesystem(&d, device, fields):
			device = ""
		default:
			unread(line)
		}
	}
	if len(d.Filesystems) == 0 && d.SMART == "" {
		return nil
	}
	return d
}

// filesystem reads a row of df; device is the device name if that was on the line
// above.
func filesystem(d *hsm.Disk, device string, f []string) bool {
	if device != "" {
		f = append([]string{device}, f...)
	}
	if len(f) < 6 {
		return false
	}
	var n [3]int64
	for i := range n {
		kib, ok := answer.Amount(f[1+i])
		if !ok || kib > math.MaxInt64/1024 {
			return false
		}
		n[i] = kib * 1024
	}
	used, ok := answer.Percent(f[4])
	if !ok || !strings.HasSuffix(f[4], "%") || !strings.HasPrefix(f[5], "/") {
		return false
	}
	d.Filesystems = append(d.Filesystems, hsm.Filesystem{
		Mount: strings.Join(f[5:], " "), Device: f[0],
		Total: n[0], Used: n[1], Available: n[2], UsedRatio: used,
	})
	return true
}

// smartResult reads the overall result of an ATA or SCSI disk.
func smartResult(d *hsm.Disk, line string) bool {
	line = strings.TrimSpace(line)
	for _, name := range []string{"smart overall-health self-assessment test result:", "smart health status:"} {
		if v, ok := answer.CutPrefixFold(line, name); ok && strings.TrimSpace(v) != "" {
			d.SMART = answer.Clip(answer.Collapse(v), 200)
			return true
		}
	}
	return false
}
