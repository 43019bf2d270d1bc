// Package agent is the configuration of Lunawatch and the wiring of its parts.
package agent

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/rest"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A Config is a configuration file. Every key has the meaning and default that
// the shipped lunawatch.yaml gives.
type Config struct {
	StateDirectory string          `yaml:"state_directory"`
	ControlSocket  string          `yaml:"control_socket"`
	SNMP           SNMP            `yaml:"snmp"`
	Intervals      Intervals       `yaml:"intervals"`
	HSMs           []HSM           `yaml:"hsms"`
	LunaCM         LunaCM          `yaml:"lunacm"`
	HA             HA              `yaml:"ha"`
	Host           Host            `yaml:"host"`
	Syslog         Syslog          `yaml:"syslog"`
	Alarms         alarms.Settings `yaml:"alarms"`
	Receivers      []Receiver      `yaml:"receivers"`
}

// SNMP is how the agent serves SNMP through the host's snmpd.
type SNMP struct {
	Enabled bool `yaml:"enabled"`
	// The vendor's options, with the vendor's meaning.
	Socket       string `yaml:"agentXSocket"`
	PingInterval int    `yaml:"agentXPingInterval"` // s; 0: never
	Timeout      int    `yaml:"agentXTimeout"`      // s
	Retries      int    `yaml:"agentXRetries"`
	// RawEventCounters serves hsmCriticalEvents and hsmNonCriticalEvents as
	// the HSM reports them, even where a release always reports 0.
	RawEventCounters bool `yaml:"raw_event_counters"`
}

// Intervals is how often an HSM is asked, by the cost of the commands.
type Intervals struct {
	Fast   time.Duration `yaml:"fast"`
	Slow   time.Duration `yaml:"slow"`
	Hourly time.Duration `yaml:"hourly"`
}

// An HSM is one Luna Network HSM.
type HSM struct {
	Name               string           `yaml:"name"`
	Address            string           `yaml:"address"` // host or host:port; port 22
	User               string           `yaml:"user"`
	AllowUser          bool             `yaml:"allow_privileged_user"`
	PasswordFile       string           `yaml:"password_file"`
	PasswordCredential string           `yaml:"password_credential"` // of systemd LoadCredential
	PrivateKeyFile     string           `yaml:"private_key_file"`
	HostKey            string           `yaml:"host_key"` // SHA256:...
	KnownHostsFile     string           `yaml:"known_hosts_file"`
	Algorithms         Algorithms       `yaml:"algorithms"`
	Intervals          Intervals        `yaml:"intervals"`      // 0: as for all
	Logs               []string         `yaml:"logs"`           // files that hold this appliance's syslog
	AuditLogs          []string         `yaml:"audit_logs"`     // files that hold records of its HSM's audit log, and nothing else
	SyslogSenders      []string         `yaml:"syslog_senders"` // IP addresses, or host names in the lines
	Replay             string           `yaml:"replay"`         // directory of captured answers instead of an address
	REST               *REST            `yaml:"rest"`           // the REST API as a second source; nil: none
	Prefer             []string         `yaml:"prefer"`         // sources, the one that counts first
	SNMPAgent          *SNMPAgent       `yaml:"snmp_agent"`     // beside an address, or instead of one
	Expect             *alarms.Expected `yaml:"expect"`         // what must be there; nil: nothing is expected
	DependsOn          string           `yaml:"depends_on"`     // another HSM, or the host: while that is not reachable, this one cannot be

	replaySerial string // of the captured SNMP agent
}

// REST is how the REST API of an HSM's appliance is read.
type REST struct {
	Address      string `yaml:"address"` // host or host:port; port 8443. "": the host of the HSM's address
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	CAFile       string `yaml:"ca_file"`
	Certificate  string `yaml:"certificate"` // SHA256:...
}

// The sources that Prefer can order.
const (
	sourceLunaSH = "lunash"
	sourceREST   = "rest"
	sourceSNMP   = "snmp"
)

var allSources = []string{sourceLunaSH, sourceREST, sourceSNMP}

// A Syslog is where appliances may forward their logs to; "" is nowhere.
type Syslog struct {
	UDP      string  `yaml:"udp"`
	TCP      string  `yaml:"tcp"`
	TLS      string  `yaml:"tls"`
	CertFile string  `yaml:"cert_file"` // for TLS
	KeyFile  string  `yaml:"key_file"`  // for TLS
	Rate     float64 `yaml:"rate"`      // lines a second of one HSM
}

// A Host is the machine that the agent runs on.
type Host struct {
	Enabled  bool          `yaml:"enabled"`
	Name     string        `yaml:"name"` // "": its host name
	Interval time.Duration `yaml:"interval"`
}

// LunaCM is how PCIe, USB and backup HSMs of this host are watched.
type LunaCM struct {
	Enabled   bool      `yaml:"enabled"`
	Path      string    `yaml:"path"`
	Name      string    `yaml:"name"`      // of each HSM, before its serial number; "": the host's
	Serials   []string  `yaml:"serials"`   // HSMs that must be there; others are found
	Intervals Intervals `yaml:"intervals"` // 0: as for all
	// KernelLog is where the driver's alarms are read: kmsg, journal, a file's
	// absolute path, or "" for nowhere.
	KernelLog   string            `yaml:"kernel_log"`
	KernelCards map[string]string `yaml:"kernel_cards"` // serial number by driver instance, such as k7pf0

	replay string // directory of a capture
}

// HA is how the HA groups of this host, a Luna client, are watched.
type HA struct {
	Enabled      bool             `yaml:"enabled"`
	ClientConfig string           `yaml:"client_config"` // Chrystoki.conf or crystoki.ini
	ListGroups   bool             `yaml:"listgroups"`    // ask lunacm, too
	VTL          string           `yaml:"vtl"`           // path; asked in place of lunacm
	Interval     time.Duration    `yaml:"interval"`      // between two questions to lunacm; 0: the slow interval
	Expect       *alarms.Expected `yaml:"expect"`        // its members; nil: nothing is expected

	replay string // directory of a capture
}

// Algorithms is what SSH may negotiate; empty: the defaults.
type Algorithms struct {
	KeyExchanges []string `yaml:"key_exchanges"`
	Ciphers      []string `yaml:"ciphers"`
	MACs         []string `yaml:"macs"`
	HostKeys     []string `yaml:"host_keys"`
}

// A Receiver is where notifications go: exactly one of its kinds is set.
type Receiver struct {
	Name   string      `yaml:"name"`
	AgentX *AgentX     `yaml:"agentx"` // through snmpd, to its own trap sinks
	SNMP   *SNMPTarget `yaml:"snmp"`

	Alertmanager *alarms.Alertmanager `yaml:"alertmanager"`
	PagerDuty    *alarms.PagerDuty    `yaml:"pagerduty"`
	Opsgenie     *alarms.Opsgenie     `yaml:"opsgenie"`
	Webhook      *alarms.Webhook      `yaml:"webhook"`
	SMTP         *alarms.SMTP         `yaml:"smtp"`
	Syslog       *alarms.Syslog       `yaml:"syslog"`
	Exec         *alarms.Exec         `yaml:"exec"`

	Route alarms.Route `yaml:",inline"`
}

// AgentX is what snmpd is to send.
type AgentX struct {
	Form alarms.Forms `yaml:"form"`
}

// An SNMPTarget is a trap receiver that the agent reaches itself.
type SNMPTarget struct {
	Address          string       `yaml:"address"` // host or host:port; port 162
	Version          string       `yaml:"version"` // 2c or 3
	Inform           bool         `yaml:"inform"`
	CommunityFile    string       `yaml:"community_file"`
	User             string       `yaml:"user"`
	AuthProtocol     string       `yaml:"auth_protocol"`
	AuthPasswordFile string       `yaml:"auth_password_file"`
	PrivProtocol     string       `yaml:"priv_protocol"`
	PrivPasswordFile string       `yaml:"priv_password_file"`
	Form             alarms.Forms `yaml:"form"`
}

// Default returns the configuration of an empty file.
func Default() Config {
	return Config{
		StateDirectory: "/var/lib/lunawatch",
		ControlSocket:  "/run/lunawatch/control.sock",
		SNMP: SNMP{
			Enabled:      true,
			Socket:       agentx.DefaultSocket,
			PingInterval: int(agentx.DefaultPingInterval / time.Second),
			Timeout:      int(agentx.DefaultTimeout / time.Second),
			Retries:      agentx.DefaultRetries,
		},
		Intervals: Intervals{
			Fast:   poll.DefaultIntervals[poll.Fast],
			Slow:   poll.DefaultIntervals[poll.Slow],
			Hourly: poll.DefaultIntervals[poll.Hourly],
		},
		LunaCM: LunaCM{Path: lunacm.DefaultPath, KernelLog: kernelRing},
		HA:     HA{ClientConfig: "/etc/Chrystoki.conf", ListGroups: true},
		Host:   Host{Enabled: true, Interval: time.Minute},
		Syslog: Syslog{Rate: 1000},
		Alarms: alarms.DefaultSettings,
	}
}

// ReadConfig reads and checks a configuration file. An unknown key or a wrong
// value is an error that tells the line or the key.
func ReadConfig(file string) (Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	c, err := ParseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// ParseConfig is [ReadConfig] for a text.
func ParseConfig(text []byte) (Config, error) {
	c := Default()
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict(), yaml.CustomUnmarshaler(readDuration)).Decode(&c)
	if bad := (*badDuration)(nil); errors.As(err, &bad) {
		return Config{}, fmt.Errorf("line %d: %w", bad.line(text), bad)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return Config{}, errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if reflect.ValueOf(c).IsZero() { // a file without a value is read as one of zeros
		c = Default()
	}
	for i := range c.HSMs {
		c.HSMs[i].complete(c.Intervals)
	}
	if c.Host.Name == "" {
		c.Host.Name, _ = os.Hostname()
	}
	c.LunaCM.Name = cmp.Or(c.LunaCM.Name, c.Host.Name)
	c.LunaCM.Intervals.complete(c.Intervals)
	c.HA.Interval = cmp.Or(c.HA.Interval, c.Intervals.Slow)
	for i := range c.Receivers {
		c.Receivers[i].Route.Expire = cmp.Or(c.Receivers[i].Route.Expire, alarms.DefaultExpire)
		c.Receivers[i].complete()
	}
	return c, errors.Join(c.problems()...)
}

// A badDuration is a value that time.ParseDuration refuses; the decoder does
// not tell where it stands.
type badDuration struct{ value string }

func (b *badDuration) Error() string {
	return fmt.Sprintf("%q is not a duration such as 90s, 5m or 1h", b.value)
}

func (b *badDuration) line(text []byte) int {
	before, _, _ := bytes.Cut(text, []byte(b.value))
	return 1 + bytes.Count(before, []byte("\n"))
}

func readDuration(d *time.Duration, text []byte) (err error) {
	value := strings.Trim(strings.TrimSpace(string(text)), `"'`)
	if *d, err = time.ParseDuration(value); err != nil {
		return &badDuration{value}
	}
	return nil
}

func (h *HSM) complete(all Intervals) {
	if h.User == "" {
		h.User = "monitor"
	}
	if h.Address != "" {
		h.Address = withPort(h.Address, "22")
	}
	h.SNMPAgent.complete()
	h.Intervals.complete(all)
	for _, source := range allSources {
		if !slices.Contains(h.Prefer, source) {
			h.Prefer = append(h.Prefer, source)
		}
	}
	if r := h.REST; r != nil {
		if r.Address == "" {
			r.Address, _, _ = net.SplitHostPort(h.Address)
		}
		if r.Address != "" {
			r.Address = withPort(r.Address, "8443")
		}
		if r.User == "" {
			r.User = "monitor"
		}
	}
	if h.PasswordCredential != "" {
		h.PasswordFile = filepath.Join(os.Getenv("CREDENTIALS_DIRECTORY"), h.PasswordCredential)
	}
}

// complete fills what is not set in.
func (i *Intervals) complete(all Intervals) {
	i.Fast, i.Slow, i.Hourly = cmp.Or(i.Fast, all.Fast), cmp.Or(i.Slow, all.Slow), cmp.Or(i.Hourly, all.Hourly)
}

// problems returns what is wrong with i.
func (i Intervals) problems() (problems []string) {
	for _, d := range []time.Duration{i.Fast, i.Slow, i.Hourly} {
		if d < time.Second {
			problems = append(problems, fmt.Sprintf("interval %s is below one second", d))
		}
	}
	return problems
}

func (i Intervals) collectors() poll.Intervals {
	return poll.Intervals{poll.Fast: i.Fast, poll.Slow: i.Slow, poll.Hourly: i.Hourly}
}

func withPort(address, port string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), port)
}

var hsmName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// privileged users can change an appliance. The agent needs none of them.
var privileged = []string{"admin", "operator", "audit"}

// problems returns one error for each value that cannot be.
func (c Config) problems() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	names := make(map[string]bool)
	for i, h := range c.HSMs {
		at := fmt.Sprintf("hsms[%d] (%s)", i, h.Name)
		switch {
		case !hsmName.MatchString(h.Name):
			bad("%s: name must be 1 to 64 letters, digits, dots, dashes or underscores", at)
		case names[h.Name]:
			bad("%s: the name is taken by another HSM", at)
		}
		names[h.Name] = true
		if h.DependsOn != "" && (h.DependsOn == h.Name || h.DependsOn != c.Host.Name && !slices.ContainsFunc(c.HSMs, func(o HSM) bool { return o.Name == h.DependsOn })) {
			bad("%s: depends_on %q is no other HSM and not the host", at, h.DependsOn)
		}
		if slices.Contains(privileged, h.User) && !h.AllowUser {
			bad("%s: user %q can change the appliance; use an account with role monitor, or set allow_privileged_user", at, h.User)
		}
		if (h.Address == "") == (h.Replay == "") && (h.SNMPAgent == nil || h.Address != "") {
			bad("%s: exactly one of address and replay is needed, or snmp_agent", at)
		}
		for _, problem := range h.SNMPAgent.problems() {
			bad("%s: snmp_agent: %s", at, problem)
		}
		if h.Address != "" && h.PasswordFile == "" && h.PrivateKeyFile == "" {
			bad("%s: password_file, password_credential or private_key_file is needed", at)
		}
		if h.PasswordCredential != "" && os.Getenv("CREDENTIALS_DIRECTORY") == "" {
			bad("%s: password_credential needs systemd's LoadCredential; CREDENTIALS_DIRECTORY is not set", at)
		}
		if h.Address != "" && (h.HostKey == "") == (h.KnownHostsFile == "") {
			bad("%s: exactly one of host_key and known_hosts_file is needed", at)
		}
		if h.HostKey != "" && !strings.HasPrefix(h.HostKey, "SHA256:") {
			bad("%s: host_key must be a fingerprint that begins with SHA256:", at)
		}
		for _, problem := range h.restProblems() {
			bad("%s: %s", at, problem)
		}
		for _, problem := range h.Intervals.problems() {
			bad("%s: %s", at, problem)
		}
	}
	for _, problem := range c.LunaCM.problems() {
		bad("lunacm: %s", problem)
	}
	if c.HA.Enabled && (!filepath.IsAbs(c.HA.ClientConfig) || c.HA.ListGroups && !filepath.IsAbs(c.LunaCM.Path)) {
		bad("ha: client_config and lunacm's path must be absolute")
	}
	if c.HA.Enabled && c.HA.VTL != "" && !filepath.IsAbs(c.HA.VTL) {
		bad("ha: vtl's path must be absolute")
	}
	if c.HA.Enabled && c.HA.Interval < time.Second {
		bad("ha: interval %s is below one second", c.HA.Interval)
	}
	if (c.Syslog.TLS != "") != (c.Syslog.CertFile != "" && c.Syslog.KeyFile != "") {
		bad("syslog: tls, cert_file and key_file go together")
	}
	if c.Syslog.Rate < 1 {
		bad("syslog: rate %g is below one line a second", c.Syslog.Rate)
	}
	if (c.Host.Enabled || c.HA.Enabled || c.LunaCM.Enabled) && (names[c.Host.Name] || !hsmName.MatchString(c.Host.Name)) {
		bad("host: name %q is taken by an HSM, or is not letters, digits, dots, dashes and underscores", c.Host.Name)
	}
	if c.Host.Enabled && c.Host.Interval < time.Second {
		bad("host: interval %s is below one second", c.Host.Interval)
	}
	for i, r := range c.Receivers {
		for _, e := range r.problems() {
			bad("receivers[%d] (%s): %s", i, r.Name, e)
		}
		if names["receiver "+r.Name] {
			bad("receivers[%d] (%s): the name is taken by another receiver", i, r.Name)
		}
		names["receiver "+r.Name] = true
	}
	_, _, err := agentx.ParseAddress(c.SNMP.Socket)
	if c.SNMP.Enabled && err != nil {
		bad("snmp: %w", err)
	}
	for key, n := range map[string]int{"agentXPingInterval": c.SNMP.PingInterval, "agentXTimeout": c.SNMP.Timeout - 1, "agentXRetries": c.SNMP.Retries} {
		if n < 0 {
			bad("snmp: %s is too small", key)
		}
	}
	return append(errs, c.Alarms.Problems()...)
}

// restProblems tells what is wrong with rest and prefer.
func (h HSM) restProblems() (problems []string) {
	seen := make(map[string]bool)
	for _, source := range h.Prefer {
		switch {
		case !slices.Contains(allSources, source):
			problems = append(problems, fmt.Sprintf("prefer: %q is none of lunash, rest, snmp", source))
		case seen[source]:
			problems = append(problems, fmt.Sprintf("prefer: %s is there twice", source))
		}
		seen[source] = true
	}
	r := h.REST
	if r == nil {
		if h.Prefer[0] == sourceREST {
			problems = append(problems, "prefer: rest comes first, but there is no rest")
		}
		return problems
	}
	if h.Replay != "" {
		problems = append(problems, "rest and replay exclude each other")
	}
	if slices.Contains(privileged, r.User) && !h.AllowUser {
		problems = append(problems, fmt.Sprintf("rest: user %q can change the appliance; use an account with role monitor or with a role of GETs only, or set allow_privileged_user", r.User))
	}
	if r.PasswordFile == "" {
		problems = append(problems, "rest: password_file is needed")
	}
	if (r.CAFile == "") == (r.Certificate == "") {
		problems = append(problems, "rest: exactly one of ca_file and certificate is needed")
	}
	if r.Certificate != "" {
		if _, err := rest.ParseFingerprint(r.Certificate); err != nil {
			problems = append(problems, fmt.Sprintf("rest: certificate is %s", err))
		}
	}
	return problems
}

// rank returns where a source stands in the order of preference, 0 first.
func (h HSM) rank(source string) int { return slices.Index(h.Prefer, source) }

func (l LunaCM) problems() (problems []string) {
	if !l.Enabled {
		return nil
	}
	if !filepath.IsAbs(l.Path) {
		problems = append(problems, fmt.Sprintf("path %q is not absolute", l.Path))
	}
	if !hsmName.MatchString(l.Name) {
		problems = append(problems, fmt.Sprintf("name %q is not letters, digits, dots, dashes and underscores", l.Name))
	}
	for _, s := range l.Serials {
		if strings.Trim(s, "0123456789") != "" || s == "" {
			problems = append(problems, fmt.Sprintf("%q is not a serial number", s))
		}
	}
	return slices.Concat(problems, l.kernelProblems(), l.Intervals.problems())
}

func (r Receiver) problems() (problems []string) {
	if r.Name == "" {
		problems = append(problems, "name is needed")
	}
	if err := r.Route.Problem(); err != nil {
		problems = append(problems, err.Error())
	}
	if a := r.AgentX; a != nil {
		if err := a.Form.Problem(r.Route); err != nil {
			problems = append(problems, err.Error())
		}
	}
	problems = append(problems, r.serviceProblems()...)
	if s := r.SNMP; s != nil {
		if err := s.Form.Problem(r.Route); err != nil {
			problems = append(problems, err.Error())
		}
		switch {
		case s.Version == "2c" && s.CommunityFile == "":
			problems = append(problems, "version 2c needs community_file")
		case s.Version == "3" && (s.User == "" || s.AuthPasswordFile == "" || s.PrivPasswordFile == ""):
			problems = append(problems, "version 3 needs user, auth_password_file and priv_password_file")
		case s.Version != "2c" && s.Version != "3":
			problems = append(problems, fmt.Sprintf("version %q is neither 2c nor 3", s.Version))
		}
	}
	return problems
}

// intervals returns the intervals of h as collectors want them.
func (h HSM) intervals() poll.Intervals {
	return h.Intervals.collectors()
}

// Cost tells how many commands an HSM with the given number of clients gets in
// a day, and how many lines they write into its log.
func (h HSM) Cost(clients int) (commands, logLines int) {
	n := lunash.CommandsPerDay(h.intervals(), clients)
	return n, n * lunash.LogLinesPerCommand
}

// ReadVendor takes the agentX options from the configuration file of the
// vendor's own agent, luna-snmp.conf.
func (s *SNMP) ReadVendor(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("vendor configuration: %w", err)
	}
	defer f.Close()
	c := agentx.Config{
		Socket: s.Socket, Retries: s.Retries,
		Timeout: time.Duration(s.Timeout) * time.Second, PingInterval: time.Duration(s.PingInterval) * time.Second,
	}
	if err := c.ReadOptions(f); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	s.Socket, s.Retries = c.Socket, c.Retries
	s.Timeout, s.PingInterval = int(c.Timeout/time.Second), int(c.PingInterval/time.Second)
	return nil
}
