// Package agent is the configuration of Lunawatch and the wiring of its parts.
package agent

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/rest"
	"github.com/lunawatch/lunawatch/internal/setting"
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
	PasswordFile       setting.File     `yaml:"password_file"`
	PasswordCredential string           `yaml:"password_credential"` // of systemd LoadCredential
	PrivateKeyFile     setting.File     `yaml:"private_key_file"`
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
	Address      string       `yaml:"address"` // host or host:port; port 8443. "": the host of the HSM's address
	User         string       `yaml:"user"`
	PasswordFile setting.File `yaml:"password_file"`
	CAFile       string       `yaml:"ca_file"`
	Certificate  string       `yaml:"certificate"` // SHA256:...
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
		Alarms: alarms.DefaultSettings(),
	}
}

// ReadConfig reads and validates a configuration file. What is wrong with its
// text is [Faults].
func ReadConfig(file string) (Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return parseConfig(file, text)
}

// ParseConfig is [ReadConfig] for a text.
func ParseConfig(text []byte) (Config, error) { return parseConfig("", text) }

func parseConfig(file string, text []byte) (Config, error) {
	c := Default()
	d := readDocument(file, text, &c)
	if len(d.faults) == 0 {
		c.complete()
		d.validated(c.Validate())
	}
	return c, d.err()
}

// complete fills in what is not set.
func (c *Config) complete() {
	for i := range c.HSMs {
		c.HSMs[i].complete(c.Intervals)
	}
	if c.Host.Name == "" {
		c.Host.Name, _ = os.Hostname()
	}
	c.LunaCM.Name = cmp.Or(c.LunaCM.Name, c.Host.Name)
	c.LunaCM.Intervals.complete(c.Intervals)
	c.HA.Interval = cmp.Or(c.HA.Interval, max(c.Intervals.Slow, time.Second))
	for i := range c.Receivers {
		c.Receivers[i].Route.Expire = cmp.Or(c.Receivers[i].Route.Expire, alarms.DefaultExpire)
		c.Receivers[i].complete()
	}
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
		h.PasswordFile = setting.Credential(h.PasswordCredential)
	}
}

// complete fills in what is not set. An interval of all that is too short is
// reported there, and not again where it is inherited.
func (i *Intervals) complete(all Intervals) {
	i.Fast = cmp.Or(i.Fast, max(all.Fast, time.Second))
	i.Slow = cmp.Or(i.Slow, max(all.Slow, time.Second))
	i.Hourly = cmp.Or(i.Hourly, max(all.Hourly, time.Second))
}

// Validate returns all that is wrong with i.
func (i Intervals) Validate() error {
	var errs []error
	for _, interval := range []struct {
		key   string
		value time.Duration
	}{{"fast", i.Fast}, {"slow", i.Slow}, {"hourly", i.Hourly}} {
		if interval.value < time.Second {
			errs = append(errs, setting.Faultf(interval.key, "%s is below one second", interval.value))
		}
	}
	return errors.Join(errs...)
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

const nameForm = "1 to 64 letters, digits, dots, dashes or underscores"

// privileged users can change an appliance. The agent needs none of them.
var privileged = []string{"admin", "operator", "audit"}

// Validate returns all that is wrong with c, in the order of its sections.
func (c Config) Validate() error {
	errs := []error{
		setting.At("snmp", c.SNMP.Validate()),
		setting.At("intervals", c.Intervals.Validate()),
	}
	names := make(map[string]bool)
	for i, h := range c.HSMs {
		found := []error{h.Validate()}
		if h.Name != "" && names[h.Name] {
			found = append(found, setting.Faultf("name", "%q is taken by another HSM", h.Name))
		}
		names[h.Name] = true
		if h.DependsOn != "" && (h.DependsOn == h.Name || !c.has(h.DependsOn)) {
			found = append(found, setting.Faultf("depends_on", "%q is no other HSM and not the host", h.DependsOn))
		}
		errs = append(errs, setting.At(fmt.Sprintf("hsms[%d]", i), errors.Join(found...)))
	}
	errs = append(errs, setting.At("lunacm", c.LunaCM.Validate()), setting.At("ha", c.HA.Validate()))
	if c.HA.Enabled && c.HA.ListGroups && !c.LunaCM.Enabled && !filepath.IsAbs(c.LunaCM.Path) {
		errs = append(errs, setting.Faultf("lunacm.path", "%q is not absolute; ha asks this program", c.LunaCM.Path))
	}
	errs = append(errs, setting.At("host", c.Host.Validate()))
	if c.Host.Enabled || c.HA.Enabled || c.LunaCM.Enabled {
		switch {
		case names[c.Host.Name]:
			errs = append(errs, setting.Faultf("host.name", "%q is taken by an HSM", c.Host.Name))
		case !hsmName.MatchString(c.Host.Name):
			errs = append(errs, setting.Faultf("host.name", "%q must be %s", c.Host.Name, nameForm))
		}
	}
	errs = append(errs, setting.At("syslog", c.Syslog.Validate()), setting.At("alarms", c.Alarms.Validate()))
	clear(names)
	for i, r := range c.Receivers {
		found := []error{r.Validate()}
		if r.Name != "" && names[r.Name] {
			found = append(found, setting.Faultf("name", "%q is taken by another receiver", r.Name))
		}
		names[r.Name] = true
		if r.AgentX != nil && !c.SNMP.Enabled {
			found = append(found, setting.Faultf("agentx", "sends through snmpd, but snmp is not enabled; enable it, or use snmp here"))
		}
		errs = append(errs, setting.At(fmt.Sprintf("receivers[%d]", i), errors.Join(found...)))
	}
	return errors.Join(errs...)
}

// has reports whether name is an HSM's or the host's.
func (c Config) has(name string) bool {
	return name == c.Host.Name || slices.ContainsFunc(c.HSMs, func(h HSM) bool { return h.Name == name })
}

// Validate returns all that is wrong with s.
func (s SNMP) Validate() error {
	var errs []error
	if _, _, err := agentx.ParseAddress(s.Socket); s.Enabled && err != nil {
		errs = append(errs, setting.Faultf("agentXSocket", "%q is neither a path nor tcp:host:port", s.Socket))
	}
	for _, option := range []struct {
		key                string
		value, least, most int
	}{{"agentXPingInterval", s.PingInterval, 0, 86400}, {"agentXTimeout", s.Timeout, 1, 86400}, {"agentXRetries", s.Retries, 0, 1000}} {
		switch {
		case option.value < option.least:
			errs = append(errs, setting.Faultf(option.key, "%d is too small; %d or more is needed", option.value, option.least))
		case option.value > option.most:
			errs = append(errs, setting.Faultf(option.key, "%d is too large; at most %d is allowed", option.value, option.most))
		}
	}
	return errors.Join(errs...)
}

// Validate returns all that is wrong with h by itself.
func (h HSM) Validate() error {
	var errs []error
	bad := func(key, format string, args ...any) { errs = append(errs, setting.Faultf(key, format, args...)) }
	if !hsmName.MatchString(h.Name) {
		bad("name", "must be %s", nameForm)
	}
	if (h.Address == "") == (h.Replay == "") && (h.SNMPAgent == nil || h.Address != "") {
		bad("", "exactly one of address and replay is needed, or snmp_agent")
	}
	if slices.Contains(privileged, h.User) && !h.AllowUser {
		bad("user", "%q can change the appliance; use an account with role monitor, or set allow_privileged_user", h.User)
	}
	if h.Address != "" && h.PasswordFile == "" && h.PrivateKeyFile == "" {
		bad("", "password_file, password_credential or private_key_file is needed")
	}
	password := "password_file"
	if h.PasswordCredential != "" {
		password = "password_credential"
	}
	errs = append(errs, setting.At(password, h.PasswordFile.Validate()), setting.At("private_key_file", h.PrivateKeyFile.Validate()))
	if h.Address != "" && (h.HostKey == "") == (h.KnownHostsFile == "") {
		bad("", "exactly one of host_key and known_hosts_file is needed")
	}
	if h.HostKey != "" && !strings.HasPrefix(h.HostKey, "SHA256:") {
		bad("host_key", "must be a fingerprint that begins with SHA256:")
	}
	errs = append(errs, setting.At("intervals", h.Intervals.Validate()))
	if h.REST != nil {
		if h.Replay != "" {
			bad("rest", "rest and replay exclude each other")
		}
		if slices.Contains(privileged, h.REST.User) && !h.AllowUser {
			bad("rest.user", "%q can change the appliance; use an account with role monitor or with a role of GETs only, or set allow_privileged_user", h.REST.User)
		}
		errs = append(errs, setting.At("rest", h.REST.Validate()))
	}
	errs = append(errs, setting.At("prefer", h.validatePrefer()))
	if h.SNMPAgent != nil {
		errs = append(errs, setting.At("snmp_agent", h.SNMPAgent.Validate()))
	}
	return errors.Join(errs...)
}

func (h HSM) validatePrefer() error {
	var errs []error
	for i, source := range h.Prefer {
		at := fmt.Sprintf("[%d]", i)
		switch {
		case !slices.Contains(allSources, source):
			errs = append(errs, setting.Faultf(at, "%q is none of %s", source, strings.Join(allSources, ", ")))
		case slices.Contains(h.Prefer[:i], source):
			errs = append(errs, setting.Faultf(at, "%s is there twice", source))
		}
	}
	if h.REST == nil && len(h.Prefer) > 0 && h.Prefer[0] == sourceREST {
		errs = append(errs, errors.New("rest comes first, but there is no rest"))
	}
	return errors.Join(errs...)
}

// Validate returns all that is wrong with r.
func (r REST) Validate() error {
	errs := []error{setting.At("password_file", r.PasswordFile.Validate())}
	if r.PasswordFile == "" {
		errs = append(errs, setting.Faultf("password_file", "is needed"))
	}
	if (r.CAFile == "") == (r.Certificate == "") {
		errs = append(errs, errors.New("exactly one of ca_file and certificate is needed"))
	}
	if r.Certificate != "" {
		if _, err := rest.ParseFingerprint(r.Certificate); err != nil {
			errs = append(errs, setting.Faultf("certificate", "is %w", err))
		}
	}
	return errors.Join(errs...)
}

// Validate returns all that is wrong with s.
func (s Syslog) Validate() error {
	var errs []error
	if (s.TLS != "") != (s.CertFile != "" && s.KeyFile != "") {
		errs = append(errs, errors.New("tls, cert_file and key_file go together"))
	}
	if s.Rate < 1 {
		errs = append(errs, setting.Faultf("rate", "%g is below one line a second", s.Rate))
	}
	if s.Rate > 1e6 {
		errs = append(errs, setting.Faultf("rate", "%g is more than a million lines a second", s.Rate))
	}
	return errors.Join(errs...)
}

// Validate returns all that is wrong with h.
func (h Host) Validate() error {
	if h.Enabled && h.Interval < time.Second {
		return setting.Faultf("interval", "%s is below one second", h.Interval)
	}
	return nil
}

// Validate returns all that is wrong with h.
func (h HA) Validate() error {
	if !h.Enabled {
		return nil
	}
	var errs []error
	if !filepath.IsAbs(h.ClientConfig) {
		errs = append(errs, setting.Faultf("client_config", "%q is not absolute", h.ClientConfig))
	}
	if h.VTL != "" && !filepath.IsAbs(h.VTL) {
		errs = append(errs, setting.Faultf("vtl", "%q is not absolute", h.VTL))
	}
	if h.Interval < time.Second {
		errs = append(errs, setting.Faultf("interval", "%s is below one second", h.Interval))
	}
	return errors.Join(errs...)
}

// rank returns where a source stands in the order of preference, 0 first.
func (h HSM) rank(source string) int { return slices.Index(h.Prefer, source) }

// Validate returns all that is wrong with l.
func (l LunaCM) Validate() error {
	if !l.Enabled {
		return nil
	}
	var errs []error
	if !filepath.IsAbs(l.Path) {
		errs = append(errs, setting.Faultf("path", "%q is not absolute", l.Path))
	}
	if !hsmName.MatchString(l.Name) {
		errs = append(errs, setting.Faultf("name", "%q must be %s", l.Name, nameForm))
	}
	for i, serial := range l.Serials {
		if !isSerial(serial) {
			errs = append(errs, setting.Faultf(fmt.Sprintf("serials[%d]", i), "%q is not a serial number", serial))
		}
	}
	return errors.Join(append(errs, setting.At("intervals", l.Intervals.Validate()), l.validateKernel())...)
}

// isSerial reports whether s is a serial number of an HSM.
func isSerial(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

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
