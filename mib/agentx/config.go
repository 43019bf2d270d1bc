package agentx

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Config is where the master is and what to serve. Socket, Timeout, Retries and PingInterval
// are the vendor's options agentXSocket, agentXTimeout, agentXRetries and agentXPingInterval.
type Config struct {
	Socket       string        // as ParseAddress reads it; empty is DefaultSocket
	Timeout      time.Duration // for one answer of the master, whole seconds 1 s to 255 s; 0 is 1 s
	Retries      int           // 0 or more: the master has Timeout x (1 + Retries). Nothing is sent twice: a stream loses nothing
	PingInterval time.Duration // between two Pings; 0 or less sends none

	ID            OID    // the subagent's identity in Open; may be null
	Description   string // for people, in Open
	Registrations []Registration
	Caps          []Capability
	// Objects are the objects below the subtrees, without instances: below any other OID
	// there is no such object. Empty: below every subtree there may be any.
	Objects []OID

	// Current returns the view to answer from, once per request. A nil Handler is an empty view.
	Current func() Handler
	// InContext is Current of a context of Registrations. It may be nil if they have none.
	InContext func(context string) Handler
	Opened    func()       // called when a session is open, from which on Notify works; nil: nothing
	Log       *slog.Logger // nil discards

	// Dial replaces the connection to Socket, for instance by a pipe.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A Registration asks for one subtree.
type Registration struct {
	Subtree  OID
	Priority byte   // 1 to 255, the lowest wins; 0 is the default 127 (RFC 2741 section 6.2.3)
	Context  string // SNMP context; "" is the default one (RFC 2741 section 6.1.1)
}

// LastPriority is the priority that every other one wins over.
const LastPriority = 255

// A Capability is an entry of the master's sysORTable (RFC 2741 section 6.2.14).
type Capability struct {
	ID          OID
	Description string
}

// The vendor's defaults.
const (
	DefaultSocket       = "/var/agentx/master"
	DefaultTimeout      = time.Second
	DefaultRetries      = 5
	DefaultPingInterval = 15 * time.Second
)

const (
	defaultPort     = "705"
	defaultPriority = 127
)

// limit returns how long the master may take to answer a request of ours, or to complete a PDU that it has begun.
func (c *Config) limit() time.Duration { return c.Timeout * time.Duration(1+c.Retries) }

// complete returns c with its defaults filled in, or an error that states what is wrong with it.
func (c Config) complete() (Config, error) {
	if c.Socket == "" {
		c.Socket = DefaultSocket
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	switch {
	case c.Current == nil:
		return c, errors.New("agentx: Config.Current is missing")
	case c.Timeout < time.Second || c.Timeout > 255*time.Second:
		return c, fmt.Errorf("agentx: timeout %v is not between 1 s and 255 s", c.Timeout)
	case c.Retries < 0:
		return c, fmt.Errorf("agentx: %d retries", c.Retries)
	case len(c.Registrations) == 0:
		return c, errors.New("agentx: no subtree to register")
	}
	c.Registrations = append([]Registration(nil), c.Registrations...)
	c.Objects = slices.SortedFunc(slices.Values(c.Objects), OID.Compare)
	for i := range c.Registrations {
		reg := &c.Registrations[i]
		if len(reg.Subtree) == 0 || len(reg.Subtree) > MaxSubIDs {
			return c, fmt.Errorf("agentx: subtree %q cannot be registered", reg.Subtree.String())
		}
		if reg.Context != "" && c.InContext == nil {
			return c, errors.New("agentx: Config.InContext is missing")
		}
		if reg.Priority == 0 {
			reg.Priority = defaultPriority
		}
	}
	_, _, err := ParseAddress(c.Socket)
	return c, err
}

// ParseAddress reads an agentXSocket as net-snmp writes it: "/var/agentx/master", "unix:/path", "tcp:localhost:705",
// "tcp6:[::1]:705", "localhost:705", or a bare port of this host, "705". The port defaults to 705.
// It returns a network ("unix", "tcp", "tcp6") and an address for net.Dial.
func ParseAddress(socket string) (network, address string, err error) {
	kind, rest, found := strings.Cut(socket, ":")
	switch {
	case strings.HasPrefix(socket, "/"):
		return "unix", socket, nil
	case found && kind == "unix" && rest != "":
		return "unix", rest, nil
	case found && (kind == "tcp" || kind == "tcp6"):
		address, err = hostPort(rest)
		return kind, address, err
	case found && kind == "tcpipv6":
		address, err = hostPort(rest)
		return "tcp6", address, err
	case found && (kind == "udp" || kind == "udp6" || kind == "ssh" || kind == "unix"):
		return "", "", fmt.Errorf("agentXSocket %q: a path or tcp:host:port is expected", socket)
	}
	address, err = hostPort(socket)
	return "tcp", address, err
}

func hostPort(s string) (string, error) {
	if s == "" {
		return "", errors.New("agentXSocket: empty address")
	}
	host, port, err := net.SplitHostPort(s)
	if _, notNumber := strconv.ParseUint(s, 10, 16); notNumber == nil {
		host, port = "localhost", s
	} else if err != nil {
		host, port = strings.Trim(s, "[]"), defaultPort
	}
	if host == "" {
		host = "localhost"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("agentXSocket %q: port %q is not between 1 and 65535", s, port)
	}
	return net.JoinHostPort(host, port), nil
}

// options are the vendor's four, which are net-snmp's too; names compare without case, as in net-snmp.
var options = map[string]func(c *Config, value string) error{
	"agentxsocket": func(c *Config, value string) error {
		_, _, err := ParseAddress(value)
		c.Socket = value
		return err
	},
	"agentxtimeout": func(c *Config, value string) (err error) {
		c.Timeout, err = seconds(value, 1, 255)
		return err
	},
	"agentxretries": func(c *Config, value string) (err error) {
		c.Retries, err = number(value, 0, 100)
		return err
	},
	"agentxpinginterval": func(c *Config, value string) (err error) {
		c.PingInterval, err = seconds(value, 0, 86400)
		return err
	},
}

// ReadOptions reads options from a configuration file of the vendor's agent: lines with a name and a value; # begins a
// comment. It ignores other options, since net-snmp's own are in the same file. A bad value is an error with its line number.
func (c *Config) ReadOptions(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		set, ok := options[strings.ToLower(fields[0])]
		if !ok {
			continue
		}
		if len(fields) != 2 {
			return fmt.Errorf("line %d: %s takes one value", n, fields[0])
		}
		if err := set(c, fields[1]); err != nil {
			return fmt.Errorf("line %d: %s: %w", n, fields[0], err)
		}
	}
	return lines.Err()
}

func seconds(s string, low, high int) (time.Duration, error) {
	n, err := number(s, low, high)
	return time.Duration(n) * time.Second, err
}

func number(s string, low, high int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q is not a number from %d to %d", s, low, high)
	}
	return n, nil
}
