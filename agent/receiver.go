package agent

import (
	"github.com/lunawatch/lunawatch/alarms"
)

// notifier makes the sender of traps to t.
func (t SNMPTarget) notifier(j *alarms.Journal) (alarms.Notifier, error) {
	return alarms.NewSNMP(alarms.SNMPTarget(t), j)
}
