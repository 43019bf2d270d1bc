package ha

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/hsm"
)

// The directory of HA in a capture, and the files in it that are not named after a
// format.
const (
	captureDir       = "ha/"
	certificatesFile = "certificates.json" // role, subject and expiry of each; never a key
	processesFile    = "processes.json"    // start times of the processes in the log that ran during the capture, by ID
)

// captured returns the path of a file of the capture that is replayed.
func (h *Collector) captured(file string) string { return filepath.Join(h.Replay, captureDir, file) }

// configFile returns the path of the configuration to read.
func (h *Collector) configFile() string {
	if h.Replay != "" {
		return h.captured(ConfigFormat.CaptureFile())
	}
	return h.Config
}

// logFile returns the path of the HA log to read; configured is that in the
// configuration.
func (h *Collector) logFile(configured string) string {
	if h.Replay != "" {
		return h.captured(LogFormat.CaptureFile())
	}
	return configured
}

// asks reports whether LunaCM or vtl is asked, or was for the capture.
func (h *Collector) asks() bool {
	if h.Replay == "" {
		return h.LunaCM != "" || h.VTL != ""
	}
	_, err := os.Stat(h.captured(GroupsFormat.CaptureFile()))
	return err == nil
}

func (h *Collector) capturedCertificates() []hsm.ClientCertificate {
	all := []hsm.ClientCertificate{}
	if text, err := os.ReadFile(h.captured(certificatesFile)); err == nil {
		_ = json.Unmarshal(text, &all) // of a capture that somebody has edited, what can be read
	}
	return all
}

// runs returns a function that reports whether a process runs that had started by
// the given time.
func (h *Collector) runs() func(pid int64, at time.Time) bool {
	if h.Replay == "" {
		return runningSince
	}
	started := make(map[int64]time.Time)
	if text, err := os.ReadFile(h.captured(processesFile)); err == nil {
		_ = json.Unmarshal(text, &started)
	}
	return func(pid int64, at time.Time) bool {
		s, ok := started[pid]
		return ok && s.Before(at.Add(time.Second))
	}
}

// maxLog bounds what is captured of an HA log, in bytes. It is large, because the
// state follows from all lines.
const maxLog = 4 << 20

// Capture implements [collectors.Source].
func (h *Collector) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	w := &watcher{Collector: h, sources: sources{log: new(logState), running: h.runs()}, stop: func() {}}
	begin := time.Now()
	text, err := os.ReadFile(h.Config)
	if err == nil {
		w.config, _, err = ParseClientConfig(string(text) + "\n")
	}
	if err != nil {
		err = fmt.Errorf("client configuration: %w", err)
		report(hsm.Observation{Device: h.Device, Kind: hsm.HostMachine, Source: source, At: time.Now(), Failure: hsm.Command, Err: err})
		return
	}
	keep(captureDir+ConfigFormat.CaptureFile(), withoutSecrets(string(text)))
	if w.asks() {
		w.captureGroups(ctx, keep, report)
	}
	if file := w.config.HA.Log.File(); file != "" {
		w.captureLog(file, keep, report)
	}
	v := w.state(begin)
	v.Certificates = w.certificates(w.config)
	keepJSON(keep, captureDir+certificatesFile, v.Certificates)
	report(hsm.Observation{Device: h.Device, Kind: hsm.HostMachine, Source: source, At: time.Now(), MaxAge: time.Minute, Facts: []hsm.Fact{v, w.config}})
}

// confSecret matches a value in a client's configuration that would be a secret.
// The vendor's software writes none.
var confSecret = regexp.MustCompile(`(?im)^([ \t]*\w*(?:passw|passphrase|secret)\w*[ \t]*=[ \t]*)[^;\r\n]+`)

func withoutSecrets(conf string) string { return confSecret.ReplaceAllString(conf, "${1}removed") }

func (w *watcher) captureGroups(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	w.asked = time.Now()
	text, err := w.groupsText(ctx)
	if err == nil {
		w.polled, _, err = readGroups(w.groupsSource(), text)
	}
	o := hsm.Observation{Device: w.Device, Kind: hsm.HostMachine, Source: w.groupsSource(), At: time.Now(), MaxAge: time.Minute, Failure: collectors.FailureOf(err), Err: err}
	if err == nil {
		keep(captureDir+GroupsFormat.CaptureFile(), text)
		o.Facts = []hsm.Fact{*w.polled}
	}
	report(o)
}

func (w *watcher) captureLog(file string, keep func(file, text string), report func(hsm.Observation)) {
	text, err := follow.Tail(file, maxLog)
	if err != nil {
		report(hsm.Observation{Device: w.Device, Kind: hsm.HostMachine, Source: "HA log", At: time.Now(), Failure: hsm.Command, Err: err})
		return
	}
	keep(captureDir+LogFormat.CaptureFile(), text)
	var log hsm.HALog
	started := make(map[int64]time.Time)
	for line := range strings.Lines(text) {
		e := ParseLine(strings.TrimRight(line, "\r\n"))
		w.log.add(e, time.Local)
		log.Events = append(log.Events, e)
		if at, ok := processStart(e.PID.Value); ok {
			started[e.PID.Value] = at
		}
	}
	keepJSON(keep, captureDir+processesFile, started)
	report(hsm.Observation{Device: w.Device, Kind: hsm.HostMachine, Source: "HA log", At: time.Now(), MaxAge: time.Minute, Facts: []hsm.Fact{log}})
}

func keepJSON(keep func(file, text string), file string, v any) {
	if text, err := json.MarshalIndent(v, "", "  "); err == nil {
		keep(file, string(text)+"\n")
	}
}
