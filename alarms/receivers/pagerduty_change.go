package receivers

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// pagerChanges are the alarms that say that somebody changed something. Of a group,
// those are meant whose object begins so.
var pagerChanges = []struct{ group, object string }{
	{"hsm-restarted", ""}, {"hsm-changed", ""}, {"inventory", "firmware"}, {"audit-change", "LUNA_FW_ROLLBACK"}, {"audit-change", "LUNA_SET_DESTRUCTIVE_HSM_POLICY"},
}

// isPagerChange reports whether n is of one of pagerChanges.
func isPagerChange(n alarms.Notification) bool {
	a := n.Change.Alarm
	return slices.ContainsFunc(pagerChanges, func(c struct{ group, object string }) bool {
		return a.Group == c.group && strings.HasPrefix(a.Object, c.object)
	})
}

// A pagerChange is a change event of Events API v2. It has no severity, and pages
// nobody.
type pagerChange struct {
	RoutingKey string             `json:"routing_key"`
	Links      []pagerLink        `json:"links,omitempty"`
	Payload    pagerChangePayload `json:"payload"`
}

type pagerChangePayload struct {
	Summary   string            `json:"summary"` // 1024 characters at most
	Source    string            `json:"source"`
	Timestamp time.Time         `json:"timestamp"`
	Details   map[string]string `json:"custom_details,omitempty"`
}

// change returns the change event of n.
func (p *PagerDuty) change(key string, n alarms.Notification) pagerChange {
	m := p.Words.Message(n)
	return pagerChange{RoutingKey: key, Links: pagerLinks(m), Payload: pagerChangePayload{
		Summary: notify.Cut(m.Summary, 1024), Source: cmp.Or(n.Change.Alarm.Device, alarms.Self), Timestamp: n.At, Details: m.Details(),
	}}
}
