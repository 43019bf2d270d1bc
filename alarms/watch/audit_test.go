package watch_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestAuditGapIsNotified removes a record from an audit log, restarts the agent
// twice, removes records while it is down, and then has the log reset. A restart
// is no gap, and nothing is notified twice.
func TestAuditGapIsNotified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		read := func(numbers ...string) {
			t.Helper()
			var lines []hsm.LogLine
			for _, n := range numbers {
				lines = append(lines, syslog.AuditLine(n+",26/11/21 02:00:00,S/N 484233 LUNA_LOGOUT returned RC_OK(0x00000000)"))
			}
			watchtest.Advance(time.Second)
			a.Must(a.Lines("a", "/log/audit.log", lines, []byte(numbers[len(numbers)-1])))
			synctest.Wait()
		}
		read("41", "42")
		read("43", "45")
		alarmstest.Same(t, "a record is missing", []string{"raised major a/audit-gap/484233"}, r.Received())
		a.Stop()

		r = &alarmstest.Receiver{}
		a = watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		read("46", "47")
		alarmstest.Same(t, "the agent restarts", nil, r.Received())
		a.Must(a.Clear("a/audit-gap/484233", "kim", "verified"))
		synctest.Wait()
		alarmstest.Same(t, "an operator clears it", []string{"cleared major a/audit-gap/484233"}, r.Received())
		a.Stop()

		r = &alarmstest.Receiver{}
		a = watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		defer a.Stop()
		read("60", "61")
		alarmstest.Same(t, "records removed while it was down", []string{"raised major a/audit-gap/484233"}, r.Received())
		r.Forget()
		read("1", "2")
		alarmstest.Same(t, "the log is reset", []string{"raised major a/audit-gap/484233 reset"}, r.Received())
	})
}
