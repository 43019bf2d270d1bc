package config

import (
	"context"
	"errors"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/snmp"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/snmppeer"
)

// An SNMPAgent is the SNMP agent of an appliance, or luna-snmp of the host of
// a card, as a source.
type SNMPAgent struct {
	snmppeer.Peer `yaml:",inline"` // port 161; version 3

	Serial   string        `yaml:"serial"` // of the HSM; "": the agent serves one
	Interval time.Duration `yaml:"interval" range:"1s.."`
}

func (s *SNMPAgent) complete() {
	if s == nil {
		return
	}
	if s.Address != "" {
		s.Address = withPort(s.Address, "161")
	}
	if s.Version == "" {
		s.Version = "3"
	}
	if s.Interval == 0 {
		s.Interval = time.Minute
	}
}

// Validate returns all that is wrong with s.
func (s *SNMPAgent) Validate() error { return s.collector("", 0, poll.Timing{}).Validate() }

// collector makes the source of a device.
func (s *SNMPAgent) collector(device string, rank int, reach poll.Timing) *snmp.Agent {
	return &snmp.Agent{
		Peer: s.Peer, Device: device,
		Serial: s.Serial, Interval: s.Interval, Rank: rank, Reach: reach,
	}
}

// AnyAddress is where h can be reached, host:port; "" for captured answers.
func (h HSM) AnyAddress() string {
	if h.Address == "" && h.SNMPAgent != nil {
		return h.SNMPAgent.Address
	}
	return h.Address
}

// noLunaSH is the runner of an HSM that is watched without LunaSH.
type noLunaSH struct{}

func (noLunaSH) Run(context.Context, string) ([]byte, error) {
	return nil, &collectors.Failed{Failure: hsm.Unreachable, Err: errors.New("no address is configured for LunaSH, so no command can be sent")}
}
