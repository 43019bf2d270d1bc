package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// SNMP is how the agent serves SNMP through the host's snmpd.
type SNMP struct {
	Enabled bool `yaml:"enabled"`
	// The vendor's options, with the vendor's meaning.
	Socket       string `yaml:"agentXSocket"`
	PingInterval int    `yaml:"agentXPingInterval" unit:"s" range:"0..86400"` // s; 0: never
	Timeout      int    `yaml:"agentXTimeout" unit:"s" range:"1..86400"`      // s
	Retries      int    `yaml:"agentXRetries" range:"0..1000"`
	// RawEventCounters serves hsmCriticalEvents and hsmNonCriticalEvents as
	// the HSM reports them, even where a release always reports 0.
	RawEventCounters bool `yaml:"raw_event_counters"`
}

// Validate returns all that is wrong with s.
func (s SNMP) Validate() error {
	var errs []error
	if _, _, err := agentx.ParseAddress(s.Socket); s.Enabled && err != nil {
		errs = append(errs, setting.Faultf("agentXSocket", "%q is neither a path nor tcp:host:port", s.Socket))
	}
	return errors.Join(append(errs, setting.Limits(s))...)
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

// withPort returns address with a port: its own, or else port.
func withPort(address, port string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), port)
}
