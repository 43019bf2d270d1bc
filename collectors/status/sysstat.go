package status

import (
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// systemRead is a System while it is parsed.
type systemRead struct {
	hsm.System
	found bool // has more than whether the daemon runs
}

var systemSheet = answer.Sheet[systemRead]{
	Line: systemLine,
	Labels: answer.Labels[systemRead]{
		"hostname":                               func(s *systemRead, v string) bool { return answer.Word(&s.Hostname, v) },
		"system status":                          systemState,
		"system status code":                     systemCodes,
		"status check time":                      checkTime,
		"software version":                       nil,
		"volatile state":                         nil,
		"non-volatile state":                     nil,
		"service status":                         nil,
		"system state description":               nil,
		"system status monitor - current status": nil,
		"enabled":                                nil,
		"disabled":                               nil,
	},
	Other: func(name string) func(*systemRead, string) bool {
		if strings.HasPrefix(name, "interface ") {
			return answer.Ignore[systemRead]
		}
		return nil
	},
}

// Sysstat is the format of the system status of an appliance.
var Sysstat = answer.Latest("status-sysstat", "status sysstat show", parseSystem)

// parseSystem reads LunaSH "status sysstat show".
func parseSystem(lines []string, unread func(string)) hsm.Fact {
	var s systemRead
	systemSheet.Read(lines, &s, unread)
	if !s.found {
		return nil
	}
	return s.System
}

func systemLine(s *systemRead, line string) bool {
	low := strings.ToLower(answer.Collapse(answer.Clip(line, 200)))
	if state, _, ok := strings.Cut(low, " ("); ok && len(state) == 3 && strings.Contains(low, "): ") {
		return true // the legend: "ISO (In Service Okay): ..."
	}
	if !strings.Contains(low, "sysstat") {
		return false
	}
	switch {
	case strings.Contains(low, "is stopped"), strings.Contains(low, "is not running"), strings.Contains(low, " dead"):
		s.Running = hsm.Some(false)
	case strings.Contains(low, "is running"):
		s.Running = hsm.Some(true)
	default:
		return false
	}
	return true
}

func systemState(s *systemRead, v string) bool {
	if v == "" {
		return false
	}
	s.State, s.found = strings.ToUpper(answer.FirstField(v)), true
	return true
}

// systemCodes reads "100,61,62,63,95".
func systemCodes(s *systemRead, v string) bool {
	var codes []int64
	for code := range strings.SplitSeq(v, ",") {
		n, ok := answer.Amount(strings.TrimSpace(code))
		if !ok {
			return false
		}
		codes = append(codes, n)
	}
	s.Codes, s.found = codes, true
	return true
}

// checkTime reads "10:17 on 01/03/2017", with the day before the month.
func checkTime(s *systemRead, v string) bool {
	at, err := time.Parse("15:04 on 2/1/2006", answer.Collapse(v))
	if err != nil {
		return false
	}
	s.CheckTime = at.Format("2006-01-02T15:04")
	return true
}
