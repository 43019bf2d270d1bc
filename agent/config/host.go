package config

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms/expect"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Host is the machine that the agent runs on.
type Host struct {
	Enabled  bool          `yaml:"enabled"`
	Name     string        `yaml:"name"` // "": its host name
	Interval time.Duration `yaml:"interval" range:"1s.."`
}

// Validate returns all that is wrong with h.
func (h Host) Validate() error {
	if !h.Enabled {
		return nil
	}
	return setting.Limits(h)
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

	Replay string `yaml:"-"` // directory of a capture
}

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
		errs = append(errs, setting.Faultf("name", "%q is not a name: %s", l.Name, nameForm))
	}
	for i, serial := range l.Serials {
		if !isSerial(serial) {
			errs = append(errs, setting.Faultf(fmt.Sprintf("serials[%d]", i), "%q is not a serial number", serial))
		}
	}
	return errors.Join(append(errs, setting.At("intervals", l.Intervals.Validate()), l.validateKernel())...)
}

// The values of KernelLog other than a file: the kernel's ring buffer, and
// journald.
const (
	KernelRing    = "kmsg"
	KernelJournal = "journal"
)

func (l LunaCM) validateKernel() error {
	var errs []error
	if !slices.Contains([]string{"", KernelRing, KernelJournal}, l.KernelLog) && !filepath.IsAbs(l.KernelLog) {
		errs = append(errs, setting.Faultf("kernel_log", "%q is none of kmsg, journal, the absolute path of a file, and nothing", l.KernelLog))
	}
	serials := make(map[string]bool)
	for _, driver := range slices.Sorted(maps.Keys(l.KernelCards)) {
		key := "kernel_cards." + setting.Key(driver)
		serial := l.KernelCards[driver]
		switch {
		case DriverInstance.FindString(driver) != driver:
			errs = append(errs, setting.Faultf(key, "%q is not a driver instance such as k7pf0", driver))
		case !isSerial(serial):
			errs = append(errs, setting.Faultf(key, "%q is not a serial number", serial))
		case serials[serial]:
			errs = append(errs, setting.Faultf(key, "%s is listed twice", serial))
		}
		serials[serial] = true
	}
	return errors.Join(errs...)
}

// DriverInstance finds the name of a card's driver instance in a line, such as
// k7pf0.
var DriverInstance = regexp.MustCompile(`\b(?:k7pf|viper)\d+\b`)

// isSerial reports whether s is a serial number of an HSM.
func isSerial(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// HA is how the HA groups of this host, a Luna client, are watched.
type HA struct {
	Enabled      bool           `yaml:"enabled"`
	ClientConfig string         `yaml:"client_config"`         // Chrystoki.conf or crystoki.ini
	ListGroups   bool           `yaml:"listgroups"`            // poll lunacm, too
	VTL          string         `yaml:"vtl"`                   // path; polled instead of lunacm
	Interval     time.Duration  `yaml:"interval" range:"1s.."` // between two polls of lunacm; 0: the slow interval
	Expect       *expect.Device `yaml:"expect"`                // its members; nil: nothing is expected

	Replay string `yaml:"-"` // directory of a capture
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
	if h.Expect != nil {
		errs = append(errs, setting.At("expect", h.Expect.Validate()))
		if h.Expect.UnprovenAfter > 0 {
			errs = append(errs, setting.Faultf("expect.unproven_after", "is for HSMs: a Luna client counts no requests"))
		}
	}
	return errors.Join(append(errs, setting.Limits(h))...)
}

// A Syslog is where appliances may forward their logs to; "": nowhere.
type Syslog struct {
	UDP      string  `yaml:"udp"`
	TCP      string  `yaml:"tcp"`
	TLS      string  `yaml:"tls"`
	CertFile string  `yaml:"cert_file"`                              // for TLS
	KeyFile  string  `yaml:"key_file"`                               // for TLS
	Rate     float64 `yaml:"rate" unit:"lines/s" range:"1..1000000"` // lines a second of one HSM, and of one sender

	ClientCAFile setting.File `yaml:"client_ca_file"` // of the certificates that senders must show over TLS
	Trusted      bool         `yaml:"trusted"`        // lines without such a certificate may clear alarms, too
	Relays       []Relay      `yaml:"relays"`
}

// A Relay forwards the logs of several HSMs. Their host names are in the lines.
type Relay struct {
	Address     string   `yaml:"address"`     // IP address
	Certificate string   `yaml:"certificate"` // a name in its certificate
	HSMs        []string `yaml:"hsms"`        // those that it may speak for
}

// Validate returns all that is wrong with r.
func (r Relay) Validate() error {
	var errs []error
	if _, err := netip.ParseAddr(r.Address); r.Address != "" && err != nil {
		errs = append(errs, setting.Faultf("address", "%q is not an IP address", r.Address))
	}
	if r.Address == "" && r.Certificate == "" {
		errs = append(errs, errors.New("address or certificate is needed"))
	}
	if len(r.HSMs) == 0 {
		errs = append(errs, setting.Faultf("hsms", "is needed: the HSMs that it may speak for"))
	}
	return errors.Join(errs...)
}

// Validate returns all that is wrong with s.
func (s Syslog) Validate() error {
	errs := []error{
		setting.At("udp", setting.ValidateAddress(s.UDP)), setting.At("tcp", setting.ValidateAddress(s.TCP)),
		setting.At("tls", setting.ValidateAddress(s.TLS)),
	}
	if (s.TLS != "") != (s.CertFile != "" && s.KeyFile != "") {
		errs = append(errs, errors.New("tls, cert_file and key_file go together"))
	}
	errs = append(errs, setting.At("client_ca_file", s.ClientCAFile.Validate()))
	if s.ClientCAFile != "" && s.TLS == "" {
		errs = append(errs, setting.Faultf("client_ca_file", "needs tls"))
	}
	for i, r := range s.Relays {
		errs = append(errs, setting.At(fmt.Sprintf("relays[%d]", i), r.Validate()))
	}
	return errors.Join(append(errs, setting.Limits(s))...)
}
