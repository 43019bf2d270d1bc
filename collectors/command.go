package collectors

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Pace is how often a command is worth its cost.
type Pace int

// The paces, fastest first.
const (
	Fast   Pace = iota // state and utilization
	Slow               // sensors and disks
	Hourly             // what changes only by hand
	paces
)

// A command is one question to an HSM.
type command struct {
	name    string // as typed; also the name of the source
	format  string // of its answer, one of [Formats]
	pace    Pace
	timeout time.Duration
	since   int                                           // first major version of the software, of a card's firmware, that knows it; 0: all
	card    bool                                          // waits for the HSM card, which a PED operation can block for minutes
	ask     func(context.Context, Runner) ([]byte, error) // nil: send name
	// read takes the answer apart where one format does not say all; nil:
	// format does.
	read func(text string) ([]hsm.Fact, []string, error)
}

// lunash lists what a Luna Network HSM is asked, in this order.
var lunash = []command{
	{name: "hsm show", format: "hsm-show", pace: Fast, timeout: 30 * time.Second, card: true},
	{name: "hsm information show", format: "hsm-information-show", pace: Fast, timeout: 30 * time.Second, card: true},
	{name: "hsm information monitor", format: "hsm-information-monitor", pace: Fast, timeout: 30 * time.Second, card: true},
	{name: "ntls information show", format: "ntls-information-show", pace: Fast, timeout: 30 * time.Second},
	{name: "partition show", format: "partition-show", pace: Fast, timeout: 30 * time.Second, card: true},
	{name: "status sysstat show", format: "status-sysstat", pace: Fast, timeout: 30 * time.Second},
	{name: "status sensors", format: "status-sensors", pace: Slow, timeout: time.Minute},
	{name: "status disk", format: "status-disk", pace: Slow, timeout: time.Minute},
	{name: "hsm displaylicenses", format: "hsm-displaylicenses", pace: Hourly, timeout: 30 * time.Second, card: true},
	{name: "hsm showpolicies", format: "hsm-showpolicies", pace: Hourly, timeout: 30 * time.Second, card: true},
	{name: "client list", format: "client-list", pace: Hourly, timeout: time.Minute, ask: askClients},
	{name: "ntls certificate show", format: "ntls-certificate-show", pace: Hourly, timeout: 30 * time.Second},
	{name: "hsm tamper show", format: "hsm-tamper-show", pace: Hourly, timeout: 30 * time.Second, since: 7, card: true},
}

// askClients asks for the list of clients and then for each of them.
func askClients(ctx context.Context, r Runner) ([]byte, error) {
	all, err := answer(ctx, r, "client list")
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(all) {
		head, name, ok := strings.Cut(strings.TrimSpace(string(line)), ": ")
		if !ok || !strings.HasPrefix(head, "registered client ") {
			continue
		}
		if strings.Contains(name, " ") {
			name = `"` + name + `"`
		}
		show := "client show -client " + name
		if Allowed(show) != nil {
			continue // listed without its address rather than sent with odd characters
		}
		one, err := answer(ctx, r, show)
		if failure(err) == hsm.Command {
			continue // removed since it was listed
		}
		if err != nil {
			return nil, err
		}
		all = fmt.Appendf(all, "\n%s", one)
	}
	return all, nil
}
