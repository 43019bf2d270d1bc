package rules

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

// TestOrdinaryMonthOfLogs plays the logs of a month with a planned reboot. Nothing in
// them is bad. The audit log's month is in alarms/audit.
func TestOrdinaryMonthOfLogs(t *testing.T) {
	for day := range 30 {
		at := alarmstest.At(0).Add(time.Duration(day) * 24 * time.Hour)
		today := alarmstest.OrdinaryDay
		if day == 12 {
			today = alarmstest.PlannedReboot
		}
		for i, text := range today {
			stamp := at.Add(time.Duration(i) * time.Minute).Format("2006 Jan _2 15:04:05")
			l := line(stamp + " luna-a  " + text)
			for _, f := range evaluateLine(l, DefaultThresholds()) {
				if f.Condition == alarms.Bad {
					t.Errorf("%s: %s %s: %s", text, f.Severity, f.Key, f.Text)
				}
			}
		}
	}
}
