package agent

import (
	"log/slog"
	"path/filepath"

	"github.com/lunawatch/lunawatch/collectors"
)

// sources returns what looks at h, its own or what is in a capture, and what
// ends the session of runner, which sends the commands of LunaSH.
func (h HSM) sources(runner collectors.Runner) (all []collectors.Source, done func()) {
	if h.Address != "" || h.Replay != "" && collectors.ReplayLunaSH(h.Replay).Has() {
		all = append(all, collectors.NewLunaSHPoller(h.Name, runner, h.rank(sourceLunaSH), h.intervals()))
	}
	if api := h.restAPI(); api != nil {
		all = append(all, &collectors.RESTPoller{Device: h.Name, Rank: h.rank(sourceREST), Intervals: h.intervals(), REST: api})
	}
	agent := h.SNMPAgent
	if h.Replay != "" && exists(filepath.Join(h.Replay, collectors.WalkFile)) {
		agent = &SNMPAgent{Serial: h.replaySerial}
		agent.complete()
	}
	if agent != nil {
		s := agent.collector(h.Name, h.rank(sourceSNMP))
		s.Replay = h.Replay
		all = append(all, s)
	}
	return all, func() {
		if l, ok := runner.(*collectors.LunaSH); ok {
			l.Close()
		}
	}
}

// restAPI returns the REST API of h; nil if there is none.
func (h HSM) restAPI() *collectors.REST {
	if r := h.REST; r != nil {
		return &collectors.REST{Address: r.Address, User: r.User, PasswordFile: r.PasswordFile, CAFile: r.CAFile, Certificate: r.Certificate}
	}
	if h.Replay != "" && exists(filepath.Join(h.Replay, "rest")) {
		return &collectors.REST{Replay: h.Replay}
	}
	return nil
}

// hostSources returns what looks at the cards and HA groups of this host.
func (c Config) hostSources(log *slog.Logger) (all []collectors.Source) {
	if c.LunaCM.Enabled {
		all = append(all, c.cards())
	}
	if h := c.HA; h.Enabled {
		ha := &collectors.HACollector{Device: c.Host.Name, Config: h.ClientConfig, Interval: h.Interval, Log: log, Replay: h.replay}
		if h.ListGroups {
			ha.LunaCM, ha.VTL = c.LunaCM.Path, h.VTL
		}
		all = append(all, ha)
	}
	return all
}
