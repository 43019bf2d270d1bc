package watch_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

// An estate is three ordinary HSMs, as they are polled and log for a month.
type estate struct {
	*watchtest.Running
	t       *testing.T
	began   time.Time
	every   time.Duration // between two polls
	booted  map[string]time.Time
	renewed map[string]time.Time // NTLS certificates
	counted map[string]hsm.Information
	audited int
	lines   int
}

// The planned work: one appliance is rebooted.
const (
	workDay  = 12
	workHour = 20
	workFor  = 2 * time.Hour
)

// TestOrdinaryMonthIsQuiet: three ordinary HSMs raise nothing in a month and
// notify nobody: load by the hour, temperatures, logins, restarts of clients,
// rotation of logs, certificates renewed in time, and a reboot in its
// maintenance window, the only time when anything may be raised. With LUNAWATCH_STRESS they
// are polled every five minutes, not every hour.
func TestOrdinaryMonthIsQuiet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		e := newEstate(t, r)
		defer e.Stop()
		work := e.began.Add(workDay*24*time.Hour + workHour*time.Hour)
		_, err := e.Silence(alarms.Silence{Author: "kim", Reason: "firmware of b", Match: alarms.Match{HSMs: []string{"b"}}, From: work, Until: work.Add(workFor)})
		e.Must(err)
		days := 30
		if collectortest.RaceDetector {
			days = workDay + 2
		}
		for now := e.began; now.Before(e.began.AddDate(0, 0, days)); now = now.Add(e.every) {
			for _, name := range []string{"a", "b", "c"} {
				e.poll(name, work)
			}
			e.log(work)
			watchtest.Advance(e.every)
		}
		e.check(r, work)
	})
}

func newEstate(t *testing.T, r notify.Notifier) *estate {
	e := &estate{t: t, began: time.Now(), every: time.Hour, booted: make(map[string]time.Time), renewed: make(map[string]time.Time), counted: make(map[string]hsm.Information)}
	if os.Getenv("LUNAWATCH_STRESS") != "" {
		e.every = 5 * time.Minute
	}
	e.Running = watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a", "b", "c"), func(w *watch.Watch) {
		w.Settings.HistoryAge = 365 * 24 * time.Hour
	})
	for i, name := range []string{"a", "b", "c"} {
		e.booted[name] = e.began.Add(-time.Duration(10+i) * 24 * time.Hour)
		e.renewed[name] = e.began.Add(-time.Duration(310+10*i) * 24 * time.Hour)
	}
	return e
}

// poll has all of an appliance be read, unless it is being rebooted.
func (e *estate) poll(name string, work time.Time) {
	now := time.Now()
	if down := now.Sub(work); name == "b" && down >= 0 && down < 30*time.Minute {
		e.booted[name] = work.Add(30 * time.Minute)
		e.Store.Apply(hsm.Observation{Device: name, Source: "hsm show", At: now, Failure: hsm.Unreachable, Err: errors.New("no connection")})
		return
	}
	if left := now.Sub(e.renewed[name]); left > 330*24*time.Hour { // 35 days before it expires
		e.renewed[name] = now
	}
	i := int(now.Sub(e.began) / (5 * time.Minute))
	load := 0.4 + 0.3*math.Sin(2*math.Pi*float64(i%288)/288)
	d := alarmstest.Ordinary(int(now.Sub(e.began).Seconds()), i, load)
	d.Show.Value.Serial = "7000" + name
	d.Monitor.Value.Samples[0].UptimeSeconds = uint64(now.Sub(e.booted[name]).Seconds())
	d.System.Value.CheckTime = now.Format("2006-01-02T15:04")
	for source, fact := range map[string]hsm.Fact{
		"hsm show": d.Show.Value, "hsm tamper show": d.Tamper.Value, "hsm information monitor": d.Monitor.Value, "status sysstat show": d.System.Value,
		"status cpu": d.CPU.Value, "status mem": d.RAM.Value, "partition show": hsm.Partitions(d.Partitions.Value), "status sensors": d.Sensors.Value,
		"hsm information show":  e.count(name, load, i),
		"ntls information show": hsm.NTLS{Status: hsm.NTLSUp, ConnectedClients: hsm.Some(uint64(2 + i%3)), Links: hsm.Some(uint64(2 + i%5))},
		"ntls certificate show": hsm.Certificate{NotBefore: hsm.Some(e.renewed[name]), NotAfter: hsm.Some(e.renewed[name].AddDate(1, 0, 0))},
	} {
		e.Store.Apply(hsm.Observation{Device: name, Source: source, At: now, Took: 2 * time.Second, MaxAge: 2*e.every + 5*time.Second, Facts: []hsm.Fact{fact}})
	}
}

// count returns the requests of an HSM up to now, of which some fail. They are
// reset once.
func (e *estate) count(name string, load float64, i int) hsm.Information {
	old := e.counted[name]
	requests, failed := old.CryptoRequests.Value+uint64(180000*load), old.CryptoErrors.Value+uint64(i%7)
	if i == 4032 {
		requests, failed = 12, 0
	}
	e.counted[name] = hsm.Information{OperationRequests: hsm.Some(3 * requests), OperationErrors: hsm.Some(300 + failed),
		CryptoRequests: hsm.Some(requests), CryptoErrors: hsm.Some(failed), CriticalEvents: hsm.Some[uint64](0)}
	return e.counted[name]
}

// log has every appliance log what it does on a day, a line at each poll, and
// the rebooted one what it does at that.
func (e *estate) log(work time.Time) {
	now := time.Now()
	day := alarmstest.OrdinaryDay
	for i, name := range []string{"a", "b", "c"} {
		e.logged(name, day[(e.lines+7*i)%len(day)])
	}
	e.lines++
	if now.Equal(work) {
		e.logged("b", alarmstest.PlannedReboot...)
	}
	if now.Hour() == 2 && now.Minute() == 0 {
		e.audit("a", "LUNA_LOGIN returned RC_OK(0x00000000)", "LUNA_LOGOUT returned RC_OK(0x00000000)")
	}
}

func (e *estate) logged(name string, texts ...string) {
	var lines []hsm.LogLine
	for _, text := range texts {
		lines = append(lines, syslog.ParseLine(time.Now().Format("2006 Jan _2 15:04:05")+" luna-"+name+"  "+text))
	}
	e.Must(e.Lines(name, "/"+name+"/messages", lines, []byte(time.Now().String())))
}

func (e *estate) audit(name string, texts ...string) {
	var lines []hsm.LogLine
	for _, text := range texts {
		e.audited++
		lines = append(lines, syslog.AuditLine(fmt.Sprintf("%d,%s,S/N 484233 %s", e.audited, time.Now().Format("06/01/02 15:04:05"), text)))
	}
	e.Must(e.Lines(name, "/"+name+"/audit.log", lines, []byte(fmt.Sprint(e.audited))))
}

// check holds that nothing was raised but of the rebooted appliance in its
// window, and that this was seen at all.
func (e *estate) check(r *alarmstest.Receiver, work time.Time) {
	raised, err := e.History(1e6)
	e.Must(err)
	for _, x := range e.Active() {
		raised = append(raised, x.Alarm)
	}
	inWindow := func(x alarms.Alarm) bool {
		return x.Device == "b" && !x.Raised.Before(work) && x.Raised.Before(work.Add(workFor))
	}
	for _, x := range raised {
		if !inWindow(x) {
			e.t.Errorf("%s %s %s: %s", x.Raised.UTC(), x.Severity, x.Key, x.Text)
		}
	}
	if !slices.ContainsFunc(raised, inWindow) {
		e.t.Error("nothing was seen of the reboot")
	}
	alarmstest.Same(e.t, "received", nil, r.Received())
}
