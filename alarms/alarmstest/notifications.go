package alarmstest

import (
	"fmt"

	"github.com/lunawatch/lunawatch/alarms"
)

// Complete returns a notification with all that it can have.
func Complete(k alarms.Kind) alarms.Notification {
	key := alarms.Key{Device: "hsm-a", Group: "partition-storage", Object: `p "1" é]`}
	a := alarms.Alarm{
		Key: key, Number: 7, Severity: alarms.Major, Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed", Text: "96 % of the storage is used\nnow",
		Codes: []string{"2021", "2004"}, Raised: At(0), Last: At(60), Count: 3, Serial: "532018",
		Evidence: []alarms.Evidence{{At: At(0), Text: "0.96 is above 0.9", Measure: &alarms.Measure{Value: 0.96, Threshold: 0.9, Unit: "ratio"}}},
	}
	switch k {
	case alarms.Started, alarms.Heartbeat:
		return alarms.Notification{ID: string(k) + " 1", Sequence: 9, At: At(70), Change: alarms.Change{Kind: k}}
	case alarms.Acknowledged:
		a.Ack = &alarms.Ack{By: "kim", Comment: "looking at it", At: At(65)}
	case alarms.Cleared:
		a.Cleared = At(70)
		a.Evidence = append(a.Evidence, alarms.Evidence{At: At(70), Text: "0.89 is below 0.9", Measure: &alarms.Measure{Value: 0.89, Threshold: 0.9, Unit: "ratio"}})
	default:
	}
	return alarms.Notification{ID: fmt.Sprintf("%s 7 %s", key, k), Sequence: 9, At: At(70), Change: alarms.Change{Kind: k, Alarm: a}, Address: "192.0.2.7:22", Label: "payments"}
}
