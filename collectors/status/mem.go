package status

import (
	"math"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// Mem is the format of the memory of an appliance.
var Mem = answer.Latest("status-mem", "status mem", parseMem)

// parseMem reads LunaSH "status mem": free in units of 1 KiB, with a line "-/+
// buffers/cache" in 5.x and 6.x, and a column "available" since.
func parseMem(lines []string, unread func(string)) hsm.Fact {
	var m hsm.RAM
	var header []string
	for _, line := range lines {
		low := strings.ToLower(answer.Collapse(answer.Clip(line, 200)))
		name, rest, _ := strings.Cut(low, ":")
		cells := kibibytes(rest)
		cell := func(column string) hsm.Opt[int64] {
			if i := slices.Index(header, column); i >= 0 && i < len(cells) {
				return hsm.Some(cells[i])
			}
			return hsm.Opt[int64]{}
		}
		switch {
		case answer.IsRule(line):
		case strings.HasPrefix(low, "total used free"):
			header = strings.Fields(low)
		case name == "mem" && len(cells) >= 3:
			m.Total, m.Available = cell("total"), cell("available")
		case name == "-/+ buffers/cache" && len(cells) == 2 && m.Total.Known:
			m.Available = hsm.Some(cells[1])
		case name == "swap" && len(cells) >= 3:
			m.SwapTotal, m.SwapUsed = cell("total"), cell("used")
		default:
			unread(line)
		}
	}
	if !m.Total.Known && !m.SwapTotal.Known {
		return nil
	}
	return m
}

// kibibytes reads numbers in units of 1 KiB; nil if one is none.
func kibibytes(text string) (bytes []int64) {
	for f := range strings.FieldsSeq(text) {
		n, ok := answer.Amount(f)
		if !ok || n > math.MaxInt64/1024 {
			return nil
		}
		bytes = append(bytes, n*1024)
	}
	return bytes
}
