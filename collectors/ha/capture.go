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

// The files of HA in a capture, below haDir.
const (
	captureDir       = "ha/"
	certificatesFile = "certificates.json" // role, subject and expiry of each; never a key
	processesFile    = "processes.json"    // ids of those in the log that ran when it was captured
)

func (h *Collector) captured(file string) string { return filepath.Join(h.Replay, captureDir, file) }

func (h *Collector) configFile() string {
	if h.Replay != "" {
		return h.captured(ConfigFormat.CaptureFile())
	}
	return h.Config
}

// logFile returns where the HA log is read that the configuration names.
func (h *Collector) logFile(configured string) string {
	if h.Replay != "" {
		return h.captured(LogFormat.CaptureFile())
	}
	return configured
}

// asks reports whether LunaCM is asked, or was when the capture was made.
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
		json.Unmarshal(text, &all)
	}
	return all
}

// runs returns what tells which processes run.
func (h *Collector) runs() func(pid int64, at time.Time) bool {
	if h.Replay == "" {
		return runningSince
	}
	began := make(map[int64]time.Time)
	if text, err := os.ReadFile(h.captured(processesFile)); err == nil {
		json.Unmarshal(text, &began)
	}
	return func(pid int64, at time.Time) bool {
		b, ok := began[pid]
		return ok && b.Before(at.Add(time.Second))
	}
}

// maxLog bounds what is captured of an HA log, in bytes. It is much: the
// lines add up to what is.
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

// confSecret is a value in a client's configuration that would be a secret.
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
	began := make(map[int64]time.Time)
	for line := range strings.Lines(text) {
		e := ParseLine(strings.TrimRight(line, "\r\n"))
		w.log.add(e, time.Local)
		log.Events = append(log.Events, e)
		if at, ok := processBegan(e.PID.Value); ok {
			began[e.PID.Value] = at
		}
	}
	keepJSON(keep, captureDir+processesFile, began)
	report(hsm.Observation{Device: w.Device, Kind: hsm.HostMachine, Source: "HA log", At: time.Now(), MaxAge: time.Minute, Facts: []hsm.Fact{log}})
}

func keepJSON(keep func(file, text string), file string, v any) {
	if text, err := json.MarshalIndent(v, "", "  "); err == nil {
		keep(file, string(text)+"\n")
	}
}
