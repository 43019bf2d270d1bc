package watch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestReplay has time be that of the lines, whatever form it has there.
func TestReplay(t *testing.T) {
	written := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for name, x := range map[string]struct {
		settings watch.Settings
		log      string
		want     []string
		sum      string
	}{
		"an event clears by itself, between two lines": {watch.DefaultSettings(), `
2026 Mar  1 12:00:00 luna-a  kern info  kernel: k7pf0: ALM0017: Request Timed Out
2026 Mar  1 13:00:00 luna-a  local5 info  lunash [7]: info : 0 : nothing
`, []string{"12:00:00 1 raised comm", "12:15:00 0 cleared comm"}, "2 lines, 1 idle, 0 undated, 1 raised, 1 cleared, 0 active, 0 pending"},
		"the last line is the end": {watch.DefaultSettings(), `
2026 Mar  1 12:00:00 luna-a  kern info  kernel: k7pf0: ALM0017: Request Timed Out
`, []string{"12:00:00 1 raised comm"}, "1 lines, 0 idle, 0 undated, 1 raised, 0 cleared, 1 active, 0 pending"},
		"no year, and no way back": {watch.DefaultSettings(), `
Dec 31 23:00:00 luna-a kernel: k7pf0: ALM0010: Decommission signal triggered
Dec 31 22:00:00 luna-a kernel: k7pf0: ALM1001: HSM restart required
no time at all
`, []string{"23:00:00 1 raised decom", "23:00:00 2 raised restart of a/decom"}, "3 lines, 1 idle, 1 undated, 2 raised, 0 cleared, 2 active, 0 pending"},
		"since boot": {watch.DefaultSettings(), `
[   60.000000] k7pf0: ALM0012: Hardware Error
`, []string{"00:01:00 1 raised hw"}, "1 lines, 0 idle, 0 undated, 1 raised, 0 cleared, 1 active, 0 pending"},
		"a delay": {watch.Settings{Thresholds: rules.Thresholds{EventAge: time.Hour}, Damping: alarms.Damping{RaiseAfter: map[string]time.Duration{"stm": time.Minute}}}, `
2026 Mar  1 12:00:00 luna-a  kern info  kernel: k7pf0: [HSM] ALM2012: HSM in secure transport mode
2026 Mar  1 12:01:30 luna-a  kern info  kernel: k7pf0: [HSM] ALM2013: HSM recovered from secure transport mode
2026 Mar  1 12:02:00 luna-a  kern info  kernel: k7pf0: [HSM] ALM2012: HSM in secure transport mode
`, []string{"12:00:00 1 pending stm", "12:01:00 0 raised stm", "12:01:30 2 cleared stm", "12:02:00 3 pending stm"}, "3 lines, 0 idle, 0 undated, 1 raised, 1 cleared, 0 active, 1 pending"},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []hsm.LogLine
			for l := range strings.SplitSeq(strings.TrimSpace(x.log), "\n") {
				lines = append(lines, syslog.ParseLine(l))
			}
			var got []string
			r := watch.Replay("a", slices.Values(lines), x.settings, written, func(s watch.Step) {
				text := fmt.Sprintf("%s %d %s %s", s.At.Format(time.TimeOnly), s.Line, s.Kind, s.Alarm.Group)
				if s.RelatedTo != nil {
					text += " of " + s.RelatedTo.String()
				}
				got = append(got, text)
			})
			if diff := cmp.Diff(x.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			sum := fmt.Sprintf("%d lines, %d idle, %d undated, %d raised, %d cleared, %d active, %d pending", r.Lines, r.Idle, r.Undated, r.Raised, r.Cleared, len(r.Active), len(r.Pending))
			if sum != x.sum {
				t.Errorf("%s, want %s", sum, x.sum)
			}
		})
	}
}
