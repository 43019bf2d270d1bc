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
	format  Format // of its answer
	pace    Pace
	timeout time.Duration
	since   int                                           // first major version of the software, of a card's firmware, that knows it; 0: all
	card    bool                                          // waits for the HSM card, which a PED operation can block for minutes
	ask     func(context.Context, Runner) ([]byte, error) // nil: send name
	// read reads the answer where its format does not say all; nil: it does.
	read func(text string) ([]hsm.Fact, []string, error)
}

// lunash lists what a Luna Network HSM is asked, in this order.
var lunash = []command{
	{name: "hsm show", format: HSMShow, pace: Fast, timeout: 30 * time.Second, card: true},
	{name: "hsm information show", format: HSMInformationShow, pace: Fast, timeout: 30 * time.Second, card: true},
	{name: "hsm information monitor", format: HSMInformationMonitor, pace: Fast, timeout: 30 * time.Second, card: true},
	{name: "ntls information show", format: NTLSInformationShow, pace: Fast, timeout: 30 * time.Second},
	{name: "partition show", format: PartitionShow, pace: Fast, timeout: 30 * time.Second, card: true},
	{name: "status sysstat show", format: StatusSysstat, pace: Fast, timeout: 30 * time.Second},
	{name: "status sensors", format: StatusSensors, pace: Slow, timeout: time.Minute},
	{name: "status disk", format: StatusDisk, pace: Slow, timeout: time.Minute},
	{name: "hsm displaylicenses", format: HSMDisplayLicenses, pace: Hourly, timeout: 30 * time.Second, card: true},
	{name: "hsm showpolicies", format: HSMShowPolicies, pace: Hourly, timeout: 30 * time.Second, card: true},
	{name: "client list", format: ClientList, pace: Hourly, timeout: time.Minute, ask: askClients},
	{name: "ntls certificate show", format: NTLSCertificateShow, pace: Hourly, timeout: 30 * time.Second},
	{name: "hsm tamper show", format: HSMTamperShow, pace: Hourly, timeout: 30 * time.Second, since: 7, card: true},
}

// NewLunaSHPoller returns what asks a Luna Network HSM.
func NewLunaSHPoller(device string, r Runner, rank int, i Intervals) *Poller {
	return &Poller{Device: device, Commands: lunash, Runner: r, Rank: rank, Intervals: i}
}

// ReplayLunaSH returns the captured answers of a Luna Network HSM.
func ReplayLunaSH(directory string) Dir { return Dir{Path: directory, Commands: lunash} }

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

// CommandsPerDay returns how many commands a poller sends in a day to an
// appliance with the given number of registered clients.
func CommandsPerDay(i Intervals, clients int) int {
	var n float64
	for _, c := range lunash {
		each := 1
		if c.ask != nil {
			each += clients
		}
		n += float64(each) * (24 * time.Hour).Seconds() / i[c.pace].Seconds()
	}
	return int(n + 0.5)
}
