package audit

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
)

// auditLines are records of a file; "7" is record 7 of HSM 484233, "7:9" of
// HSM 9999, "7:p" of a partition of the first, "7!" another text.
func auditLines(file, numbers string) (lines []rules.Line) {
	for field := range strings.FieldsSeq(numbers) {
		n, serial, _ := strings.Cut(field, ":")
		n, changed := strings.CutSuffix(n, "!")
		words := "S/N " + map[string]string{"": "484233", "9": "999999", "p": "484233007"}[serial]
		if serial == "-" {
			words = "session 3"
		}
		text := fmt.Sprintf("%s,26/11/21 02:00:00,%s LUNA_LOGOUT returned RC_OK(0x00000000) %v", n, words, changed)
		lines = append(lines, rules.Line{LogLine: syslog.AuditLine(text), Device: "a", File: file, At: alarmstest.At(0)})
	}
	return lines
}

func TestSequence(t *testing.T) {
	for name, test := range map[string]struct {
		batches string // separated by "|", of one file; "+": the next is of another
		want    string // separated by "|"
	}{
		"in order":                   {"41 42 43 | 44 | 45", ""},
		"starts anywhere":            {"9000000000", ""},
		"gap":                        {"41 42 | 45 46", "records 43 to 44 of the audit log are missing"},
		"gap of one":                 {"41 43 44", "record 42 of the audit log is missing"},
		"two gaps":                   {"41 43 44 50", "record 42 of the audit log is missing|records 45 to 49 of the audit log are missing"},
		"step back":                  {"41 42 | 1 2 3", "record 1 of the audit log follows record 42: the log was reset, or put back"},
		"step back by little":        {"41 42 43 | 42!", "record 42 of the audit log follows record 43: the log was reset, or put back"},
		"another text of the last":   {"41 42 | 42!", "record 42 of the audit log follows record 42: the log was reset, or put back"},
		"after a step back":          {"41 42 | 1 2 | 3 4", "record 1 of the audit log follows record 42: the log was reset, or put back"},
		"gap after a step back":      {"41 | 1 | 5", "record 1 of the audit log follows record 41: the log was reset, or put back|records 2 to 4 of the audit log are missing"},
		"sent again":                 {"41 42 43 | 42 43 44", ""},
		"datagrams overtake":         {"41 43 42 44", ""},
		"overtaken by a whole batch": {"41 44 | 42 43 | 45", "records 42 to 43 of the audit log are missing"},
		"overtaken, then reset":      {"41 44 | 43 | 43!", "records 42 to 43 of the audit log are missing|record 43 of the audit log follows record 44: the log was reset, or put back"},
		"two HSMs":                   {"41 1:9 42 2:9 | 43 3:9", ""},
		"two HSMs, gap in one":       {"41 1:9 42 3:9", "record 2 of the audit log is missing"},
		"serial of a partition":      {"41 42:p 43 44:p 45:p | 46", ""},
		"gap behind a partition":     {"41 42:p 44:p", "record 43 of the audit log is missing"},
		"gap before a new partition": {"41 43:p 44", "record 42 of the audit log is missing"},
		"two HSMs, no serial":        {"41 1:9 42 2:9 43:- 3:-", ""},
		"a partition before the HSM": {"41:p 42 44", "record 43 of the audit log is missing"},
		"gap behind no serial":       {"41:- 43", "record 42 of the audit log is missing"},
		"records without a serial":   {"41 42:- 43", ""},
		"another file has its own":   {"41 42 43 + 41 42 43", ""},
		"gap in both files":          {"41 43 + 41 43", "record 42 of the audit log is missing|record 42 of the audit log is missing"},
	} {
		var s Sequences
		var got []string
		for i, file := range strings.Split(test.batches, "+") {
			for batch := range strings.SplitSeq(file, "|") {
				var findings []alarms.Finding
				s, findings = s.With(auditLines(fmt.Sprint(i), batch))
				for _, f := range findings {
					got = append(got, f.Text)
					if f.Group != "audit-gap" || f.Device != "a" || f.Condition != alarms.Bad || f.Severity != alarms.Major || f.Age != 0 || f.Evidence.Log == nil || f.Evidence.At != alarmstest.At(0) {
						t.Errorf("%s: %+v", name, f)
					}
				}
			}
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "|")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestSequenceChangesNothing: a step that is not stored is played again.
func TestSequenceChangesNothing(t *testing.T) {
	s, _ := Sequences(nil).With(auditLines("f", "41 42 44"))
	for range 2 {
		_, findings := s.With(auditLines("f", "46 1"))
		if len(findings) != 2 {
			t.Errorf("%+v", findings)
		}
	}
	if _, findings := s.With(auditLines("f", "43 45")); len(findings) != 0 {
		t.Errorf("%+v", findings)
	}
}

// TestSequenceIsBounded: neither gaps nor serial numbers without end keep
// memory without end.
func TestSequenceIsBounded(t *testing.T) {
	var s Sequences
	for n := 0; n < 4000; n += 2 {
		s, _ = s.With(auditLines("f", fmt.Sprint(n)))
	}
	for n := range 200 {
		l := auditLines("f", fmt.Sprint(10000+100*n))
		l[0].Audit.Serial = fmt.Sprint(n)
		s, _ = s.With(l)
	}
	for _, log := range s {
		if len(log) > maxStreams {
			t.Errorf("%d streams", len(log))
		}
		for _, x := range log {
			if len(x.missing) > maxMissing || len(x.recent) > maxRecent {
				t.Errorf("%d gaps, %d records", len(x.missing), len(x.recent))
			}
		}
	}
}

// dailyAudit is what an HSM records on any day.
var dailyAudit = []string{
	"session 1 Access 2147483651:2669 operation LUNA_LOG_SET_TIME returned RC_OK(0x00000000)",
	"session 1 Access 2147483651:2669 operation LUNA_OPEN_SESSION returned RC_OK(0x00000000)",
	"session 1 Access 2147483651:2669 operation LUNA_LOGIN returned RC_OK(0x00000000) (using PIN (entry=LUNA_ENTRY_DATA_AREA))",
	"session 1 Access 2147483651:2669 operation LUNA_LOG_GET_CONFIG returned RC_OK(0x00000000)",
	"session 2 Access 2147483651:2669 operation LUNA_GENERATE_KEY_PAIR returned RC_OK(0x00000000)",
	"session 2 Access 2147483651:2669 operation LUNA_LOG_EXTERNAL returned RC_OK(0x00000000) batch 7 begins",
	"session 2 Access 2147483651:2669 operation LUNA_DESTROY_OBJECT returned RC_OK(0x00000000)",
	"session 2 Access 2147483651:2669 operation LUNA_LOGOUT returned RC_OK(0x00000000)",
	"session 2 Access 2147483651:2669 operation LUNA_CLOSE_SESSION returned RC_OK(0x00000000)",
}

// TestOrdinaryMonthOfLogs plays the audit log of a month, with restarts of the agent
// during which records are made.
func TestOrdinaryMonthOfLogs(t *testing.T) {
	record := 41
	var seen Sequences
	for day := range 30 {
		at := alarmstest.At(0).Add(time.Duration(day) * 24 * time.Hour)
		if day%10 == 9 {
			seen = nil // the agent restarts
			record += 20
		}
		var records []rules.Line
		for _, text := range dailyAudit {
			serial := "484233"
			if record%3 == 0 {
				serial = "484233007" // of a partition
			}
			s := fmt.Sprintf("%d,%s,S/N %s %s", record, at.Format("06/01/02 15:04:05"), serial, text)
			l := rules.Line{LogLine: syslog.AuditLine(s), Device: "a", File: "/logs/a/audit.log", At: at}
			limits := rules.DefaultThresholds()
			for _, f := range rules.EvaluateLine(&l, &limits) {
				t.Errorf("%s: %s %s: %s", s, f.Severity, f.Key, f.Text)
			}
			records = append(records, l)
			record++
		}
		var findings []alarms.Finding
		if seen, findings = seen.With(records); len(findings) > 0 {
			t.Errorf("day %d: %+v", day, findings)
		}
	}
}

// TestRemovedRecordIsMissed removes a run of records from logs of one HSM, whose
// records bear the serial numbers of its partitions, in batches of any length.
// Whole logs raise nothing; each other raises an alarm, once it goes on.
func TestRemovedRecordIsMissed(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	serials := []string{"", "", "", ":p", ":-"}
	logs := 2000
	if collectortest.RaceDetector {
		logs = 200
	}
	for range logs {
		length := 5 + random.IntN(40)
		from := 1 + random.IntN(length-2)
		to := from + random.IntN(min(5, length-1-from)) // removed, if any is
		removes := random.IntN(3) > 0
		var s Sequences
		var batch, all []string
		var got []alarms.Finding
		for n := range length {
			if !removes || n < from || n > to {
				batch = append(batch, fmt.Sprintf("%d%s", 100+n, serials[random.IntN(len(serials))]))
			}
			if random.IntN(4) == 0 || n == length-1 {
				var findings []alarms.Finding
				s, findings = s.With(auditLines("f", strings.Join(batch, " ")))
				got, all, batch = append(got, findings...), append(all, batch...), nil
			}
		}
		if removes != (len(got) > 0) {
			t.Fatalf("%d to %d removed %v: %d findings in %v", 100+from, 100+to, removes, len(got), all)
		}
	}
}
