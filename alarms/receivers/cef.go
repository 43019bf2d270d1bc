package receivers

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// cefSeverities are those of the severities, from 0 to 10. What is unknown or
// withheld may be bad.
var cefSeverities = map[alarms.Severity]int{alarms.None: 7, alarms.Indeterminate: 5, alarms.Warning: 3, alarms.Minor: 5, alarms.Major: 8, alarms.Critical: 10}

var (
	cefHeader = strings.NewReplacer(`\`, `\\`, `|`, `\|`)
	cefValue  = strings.NewReplacer(`\`, `\\`, `=`, `\=`)
)

// cef returns m in ArcSight's Common Event Format, version 0. Its class is the
// number of the kind of alarm.
func cef(m notify.Message) string {
	a := m.Change.Alarm
	severity := cefSeverities[a.Severity]
	if m.IsHeartbeat() || m.Change.Kind == alarms.Cleared {
		severity = 0
	}
	header := []string{"CEF:0", "Lunawatch", "lunawatch", strconv.Itoa(m.Version), cmp.Or(eventID(m), string(m.Change.Kind)), m.Title, strconv.Itoa(severity)}
	for i := range header {
		header[i] = cefHeader.Replace(notify.Flat(header[i]))
	}
	x := extrasOf(m)
	extension := keyed(cefValue, []string{
		"rt", strconv.FormatInt(m.At.UnixMilli(), 10), "start", x.start, "dvchost", a.Device, "act", string(m.Change.Kind), "cat", a.Group, "externalId", x.number,
		"msg", notify.Cut(m.Summary, 1000), "cs1Label=object cs1", a.Object, "cs2Label=codes cs2", strings.Join(a.Codes, " "), "cs3Label=action cs3", m.Details()["action"],
		"cs4Label=test cs4", x.test, "request", m.Link,
	})
	return strings.Join(header, "|") + "|" + strings.Join(extension, " ")
}

// extras are what a message may lack, as text; "": it does.
type extras struct{ number, test, start string }

func extrasOf(m notify.Message) (x extras) {
	if n := m.Change.Alarm.Number; n != 0 {
		x.number = strconv.FormatUint(n, 10)
	}
	if m.Test {
		x.test = "true"
	}
	if !m.Since.IsZero() {
		x.start = strconv.FormatInt(m.Since.UnixMilli(), 10)
	}
	return x
}

// keyed returns KEY=VALUE of each pair of keys and values that has one.
func keyed(escape *strings.Replacer, pairs []string) (all []string) {
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			all = append(all, pair[0]+"="+notify.Flat(escape.Replace(pair[1])))
		}
	}
	return all
}
