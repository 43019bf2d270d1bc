// Package netsnmp runs private net-snmp daemons: own configuration, unprivileged ports on 127.0.0.1, own AgentX
// socket and persistent state, all inside one directory. The host's own daemons and files are not touched.
package netsnmp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A Config is the settings of a private snmpd. What is zero is not configured.
type Config struct {
	Address        string   // UDP, such as "127.0.0.1:1161"; empty: a free port of 127.0.0.1
	ReadCommunity  string   // SNMPv1 and v2c; empty: "public"
	WriteCommunity string   // may also write
	User           *User    // SNMPv3, may read; a trapsess line for v3 traps needs its user here as well
	EngineID       string   // hexadecimal digits, which receivers of v3 traps need; empty: chosen by net-snmp
	Lines          []string // more of snmpd.conf, such as "trap2sink 127.0.0.1:1162 public"
	Wrapper        []string // a command that runs snmpd, such as taskset -c 0
}

// A User is an SNMPv3 user with authPriv, SHA-256 and AES-128.
type User struct {
	Name     string
	Auth     string // passphrase of at least 8 characters
	Priv     string // passphrase of at least 8 characters
	EngineID string // hexadecimal digits: the sender's, for a receiver of v3 traps; empty for a user of this engine
}

func (u User) createLine() string {
	engine := ""
	if u.EngineID != "" {
		engine = "-e 0x" + u.EngineID + " "
	}
	return fmt.Sprintf("createUser %s%s SHA-256 %q AES %q", engine, u.Name, u.Auth, u.Priv)
}

// An Agent is a private snmpd. Its methods are for one goroutine.
type Agent struct {
	Address string // UDP host:port for SNMP managers
	Socket  string // AgentX
	LogPath string

	config  Config
	command []string
	dir     string
	process *process
}

// ErrMissing means that the daemon is not installed.
var ErrMissing = errors.New("not installed")

// StartAgent starts snmpd with all its files in dir, and returns when it answers SNMP and accepts AgentX.
// The process ends with ctx, or by Kill or Stop.
func StartAgent(ctx context.Context, dir string, c Config) (*Agent, error) {
	snmpd, err := find("snmpd")
	if err != nil {
		return nil, err
	}
	if c.ReadCommunity == "" {
		c.ReadCommunity = "public"
	}
	a := &Agent{
		Address: c.Address,
		Socket:  filepath.Join(dir, "agentx"),
		LogPath: filepath.Join(dir, "snmpd.log"),
		config:  c,
		dir:     dir,
	}
	if len(a.Socket) > maxSocketPath {
		return nil, fmt.Errorf("%s: longer than the %d octets of a socket's path", a.Socket, maxSocketPath)
	}
	if a.Address == "" {
		if a.Address, err = FreeAddress(); err != nil {
			return nil, err
		}
	}
	conf := filepath.Join(dir, "snmpd.conf")
	if err := os.WriteFile(conf, []byte(a.configuration()), 0o600); err != nil {
		return nil, err
	}
	a.command = append(append([]string(nil), c.Wrapper...),
		snmpd, "-f", "-Lf", a.LogPath, "-C", "-c", conf, "-I", "-smux", "udp:"+a.Address)
	return a, a.Start(ctx)
}

const maxSocketPath = 107

func (a *Agent) configuration() string {
	lines := []string{
		"master agentx",
		"agentXSocket " + a.Socket,
		"agentXPerms 0660 0550",
		"agentXTimeout 1",
		"agentXRetries 5",
		"dontLogTCPWrappersConnects true",
		"rocommunity " + a.config.ReadCommunity + " 127.0.0.1",
		"sysLocation private test agent",
	}
	if a.config.WriteCommunity != "" {
		lines = append(lines, "rwcommunity "+a.config.WriteCommunity+" 127.0.0.1")
	}
	if a.config.EngineID != "" {
		lines = append(lines, "exactEngineID 0x"+a.config.EngineID)
	}
	if u := a.config.User; u != nil {
		lines = append(lines, u.createLine(), "rouser "+u.Name+" priv")
	}
	return strings.Join(append(lines, a.config.Lines...), "\n") + "\n"
}

// Start starts a stopped or killed snmpd again, and returns when it listens.
func (a *Agent) Start(ctx context.Context) error {
	p, err := startProcess(ctx, a.command, a.dir, nil)
	if err != nil {
		return err
	}
	a.process = p
	if err := p.until(ctx, func() bool { return a.acceptsAgentX() && a.answersSNMP() }); err != nil {
		a.Kill()
		return fmt.Errorf("snmpd: %w; its log is %s", err, a.LogPath)
	}
	return nil
}

// Kill ends snmpd with SIGKILL and waits until it is gone.
func (a *Agent) Kill() { a.process.end(os.Kill) }

// Stop ends snmpd with SIGTERM, and waits until it is gone.
func (a *Agent) Stop() { a.process.end(terminate) }

// PID returns the process ID of snmpd, or of the wrapper that becomes snmpd.
func (a *Agent) PID() int { return a.process.cmd.Process.Pid }

func (a *Agent) acceptsAgentX() bool {
	conn, err := net.Dial("unix", a.Socket)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// answersSNMP asks once for sysUpTime.0.
func (a *Agent) answersSNMP() bool {
	conn, err := net.Dial("udp", a.Address)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write(getSysUpTime(a.config.ReadCommunity)); err != nil {
		return false
	}
	_, err = conn.Read(make([]byte, 1500))
	return err == nil
}

// getSysUpTime is an SNMPv2c GetRequest for sysUpTime.0 in BER.
func getSysUpTime(community string) []byte {
	const pdu = "\xa0\x1c\x02\x04\x00\x00\x00\x01\x02\x01\x00\x02\x01\x00" +
		"\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x03\x00\x05\x00"
	message := "\x02\x01\x01\x04" + string(byte(len(community))) + community + pdu
	return append([]byte{0x30, byte(len(message))}, message...)
}

// FreeAddress returns a UDP address of 127.0.0.1 that was just free. Its port is outside
// the range that the kernel assigns, so it is still free when a daemon binds it.
func FreeAddress() (string, error) {
	var err error
	for range 100 {
		var conn net.PacketConn
		if conn, err = net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(20000))); err == nil {
			conn.Close()
			return conn.LocalAddr().String(), nil
		}
	}
	return "", err
}

// port returns the port of an address.
func port(address string) (uint16, error) {
	_, s, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err
}
