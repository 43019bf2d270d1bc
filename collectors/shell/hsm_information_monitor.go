package shell

import (
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

var monitorSheet = answer.Sheet[hsm.Monitor]{
	Line: monitorLine,
	Labels: answer.Labels[hsm.Monitor]{
		"average hsm utilization in this period": func(m *hsm.Monitor, v string) bool {
			ratio, ok := answer.Percent(v)
			return answer.Known(&m.AverageRatio, ratio, ok)
		},
		"hsm last reset": func(m *hsm.Monitor, v string) bool {
			at, err := time.Parse("Mon Jan 2 15:04:05 2006", answer.Collapse(v))
			return answer.Known(&m.LastReset, hsm.LocalTime{Time: at}, err == nil)
		},
		"hsm has been up for": nil, // the samples have it in seconds
	},
}

// HSMInformationMonitor is the format of the utilization of an HSM.
var HSMInformationMonitor = answer.Latest("hsm-information-monitor", "hsm information monitor, hsm monitor", parseMonitor)

// CardMonitor is the format of the utilization of a card.
var CardMonitor = answer.Latest("lunacm-hsm-monitor", "hsm monitor", parseMonitor)

// parseMonitor reads LunaSH "hsm information monitor" and LunaCM "hsm monitor": a
// table of samples and a footer, which may be missing.
func parseMonitor(lines []string, unread func(string)) hsm.Fact {
	var m hsm.Monitor
	if monitorSheet.Read(lines, &m, unread) == 0 {
		return nil
	}
	return m
}

func monitorLine(m *hsm.Monitor, line string) bool {
	cells := strings.SplitN(line, "|", 7)
	switch {
	case len(cells) == 5 && strings.Trim(cells[0], "0123456789,' \t") == "" && strings.TrimSpace(cells[0]) != "":
		return monitorSample(m, cells)
	case len(cells) < 3:
		return false
	case strings.Contains(answer.Collapse(line), "Last "):
		return interval(m, cells)
	}
	return strings.Contains(line, "HSM Uptime") || strings.Contains(line, "HSM Command Counts")
}

// monitorSample reads "1,115,399 | 57,468,854 | 30 | 1.27 | 0.21".
func monitorSample(m *hsm.Monitor, cells []string) bool {
	var n [3]uint64
	var ratio [2]float64
	ok := true
	for i, cell := range cells {
		fits := false
		if cell = strings.TrimSpace(cell); i < len(n) {
			n[i], fits = answer.Count(cell)
		} else {
			ratio[i-len(n)], fits = answer.Percent(cell)
		}
		ok = ok && fits
	}
	if ok {
		m.Samples = append(m.Samples, hsm.Sample{
			UptimeSeconds: n[0], Commands: n[1], CommandsInterval: n[2],
			Utilization: ratio[0], UtilizationInt: ratio[1],
		})
	}
	return ok
}

// interval reads the heading of the table: "... | Last   5 Secs | ...".
func interval(m *hsm.Monitor, cells []string) bool {
	for _, cell := range cells {
		f := strings.Fields(cell)
		if len(f) == 3 && f[0] == "Last" && strings.HasPrefix(f[2], "Sec") {
			return answer.Whole(&m.IntervalSeconds, f[1])
		}
	}
	return false
}
