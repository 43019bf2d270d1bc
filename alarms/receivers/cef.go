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
	number, test, start := "", "", ""
	if a.Number != 0 {
		number = strconv.FormatUint(a.Number, 10)
	}
	if m.Test {
		test = "true"
	}
	if !m.Since.IsZero() {
		start = strconv.FormatInt(m.Since.UnixMilli(), 10)
	}
	var extension []string
	for pair := range slices.Chunk([]string{
		"rt", strconv.FormatInt(m.At.UnixMilli(), 10), "start", start, "dvchost", a.Device, "act", string(m.Change.Kind), "cat", a.Group, "externalId", number,
		"msg", notify.Cut(m.Summary, 1000), "cs1Label=object cs1", a.Object, "cs2Label=codes cs2", strings.Join(a.Codes, " "), "cs3Label=action cs3", m.Details()["action"],
		"cs4Label=test cs4", test, "request", m.Link,
	}, 2) {
		if pair[1] != "" {
			extension = append(extension, pair[0]+"="+cefValue.Replace(notify.Flat(pair[1])))
		}
	}
	return strings.Join(header, "|") + "|" + strings.Join(extension, " ")
}
