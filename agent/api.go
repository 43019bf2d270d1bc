package agent

import (
	"net/http"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/act"
	"github.com/lunawatch/lunawatch/exporters/api"
)

// api serves programs, over the web server and over the control socket, where who says who
// may change something.
func (a *Agent) api(who act.Who) http.Handler {
	return api.Handler(api.Source{
		Snapshot: a.store.Latest, Active: a.active, Cleared: a.cleared, Silences: a.watch.Silences, Deliveries: a.watch.Deliveries,
		Agent: a.described, History: a.history, Now: time.Now,
		Who: who, Desk: a.desk(),
	})
}

// desk does what operators ask for.
func (a *Agent) desk() act.Desk { return act.Desk{Watch: a.watch, Log: a.log} }

// serial returns the serial number of the HSM of an alarm, as SNMP shows it: one that a
// log raised before anything was read of the HSM does not state it itself.
func (a *Agent) serial(alarm alarms.Alarm) string {
	if d := a.store.Latest().Device(alarm.Device); d != nil && alarm.Serial == "" {
		return d.Serial()
	}
	return alarm.Serial
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
