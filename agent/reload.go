package agent

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/agent/cluster"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// Reload replaces the configuration by what the agent's file has now. Whatever has not
// changed goes on: sessions, cursors, ages, alarms. An error says what is wrong, and
// nothing has changed then. A configuration that has none of the HSMs that are watched
// is refused unless forced.
func (a *Agent) Reload(force bool) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	if a.tasks.group == nil {
		return errors.New("the agent is still starting, and has just read its configuration")
	}
	begun, before := time.Now(), a.site.Load()
	next, err := a.next(before, force)
	if err != nil {
		a.refused(err)
		return err
	}
	added, removed := a.replace(before, next)
	a.log.Info("configuration reloaded", "hsms", len(next.config.HSMs), "receivers", len(next.config.Receivers), "added", added, "removed", removed, "took", time.Since(begun))
	return a.reportConfiguration()
}

// next returns the site that is to follow.
func (a *Agent) next(before *site, force bool) (*site, error) {
	c, err := a.Load()
	if err == nil {
		err = replaceable(before.config, c, force)
	}
	if err != nil {
		return nil, err
	}
	next := newSite(c)
	return next, next.connect(a, before)
}

// replace has next in force instead of before.
func (a *Agent) replace(before, next *site) (added, removed int) {
	wanted, old := expected(next.config), expected(before.config)
	var gone []string
	for name := range old {
		if _, stays := wanted[name]; !stays {
			gone = append(gone, name)
		}
	}
	if !next.config.LunaCM.Enabled || before.config.Cards().Device("") != next.config.Cards().Device("") {
		for _, d := range a.store.Latest().Devices {
			if d.Kind == hsm.CardHSM {
				gone = append(gone, d.Name)
			}
		}
	}
	tasks := a.tasksOf(&next.config)
	for _, name := range a.tasks.end(tasks) {
		a.ready.Arrived(name)
	}
	a.store.Forget(gone...)
	a.answers.Forget(gone...)
	for name, kind := range wanted {
		if _, known := old[name]; !known {
			a.store.Expect(kind, name)
			added++
		}
	}
	a.declareProbes(&next.config)
	a.site.Store(next)
	if a.cluster != nil {
		a.cluster.Announce(cluster.Estate(hsmNames(&next.config)))
	}
	a.watch.Configure(next.setup(), next.changedSince(before))
	if a.session != nil {
		a.session.Register(registrations(&next.config))
	}
	a.tasks.start(tasks)
	return added, len(gone)
}

// refused raises an alarm while what the agent was asked to take is not what runs.
func (a *Agent) refused(why error) {
	a.log.Error("configuration not reloaded; the former one stays in force", "err", why)
	text := alarms.Clip("the file was not taken, and the former configuration stays in force: " + why.Error())
	err := a.watch.Report([]alarms.Finding{{
		Key: alarms.Key{Device: alarms.Self, Group: "configuration", Object: refusedReload}, Condition: alarms.Bad, Severity: alarms.Warning, Text: text,
		Evidence: alarms.Evidence{At: time.Now(), Text: text},
	}})
	if err != nil {
		a.log.Error("the reload was not reported", "err", err)
	}
}

// replaceable returns why c cannot take the place of before in an agent that runs.
func replaceable(before, c config.Config, force bool) error {
	var fixed []string
	for _, x := range []struct {
		key       string
		old, next any
	}{
		{"state_directory", before.StateDirectory, c.StateDirectory},
		{"control_socket", before.ControlSocket, c.ControlSocket},
		{"cluster", before.Cluster, c.Cluster},
		{"metrics", before.Metrics, c.Metrics},
		{"snmp", before.SNMP, c.SNMP},
		{"syslog (but for relays and trusted)", bound(before.Syslog), bound(c.Syslog)},
	} {
		if !reflect.DeepEqual(x.old, x.next) {
			fixed = append(fixed, x.key)
		}
	}
	if len(fixed) > 0 {
		return fmt.Errorf("changes in %s take effect at a restart only: restart the agent, or take them back", strings.Join(fixed, ", "))
	}
	stays := slices.ContainsFunc(before.HSMs, func(h config.HSM) bool { _, there := c.HSM(h.Name); return there })
	if len(before.HSMs) > 0 && !stays && !force || !c.Watches() && !force {
		return errors.New("it has none of the HSMs that are watched, and all of their alarms would end; lunawatch reload -force does that")
	}
	return nil
}

// bound returns what a listener for log lines cannot change.
func bound(s config.Syslog) config.Syslog {
	s.Relays, s.Trusted = nil, false
	return s
}
