package config

import (
	"log/slog"
	"net"
	"path/filepath"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/ha"
	"github.com/lunawatch/lunawatch/collectors/login"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/rest"
	"github.com/lunawatch/lunawatch/collectors/snmp"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Runner returns what sends commands to h over a session of its own, and what ends
// that.
func (h HSM) Runner() (r collectors.Runner, done func()) {
	if h.Replay != "" {
		return lunash.Replay(h.Replay), func() {}
	}
	if h.Address == "" {
		return noLunaSH{}, func() {}
	}
	l := (&lunash.Client{
		Address: h.Address, User: h.User, Account: h.account(h.User),
		PasswordFile: h.PasswordFile, PrivateKeyFile: h.PrivateKeyFile,
		HostKey: h.HostKey, KnownHostsFile: h.KnownHostsFile,
		Algorithms: lunash.Algorithms(h.Algorithms), Reach: poll.Timing(h.reach),
	}).Start()
	return l, func() { l.Close() }
}

// account returns a user of the appliance of h. That is the same one over SSH and
// REST.
func (h HSM) account(user string) *login.Account {
	host, _, _ := net.SplitHostPort(h.AnyAddress())
	return &login.Account{User: user, Host: host, Directory: h.refusedLogins}
}

// Cards returns the collector of the HSMs in this host.
func (c Config) Cards() *lunacm.Cards {
	return &lunacm.Cards{Host: c.Host.Name, Name: c.LunaCM.Name, Serials: c.LunaCM.Serials, Path: c.LunaCM.Path, Intervals: c.LunaCM.Intervals.collectors(), Replay: c.LunaCM.Replay}
}

// Sources returns the sources of h, or of its capture, and what ends the session
// with LunaSH.
func (h HSM) Sources() (all []collectors.Source, done func()) {
	runner, done := h.Runner()
	if h.Address != "" || h.Replay != "" && lunash.Replay(h.Replay).Has() {
		all = append(all, lunash.NewPoller(h.Name, runner, h.rank(sourceLunaSH), h.intervals()))
	}
	if api := h.restAPI(); api != nil {
		if l, ok := runner.(*lunash.Client); ok && l.User == api.User {
			api.Account = l.Account
		}
		all = append(all, &rest.Poller{Device: h.Name, Rank: h.rank(sourceREST), Intervals: h.intervals(), API: api})
	}
	agent := h.SNMPAgent
	if h.Replay != "" && setting.File(filepath.Join(h.Replay, snmp.WalkFile)).Exists() {
		agent = &SNMPAgent{Serial: h.ReplaySerial}
		agent.complete()
	}
	if agent != nil {
		s := agent.collector(h.Name, h.rank(sourceSNMP), poll.Timing(h.reach))
		s.Replay = h.Replay
		all = append(all, s)
	}
	return all, done
}

// restAPI returns the REST API of h; nil: there is none.
func (h HSM) restAPI() *rest.API {
	if r := h.REST; r != nil {
		return &rest.API{Address: r.Address, User: r.User, Account: h.account(r.User), PasswordFile: r.PasswordFile, CAFile: r.CAFile, Certificate: r.Certificate, Reach: poll.Timing(h.reach)}
	}
	if h.Replay != "" && setting.File(filepath.Join(h.Replay, "rest")).Exists() {
		return &rest.API{Replay: h.Replay}
	}
	return nil
}

// HostSources returns the sources of the cards and HA groups of this host.
func (c Config) HostSources(log *slog.Logger) (all []collectors.Source) {
	if c.LunaCM.Enabled {
		all = append(all, c.Cards())
	}
	if h := c.HA; h.Enabled {
		ha := &ha.Collector{Device: c.Host.Name, Config: h.ClientConfig, Interval: h.Interval, Log: log, Replay: h.Replay}
		if h.ListGroups {
			ha.LunaCM, ha.VTL = c.LunaCM.Path, h.VTL
		}
		all = append(all, ha)
	}
	return all
}
