package alarms

import (
	"context"
	"fmt"
	"time"
)

// ownHealth judges what keeps Lunawatch from its work.
func (w *Watch) ownHealth(now time.Time) []Judgement {
	js := []Judgement{w.journalHealth(now)}
	if aside := w.Journal.Aside(); aside != "" {
		text := "the state was damaged and is kept as " + aside + ": alarms, silences and log positions before this start are not known"
		js = append(js, Judgement{Key: Key{Device: Self, Group: "journal", Object: "damaged"}, Verdict: Bad, Severity: Major, Text: text,
			Evidence: Evidence{At: w.Journal.opened, Text: text}})
	}
	for name, d := range w.Deliveries() {
		js = append(js, deliveryHealth(name, d, w.Settings.DeliveryAfter+w.Receivers[name].Digest, now))
	}
	return js
}

func (w *Watch) journalHealth(now time.Time) Judgement {
	j := Judgement{Key: Key{Device: Self, Group: "journal"}, Evidence: Evidence{At: now, Text: "the state is stored"}}
	if err := w.Journal.Trouble(); err != nil {
		j.Verdict, j.Severity, j.Text = Bad, Major, err.Error()
		j.Evidence = Evidence{At: w.Journal.since(), Text: j.Text}
	}
	return j
}

// deliveryHealth judges one receiver by the oldest notification that waits for
// it, and by what was lost lately.
func deliveryHealth(receiver string, d Delivery, limit time.Duration, now time.Time) Judgement {
	j := Judgement{Key: Key{Device: Self, Group: "delivery", Object: receiver}, Evidence: Evidence{At: now, Text: "nothing waits for " + receiver}}
	switch {
	case d.Waiting > 0 && now.Sub(d.Oldest) >= limit:
		j.Text = fmt.Sprintf("%d notifications wait for %s, the oldest since %s: %s", d.Waiting, receiver, d.Oldest.UTC().Format(time.RFC3339), d.Error)
		j.Evidence = Evidence{At: d.Oldest, Text: j.Text}
	case now.Sub(d.LostAt) < time.Hour:
		j.Text = fmt.Sprintf("%d notifications for %s were given up: %s", d.Rejected+d.Expired, receiver, d.Error)
		j.Evidence = Evidence{At: d.LostAt, Text: j.Text}
	case d.Waiting > 0:
		j.Verdict = Between
		return j
	default:
		return j
	}
	j.Verdict, j.Severity = Bad, Major
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
			w.look()
		case trouble != nil && w.Journal.ToDisk() == nil:
			w.Log.Info("alarms are stored again")
			said = false
			w.look()
		}
	}
}
