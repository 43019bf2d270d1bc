package lunash

import (
	"context"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/shell"
	"github.com/lunawatch/lunawatch/collectors/status"
	"github.com/lunawatch/lunawatch/hsm"
)

// commands are the commands that a Luna Network HSM is asked, in this order.
var commands = []poll.Command{
	{Name: "hsm show", Format: shell.HSMShow, Pace: poll.Fast, Timeout: 30 * time.Second, Card: true},
	{Name: "hsm information show", Format: shell.HSMInformationShow, Pace: poll.Counted, Timeout: 30 * time.Second, Card: true},
	{Name: "hsm information monitor", Format: shell.HSMInformationMonitor, Pace: poll.Fast, Timeout: 30 * time.Second, Card: true},
	{Name: "ntls information show", Format: shell.NTLSInformationShow, Pace: poll.Fast, Timeout: 30 * time.Second},
	{Name: "partition show", Format: shell.PartitionShow, Pace: poll.Fast, Timeout: 30 * time.Second, Card: true},
	{Name: "status sysstat show", Format: status.Sysstat, Pace: poll.Fast, Timeout: 30 * time.Second},
	{Name: "status sensors", Format: status.Sensors, Pace: poll.Slow, Timeout: time.Minute},
	{Name: "status disk", Format: status.Disk, Pace: poll.Slow, Timeout: time.Minute},
	{Name: "status cpu", Format: status.CPU, Pace: poll.Slow, Timeout: 30 * time.Second, Optional: true},
	{Name: "status mem", Format: status.Mem, Pace: poll.Slow, Timeout: 30 * time.Second, Optional: true},
	{Name: "hsm displaylicenses", Format: shell.HSMDisplayLicenses, Pace: poll.Hourly, Timeout: 30 * time.Second, Card: true},
	{Name: "hsm showpolicies", Format: shell.HSMShowPolicies, Pace: poll.Hourly, Timeout: 30 * time.Second, Card: true},
	{Name: "client list", Format: shell.ClientList, Pace: poll.Hourly, Timeout: time.Minute, Ask: askClients},
	{Name: "ntls certificate show", Format: shell.NTLSCertificateShow, Pace: poll.Hourly, Timeout: 30 * time.Second},
	{Name: "hsm tamper show", Format: shell.HSMTamperShow, Pace: poll.Slow, Timeout: 30 * time.Second, Since: 7, Card: true},
}

// NewPoller returns a poller of a Luna Network HSM, whose observations have the
// given rank.
func NewPoller(device string, r collectors.Runner, rank int, i poll.Intervals) *poll.Poller {
	p := &poll.Poller{Device: device, Commands: commands, Runner: r, Rank: rank, Intervals: i}
	if c, ok := r.(*Client); ok {
		p.Reach = poll.Reach{Lost: c.lost, Confirm: c.Confirm}
	}
	return p
}

// Replay returns a Runner that replays the captured answers of a Luna Network
// HSM.
func Replay(directory string) poll.Dir { return poll.Dir{Path: directory, Commands: commands} }

// askClients asks for the list of clients and then for each client.
func askClients(ctx context.Context, r collectors.Runner) (answer.Session, error) {
	all, err := poll.Ask(ctx, r, "client list")
	if err != nil {
		return answer.Session{}, err
	}
	for line := range strings.Lines(all.Text) {
		head, name, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || !strings.HasPrefix(head, "registered client ") {
			continue
		}
		if strings.Contains(name, " ") {
			name = `"` + name + `"`
		}
		show := "client show -client " + name
		if Allowed(show) != nil {
			continue // it stays without its address: odd characters are not sent
		}
		one, err := poll.Ask(ctx, r, show)
		if collectors.FailureOf(err) == hsm.Command {
			continue // deregistered since it was listed
		}
		if err != nil {
			return answer.Session{}, err
		}
		all.Append(one)
	}
	return all, nil
}

// CommandsPerDay returns how many commands a poller sends in a day to an
// appliance with the given number of registered clients.
func CommandsPerDay(i poll.Intervals, clients int) int {
	var n float64
	for _, c := range commands {
		each := 1
		if c.Ask != nil {
			each += clients
		}
		n += float64(each) * (24 * time.Hour).Seconds() / i.Of(c.Pace).Seconds()
	}
	return int(n + 0.5)
}

// LogLinesPerCommand is how many lines LunaSH writes into the appliance's log for
// each command.
const LogLinesPerCommand = 2
