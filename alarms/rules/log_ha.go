package rules

import (
	"fmt"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// haLosses are the lines of an HA log that report a loss. The polled state
// clears what they raise, since it follows from the lines of every process.
var haLosses = map[hsm.HAEventKind]struct {
	group    string
	severity alarms.Severity
}{
	hsm.HADropMember:        {"ha-member", alarms.Major},
	hsm.HADropUnrecoverable: {"ha-member", alarms.Major},
	hsm.HAMemberDeactivated: {"ha-member", alarms.Major},
	hsm.HAMemberExcluded:    {"ha-member", alarms.Major},
	hsm.HAMemberRevoked:     {"ha-member", alarms.Major},
	hsm.HALoginFailed:       {"ha-exhausted", alarms.Critical},
	hsm.HARecoveryExhausted: {"ha-exhausted", alarms.Critical},
	hsm.HAUnrecoverable:     {"ha-exhausted", alarms.Critical},
	hsm.HAMembersOffline:    {"ha-offline", alarms.Critical},
}

// haLoss raises the alarm of a loss, whatever came after it.
func haLoss(l *Line, _ *Thresholds) []alarms.Finding {
	if l.HA == nil {
		return nil
	}
	loss, ok := haLosses[l.HA.Kind]
	group, configured := l.haGroup()
	if !ok || !configured {
		return nil
	}
	f := alarms.Finding{Key: alarms.Key{Group: loss.group, Object: group}, Condition: alarms.Bad, Severity: loss.severity, Text: group + ": " + l.HA.Text}
	if l.HA.Member != "" {
		f.Object += "/" + l.HA.Member
	}
	return []alarms.Finding{f}
}

// haSurprise raises an alarm for a line that reports what nothing else tells: of
// a group that is not configured, of a server that is removed, or in no known
// form.
func haSurprise(l *Line, s *Thresholds) []alarms.Finding {
	if l.HA == nil {
		return nil
	}
	f := alarms.Finding{Key: alarms.Key{Group: "ha-log"}, Condition: alarms.Bad, Severity: alarms.Warning, Age: s.EventAge}
	_, configured := l.haGroup()
	switch e := l.HA; {
	case e.Kind == hsm.HAUnknown:
		f.Object, f.Severity, f.Text = "unknown form", alarms.Indeterminate, "a line of no known form: "+e.Text
	case e.Kind == hsm.HAServerRemoved:
		f.Object, f.Text = "server "+e.Server, fmt.Sprintf("server %s was removed from the client's configuration", e.Server)
	case e.Group != "" && !configured:
		f.Object, f.Text = "group "+e.Group, fmt.Sprintf("group %s is not in the client's configuration: %s", e.Group, e.Text)
	default:
		return nil
	}
	return []alarms.Finding{f}
}

// haGroup returns the name of the group that a line of an HA log is about, and
// whether it is configured.
func (l *Line) haGroup() (name string, configured bool) {
	for _, g := range l.Groups {
		if g.Serial == l.HA.Group {
			return g.Name(), true
		}
	}
	return l.HA.Group, false
}
