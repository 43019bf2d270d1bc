package formats

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
)

// TestReference parses every block of the reference outputs and compares the
// values with referenceWant and lunacmWant.
func TestReference(t *testing.T) {
	for _, file := range []string{
		"hsm_show", "hsm_information_show", "hsm_information_monitor", "ntls", "partition_list_show",
		"hsm_displaylicenses", "hsm_showpolicies", "client_list_show", "status_sensors", "status_sysstat",
		"hsm_tamper_misc", "status_cpu_mem_disk_interface", "lunash_session",
		"lunacm_slot_list", "lunacm_hsm_showinfo_envshow", "lunacm_partition", "lunacm_hagroup", "chrystoki_conf", "ha_log",
	} {
		t.Run(file, func(t *testing.T) {
			ids, texts := collectortest.ReferenceBlocks(t, file)
			var all, good int
			for _, id := range ids {
				if why := cmp.Or(leftOut[id], lunacmLeftOut[id]); why != "" {
					t.Logf("left out: %s: %s", id, why)
					continue
				}
				cases := 0
				for _, w := range slices.Concat(referenceWant, lunacmWant) {
					if w.id != id {
						continue
					}
					cases++
					if err := w.check(texts[id]); err != nil {
						t.Errorf("%s as %s: %v", id, w.format, err)
						cases = -1000
					}
				}
				if cases == 0 {
					t.Logf("not checked: %s: a block that this test does not know", id)
					continue
				}
				if all++; cases > 0 {
					good++
				}
			}
			t.Logf("%s: %d of %d", file, good, all)
		})
	}
}

type referenceCase struct {
	id, format string
	want       string // one "path json" a line
	fails      string // part of the error, if the command failed
}

func (w referenceCase) check(text string) error {
	f, ok := Named(w.format)
	if !ok {
		return fmt.Errorf("no such format")
	}
	fact, _, err := f.Parse(text)
	if w.fails != "" && (err == nil || !strings.Contains(err.Error(), w.fails)) || w.fails == "" && err != nil {
		return fmt.Errorf("error %w, want %q", err, w.fails)
	}
	return collectortest.Match(fact, w.want)
}

// TestMatchCanFail checks the comparison itself.
func TestMatchCanFail(t *testing.T) {
	v := map[string]any{"a": []int{1, 2}, "b": map[string]any{"c": nil, "d": "x"}}
	for want, ok := range map[string]bool{
		`a.# 2`: true, `a.# 3`: false, `a [1,2]`: true, `a [1]`: false, `a.-1 2`: true,
		`b {"d":"x"}`: true, `b {"d":"y"}`: false, `b.c null`: true, `b.e null`: true, `b.d null`: false,
		`a.7 1`: false, `b {"c":0}`: false,
	} {
		if err := collectortest.Match(v, want); (err == nil) != ok {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// logLine is the form of an appliance's log lines in the reference: a second
// opinion on the parser, which uses no regular expression.
var logLine = regexp.MustCompile(`^(\d{4}) (\w{3}) +(\d{1,2}) (\d\d:\d\d:\d\d) (\S+) +(\w+) +(\w+) +([\w./()*-]+) ?(?:\[(\d+)\])?: *(.*)$`)

var alarmText = regexp.MustCompile(`^(?:\*\*\*TEST : )?(k7pf\d+|viper\d+|[a-z]\w*\d+): (\[HSM\] )?ALM_?(\d{4})\s*:\s*(.*?)\s*$`)

var logSeverity = map[string]string{"warn": "warning", "critical": "crit", "error": "err", "panic": "emerg"}

// TestReferenceLogs compares every line of the logs with the regular
// expressions of the reference.
func TestReferenceLogs(t *testing.T) {
	for _, file := range []string{"syslog_lines", "syslog_ipmi", "syslog_smartd", "syslog_ntls", "syslog_other", "alm_lines"} {
		t.Run(file, func(t *testing.T) {
			ids, texts := collectortest.ReferenceBlocks(t, file)
			var all, good, lines, raw int
			for _, id := range ids {
				if why, ok := leftOut[id]; ok {
					t.Logf("left out: %s: %s", id, why)
					continue
				}
				all++
				n, r, wrong := checkLog(t, id, texts[id])
				lines, raw = lines+n, raw+r
				if wrong == 0 {
					good++
				}
			}
			t.Logf("%s: %d of %d, %d lines of which %d unparsed", file, good, all, lines, raw)
		})
	}
}

func checkLog(t *testing.T, id, text string) (lines, raw, wrong int) {
	fail := func(format string, args ...any) {
		wrong++
		t.Errorf(format, args...)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.Contains(line, "lunash:>") || strings.HasPrefix(line, "Command Result") {
			continue
		}
		lines++
		l := syslog.ParseLine(line)
		m := logLine.FindStringSubmatch(line)
		if m == nil {
			raw++
			if l.Message == "" || !strings.HasSuffix(line, l.Message) {
				fail("%s: lost something of %q: %q", id, line, l.Message)
			}
			continue
		}
		if s := logSeverity[m[7]]; s != "" {
			m[7] = s
		}
		pid := ""
		if l.PID.Known {
			pid = fmt.Sprint(l.PID.Value)
		}
		got := []string{l.Time.Value.Format("2006 Jan 2 15:04:05"), l.Host, l.Facility, l.Severity, l.Process, pid, l.Message}
		want := []string{strings.Join(m[1:5], " "), m[5], m[6], m[7], m[8], m[9], strings.TrimSpace(m[10])}
		if !reflect.DeepEqual(got, want) {
			fail("%s: %q\n got %q\nwant %q", id, line, got, want)
		}
		am := alarmText.FindStringSubmatch(m[10])
		if (am != nil) != (l.Alarm != nil) || am != nil && (l.Alarm.Card != am[1] || l.Alarm.Code != am[3] || l.Alarm.Text != am[4]) {
			fail("%s: %q: alarm %+v", id, line, l.Alarm)
		}
		if strings.HasPrefix(m[10], "***TEST") != l.Test {
			fail("%s: %q: test %v", id, line, l.Test)
		}
	}
	return lines, raw, wrong
}
