package receivers

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// leefValue escapes what would end a value, or begin a key: the format has a word for
// neither, so one that splits at each delimiter must not find a key there either.
var leefValue = strings.NewReplacer(`\`, `\\`, `=`, `\=`, `|`, `\|`, leefDelimiter, `\`+leefDelimiter, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// leefDelimiter is between the attributes. The tab of LEEF 1.0 is #011 behind many a
// relay.
const leefDelimiter = "^"

// leef returns m in the Log Event Extended Format 2.0 of QRadar. Its event ID is the
// number of the kind of alarm.
func leef(m notify.Message) string {
	a, x := m.Change.Alarm, extrasOf(m)
	severity := cefSeverities[a.Severity]
	if m.IsHeartbeat() || m.Change.Kind == alarms.Cleared {
		severity = 1
	}
	header := []string{"LEEF:2.0", "Lunawatch", "lunawatch", strconv.Itoa(m.Version), cmp.Or(eventID(m), string(m.Change.Kind)), leefDelimiter}
	attributes := keyed(leefValue, []string{
		"devTime", strconv.FormatInt(m.At.UnixMilli(), 10), "cat", a.Group, "sev", strconv.Itoa(severity), "resource", a.Device, "object", a.Object, "title", m.Title,
		"act", string(m.Change.Kind), "start", x.start, "externalId", x.number, "codes", strings.Join(a.Codes, " "), "msg", notify.Cut(m.Summary, 1000),
		"action", m.Details()["action"], "url", m.Link, "test", x.test,
	})
	return strings.Join(header, "|") + "|" + strings.Join(attributes, leefDelimiter)
}
