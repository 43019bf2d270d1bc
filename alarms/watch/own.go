package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// selfFindings judges what keeps Lunawatch from its work.
func (w *Watch) selfFindings(now time.Time) []alarms.Finding {
	js := []alarms.Finding{w.journalFinding(now)}
	if aside := w.Journal.Quarantined(); aside != "" {
		text := "the state was damaged and is kept as " + aside + ": alarms, silences and log positions before this start are not known"
		js = append(js, alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "journal", Object: "damaged"}, Condition: alarms.Bad, Severity: alarms.Major, Text: text,
			Evidence: alarms.Evidence{At: w.Journal.Opened, Text: text}})
	}
	for name, d := range w.Deliveries() {
		js = append(js, deliveryFinding(name, d, w.Settings.DeliveryAfter+w.Receivers[name].Digest, now))
	}
	return js
}

func (w *Watch) journalFinding(now time.Time) alarms.Finding {
	j := alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "journal"}, Evidence: alarms.Evidence{At: now, Text: "the state is stored"}}
	if err := w.Journal.Trouble(); err != nil {
		j.Condition, j.Severity, j.Text = alarms.Bad, alarms.Major, err.Error()
		j.Evidence = alarms.Evidence{At: w.Journal.TroubleSince(), Text: j.Text}
	}
	return j
}

// deliveryFinding judges one receiver by the oldest notification that waits for
// it, and by what was lost lately.
func deliveryFinding(receiver string, d notify.Delivery, limit time.Duration, now time.Time) alarms.Finding {
	j := alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "delivery", Object: receiver}, Evidence: alarms.Evidence{At: now, Text: "nothing waits for " + receiver}}
	switch {
	case d.Waiting > 0 && now.Sub(d.Oldest) >= limit:
		j.Text = fmt.Sprintf("%d notifications wait for %s, the oldest since %s: %s", d.Waiting, receiver, d.Oldest.UTC().Format(time.RFC3339), d.Error)
		j.Evidence = alarms.Evidence{At: d.Oldest, Text: j.Text}
	case now.Sub(d.LostAt) < time.Hour:
		j.Text = fmt.Sprintf("%d notifications for %s were given up: %s", d.Rejected+d.Expired, receiver, d.Error)
		j.Evidence = alarms.Evidence{At: d.LostAt, Text: j.Text}
	case d.Waiting > 0:
		j.Condition = alarms.Between
		return j
	default:
		return j
	}
	j.Condition, j.Severity = alarms.Bad, alarms.Major
	return j
}

// keepJournal brings the journal back to its disk, and forgets what is old.
func (w *Watch) keepJournal(ctx context.Context) error {
	retry, trim := time.NewTicker(10*time.Second), time.NewTicker(time.Hour)
	defer retry.Stop()
	defer trim.Stop()
	said := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-trim.C:
			w.trim()
			continue
		case <-retry.C:
		}
		switch trouble := w.Journal.Trouble(); {
		case trouble != nil && !said:
			w.Log.Error("alarms are kept in memory only", "err", trouble)
			said = true
			w.evaluateNow()
		case trouble != nil && w.Journal.ToDisk() == nil:
			w.Log.Info("alarms are stored again")
			said = false
			w.evaluateNow()
		}
	}
}
