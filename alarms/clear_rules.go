package alarms

import (
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A ClearRule is how polls clear an alarm that came from a log.
type ClearRule struct {
	Words string // what the poll must show, for people
	// Since returns the time of fresh data that show that nothing of the kind
	// is left on the first card; zero: they do not show it, or do not state it.
	Since func(d *hsm.Device, now time.Time) time.Time
}

var (
	whenAnswering   = ClearRule{"hsm show that works and reports a good status", answersAgain}
	whenUntampered  = ClearRule{"hsm show or hsm tamper show without a tamper (any hsm show that works, where policy 48 is off)", noTamper}
	whenRecovered   = ClearRule{"hsm show that works and shows the HSM's label, no tamper and no bad status", recovered}
	whenInitialized = ClearRule{"an HSM that is initialized again: it has a label and is not zeroized", initialized}
	whenRestarted   = ClearRule{"a restart of the HSM after which it does not report it again", restarted}
	whenActivated   = ClearRule{"partition show where every partition is activated", activated}
	whenSpaceLeft   = ClearRule{"free storage in the HSM and in every partition", spaceLeft}
)

// answersAgain: hsm show works, so the firmware runs.
func answersAgain(d *hsm.Device, now time.Time) time.Time {
	if s, ok := d.Show.Get(now); ok && (s.Status == "" || s.Status.Good()) {
		return d.Show.Asked()
	}
	return time.Time{}
}

// noTamper: hsm show or hsm tamper show says so, and the other does not say
// otherwise. Without controlled tamper recovery neither says anything; that the
// HSM works is enough then.
func noTamper(d *hsm.Device, now time.Time) time.Time {
	show, tamper := d.Show.Value, d.Tamper.Value
	shown, listed := d.Show.Fresh(now), d.Tamper.Fresh(now)
	switch {
	case shown && (show.Tamper == hsm.TamperDetected || show.Status.Has(hsm.PartUnknown)):
	case listed && tamper.State == hsm.TamperDetected:
	case shown && show.Tamper == hsm.TamperNone:
		return d.Show.Asked()
	case listed && tamper.State == hsm.TamperNone:
		return d.Tamper.Asked()
	case policyOff(d.Policies.Value, controlledTamperRecovery):
		return answersAgain(d, now)
	}
	return time.Time{}
}

// controlledTamperRecovery is the HSM policy that keeps a tampered HSM locked
// until its SO clears the tamper.
const controlledTamperRecovery = 48

func policyOff(p hsm.Policies, id int64) bool {
	return slices.ContainsFunc(p.Policies, func(p hsm.Policy) bool { return hsm.Is(p.ID, id) && strings.EqualFold(p.Value, "Off") })
}

// recovered: hsm show reads what a tampered HSM cannot give, and no tamper.
func recovered(d *hsm.Device, now time.Time) time.Time {
	if s := d.Show.Value; s.Label.Value == "" || s.Tamper == hsm.TamperDetected {
		return time.Time{}
	}
	return answersAgain(d, now)
}

// initialized: the HSM has a label and is not zeroized.
func initialized(d *hsm.Device, now time.Time) time.Time {
	if s, ok := d.Show.Get(now); ok && hsm.Is(s.Zeroized, false) && s.Label.Value != "" && !s.Status.Has(hsm.PartUnknown) {
		return d.Show.Asked()
	}
	return time.Time{}
}

// activated: partitions state their activation, and none lacks it.
func activated(d *hsm.Device, now time.Time) time.Time {
	ps, ok := d.Partitions.Get(now)
	stated := false
	for _, p := range ps {
		stated = stated || p.Activated.Known
		ok = ok && !hsm.Is(p.Activated, false)
	}
	if ok && stated {
		return d.Partitions.Asked()
	}
	return time.Time{}
}

// restarted: the HSM works. The time is that of its last reset, so that what it
// reports afterwards is newer.
func restarted(d *hsm.Device, now time.Time) time.Time {
	m, ok := d.Monitor.Get(now)
	if !ok || len(m.Samples) == 0 || answersAgain(d, now).IsZero() {
		return time.Time{}
	}
	up := time.Duration(m.Samples[len(m.Samples)-1].UptimeSeconds) * time.Second
	return d.Monitor.Asked().Add(-up)
}

// spaceLeft: the HSM and every partition have storage to give. ALM2027 is
// about a partition, so an HSM whose partitions are unknown shows nothing.
func spaceLeft(d *hsm.Device, now time.Time) time.Time {
	s, ok := d.Show.Get(now)
	ps, listed := d.Partitions.Get(now)
	if !ok || !listed || s.Storage.Free.Value <= 0 {
		return time.Time{}
	}
	for _, p := range ps {
		if p.Storage.Free.Value <= 0 {
			return time.Time{}
		}
	}
	return Sooner(d.Show.Asked(), d.Partitions.Asked())
}
