// Package simulator is a pretend estate of Luna network HSMs. It speaks the protocols of
// the real ones: LunaSH in a terminal over SSH, from 6.2 on the REST API over HTTPS, and
// the syslog files of the appliance. One state behind all commands evolves with time, by
// a scenario or by events that are injected while it runs. A LunaCM shows the cards
// among them, and the HA groups of an application on its host. The package shares no
// code with the collectors.
package simulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	"golang.org/x/sync/errgroup"
)

// Config is where an estate listens and stores its files.
type Config struct {
	// ListenAddress is host:port of the first SSH server. The others use the
	// ports after it, and the HTTPS servers of the appliances that have one
	// the ports after those; with port 0 each uses a free one.
	ListenAddress string
	// StateDir is the directory of keys, logs and the control socket. It is made
	// if missing. Its path must be short: that of a Unix socket has at most 107
	// bytes.
	StateDir string
	// Scenario is a scenario file; empty: the built-in estate, or the fleet.
	Scenario string
	// Fleet is a fleet instead of a scenario. Its limit of open files is checked.
	Fleet Fleet
	// PasswordFile is a file with the password of User in its only line; empty:
	// a random password is made in StateDir/password.
	PasswordFile string
	// AuthorizedKeys is a file of public keys for User, or empty.
	AuthorizedKeys string
	// Log gets the failures while the estate runs; nil discards them.
	Log *slog.Logger
	// MonitorSecond is how long a second of "hsm information monitor" and of
	// LunaCM's "hsm monitor" takes, for tests; 0: 1 s.
	MonitorSecond time.Duration
	// RSAKeys is a directory of RSA keys that appliances share, and make if they
	// are missing, for tests; empty: each makes its own.
	RSAKeys string
}

// An Estate is a number of simulated appliances.
type Estate struct {
	config     Config
	appliances []*appliance
	ha         *haClient
	ready      chan Ready
}

// Ready is how to reach a running estate. It contains no secret.
type Ready struct {
	Appliances    []ReadyAppliance `json:"appliances"`
	User          string           `json:"user"`
	PasswordFile  string           `json:"password_file"`
	KnownHosts    string           `json:"known_hosts"`
	ControlSocket string           `json:"control_socket"`
}

// ReadyAppliance is how to reach one appliance.
type ReadyAppliance struct {
	Name        string `json:"name"`
	Model       string `json:"model"`       // 5.4, 6.2 or 7.2
	Serial      uint64 `json:"serial"`      // of the HSM
	SSHAddress  string `json:"ssh_address"` // host:port
	HostKey     string `json:"host_key"`    // a line of known_hosts
	Fingerprint string `json:"fingerprint"` // SHA256:..., of the host key
	Syslog      string `json:"syslog"`      // path of the log messages, with the ALM lines; "" in a fleet without
	Lunalogs    string `json:"lunalogs"`    // path of the log lunalogs; "" in a fleet without

	// Of the REST API; empty without one.
	RESTAddress     string `json:"rest_address,omitempty"`     // host:port
	RESTFingerprint string `json:"rest_fingerprint,omitempty"` // SHA256:..., of the certificate
	RESTCertificate string `json:"rest_certificate,omitempty"` // path of the certificate, which is self-signed
}

// New reads the scenario, whose time starts now. It does not listen or write files; Run does.
func New(c Config) (*Estate, error) {
	if _, _, err := splitPort(c.ListenAddress); err != nil {
		return nil, err
	}
	if c.StateDir == "" {
		return nil, errors.New("no state directory given")
	}
	dir, err := filepath.Abs(c.StateDir)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	c.StateDir = dir
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Fleet.Size != 0 {
		return newFleet(c)
	}
	return newEstate(c)
}

// newEstate makes the estate of the scenario, without files unless there is a state
// directory.
func newEstate(c Config) (*Estate, error) {
	specs, sc, err := readScenario(c.Scenario)
	if err != nil {
		return nil, err
	}
	file := func(name string) string {
		if c.StateDir == "" {
			return ""
		}
		return filepath.Join(c.StateDir, name)
	}
	e := &Estate{config: c, ready: make(chan Ready, 1), ha: &haClient{dir: file("client")}}
	shared := &keyring{dir: c.RSAKeys}
	for _, sp := range specs {
		a := newAppliance(sp, sc.Seed, file(sp.name), c.Log)
		a.second = cmp.Or(c.MonitorSecond, a.second)
		if c.RSAKeys != "" {
			a.rsa = shared
		}
		e.appliances = append(e.appliances, a)
	}
	for _, g := range sc.HA {
		group, err := g.make(e)
		if err != nil {
			return nil, fmt.Errorf("scenario %s: %w", c.Scenario, err)
		}
		e.ha.groups = append(e.ha.groups, group)
	}
	return e, nil
}

func splitPort(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("listen address %q is not host:port", address)
	}
	return host, port, nil
}

// Ready returns a channel that gets one value once the estate can be reached, and none if
// Run fails before that.
func (e *Estate) Ready() <-chan Ready { return e.ready }

// Inject applies an event to the appliances whose name matches a pattern of [path.Match],
// such as a name, or to all for an empty one. The error for an unknown event lists the
// known ones.
func (e *Estate) Inject(pattern string, ev Event) error {
	if ev.Name == applicationRestart {
		return e.ha.restart()
	}
	if _, err := ev.row(); err != nil {
		return err
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("%q is no pattern of names: %w", pattern, err)
	}
	found := false
	var errs []error
	for _, a := range e.appliances {
		if meant, _ := path.Match(pattern, a.spec.name); !meant && pattern != "" {
			continue
		}
		found = true
		if err := a.inject(ev); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", a.spec.name, err))
		}
	}
	if !found {
		return fmt.Errorf("no appliance called %q; there are %s", pattern, e.names())
	}
	return errors.Join(errs...)
}

// names returns the names of the appliances as an error lists them: the first few of many.
func (e *Estate) names() string {
	const few = 5
	var names []string
	for _, a := range e.appliances {
		names = append(names, a.spec.name)
	}
	if more := len(names) - few; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), more)
	}
	return strings.Join(names, ", ")
}

// Run serves the estate until ctx is done, and then returns nil.
func (e *Estate) Run(ctx context.Context) error {
	listeners, ready, err := e.open()
	if err != nil {
		return err
	}
	control, err := listenControl(e.config.StateDir)
	if err != nil {
		closeAll(listeners)
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, a := range e.appliances {
		g.Go(func() error { return a.serve(ctx, listeners[2*i]) })
		if a.rest != nil {
			g.Go(func() error { return a.rest.serve(ctx, listeners[2*i+1]) })
		}
	}
	g.Go(func() error { return evolve(ctx, e.appliances) })
	g.Go(func() error { return e.ha.run(ctx) })
	g.Go(func() error { return e.control(ctx, control) })
	e.ready <- ready
	return g.Wait()
}

// open prepares keys, users and listeners: two of each appliance, of which the
// second, of HTTPS, can be nil.
func (e *Estate) open() (listeners []net.Listener, ready Ready, err error) {
	defer func() {
		if err != nil {
			closeAll(listeners)
		}
	}()
	dir := e.config.StateDir
	ready = Ready{User: User, PasswordFile: e.config.PasswordFile, KnownHosts: filepath.Join(dir, "known_hosts"), ControlSocket: filepath.Join(dir, controlFile)}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, ready, fmt.Errorf("state directory: %w", err)
	}
	if ready.PasswordFile == "" {
		ready.PasswordFile = filepath.Join(dir, "password")
		if err := ensurePassword(ready.PasswordFile); err != nil {
			return nil, ready, err
		}
	}
	u, err := readUsers(ready.PasswordFile, e.config.AuthorizedKeys)
	if err != nil {
		return nil, ready, err
	}
	var known strings.Builder
	for i, a := range e.appliances {
		a.users = u
		ln, r, err := a.open(e.config.ListenAddress, i)
		if err != nil {
			return listeners, ready, fmt.Errorf("appliance %s: %w", a.spec.name, err)
		}
		listeners = append(listeners, ln)
		web, err := a.openREST(&r, e.config.ListenAddress, len(e.appliances)+i)
		if err != nil {
			return listeners, ready, fmt.Errorf("appliance %s: %w", a.spec.name, err)
		}
		listeners = append(listeners, web)
		ready.Appliances = append(ready.Appliances, r)
		known.WriteString(r.HostKey + "\n")
	}
	return listeners, ready, os.WriteFile(ready.KnownHosts, []byte(known.String()), 0o644)
}

func closeAll(listeners []net.Listener) {
	for _, ln := range listeners {
		if ln != nil {
			ln.Close()
		}
	}
}

// open loads the keys of an appliance and listens.
func (a *appliance) open(address string, index int) (net.Listener, ReadyAppliance, error) {
	if err := a.load(); err != nil {
		return nil, ReadyAppliance{}, err
	}
	ln, err := listenAt(address, index)
	if err != nil {
		return nil, ReadyAppliance{}, err
	}
	taken := ln.Addr().String()
	a.listen = func() (net.Listener, error) { return net.Listen("tcp", taken) }
	key := a.keys[0].PublicKey()
	return ln, ReadyAppliance{
		Name: a.spec.name, Model: a.spec.model.version, Serial: a.spec.serial, SSHAddress: taken,
		HostKey:     knownhosts.Line([]string{taken}, key),
		Fingerprint: ssh.FingerprintSHA256(key),
		Syslog:      a.logFile("messages"), Lunalogs: a.logFile("lunalogs"),
	}, nil
}

// logFile returns the path of a log, or "" if it is not stored.
func (a *appliance) logFile(name string) string {
	if a.dir == "" {
		return ""
	}
	return filepath.Join(a.dir, name)
}

// listenAt listens the given number of ports after an address.
func listenAt(address string, after int) (net.Listener, error) {
	host, port, err := splitPort(address)
	if err != nil {
		return nil, err
	}
	if port != 0 {
		port += after
	}
	return net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

// openREST does the same for HTTPS as open for SSH. Without a web server it does nothing.
func (a *appliance) openREST(r *ReadyAppliance, address string, index int) (net.Listener, error) {
	if a.spec.noREST || !a.spec.model.hasREST() {
		return nil, nil
	}
	var err error
	if a.rest, err = a.loadREST(); err != nil {
		return nil, err
	}
	ln, err := listenAt(address, index)
	if err != nil {
		return nil, err
	}
	r.RESTAddress, r.RESTFingerprint = ln.Addr().String(), a.rest.fingerprint()
	r.RESTCertificate = filepath.Join(a.own.dir, "rest_certificate.pem")
	return ln, nil
}
