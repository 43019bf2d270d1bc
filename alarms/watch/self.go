package watch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// selfFindings returns the findings on Lunawatch itself: its journal, and the
// delivery to each receiver.
func (w *Watch) selfFindings(now time.Time) []alarms.Finding {
	findings := []alarms.Finding{w.journalFinding(now)}
	if damage, open := w.Journal.Damage(); damage != "" {
		text := alarms.Clip(damage + ": alarms, silences and log positions from before this start are unknown" + incidentsText(open))
		findings = append(findings, alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "journal", Object: "damaged"}, Condition: alarms.Bad, Severity: alarms.Major, Text: text,
			Evidence: alarms.Evidence{At: w.Journal.Opened, Text: text}})
	}
	if ahead := w.state.Ahead; ahead > 0 {
		text := fmt.Sprintf("times in the state were up to %s in the future, and are moved back: the clock of this host was wrong, or is", ahead.Round(time.Second))
		findings = append(findings, alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "journal", Object: "clock"}, Condition: alarms.Bad, Severity: alarms.Warning, Text: text,
			Age: clockAge, Evidence: alarms.Evidence{At: w.Journal.Opened, Text: text}})
	}
	findings = append(findings, w.silenceFindings(now)...)
	setup := w.setup()
	for name, d := range w.Deliveries() {
		findings = append(findings, deliveryFinding(name, d, setup.Settings.DeliveryAfter+setup.Receivers[name].Digest, now))
	}
	return findings
}

// silenceFindings tells of each silence of everything, or of more than a day, while
// it lasts. No silence hides that.
func (w *Watch) silenceFindings(now time.Time) (findings []alarms.Finding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.state.Silences {
		f := alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "silence", Object: fmt.Sprint(s.ID)}, Evidence: alarms.Evidence{At: now, Text: "the silence has ended"}}
		switch {
		case !s.Wide() || now.Before(s.From):
			continue
		case s.InForce(now):
			s = s.At(now)
			f.Condition, f.Severity = alarms.Bad, alarms.Warning
			f.Text = alarms.Clip(fmt.Sprintf("silence %d hides much until %s, by %s: %s", s.ID, s.Until.UTC().Format(time.RFC3339), s.Author, s.Reason))
			f.Evidence = alarms.Evidence{At: s.From, Text: f.Text}
		}
		findings = append(findings, f)
	}
	return findings
}

// incidentsText names what receivers took to be active when the state was lost.
func incidentsText(open journal.Incidents) string {
	holders := make(map[string][]string) // receivers, by alarm
	for _, receiver := range slices.Sorted(maps.Keys(open)) {
		for _, key := range open[receiver] {
			holders[key] = append(holders[key], receiver)
		}
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(holders)) {
		parts = append(parts, fmt.Sprintf("%s (%s)", key, strings.Join(holders[key], ", ")))
	}
	if len(parts) == 0 {
		return ""
	}
	return ". Unless it is raised again, nothing will clear what receivers were notified of: " + strings.Join(parts, "; ")
}

// storeIncidents stores what every receiver takes to be active.
func (w *Watch) storeIncidents() {
	open := make(journal.Incidents)
	w.mu.Lock()
	if w.incidentsStored {
		w.mu.Unlock()
		return
	}
	w.incidentsStored = true
	for name, notified := range w.state.Notified {
		for _, key := range alarms.SortedKeys(notified) {
			if key.Device != alarms.Self && notified[key].Active() {
				open[name] = append(open[name], key.String())
			}
		}
	}
	w.mu.Unlock()
	if err := w.Journal.StoreIncidents(open); err != nil {
		w.Log.Warn("what receivers take to be active is not stored beside the state", "err", err)
	}
}

func (w *Watch) journalFinding(now time.Time) alarms.Finding {
	f := alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "journal"}, Evidence: alarms.Evidence{At: now, Text: "the state is stored"}}
	if err := w.Journal.Trouble(); err != nil {
		f.Condition, f.Severity, f.Text = alarms.Bad, alarms.Major, err.Error()
		f.Evidence = alarms.Evidence{At: w.Journal.TroubleSince(), Text: f.Text}
	}
	return f
}

// withoutReceiver returns findings that end alarms about the delivery to receivers that
// are no longer configured.
func (w *Watch) withoutReceiver(s alarms.State, now time.Time) (findings []alarms.Finding) {
	for key := range s.Active {
		if _, configured := w.setup().Receivers[key.Object]; key.Device == alarms.Self && key.Group == "delivery" && !configured {
			findings = append(findings, alarms.Finding{Key: key, Evidence: alarms.Evidence{At: now, Text: "removed from the configuration"}})
		}
	}
	return findings
}

// nextLate returns when time alone next changes the finding on a receiver; zero:
// never.
func (w *Watch) nextLate(now time.Time) (next time.Time) {
	setup := w.setup()
	for name, d := range w.Deliveries() {
		limit := setup.Settings.DeliveryAfter + setup.Receivers[name].Digest
		for _, at := range []time.Time{d.LostAt.Add(lostFor), d.Oldest.Add(limit), d.Unrefreshed.Add(limit)} {
			if at.After(now) {
				next = alarms.Sooner(next, at)
			}
		}
	}
	return next
}

// clockAge is how long a wrong clock is an alarm.
const clockAge = 24 * time.Hour

// lostFor is how long notifications that were given up are an alarm.
const lostFor = time.Hour

// deliveryFinding evaluates one receiver by the oldest notification in its queue,
// and by what was lost in the last hour.
func deliveryFinding(receiver string, d notify.Delivery, limit time.Duration, now time.Time) alarms.Finding {
	f := alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "delivery", Object: receiver}, Evidence: alarms.Evidence{At: now, Text: "nothing waits for " + receiver}}
	late, lost := d.Waiting > 0 && now.Sub(d.Oldest) >= limit, now.Sub(d.LostAt) < lostFor
	gone := fmt.Sprintf("%d notifications for %s were given up, the last was %s", d.Rejected+d.Expired, receiver, d.Lost)
	waiting := fmt.Sprintf("%d notifications wait for %s, the oldest since %s", d.Waiting, receiver, d.Oldest.UTC().Format(time.RFC3339))
	switch {
	case late && lost:
		f.Text = fmt.Sprintf("%s; %s: %s", gone, waiting, d.Error)
		f.Evidence = alarms.Evidence{At: alarms.Later(d.Oldest, d.LostAt), Text: f.Text}
	case late:
		f.Text = fmt.Sprintf("%s: %s", waiting, d.Error)
		f.Evidence = alarms.Evidence{At: d.Oldest, Text: f.Text}
	case lost:
		f.Text = fmt.Sprintf("%s: %s", gone, d.Error)
		f.Evidence = alarms.Evidence{At: d.LostAt, Text: f.Text}
	case !d.Unrefreshed.IsZero() && now.Sub(d.Unrefreshed) >= limit:
		f.Text = fmt.Sprintf("%s cannot be reminded of what is active since %s, and will take it to be over: %s", receiver, d.Unrefreshed.UTC().Format(time.RFC3339), d.Error)
		f.Evidence = alarms.Evidence{At: d.Unrefreshed, Text: f.Text}
	case d.Waiting > 0 || !d.Unrefreshed.IsZero():
		f.Condition = alarms.Between
		return f
	default:
		return f
	}
	f.Condition, f.Severity = alarms.Bad, alarms.Major
	return f
}

// How often the journal is looked after: while its disk fails, and else.
const (
	retryInterval = 10 * time.Second
	calmInterval  = time.Minute
)

// maintainJournal returns the journal to its disk once that works, stores
// incidents beside it, and trims it.
func (w *Watch) maintainJournal(ctx context.Context) error {
	trim := time.NewTicker(time.Hour)
	defer trim.Stop()
	logged := false
	for {
		w.storeIncidents()
		interval := calmInterval
		if logged {
			interval = retryInterval
		}
		next := time.NewTimer(interval)
		select {
		case <-ctx.Done():
			next.Stop()
			return nil
		case <-trim.C:
			if err := w.trim(); err != nil {
				w.Log.Warn("history not trimmed; trying again in an hour", "err", err)
			}
		case <-w.maintain: // receivers were notified, or the disk fails
			wait.Sleep(ctx, retryInterval)
		case <-next.C:
		}
		next.Stop()
		if ctx.Err() != nil {
			return nil
		}
		switch trouble := w.Journal.Trouble(); {
		case trouble != nil && !logged:
			w.Log.Error("alarms are kept in memory only", "err", trouble)
			logged = true
			w.evaluateNow()
		case trouble != nil && w.Journal.ToDisk() == nil:
			w.Log.Info("alarms are stored again")
			logged = false
			w.evaluateNow()
		}
	}
}
