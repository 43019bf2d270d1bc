package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// HSMTamperShow is the format of the tampers of an HSM.
var HSMTamperShow = answer.Latest("hsm-tamper-show", "hsm tamper show, hsm tampershow", parseTamper)

// CardTamperShow is the format of the tampers of a card.
var CardTamperShow = answer.Latest("lunacm-hsm-tampershow", "hsm tampershow", parseTamper)

// parseTamper reads "hsm tamper show" (LunaSH) and "hsm tampershow" (LunaCM) of
// 7.x: one tamper per line below the warning. Sentences among them, such as one
// about a pending restart, are not tampers.
func parseTamper(lines []string, unread func(string)) hsm.Fact {
	var t hsm.Tamper
	for _, line := range lines {
		name := answer.Collapse(answer.Clip(line, 200))
		low := strings.ToLower(name)
		switch {
		case answer.IsRule(line):
		case strings.HasPrefix(low, "no active tamper"), strings.HasPrefix(low, "no tamper"):
			t = hsm.Tamper{State: hsm.TamperNone, Tampers: []string{}}
		case strings.HasPrefix(low, "warning") && strings.Contains(low, "tamper") && strings.Contains(low, "detected"):
			t = hsm.Tamper{State: hsm.TamperDetected, Tampers: []string{}}
			if _, rest, _ := strings.Cut(name, ":"); strings.TrimSpace(rest) != "" {
				t.Tampers = append(t.Tampers, strings.TrimSpace(rest))
			}
		case t.State == hsm.TamperDetected && !strings.HasSuffix(name, ".") && !strings.HasSuffix(name, ":"):
			t.Tampers = append(t.Tampers, name)
		default:
			unread(line)
		}
	}
	if t.State == "" {
		return nil
	}
	return t
}
