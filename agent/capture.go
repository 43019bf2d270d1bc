package agent

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/collectors/snmp"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Capture is what the sources of a configuration say, with everything that
// names the site replaced. It can be replayed, and sent with a bug report.
type Capture struct {
	Files    map[string]string // path -> text
	Replaced map[string]int    // kind -> how many names
	Failed   []string          // sources that gave no answer, and why
}

// logTail bounds what is taken of each log, in bytes.
const logTail = 256 << 10

// The places in a capture: a folder for each HSM, hsm1 and so on, and one for
// this host's cards and HA groups.
const (
	hostDir      = "host"
	settingsFile = "capture.yaml"
)

// settings are what a replay needs of the configuration.
type settings struct {
	Prefer     []string `yaml:"prefer,omitempty"`
	SNMPSerial string   `yaml:"snmp_serial,omitempty"`
	Serials    []string `yaml:"serials,omitempty"` // of cards that must be there
}

// capturing is a Capture while it is made.
type capturing struct {
	Capture
	*redactor
	failed map[string]bool
	report func(hsm.Observation) // what is seen meanwhile, with all its names
}

// NewCapture asks every source of c once.
func NewCapture(ctx context.Context, c config.Config) Capture {
	made := newCapturing(func(hsm.Observation) {})
	made.all(ctx, c)
	return made.finish()
}

func newCapturing(report func(hsm.Observation)) *capturing {
	return &capturing{
		Capture: Capture{Files: make(map[string]string)}, redactor: newRedactor(), failed: make(map[string]bool), report: report,
	}
}

// all asks every source of c.
func (m *capturing) all(ctx context.Context, c config.Config) {
	for i, h := range c.HSMs {
		dir := fmt.Sprintf("hsm%d", i+1)
		m.learnConfigured(h)
		sources, done := h.Sources(h.Runner())
		for _, s := range sources {
			m.source(ctx, s, dir)
		}
		done()
		for n, file := range h.Logs {
			m.log(h.Name, file, path.Join(dir, fmt.Sprintf("log%d.txt", n+1)))
		}
		set := settings{Prefer: h.Prefer}
		if h.SNMPAgent != nil {
			set.SNMPSerial = h.SNMPAgent.Serial
		}
		m.settings(dir, set)
	}
	own, _ := os.Hostname()
	m.learnHost(own)
	for _, s := range c.HostSources(slog.New(slog.DiscardHandler)) {
		m.learnHost(c.Host.Name)
		m.source(ctx, s, hostDir)
	}
	if c.LunaCM.Enabled {
		m.learn("name", c.LunaCM.Name)
		for _, s := range c.LunaCM.Serials {
			m.learn("serial", s)
		}
		m.settings(hostDir, settings{Serials: c.LunaCM.Serials})
	}
}

// learnConfigured remembers the names that the configuration holds. A secret
// has no way into an answer; if one is there all the same it is replaced, too.
func (m *capturing) learnConfigured(h config.HSM) {
	m.learn("name", h.Name)
	for _, address := range append([]string{h.Address}, h.SyslogSenders...) {
		m.learnHost(address)
	}
	m.learn("user", h.User)
	secrets := []setting.File{h.PasswordFile}
	if r := h.REST; r != nil {
		m.learnHost(r.Address)
		m.learn("user", r.User)
		secrets = append(secrets, r.PasswordFile)
	}
	if s := h.SNMPAgent; s != nil {
		m.learnHost(s.Address)
		m.learn("user", s.User)
		m.learn("serial", s.Serial)
		secrets = append(secrets, s.CommunityFile, s.AuthPasswordFile, s.PrivPasswordFile)
	}
	for _, file := range secrets {
		if text, err := file.Bytes(); err == nil {
			m.learn("secret", string(text))
		}
	}
}

// source captures one source. What it fails at is told, and stops no other.
func (m *capturing) source(ctx context.Context, s collectors.Source, dir string) {
	s.Capture(ctx, func(file, text string) { m.Files[path.Join(dir, file)] = text }, func(o hsm.Observation) {
		if o.Err != nil {
			m.fail(o.Device, fmt.Errorf("%s: %w", o.Source, o.Err))
		}
		for _, f := range o.Facts {
			m.learnFrom(f)
		}
		m.report(o)
	})
}

// fail tells what was not captured.
func (m *capturing) fail(device string, err error) {
	if why := device + ": " + err.Error(); !m.failed[why] {
		m.failed[why] = true
		m.Failed = append(m.Failed, why)
	}
}

func (m *capturing) log(device, file, name string) {
	text, err := follow.Tail(file, logTail)
	if err != nil {
		m.fail(device, err)
		return
	}
	for line := range strings.Lines(text) {
		m.learnHost(syslog.ParseLine(line).Host)
	}
	m.Files[name] = text
}

func (m *capturing) settings(dir string, s settings) {
	text, err := yaml.Marshal(s)
	if err != nil {
		m.fail(dir, err)
		return
	}
	m.Files[path.Join(dir, settingsFile)] = string(text)
}

// finish redacts everything, names of files included.
func (m *capturing) finish() Capture {
	out := Capture{Files: make(map[string]string)}
	for name, text := range m.Files {
		redacted, err := m.redactFile(name, text)
		if err != nil {
			m.fail(name, err)
			continue
		}
		dir, rest, _ := strings.Cut(name, "/")
		out.Files[dir+"/"+m.redactFileName(rest)] = redacted
	}
	for _, why := range m.Failed {
		out.Failed = append(out.Failed, m.redact(why))
	}
	out.Replaced = m.replaced()
	return out
}

func (m *capturing) redactFile(name, text string) (string, error) {
	switch {
	case path.Ext(name) == ".json":
		return m.redactJSON(text), nil
	case path.Base(name) == snmp.WalkFile:
		return snmp.RedactWalk(text, m.redact)
	}
	return m.redact(text), nil
}

// redactFileName redacts the parts of a path that are names: those of REST
// resources and the folders of cards.
func (m *capturing) redactFileName(name string) string {
	if stem, ok := strings.CutSuffix(name, ".json"); ok {
		return m.redactPath(stem) + ".json"
	}
	folder, file := path.Split(name)
	return m.redactPath(folder) + file
}

// Write writes the capture as a tar archive.
func (c Capture) Write(w io.Writer) error {
	archive := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		text := c.Files[name]
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), ModTime: time.Now()}); err != nil {
			return err
		}
		if _, err := io.WriteString(archive, text); err != nil {
			return err
		}
	}
	return archive.Close()
}

// maxCapture bounds what is unpacked, in bytes.
const maxCapture = 64 << 20

// Replay makes c watch a capture, a directory or a tar archive, instead of its
// HSMs. An archive is unpacked into the state directory.
func Replay(c *config.Config, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	dir := from
	if !info.IsDir() {
		dir = filepath.Join(c.StateDirectory, "replay")
		if err := unpack(from, dir); err != nil {
			return fmt.Errorf("replay: %s: %w", from, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	c.HSMs = nil
	c.LunaCM, c.HA, c.Host, c.Syslog = config.LunaCM{}, config.HA{}, config.Host{}, config.Syslog{Rate: c.Syslog.Rate}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		from := filepath.Join(dir, e.Name())
		set, err := readSettings(filepath.Join(from, settingsFile))
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if e.Name() == hostDir {
			replayHost(c, from, set)
			continue
		}
		h := config.HSM{Name: e.Name(), Replay: from, Prefer: set.Prefer, ReplaySerial: set.SNMPSerial}
		h.Complete(c.Intervals)
		h.Logs, _ = filepath.Glob(filepath.Join(from, "log*.txt"))
		c.HSMs = append(c.HSMs, h)
	}
	if len(c.HSMs) == 0 && c.Host.Name == "" {
		return fmt.Errorf("replay: %s holds no folder of captured answers; lunawatch capture makes one", from)
	}
	return nil
}

// replayHost makes c watch the captured cards and HA groups of a host.
func replayHost(c *config.Config, dir string, set settings) {
	c.Host.Name = hostDir
	if setting.File(filepath.Join(dir, "cards")).Exists() {
		c.LunaCM = config.LunaCM{Enabled: true, Name: "card", Serials: set.Serials, Replay: dir}
		c.LunaCM.Intervals.Complete(c.Intervals)
	}
	if setting.File(filepath.Join(dir, "ha")).Exists() {
		c.HA = config.HA{Enabled: true, Interval: c.Intervals.Slow, Replay: dir}
	}
}

// readSettings reads those of a capture; old captures have none.
func readSettings(file string) (s settings, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = yaml.Unmarshal(text, &s)
	}
	return s, err
}

// maxFolders is how deep the files of a capture can be: those of the roles of
// partitions are hsm1/rest/api/lunasa/hsms/1/partitions/2/roles/co.json.
const maxFolders = 9

// unpack writes the files of an archive below dir. It takes nothing but plain
// files in folders.
func unpack(file, dir string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	archive := tar.NewReader(io.LimitReader(f, maxCapture))
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not a capture: %w", err)
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) || !depth(h.Name) {
			return fmt.Errorf("not a capture: it holds %q", h.Name)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return fmt.Errorf("not a capture: %w", err)
		}
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o640); err != nil {
			return err
		}
	}
}

// depth reports whether a file is in a folder, and not too deep.
func depth(name string) bool {
	n := strings.Count(path.Clean(name), "/")
	return n >= 1 && n <= maxFolders
}
