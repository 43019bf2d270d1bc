package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"golang.org/x/sync/semaphore"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/agent/senders"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/hsm"
)

// A site is what a configuration makes, and a reload replaces.
type site struct {
	config    config.Config
	measuring map[string]*semaphore.Weighted // by HSM
	senders   *senders.Senders
	receivers []connected
}

// A connected receiver of the configuration can be several to the alarms.
type connected struct {
	from string // its section of the configuration, as JSON
	to   map[string]notify.Receiver
}

func newSite(c config.Config) *site {
	s := &site{config: c, measuring: make(map[string]*semaphore.Weighted), senders: senders.New(c)}
	for _, h := range c.HSMs {
		s.measuring[h.Name] = semaphore.NewWeighted(maxMeasuring)
	}
	return s
}

// expected returns the devices that c names, with their kinds.
func expected(c config.Config) map[string]hsm.Kind {
	all := make(map[string]hsm.Kind)
	if c.Host.Enabled || c.HA.Enabled || c.LunaCM.Enabled {
		all[c.Host.Name] = hsm.HostMachine
	}
	for _, serial := range c.LunaCM.Serials {
		if c.LunaCM.Enabled {
			all[c.Cards().Device(serial)] = hsm.CardHSM
		}
	}
	for _, h := range c.HSMs {
		all[h.Name] = hsm.NetworkHSM
	}
	return all
}

// connect makes the receivers, which need an open journal. It takes those that have not
// changed from the site before; nil: there was none.
func (s *site) connect(a *Agent, before *site) error {
	for _, r := range s.config.Receivers {
		from, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("receiver %q: %w", r.Name, err)
		}
		next := connected{from: string(from)}
		if before != nil {
			for _, old := range before.receivers {
				if old.from == next.from {
					next = old
				}
			}
		}
		if next.to == nil {
			if next.to, err = a.serve(r); err != nil {
				return fmt.Errorf("receiver %q: %w", r.Name, err)
			}
		}
		s.receivers = append(s.receivers, next)
	}
	return nil
}

// serve makes the receivers of a section.
func (a *Agent) serve(r config.Receiver) (map[string]notify.Receiver, error) {
	to := notify.Receiver{Route: r.Route}
	var err error
	switch {
	case r.AgentX != nil && a.session == nil:
		err = errors.New("it sends through snmpd, but snmp is not enabled")
	case r.AgentX != nil:
		to.Notifier = snmp.AgentX{Session: a.session, Form: r.AgentX.Form}
	case r.SNMP != nil:
		to.Notifier, err = snmp.New(*r.SNMP, a.watch.Journal)
		to.Confirms = r.SNMP.Inform
	default:
		return r.Serve(), nil
	}
	return map[string]notify.Receiver{r.Name: to}, err
}

// changedSince returns the receivers that are not those of the site before.
func (s *site) changedSince(before *site) (names []string) {
	old := make(map[string]bool)
	for _, r := range before.receivers {
		old[r.from] = true
	}
	for _, r := range s.receivers {
		if !old[r.from] {
			for name := range r.to {
				names = append(names, name)
			}
		}
	}
	return names
}

// setup returns what the alarms need to know of the configuration.
func (s *site) setup() watch.Setup {
	setup := watch.Setup{Settings: s.config.Alarms, Receivers: make(map[string]notify.Receiver), Addresses: make(map[string]string), Parent: s.config.Parent()}
	setup.Settings.Expected = s.config.Expected()
	for _, h := range s.config.HSMs {
		setup.Addresses[h.Name] = h.AnyAddress()
	}
	for _, r := range s.receivers {
		maps.Copy(setup.Receivers, r.to)
	}
	return setup
}
