package config

import (
	"context"
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/collectors/poll"
)

// A Way is one way to an HSM, which can be tried once by itself.
type Way struct {
	Name     string // LunaSH, REST or SNMP
	Address  string // host:port
	Opens    string // the source that opens its rounds
	Password bool   // it logs in with a password that the appliance may refuse
	// Try opens a session, asks one light question, and returns in words what came
	// back. It changes nothing, and its errors are those of the source.
	Try func(ctx context.Context) (string, error)
}

// lightCommand is answered without the HSM card.
const lightCommand = "ntls information show"

// Ways returns the ways to h; none: it is a capture.
func (h HSM) Ways() (ways []Way) {
	if h.Address != "" {
		ways = append(ways, Way{"LunaSH", h.Address, "hsm show", h.PasswordFile != "", h.tryLunaSH})
	}
	if h.REST != nil {
		ways = append(ways, Way{"REST", h.REST.Address, "rest hsm", true, h.tryREST})
	}
	if h.SNMPAgent != nil {
		ways = append(ways, Way{"SNMP", h.SNMPAgent.Address, "snmp hsmTable", false, h.trySNMP})
	}
	return ways
}

func (h HSM) tryLunaSH(ctx context.Context) (string, error) {
	runner, done := h.Runner()
	defer done()
	if _, err := poll.Ask(ctx, runner, lightCommand); err != nil {
		return "", err
	}
	return fmt.Sprintf("the host key is right, %s is logged in, %s is answered", h.User, lightCommand), nil
}

func (h HSM) tryREST(ctx context.Context) (string, error) {
	api := h.restAPI()
	defer api.Close()
	software, err := api.Try(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the certificate is right, %s is logged in, software %s", h.REST.User, software), nil
}

func (h HSM) trySNMP(ctx context.Context) (string, error) {
	up, err := h.SNMPAgent.collector(h.Name, 0, poll.Timing(h.reach)).Try(ctx)
	switch {
	case err != nil:
		return "", err
	case up == 0:
		return "it answers, and does not say since when it runs", nil
	}
	return fmt.Sprintf("it answers, up for %s", up.Round(time.Second)), nil
}
