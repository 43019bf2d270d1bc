// Package capture makes captures of what sources say, with everything that names the
// site replaced, and has an agent watch one as if it were the site.
package capture

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/agent/redact"
	"github.com/lunawatch/lunawatch/alarms/journal"
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
	Failed   []string          // sources that gave no answer, and why, without names
	AtSite   []string          // the same for who captures: each begins with the name that the HSM has

	Names *redact.Redactor // what has replaced what: for nobody else
}

// New polls every source of c once, and returns what they answered, redacted. known is
// what a running agent knows, nil if there is none; seen takes what was read, with all
// its names.
func New(ctx context.Context, c config.Config, known *hsm.Snapshot, seen func(hsm.Observation)) Capture {
	made := newCapturing(seen)
	made.learnPast(c.StateDirectory, known)
	made.all(ctx, c)
	return made.finish()
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

// A capturing is a Capture in the making.
type capturing struct {
	Capture
	names  *redact.Redactor
	prose  map[string]bool // files that are logs, or answers that no parser understood
	failed []failure
	report func(hsm.Observation) // takes what is read, with all its names
}

func newCapturing(report func(hsm.Observation)) *capturing {
	return &capturing{
		Capture: Capture{Files: make(map[string]string)}, names: redact.New(), prose: make(map[string]bool), report: report,
	}
}

// all polls every source of c.
func (m *capturing) all(ctx context.Context, c config.Config) {
	for i, h := range c.HSMs {
		dir := fmt.Sprintf("hsm%d", i+1)
		m.learnConfigured(h)
		sources, done := h.Sources()
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
	hostname, _ := os.Hostname()
	m.names.LearnHost(hostname)
	for _, s := range c.HostSources(slog.New(slog.DiscardHandler)) {
		m.names.LearnHost(c.Host.Name)
		m.source(ctx, s, hostDir)
	}
	if c.LunaCM.Enabled {
		m.names.Learn("name", c.LunaCM.Name)
		for _, s := range c.LunaCM.Serials {
			m.names.Learn("serial", s)
		}
		m.settings(hostDir, settings{Serials: c.LunaCM.Serials})
	}
}

// learnConfigured remembers the names that the configuration holds, and its
// secrets: none should be in an answer, but if one is, it is replaced, too.
func (m *capturing) learnConfigured(h config.HSM) {
	m.names.Learn("name", h.Name)
	for _, address := range append([]string{h.Address}, h.SyslogSenders...) {
		m.names.LearnHost(address)
	}
	m.names.Learn("user", h.User)
	secrets := []setting.File{h.PasswordFile}
	if r := h.REST; r != nil {
		m.names.LearnHost(r.Address)
		m.names.Learn("user", r.User)
		secrets = append(secrets, r.PasswordFile)
	}
	if s := h.SNMPAgent; s != nil {
		m.names.LearnHost(s.Address)
		m.names.Learn("user", s.User)
		m.names.Learn("serial", s.Serial)
		secrets = append(secrets, s.CommunityFile, s.AuthPasswordFile, s.PrivPasswordFile)
	}
	for _, file := range secrets {
		if text, err := file.Bytes(); err == nil {
			m.names.Learn("secret", string(text))
		}
	}
}

// learnPast remembers the names that were read before: those that a running agent
// knows, or that the last one left behind. An HSM that is captured because it no
// longer answers states none itself.
func (m *capturing) learnPast(stateDirectory string, known *hsm.Snapshot) {
	if known != nil {
		for _, d := range known.Devices {
			m.names.LearnDevice(d)
		}
		return
	}
	state, err := journal.Read(stateDirectory)
	if err != nil {
		return
	}
	for name, memory := range state.Memory {
		m.names.Learn("name", name)
		m.names.Learn("serial", memory.Serial)
		for _, partition := range slices.Concat(memory.Activated, memory.Initialized) {
			m.names.Learn("partition serial", partition)
		}
	}
	for key, alarm := range state.Active {
		m.names.Learn("name", key.Device)
		m.names.Learn("name", key.Object)
		m.names.Learn("serial", alarm.Serial)
	}
}

// source captures one source. A failure is recorded, and stops no other source.
func (m *capturing) source(ctx context.Context, s collectors.Source, dir string) {
	s.Capture(ctx, func(file, text string) {
		name := path.Join(dir, file)
		m.Files[name], m.prose[name] = text, strings.HasSuffix(file, collectors.UnrecognisedFile)
	}, func(o hsm.Observation) {
		if o.Err != nil {
			m.fail(o.Device, fmt.Errorf("%s: %w", o.Source, o.Err))
		}
		for _, f := range o.Facts {
			m.names.LearnFact(f)
		}
		m.names.LearnUnread(o.Unread)
		m.report(o)
	})
}

// A failure is what of a device was not captured, and why.
type failure struct{ device, why string }

// fail records what was not captured, once.
func (m *capturing) fail(device string, err error) {
	if f := (failure{device, err.Error()}); !slices.Contains(m.failed, f) {
		m.failed = append(m.failed, f)
	}
}

func (m *capturing) log(device, file, name string) {
	text, err := follow.Tail(file, logTail)
	if err != nil {
		m.fail(device, err)
		return
	}
	for line := range strings.Lines(text) {
		m.names.LearnHost(syslog.ParseLine(line).Host)
	}
	m.Files[name], m.prose[name] = text, true
}

func (m *capturing) settings(dir string, s settings) {
	text, err := yaml.Marshal(s)
	if err != nil {
		m.fail(dir, err)
		return
	}
	m.Files[path.Join(dir, settingsFile)] = string(text)
}

// finish redacts everything, the names of files included.
func (m *capturing) finish() Capture {
	out := Capture{Files: make(map[string]string), Names: m.names}
	for name, text := range m.Files {
		redacted, err := m.redactFile(name, text)
		if err != nil {
			m.fail(name, err)
			continue
		}
		dir, inner, _ := strings.Cut(name, "/")
		out.Files[dir+"/"+m.redactFileName(inner)] = redacted
	}
	for _, f := range m.failed {
		out.Failed = append(out.Failed, m.names.Prose(f.device+": "+f.why))
		out.AtSite = append(out.AtSite, f.device+": "+m.names.Prose(f.why))
	}
	out.Replaced = m.names.Replaced()
	return out
}

func (m *capturing) redactFile(name, text string) (string, error) {
	switch {
	case path.Ext(name) == ".json":
		return m.names.JSON(text), nil
	case path.Base(name) == snmp.WalkFile:
		return snmp.RedactWalk(text, m.names.Answer)
	case m.prose[name]:
		return m.names.Prose(text), nil
	}
	return m.names.Answer(text), nil
}

// redactFileName redacts the parts of a path that are names: those of REST
// resources and the folders of cards.
func (m *capturing) redactFileName(name string) string {
	if stem, ok := strings.CutSuffix(name, ".json"); ok {
		return m.names.Path(stem) + ".json"
	}
	folder, file := path.Split(name)
	return m.names.Path(folder) + file
}
