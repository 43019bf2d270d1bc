package agent

import (
	"net/http"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/api"
)

// api serves programs, over the web server and over the control socket.
func (a *Agent) api() http.Handler {
	return api.Handler(api.Source{
		Snapshot: a.store.Latest, Active: a.active, Cleared: a.cleared, Silences: a.watch.Silences, Deliveries: a.watch.Deliveries,
		Agent: a.described, History: a.history, Now: time.Now,
	})
}

// described returns what the agent says of itself.
func (a *Agent) described() api.Agent {
	d := api.Agent{Started: a.started}
	d.Version, d.GoVersion = Version()
	if err := a.watch.Journal.Trouble(); err != nil {
		d.Trouble = err.Error()
	}
	return d
}

// active returns the active alarms, worst first, with serial numbers as SNMP shows them.
func (a *Agent) active() []alarms.Active {
	list := a.watch.Active()
	for i := range list {
		list[i].Serial = a.serial(list[i].Alarm)
	}
	return list
}

// cleared returns the newest cleared alarms, as active does.
func (a *Agent) cleared(most int) ([]alarms.Alarm, error) {
	list, err := a.watch.History(most)
	for i := range list {
		list[i].Serial = a.serial(list[i])
	}
	return list, err
}
