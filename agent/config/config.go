// Package config reads and validates the configuration of Lunawatch, and makes
// the sources that it names. It knows nothing of how they run.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/agent/cluster"
	"github.com/lunawatch/lunawatch/agent/guard"
	"github.com/lunawatch/lunawatch/alarms/expect"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/exporters/otlp"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A Config is a configuration file. Every key has the meaning and default that
// the shipped lunawatch.yaml gives.
type Config struct {
	StateDirectory string           `yaml:"state_directory"`
	ControlSocket  string           `yaml:"control_socket"`
	ExternalURL    string           `yaml:"external_url"`
	WebHosts       []string         `yaml:"web_hosts"` // further names under which the page may be asked for
	Web            guard.Web        `yaml:"web"`
	RunbookURL     string           `yaml:"runbook_url"`
	Metrics        Metrics          `yaml:"metrics"`
	OTLP           otlp.Settings    `yaml:"otlp"`
	SNMP           SNMP             `yaml:"snmp"`
	Intervals      Intervals        `yaml:"intervals"`
	Reach          Reach            `yaml:"reach"`
	HSMs           []HSM            `yaml:"hsms"`
	LunaCM         LunaCM           `yaml:"lunacm"`
	HA             HA               `yaml:"ha"`
	Host           Host             `yaml:"host"`
	Syslog         Syslog           `yaml:"syslog"`
	Alarms         watch.Settings   `yaml:"alarms"`
	Receivers      []Receiver       `yaml:"receivers"`
	Cluster        cluster.Settings `yaml:"cluster"`
	OperateGroup   string           `yaml:"operate_group"` // by name or number: who in the group of the control socket may operate; "": all of them

	File   string    `yaml:"-"` // that it was read from; "": none
	Sum    string    `yaml:"-"` // SHA-256 of its text, in hexadecimal
	Loaded time.Time `yaml:"-"` // when it was read
}

// Default returns the configuration of an empty file.
func Default() Config {
	return Config{
		StateDirectory: "/var/lib/lunawatch",
		OTLP:           otlp.Settings{Interval: time.Minute},
		ControlSocket:  "/run/lunawatch/control.sock",
		SNMP: SNMP{
			Enabled:      true,
			Socket:       agentx.DefaultSocket,
			PingInterval: int(agentx.DefaultPingInterval / time.Second),
			Timeout:      int(agentx.DefaultTimeout / time.Second),
			Retries:      agentx.DefaultRetries,
		},
		Intervals: Intervals{
			Fast:   poll.DefaultIntervals()[poll.Fast],
			Slow:   poll.DefaultIntervals()[poll.Slow],
			Hourly: poll.DefaultIntervals()[poll.Hourly],
		},
		Reach:  Reach(poll.DefaultTiming()),
		LunaCM: LunaCM{Path: lunacm.DefaultPath, KernelLog: KernelRing},
		HA:     HA{ClientConfig: "/etc/Chrystoki.conf", ListGroups: true},
		Host:   Host{Enabled: true, Interval: time.Minute},
		Syslog: Syslog{Rate: 1000},
		Alarms: watch.DefaultSettings(),
	}
}

// Read reads and validates a configuration file. If its text is wrong, the
// error is [Faults].
func Read(file string) (Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return parse(file, text)
}

// Parse is [Read] for a text.
func Parse(text []byte) (Config, error) { return parse("", text) }

func parse(file string, text []byte) (Config, error) {
	c, d := read(file, text)
	return c, d.err()
}

func read(file string, text []byte) (Config, *document) {
	c := Default()
	c.File, c.Sum, c.Loaded = file, sum(text), time.Now()
	d := readDocument(file, text, &c)
	c.complete()
	d.validated(c.Validate())
	return c, d
}

// RefusedLogins returns the directory of what appliances have refused.
func (c *Config) RefusedLogins() string { return filepath.Join(c.StateDirectory, "refused-logins") }

// complete fills in what is not set.
func (c *Config) complete() {
	for i := range c.HSMs {
		c.HSMs[i].Complete(c.Intervals)
		c.HSMs[i].reach = c.Reach
		c.HSMs[i].refusedLogins = c.RefusedLogins()
	}
	c.Intervals.Counters = cmp.Or(c.Intervals.Counters, max(c.Intervals.Fast, time.Second))
	if c.Host.Name == "" {
		c.Host.Name, _ = os.Hostname()
	}
	c.LunaCM.Name = cmp.Or(c.LunaCM.Name, c.Host.Name)
	c.LunaCM.Intervals.Complete(c.Intervals)
	c.HA.Interval = cmp.Or(c.HA.Interval, max(c.Intervals.Slow, time.Second))
	for i := range c.Receivers {
		c.Receivers[i].Route.Expire = cmp.Or(c.Receivers[i].Route.Expire, notify.DefaultExpire)
		c.Receivers[i].complete(notify.Words{ExternalURL: c.ExternalURL, RunbookURL: c.RunbookURL})
	}
}

// Validate returns all that is wrong with c, in the order of its sections.
func (c Config) Validate() error {
	errs := []error{
		setting.At("external_url", validatePage(c.ExternalURL)), setting.At("runbook_url", validateLink(c.RunbookURL)),
		setting.At("web", c.Web.Validate()), setting.At("metrics", c.Metrics.Validate()), setting.At("otlp", c.OTLP.Validate()), setting.At("snmp", c.SNMP.Validate()),
		setting.At("intervals", c.Intervals.Validate()), setting.At("reach", c.Reach.Validate()),
	}
	names := make(map[string]bool)
	for i, h := range c.HSMs {
		found := []error{h.Validate()}
		if h.Name != "" && names[h.Name] {
			found = append(found, setting.Faultf("name", "%q is taken by another HSM", h.Name))
		}
		names[h.Name] = true
		if h.DependsOn != "" && (h.DependsOn == h.Name || !c.has(h.DependsOn)) {
			found = append(found, setting.Faultf("depends_on", "%q is neither another HSM nor the host", h.DependsOn))
		}
		errs = append(errs, setting.At(fmt.Sprintf("hsms[%d]", i), errors.Join(found...)))
	}
	errs = append(errs, setting.At("hsms", sameAddress(c.HSMs)))
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
			errs = append(errs, setting.Faultf("host.name", "%q is not a name: %s", c.Host.Name, nameForm))
		}
	}
	errs = append(errs, setting.At("cluster", c.Cluster.Validate()), setting.At("syslog", c.Syslog.Validate()), setting.At("alarms", c.Alarms.Validate()))
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

// sameAddress returns a fault for each address that two HSMs have: one of them is another
// one's by mistake, or is polled twice.
func sameAddress(all []HSM) error {
	var errs []error
	first := make(map[string]int)
	for i, h := range all {
		once := func(key, address, what string) {
			id := key + " " + strings.ToLower(address)
			if j, twice := first[id]; twice && address != "" {
				errs = append(errs, setting.Faultf(fmt.Sprintf("[%d].%s", i, key), "hsms[%d] has this %s, too: each HSM is listed once", j, what))
			} else {
				first[id] = i
			}
		}
		once("address", h.Address, "address")
		if h.REST != nil {
			once("rest.address", h.REST.Address, "address")
		}
		if s := h.SNMPAgent; s != nil && s.Address != "" {
			once("snmp_agent.address", s.Address+" "+s.Serial, "address and serial")
		}
	}
	return errors.Join(errs...)
}

// validateLink returns what is wrong with a URL that people follow; "" is none.
func validateLink(link string) error {
	if link == "" {
		return nil
	}
	return setting.ValidateURL(link)
}

// validatePage returns what is wrong with the URL of the status page, to which
// the place of an alarm is added.
func validatePage(link string) error {
	if strings.ContainsAny(link, "?#") {
		return errors.New("ends with the path of the status page, without ? and #")
	}
	return validateLink(link)
}

// Warnings returns what is valid, but will not work for ever, or is open to others.
func (c Config) Warnings() (list []string) {
	list = c.openFiles()
	for _, r := range c.Receivers {
		if r.Opsgenie != nil {
			list = append(list, "receiver "+r.Name+": Opsgenie's API ends on 2027-04-05; use jsm")
		}
		if r.Chat != nil {
			if err := r.Chat.Plain(); err != nil {
				list = append(list, "receiver "+r.Name+": "+err.Error())
			}
		}
	}
	return list
}

// has reports whether name is an HSM's or the host's.
func (c Config) has(name string) bool {
	return name == c.Host.Name || slices.ContainsFunc(c.HSMs, func(h HSM) bool { return h.Name == name })
}

// Watches reports whether c names anything to be watched, the host itself aside.
func (c Config) Watches() bool { return len(c.HSMs) > 0 || c.LunaCM.Enabled || c.HA.Enabled }

// HSM returns the HSM with a name.
func (c Config) HSM(name string) (h HSM, found bool) {
	i := slices.IndexFunc(c.HSMs, func(h HSM) bool { return h.Name == name })
	if i < 0 {
		return h, false
	}
	return c.HSMs[i], true
}

// Expected returns what must be there, by device.
func (c Config) Expected() map[string]expect.Device {
	all := make(map[string]expect.Device)
	for _, h := range c.HSMs {
		if h.Expect != nil {
			all[h.Name] = *h.Expect
		}
	}
	if c.HA.Expect != nil {
		all[c.Host.Name] = *c.HA.Expect
	}
	return all
}

// Parent returns a function that returns what a device depends on: a card on its
// host, an HSM on what is configured; "": nothing.
func (c Config) Parent() func(device string) string {
	parents := make(map[string]string)
	for _, h := range c.HSMs {
		parents[h.Name] = h.DependsOn
	}
	cards := c.Cards().Device("")
	return func(device string) string {
		if c.LunaCM.Enabled && strings.HasPrefix(device, cards) {
			return c.Host.Name
		}
		return parents[device]
	}
}

// LogHosts returns the host names that lines of h may have.
func (h HSM) LogHosts() []string {
	host, _, _ := net.SplitHostPort(h.AnyAddress())
	return slices.DeleteFunc(append([]string{h.Name, host}, h.SyslogSenders...), func(s string) bool { return s == "" })
}
