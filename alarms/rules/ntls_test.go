package rules

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestNextExpiry: the result of a certificate changes when NextExpiry says so, and
// not before.
func TestNextExpiry(t *testing.T) {
	end := time.Date(2027, time.May, 1, 9, 30, 0, 0, time.UTC)
	section := hsm.Section[hsm.Certificate]{At: end.AddDate(-1, 0, 0), MaxAge: 2 * 366 * 24 * time.Hour, Value: hsm.Certificate{NotAfter: hsm.Some(end)}}
	d := &hsm.Device{Name: "a", Certificate: section}
	limits := DefaultThresholds()
	result := func(now time.Time) (condition, severity int) {
		f := certificate.findings(Poll{Device: d, Now: now, Thresholds: limits}, nil)[0]
		return int(f.Condition), int(f.Severity)
	}
	changes := 0
	for now := end.AddDate(0, -2, 0); ; changes++ {
		next := NextExpiry(d, limits, now)
		if next.IsZero() {
			break
		}
		condition, severity := result(now)
		if c, s := result(next.Add(-time.Millisecond)); c != condition || s != severity {
			t.Errorf("changed between %s and %s", now, next)
		}
		now = next.Add(time.Millisecond)
		if c, s := result(now); c == condition && s == severity {
			t.Errorf("did not change at %s", next)
		}
	}
	if changes != 3 {
		t.Errorf("%d changes: warning, major, critical", changes)
	}
}
