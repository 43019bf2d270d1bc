package watch_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestAuditIsCounted takes the larger of what alarms and audit log count: both
// report the same events.
func TestAuditIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := watchtest.Start(t, t.TempDir(), nil)
		defer a.Stop()
		audit := func(texts ...string) {
			for _, text := range texts {
				a.Must(a.Lines("a", "/audit", []hsm.LogLine{syslog.AuditLine(text)}, nil))
				watchtest.Advance(10 * time.Second)
			}
		}
		audit("S/N 1234 LUNA_ZEROIZE_HSM RC_OK", "S/N 1234 LUNA_LOGIN CKR_PIN_INCORRECT", "S/N 1234 LUNA_LOGIN CKR_PIN_INCORRECT", "S/N 1234 LUNA_LOGIN CKR_OK")
		if critical, other := a.Events("a"); critical != 1 || other != 0 || a.Counted("a").FailedLogins != 2 {
			t.Errorf("%d critical, %d other, %+v", critical, other, a.Counted("a"))
		}
		a.Must(a.Kernel("1", "k7pf0: [HSM] ALM2007: HSM zeroized"))
		if critical, _ := a.Events("a"); critical != 1 {
			t.Errorf("the same event counts %d times", critical)
		}
	})
}

// TestTrendIsStored samples for weeks, over restarts.
func TestTrendIsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &alarmstest.Receiver{}
		var a *watchtest.Running
		volts := 2.85
		for week := range 3 {
			a = watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
			for range 7 * 12 {
				a.Polled(hsm.Show{Environment: &hsm.Environment{BatteryVolts: hsm.Some(volts)}})
				volts -= 0.004 / 12
				watchtest.Advance(2 * time.Hour)
			}
			stored, err := a.Journal.LoadSamples()
			a.Must(err)
			if n := len(stored[journal.Series{Device: "a", Object: "battery"}]); n < 42*(week+1)-1 || n > 42*(week+1)+1 {
				t.Errorf("%d values after week %d", n, week+1)
			}
			if week < 2 {
				a.Stop()
			}
		}
		defer a.Stop()
		if got := strings.Join(r.Received(), "\n"); strings.Count(got, "raised warning a/forecast/battery") != 1 {
			t.Errorf("received\n%s", got)
		}
	})
}

// TestTwoWaysCountOnce gives the same hundred lines by a file and by the
// listener, in every order and in batches that do not match.
func TestTwoWaysCountOnce(t *testing.T) {
	for name, order := range map[string][]string{"file first": {"/log", ""}, "listener first": {"", "/log"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := watchtest.Start(t, t.TempDir(), nil)
				defer a.Stop()
				today := strings.NewReplacer("2026 Mar", "2000 Jan", "Mar", "Jan") // in a bubble
				forms := map[string]string{"/log": today.Replace(alarmstest.LineOfAppliance), "": today.Replace(alarmstest.LineShort)}
				remaining := map[string]int{"/log": 100, "": 100}
				for _, n := range []int{30, 50, 20, 100} {
					for _, way := range order {
						var lines []hsm.LogLine
						for range min(n, remaining[way]) {
							lines = append(lines, syslog.ParseLine(forms[way]))
						}
						remaining[way] -= len(lines)
						a.Must(a.Lines("a", way, lines, nil))
						watchtest.Advance(time.Second)
					}
				}
				if critical, other := a.Events("a"); critical != 0 || other != 100 {
					t.Errorf("%d critical and %d other events", critical, other)
				}
				// The lines of a batch are read at one moment: the alarm counts
				// moments.
				if active := a.Active(); len(active) != 1 || active[0].Count != 3 {
					t.Errorf("%+v", active)
				}
			})
		})
	}
}

// TestLineThatWasNotStored comes again, from the same log: it must count.
func TestLineThatWasNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := watchtest.Start(t, t.TempDir(), nil)
		defer a.Stop()
		lines := []hsm.LogLine{syslog.ParseLine(alarmstest.LineOfAppliance)}
		if err := a.Lines("a", strings.Repeat("x", bbolt.MaxKeySize+1), lines, nil); err == nil {
			t.Fatal("stored under a name that cannot be")
		}
		a.Must(a.Lines("a", "/other", lines, nil))
		if _, other := a.Events("a"); other != 1 {
			t.Errorf("%d events", other)
		}
	})
}

// TestOldLines reads lines long after they were written: what a poll has since
// shown to be over is not raised, what no poll shows is.
func TestOldLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := watchtest.Start(t, t.TempDir(), nil)
		defer a.Stop()
		long := time.Now().Add(-24 * time.Hour)
		a.Polled(hsm.Show{Status: "OK"})
		watchtest.Advance(time.Second)
		old := func(text string) rules.Line {
			return rules.Line{LogLine: syslog.ParseLine(text), Device: "a", File: "kernel log", At: long}
		}
		a.Must(a.Take("kernel log", []rules.Line{
			old("6,1,10,-;k7pf0: ALM0016: Device Error"),
			old("6,2,20,-;k7pf0: [HSM] ALM2007: HSM zeroized"),
		}, nil))
		alarmstest.Same(t, "alarms", []string{"zeroize"}, a.ActiveGroups())
		if critical, other := a.Events("a"); critical != 1 || other != 1 {
			t.Errorf("%d critical and %d other events", critical, other)
		}
	})
}

// TestHappened: an alarm has the time of its line, in the appliance's zone, and
// that of its reading.
func TestHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := watchtest.Start(t, t.TempDir(), nil)
		defer a.Stop()
		kernel := func(stamp, text string) {
			a.Must(a.Lines("a", "/log", []hsm.LogLine{syslog.ParseLine(stamp + " luna-a  kern info  kernel: " + text)}, nil))
			watchtest.Advance(time.Second)
		}
		watchtest.Advance(90 * time.Minute)
		kernel("2000 Jan  1 02:50:00", "k7pf0: [HSM] ALM2023: HSM fan 1 failure") // of a zone that is not known yet
		kernel("2000 Jan  1 03:30:01", alarmstest.BatteryLine)                    // as it is written, two hours east
		kernel("2000 Jan  1 02:50:00", alarmstest.TransportLine)                  // 40 minutes late
		a.Must(a.Take("kernel log", []rules.Line{{LogLine: syslog.ParseLine("6,2,20,-;k7pf0: [HSM] ALM2007: HSM zeroized"), Device: "a", At: time.Now().Add(-24 * time.Hour)}}, nil))
		var happened []string
		for _, x := range a.Active() {
			happened = append(happened, x.Group+" "+x.Happened.Format("2 15:04:05")+", read "+x.Raised.Format("15:04:05"))
		}
		alarmstest.Same(t, "times", []string{"zeroize 31 01:30:03, read 01:30:03", "stm 1 00:50:00, read 01:30:02", "fan 1 00:00:00, read 01:30:00", "battery 1 01:30:01, read 01:30:01"}, happened)
	})
}
