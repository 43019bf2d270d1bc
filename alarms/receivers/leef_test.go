package receivers

import (
	"regexp"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// leefLine is the form of LEEF 2.0: six fields, and attributes with escaped values.
var leefLine = regexp.MustCompile(`^LEEF:2\.0\|Lunawatch\|lunawatch\|1\|([0-9]+|[a-z ]+)\|\^\|([A-Za-z]+=([^\\=|^\x00-\x1f]|\\[\\=|^n])+(\^|$))+$`)

// TestLEEF holds every kind, and odd texts, to the form.
func TestLEEF(t *testing.T) {
	odd := alarmstest.Complete(alarms.Raised)
	odd.Change.Alarm.Group, odd.Change.Alarm.Text, odd.Change.Alarm.Object = `a|b\c`, "x=1\ny=2|\\", "p^sev=1\r\nq\tr"
	for _, n := range append(everyKind(), odd) {
		if got := leef((notify.Words{}).Message(n)); !leefLine.MatchString(got) {
			t.Errorf("%s: %q", n.Change.Kind, got)
		}
	}
	const want = `LEEF:2.0|Lunawatch|lunawatch|1|35|^|devTime=1772366470000^cat=partition-storage^sev=8^resource=hsm-a^object=p "1" é]^title=Partition storage^act=raised^start=1772366400000^externalId=7^`
	if got := leef((notify.Words{}).Message(alarmstest.Complete(alarms.Raised))); !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got := leef((notify.Words{}).Message(odd))
	for _, part := range []string{`^cat=a\|b\\c^`, `^object=p\^sev\=1\nq r^`, `x\=1`} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in %s", part, got)
		}
	}
	for kind, severity := range map[alarms.Kind]string{alarms.Cleared: "1", alarms.Heartbeat: "1", alarms.Updated: "8"} {
		if got := leef((notify.Words{}).Message(alarmstest.Complete(kind))); !strings.Contains(got, "^sev="+severity+"^") {
			t.Errorf("%s: %s, want severity %s", kind, got, severity)
		}
	}
	if got := (&Syslog{Format: "leef"}).message(odd); !strings.Contains(got, "] LEEF:2.0|") {
		t.Errorf("%s", got)
	}
}
