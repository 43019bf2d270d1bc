package config

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms/expect"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/probe"
	"github.com/lunawatch/lunawatch/collectors/rest"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// An HSM is one Luna Network HSM.
type HSM struct {
	Name               string         `yaml:"name"`
	Address            string         `yaml:"address"` // host or host:port; port 22
	User               string         `yaml:"user"`
	AllowUser          bool           `yaml:"allow_privileged_user"`
	PasswordFile       setting.File   `yaml:"password_file"`
	PasswordCredential string         `yaml:"password_credential"` // of systemd LoadCredential
	PrivateKeyFile     setting.File   `yaml:"private_key_file"`
	HostKey            string         `yaml:"host_key"` // SHA256:..., with blanks between several
	KnownHostsFile     string         `yaml:"known_hosts_file"`
	Algorithms         Algorithms     `yaml:"algorithms"`
	Intervals          Intervals      `yaml:"intervals"`                       // 0: as for all
	Logs               []string       `yaml:"logs"`                            // files that hold this appliance's syslog
	AuditLogs          []string       `yaml:"audit_logs"`                      // files that hold records of its HSM's audit log, and nothing else
	SyslogSenders      []string       `yaml:"syslog_senders"`                  // further IP addresses of this HSM, or host names in its lines
	SyslogCertificates []string       `yaml:"syslog_certificates"`             // names in the certificate that it shows over TLS
	Replay             string         `yaml:"replay"`                          // directory of captured answers instead of an address
	REST               *REST          `yaml:"rest"`                            // the REST API as a second source; nil: none
	Prefer             []string       `yaml:"prefer" words:"lunash rest snmp"` // sources, the preferred one first
	SNMPAgent          *SNMPAgent     `yaml:"snmp_agent"`                      // in addition to an address, or instead of one
	Expect             *expect.Device `yaml:"expect"`                          // what must be there; nil: nothing is expected
	DependsOn          string         `yaml:"depends_on"`                      // another HSM, or the host: while that is not reachable, this one cannot be

	Probes []probe.Settings `yaml:"probe"` // test programs of the site

	ReplaySerial  string `yaml:"-"` // of the captured SNMP agent
	refusedLogins string // directory
	reach         Reach
}

// The sources that Prefer can order.
const (
	sourceLunaSH = "lunash"
	sourceREST   = "rest"
	sourceSNMP   = "snmp"
)

var allSources = []string{sourceLunaSH, sourceREST, sourceSNMP}

var hsmName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

const nameForm = "1 to 64 letters, digits, dots, dashes or underscores"

// privileged users can change an appliance. The agent needs none of them.
var privileged = []string{"admin", "operator", "audit"}

// Complete fills in what is not set; all are the intervals of every HSM.
func (h *HSM) Complete(all Intervals) {
	if h.User == "" {
		h.User = "monitor"
	}
	if h.Address != "" {
		h.Address = withPort(h.Address, "22")
	}
	h.SNMPAgent.complete()
	h.Intervals.Complete(all)
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

// Validate returns all that is wrong with h, other HSMs aside.
func (h HSM) Validate() error {
	var errs []error
	bad := func(key, format string, args ...any) { errs = append(errs, setting.Faultf(key, format, args...)) }
	if !hsmName.MatchString(h.Name) {
		bad("name", "%q is not a name: %s", h.Name, nameForm)
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
	password, wrong := "password_file", h.PasswordFile.Validate()
	if h.PasswordCredential != "" {
		password, wrong = "password_credential", errors.Unwrap(wrong) // without what may be the password itself
	}
	errs = append(errs, setting.At("address", setting.ValidatePeer(h.Address)), setting.At(password, wrong), setting.At("private_key_file", h.PrivateKeyFile.Validate()))
	if h.Address != "" && (h.HostKey == "") == (h.KnownHostsFile == "") {
		bad("", "exactly one of host_key and known_hosts_file is needed")
	}
	for i, pin := range strings.Fields(h.HostKey) {
		if !isHostKey(pin) {
			bad("host_key", "fingerprint %d of it is none: SHA256: and 43 characters of base64, as ssh-keygen -l prints them, with blanks between several", i+1)
		}
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
	if e := h.Expect; e != nil {
		errs = append(errs, setting.At("expect", e.Validate()))
		if e.UnprovenAfter > 0 && e.UnprovenAfter < 2*h.Intervals.Counters {
			bad("expect.unproven_after", "%s is less than two intervals.counters of %s: what an HSM does between two readings is not seen", e.UnprovenAfter, h.Intervals.Counters)
		}
	}
	errs = append(errs, setting.At("probe", probe.ValidateAll(h.Probes)), setting.Limits(h), setting.At("prefer", h.validatePrefer()))
	if h.SNMPAgent != nil {
		errs = append(errs, setting.At("snmp_agent", h.SNMPAgent.Validate()))
	}
	return errors.Join(errs...)
}

// isHostKey reports whether a text is the fingerprint of a host key.
func isHostKey(pin string) bool {
	digest, ok := strings.CutPrefix(pin, "SHA256:")
	sum, err := base64.RawStdEncoding.Strict().DecodeString(digest)
	return ok && err == nil && len(sum) == sha256.Size
}

func (h HSM) validatePrefer() error {
	var errs []error
	for i, source := range h.Prefer {
		at := fmt.Sprintf("[%d]", i)
		if slices.Contains(h.Prefer[:i], source) {
			errs = append(errs, setting.Faultf(at, "%s is listed twice", source))
		}
	}
	if h.REST == nil && len(h.Prefer) > 0 && h.Prefer[0] == sourceREST {
		errs = append(errs, errors.New("rest comes first, but there is no rest"))
	}
	return errors.Join(errs...)
}

// rank returns the place of a source in the order of preference, 0 first.
func (h HSM) rank(source string) int { return slices.Index(h.Prefer, source) }

// intervals returns the intervals of h for its collectors.
func (h HSM) intervals() poll.Intervals {
	return h.Intervals.collectors()
}

// Cost returns how many commands an HSM with so many clients gets in a day, and
// how many lines they write into its log.
func (h HSM) Cost(clients int) (commands, logLines int) {
	n := lunash.CommandsPerDay(h.intervals(), clients)
	return n, n * lunash.LogLinesPerCommand
}

// REST is how the REST API of an HSM's appliance is read.
type REST struct {
	Address      string       `yaml:"address"` // host or host:port; port 8443. "": the host of the HSM's address
	User         string       `yaml:"user"`
	PasswordFile setting.File `yaml:"password_file"`
	CAFile       string       `yaml:"ca_file"`
	Certificate  string       `yaml:"certificate"` // SHA256:...
}

// Validate returns all that is wrong with r.
func (r REST) Validate() error {
	errs := []error{setting.At("address", setting.ValidatePeer(r.Address)), setting.At("password_file", r.PasswordFile.Validate())}
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

// Algorithms is what SSH may negotiate; empty: the defaults.
type Algorithms struct {
	KeyExchanges []string `yaml:"key_exchanges"`
	Ciphers      []string `yaml:"ciphers"`
	MACs         []string `yaml:"macs"`
	HostKeys     []string `yaml:"host_keys"`
}
