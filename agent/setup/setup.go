// Package setup makes a first configuration: it finds what of Luna, snmpd and rsyslog is
// on this host, takes the keys that appliances show, and writes down what was found and
// what an administrator has to type. It changes nothing but the file that it writes.
package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/ha"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/rest"
)

// A Host is what there is on this machine; "" and 0: there is none.
type Host struct {
	ClientConfig string   // Chrystoki.conf
	Groups       int      // HA groups in it
	Servers      []string // appliances in it that this host is a client of
	LunaCM       string   // the program
	Cards        []string // devices of the driver of PCIe HSMs
	AgentX       string   // the socket of snmpd
	KernelLog    bool     // /dev/kmsg
	Logs         []string // of appliances, as the syslog daemon writes them
	Listen       string   // where forwarded logs can be received by UDP
}

// ListenPort is where the agent receives forwarded logs: it needs no privilege, and no
// syslog daemon has it.
const ListenPort = "5514"

// Find looks at a file system; root is "" but in tests.
func Find(root string) (h Host) {
	first := func(patterns ...string) string {
		for _, p := range patterns {
			if found, _ := filepath.Glob(root + p); len(found) > 0 {
				return strings.TrimPrefix(found[0], root)
			}
		}
		return ""
	}
	h.ClientConfig = first("/etc/Chrystoki.conf")
	if text, err := os.ReadFile(root + h.ClientConfig); h.ClientConfig != "" && err == nil {
		if c, _, err := ha.ParseClientConfig(string(text)); err == nil {
			h.Groups = len(c.HA.Groups)
			for _, s := range c.Servers {
				h.Servers = append(h.Servers, s.Name)
			}
		}
	}
	h.LunaCM = first(lunacm.DefaultPath, "/usr/lunapcm/bin/lunacm", "/usr/lunasa/bin/lunacm")
	h.AgentX = first("/var/agentx/master", "/run/agentx/master")
	h.KernelLog = first("/dev/kmsg") != ""
	for _, p := range []string{"/dev/k7pf[0-9]*", "/dev/viper[0-9]*"} {
		found, _ := filepath.Glob(root + p)
		h.Cards = append(h.Cards, trimmed(found, root)...)
	}
	for _, p := range []string{"/var/log/luna/*/messages", "/var/log/luna/*.log", "/var/log/remote/*/messages", "/var/log/remote/*.log"} {
		found, _ := filepath.Glob(root + p)
		h.Logs = append(h.Logs, trimmed(found, root)...)
	}
	return h
}

func trimmed(list []string, root string) []string {
	for i := range list {
		list[i] = strings.TrimPrefix(list[i], root)
	}
	return list
}

// LogsOf returns those of Logs whose file or folder names an appliance, by its name or address.
func (h Host) LogsOf(a Appliance) (logs []string) {
	host, _, _ := net.SplitHostPort(a.Address)
	short, _, _ := strings.Cut(host, ".")
	if net.ParseIP(host) != nil {
		short = host
	}
	for _, log := range h.Logs {
		whose := strings.TrimSuffix(filepath.Base(log), ".log")
		if whose == "messages" {
			whose = filepath.Base(filepath.Dir(log))
		}
		if slices.Contains([]string{a.Name, host, short}, whose) {
			logs = append(logs, log)
		}
	}
	return logs
}

// An Appliance is one Luna Network HSM to be watched.
type Appliance struct {
	Name    string
	Address string // host:port of LunaSH
	Logs    []string

	Key         lunash.HostKey
	REST        string // host:port of the REST API; "": it is not used
	Certificate string // SHA256:..., of that
}

// Parse reads NAME=ADDRESS.
func Parse(text string) (Appliance, error) {
	name, address, found := strings.Cut(text, "=")
	name, address = strings.TrimSpace(name), strings.TrimSpace(address)
	if !found || name == "" || address == "" {
		return Appliance{}, fmt.Errorf("%q is not NAME=ADDRESS: %w", text, ErrNamed)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "22")
	}
	return Appliance{Name: name, Address: address}, nil
}

// Fetch takes the host key of a, and with rest the certificate of its REST API at a port.
// It sends the handshakes, and no login.
func (a *Appliance) Fetch(ctx context.Context, restPort string) (err error) {
	if a.Key, err = lunash.FetchHostKey(ctx, a.Address); err != nil {
		return fmt.Errorf("%s: host key: %w", a.Name, err)
	}
	if restPort == "" {
		return nil
	}
	host, _, _ := net.SplitHostPort(a.Address)
	a.REST = net.JoinHostPort(host, restPort)
	if a.Certificate, err = rest.FetchCertificate(ctx, a.REST); err != nil {
		return fmt.Errorf("%s: certificate of the REST API: %w", a.Name, err)
	}
	return nil
}

// A Shown is a fingerprint that somebody must confirm.
type Shown struct {
	Of, Fingerprint string
	Compare         string // with what
}

// Shown returns the fingerprints of a.
func (a Appliance) Shown() []Shown {
	list := []Shown{{
		fmt.Sprintf("%s: host key (%s) of %s", a.Name, a.Key.Type, a.Address), a.Key.Fingerprint,
		"with what \"sysconf fingerprint ssh\" prints at the appliance's console; old releases print MD5:" + a.Key.MD5,
	}}
	if a.Certificate != "" {
		list = append(list, Shown{
			fmt.Sprintf("%s: certificate of the REST API at %s", a.Name, a.REST), a.Certificate,
			"with that of the certificate that the appliance's administrator has (openssl x509 -fingerprint -sha256)",
		})
	}
	return list
}

// Free returns an error if there is a file already.
func Free(file string) error {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s is there already and is not overwritten; move it away (mv %s %s.orig), or name another with -out", file, file, file)
	}
	return nil
}

// Write writes a configuration that passes [config.Check], that only its owner may change and its group may read,
// which is that of the directory. It replaces no file, and leaves none behind if ctx ends
// or anything fails.
func Write(ctx context.Context, file, text string) (err error) {
	if err := Free(file); err != nil {
		return err
	}
	if _, err := config.Parse([]byte(text)); err != nil {
		return err
	}
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, ".lunawatch-init-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o640), likeGroup(f, dir), f.Sync()); err != nil {
		return err
	}
	if _, _, err := config.Check(f.Name()); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return os.Link(f.Name(), file) // which fails if somebody else was faster
}
