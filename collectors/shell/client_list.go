package shell

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// clientsRead are clients while they are parsed.
type clientsRead struct {
	list    hsm.Clients
	at      map[string]int // index in list by name
	current int            // of the block being read; -1: none
	none    bool           // the device states that there are none
	table   bool           // within the table of "client hostip show"
}

var clientSheet = answer.Sheet[clientsRead]{
	Line: clientLine,
	Labels: answer.Labels[clientsRead]{
		"clientid": func(c *clientsRead, v string) bool {
			if v == "" {
				return false
			}
			c.current, c.table = c.find(v), false
			return true
		},
		"ipaddress":    ofClient(func(c *hsm.Client, v string) bool { return answer.Word(&c.Address, v) }),
		"hostname":     ofClient(func(c *hsm.Client, v string) bool { return answer.Word(&c.Address, v) }),
		"htl required": ofClient(func(c *hsm.Client, v string) bool { return answer.Boolean(&c.RequiresHTL, v) }),
		"ott expiry":   ofClient(ottExpiry),
		"partitions":   ofClient(clientPartitions),
	},
}

// ClientList is the format of the registered clients of an appliance.
var ClientList = answer.Merged("client-list", "client list, client show, client hostip show", parseClients)

// parseClients reads LunaSH "client list", "client show" and "client hostip
// show", any number of them, and combines what they state of each client.
func parseClients(lines []string, unread func(string)) hsm.Fact {
	c := clientsRead{at: make(map[string]int), current: -1}
	clientSheet.Read(lines, &c, unread)
	switch {
	case c.list != nil:
		return c.list
	case c.none:
		return hsm.Clients{}
	}
	return nil
}

// find returns the index of the client with that name, and adds a new one.
func (c *clientsRead) find(name string) int {
	i, ok := c.at[name]
	if !ok {
		i = len(c.list)
		c.at[name] = i
		c.list = append(c.list, hsm.Client{Name: name})
	}
	return i
}

// ofClient returns a setter of the client whose block is being read.
func ofClient(set func(*hsm.Client, string) bool) func(*clientsRead, string) bool {
	return func(c *clientsRead, v string) bool { return c.current >= 0 && set(&c.list[c.current], v) }
}

func clientLine(c *clientsRead, line string) bool {
	line = strings.TrimSpace(line)
	if rest, ok := answer.CutPrefixFold(line, "registered client "); ok {
		number, name, ok := strings.Cut(rest, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.Trim(number, "0123456789 ") != "" {
			return false
		}
		c.find(name)
		c.current, c.table = -1, false
		return true
	}
	switch low := strings.ToLower(answer.Collapse(answer.Clip(line, 200))); {
	case strings.HasPrefix(low, "no clients are registered"):
		c.none = true
		return true
	case low == "client name host name host ip":
		c.table, c.current, c.none = true, -1, true
		return true
	}
	if c.table {
		return c.row(line)
	}
	return strings.HasPrefix(line, `"`) && ofClient(clientPartitions)(c, line) // the list continues
}

// row reads client name, host name and address of "client hostip show". Only
// the client name can have blanks.
func (c *clientsRead) row(line string) bool {
	cols := answer.Columns(line)
	if len(cols) != 3 {
		cols = strings.Fields(line)
	}
	if len(cols) != 3 {
		return false
	}
	if _, err := netip.ParseAddr(cols[2]); err != nil {
		return false
	}
	c.list[c.find(cols[0])].Address = cols[2]
	return true
}

// ottExpiry reads "160 sec (default)", and "never" as 0. It is n/a without a
// one-time token.
func ottExpiry(c *hsm.Client, v string) bool {
	if strings.HasPrefix(strings.ToLower(v), "never") {
		c.OTTExpiry = hsm.Some[int64](0)
		return true
	}
	return answer.Whole(&c.OTTExpiry, v)
}

// maxClientPartitions bounds the partitions of a client; an HSM has up to 100.
const maxClientPartitions = 1000

// clientPartitions reads a list of quoted names, or <none>.
func clientPartitions(c *hsm.Client, v string) bool {
	if strings.EqualFold(v, "<none>") {
		c.Partitions = []string{}
		return true
	}
	var names []string
	for rest := v; rest != ""; rest = strings.TrimLeft(rest, ", \t") {
		var name string
		if strings.HasPrefix(rest, `"`) {
			var closed bool
			if name, rest, closed = strings.Cut(rest[1:], `"`); !closed {
				return false
			}
		} else {
			name, rest, _ = strings.Cut(rest, ",")
		}
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	if len(c.Partitions)+len(names) > maxClientPartitions {
		return false
	}
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(c.Partitions, name) })
	c.Partitions = append(c.Partitions, names...)
	return len(c.Partitions) > 0
}
