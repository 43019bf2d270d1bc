// Package cluster shares the state of several agents through etcd, and the work among
// them: an HSM belongs to one of 256 shards, and a shard to one agent at a time. Each
// agent has a replica of everything; etcd is the log that orders it.
package cluster

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// Settings are how an agent finds etcd, and what it is called there. The zero value is
// an agent on its own.
type Settings struct {
	Endpoints []string      `yaml:"endpoints"` // of etcd: https://host:2379; http only with Insecure, or on this host
	Name      string        `yaml:"name"`      // of this agent, in the cluster
	CAFile    string        `yaml:"ca_file"`   // who signs the certificates of etcd and of the agents
	CertFile  string        `yaml:"cert_file"`
	KeyFile   string        `yaml:"key_file"`
	Insecure  bool          `yaml:"insecure"`                           // etcd may be elsewhere without TLS
	Listen    string        `yaml:"listen" default:":9712"`             // where the other agents ask this one; without certificates on this host only
	Prefix    string        `yaml:"prefix" default:"lunawatch/"`        // of all keys
	TTL       time.Duration `yaml:"ttl" range:"0,2s..60s" default:"3s"` // after which an agent that etcd does not hear from counts as dead
}

// Enabled reports whether the agent is one of a cluster.
func (s Settings) Enabled() bool { return len(s.Endpoints) > 0 || s.Name != "" }

func (s Settings) prefix() string     { return cmp.Or(s.Prefix, "lunawatch/") }
func (s Settings) ttl() time.Duration { return cmp.Or(s.TTL, 3*time.Second) }

// Validate returns all that is wrong with s, as [setting.Fault]s. The files are read
// when the agent starts, not here.
func (s Settings) Validate() error {
	errs := []error{setting.Limits(s)}
	if !s.Enabled() {
		if s.CAFile != "" || s.CertFile != "" || s.KeyFile != "" || s.Insecure {
			errs = append(errs, setting.Faultf("endpoints", "is missing; without it and name the agent is on its own"))
		}
		return errors.Join(errs...)
	}
	if len(s.Endpoints) == 0 {
		errs = append(errs, setting.Faultf("endpoints", "is missing; it lists the client URLs of etcd"))
	}
	for i, e := range s.Endpoints {
		if err := s.validateEndpoint(e); err != nil {
			errs = append(errs, setting.At(fmt.Sprintf("endpoints[%d]", i), err))
		}
	}
	if s.Name == "" || strings.ContainsAny(s.Name, "/ \t\n\x00") {
		errs = append(errs, setting.Faultf("name", "a name without blanks and slashes is needed, another for each agent"))
	}
	if (s.CertFile == "") != (s.KeyFile == "") {
		errs = append(errs, setting.Faultf("cert_file", "cert_file and key_file belong together"))
	}
	if s.Prefix != "" && !strings.HasSuffix(s.Prefix, "/") {
		errs = append(errs, setting.Faultf("prefix", "must end in /"))
	}
	return errors.Join(errs...)
}

func (s Settings) validateEndpoint(text string) error {
	if err := setting.ValidateURL(text); err != nil {
		return err
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("not a URL such as https://host:2379")
	case u.Path != "" || u.RawQuery != "":
		return errors.New("has more than a host and a port")
	case u.Scheme == "http" && !s.Insecure && !loopback(u.Hostname()):
		return errors.New("without TLS anybody on the way can read and change the state of all alarms; use https with ca_file, cert_file and key_file, or set insecure")
	case u.Scheme == "https" && s.CertFile == "" && !s.Insecure && !loopback(u.Hostname()):
		return errors.New("etcd must know who writes; set ca_file, cert_file and key_file, or insecure")
	}
	return nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// tls reads the files of s; nil: none is named.
func (s Settings) tls() (*tls.Config, error) {
	if s.CAFile == "" && s.CertFile == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		text, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("cluster.ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("cluster.ca_file: %s has no certificate in PEM", s.CAFile)
		}
	}
	if s.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("cluster.cert_file, cluster.key_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
