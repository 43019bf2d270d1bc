package ha

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	ps "github.com/shirou/gopsutil/v3/process"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// vtlArguments are the only ones that vtl, the tool of old Luna clients, is
// ever started with: they list the HA groups, and ask for no password.
var vtlArguments = []string{"haAdmin", "-show"}

// An Collector watches the HA groups of the client host that it runs on: by
// the client's configuration, by the HA log of its processes, and by what
// LunaCM, a new process, sees. All three can change while it runs.
type Collector struct {
	Device   string
	Config   string        // Chrystoki.conf or crystoki.ini
	LunaCM   string        // path; "": it is not asked
	VTL      string        // path of the tool that old clients have for this; "": LunaCM is asked
	Interval time.Duration // between two questions to LunaCM, each of which connects to every member
	Log      *slog.Logger
	Replay   string // directory of a capture, instead of a client host

	look time.Duration // between two looks at the configuration; 0: haLook
}

const (
	checkEvery = 10 * time.Second // as the client itself looks at its configuration
	askTimeout = 2 * time.Minute  // each member that is down takes up to 24 s
)

// The sources of HA.
const (
	source     = "ha"
	listGroups = "hagroup listgroups"
	vtlShow    = "vtl haAdmin -show"
)

func (h *Collector) String() string { return "HA of " + h.Device }

// watcher is an HACollector at work. All of it is of one goroutine.
type watcher struct {
	*Collector
	sources
	text   []byte // of the configuration
	file   string // HA log that is followed
	stop   context.CancelFunc
	events chan batch
}

// batch are lines of one HA log.
type batch struct {
	file  string
	lines []hsm.LogLine
}

// pollResult is an answer of LunaCM, and when it was asked for.
type pollResult struct {
	groups *hsm.HAGroups
	asked  time.Time
}

// Run implements [collectors.Collector].
func (h *Collector) Run(ctx context.Context, report func(hsm.Observation)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &watcher{Collector: h, sources: sources{log: new(logState), running: h.runs()}, events: make(chan batch), stop: func() {}}
	polls := make(chan pollResult)
	if h.asks() {
		go h.poll(ctx, polls, report)
	}
	every := h.look
	if every == 0 {
		every = checkEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ctx.Err() == nil {
		report(w.observe(ctx, every))
		select {
		case <-ctx.Done():
		case <-tick.C:
		case p := <-polls:
			w.polled, w.asked = p.groups, p.asked
		case b := <-w.events:
			for _, l := range b.lines {
				if b.file == w.file {
					w.log.add(ParseLine(l.Message), time.Local)
				}
			}
		}
	}
	return nil
}

// observe reads the configuration and puts everything together.
func (w *watcher) observe(ctx context.Context, every time.Duration) hsm.Observation {
	o := hsm.Observation{Device: w.Device, Kind: hsm.HostMachine, Source: source, MaxAge: 3*every + 5*time.Second}
	start := time.Now()
	text, err := os.ReadFile(w.configFile())
	if err == nil && !bytes.Equal(text, w.text) {
		w.config, o.Unread, err = ParseClientConfig(string(text) + "\n")
		w.text = text
		if err != nil {
			w.text = nil
		} else {
			w.follow(ctx)
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w; let the agent's user read it", err)
	}
	if w.asked.Add(w.Interval*5/2 + askTimeout).Before(start) {
		w.polled = nil // too old to tell
	}
	v := w.state(start)
	o.At = time.Now()
	o.Took = o.At.Sub(start)
	if err != nil {
		o.Failure, o.Err = hsm.Command, fmt.Errorf("client configuration: %w", err)
		return o
	}
	v.Certificates = w.certificates(w.config)
	w.before = v
	o.Facts = []hsm.Fact{v}
	return o
}

// follow reads the HA log that the configuration names from its beginning, and
// what was rotated away before: what stands in it adds up to what is.
func (w *watcher) follow(ctx context.Context) {
	file := w.config.HA.Log.File()
	if file == w.file {
		return
	}
	w.stop()
	w.file, w.log = file, new(logState)
	ctx, w.stop = context.WithCancel(ctx)
	if file == "" {
		return
	}
	f := follow.Follower{File: w.logFile(file), Log: w.Log, FromStart: true, Rotated: true, Read: wholeLine}
	events := w.events
	go f.Run(ctx, nil, func(lines []hsm.LogLine, _ []byte) error {
		if len(lines) == 0 {
			return nil
		}
		select {
		case events <- batch{file, lines}:
		case <-ctx.Done():
		}
		return nil
	})
}

// poll asks LunaCM, or vtl, each Interval.
func (h *Collector) poll(ctx context.Context, polls chan<- pollResult, report func(hsm.Observation)) {
	for ctx.Err() == nil {
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		p := pollResult{asked: time.Now()}
		o := hsm.Observation{Device: h.Device, Kind: hsm.HostMachine, Source: h.groupsSource(), MaxAge: h.Interval*5/2 + askTimeout}
		text, err := h.groupsText(asking)
		cancel()
		if err == nil {
			p.groups, o.Unread, err = readGroups(o.Source, text)
		}
		if ctx.Err() != nil {
			return
		}
		o.At, o.Failure, o.Err = time.Now(), collectors.FailureOf(err), err
		o.Took = o.At.Sub(p.asked)
		report(o)
		if err == nil {
			select {
			case polls <- p:
			case <-ctx.Done():
			}
		}
		wait.Sleep(ctx, wait.Jitter(h.Interval, 0.05))
	}
}

// wholeLine is a line of a log that is no syslog.
func wholeLine(s string) hsm.LogLine { return hsm.LogLine{Message: s} }

// groupsSource names what is asked for what a new process sees.
func (h *Collector) groupsSource() string {
	if h.VTL != "" {
		return vtlShow
	}
	return listGroups
}

// groupsText asks once what a new process sees.
func (h *Collector) groupsText(ctx context.Context) (string, error) {
	switch {
	case h.Replay != "":
		text, err := os.ReadFile(h.captured(GroupsFormat.CaptureFile()))
		if err != nil {
			return "", collectors.Failf(hsm.Command, "%s: replay: %w", h.groupsSource(), err)
		}
		return string(text), nil
	case h.VTL != "": // runs to its end, and prints no result line
		text, err := (&lunacm.Program{Path: h.VTL}).Session(ctx, "", vtlArguments...)
		if err != nil {
			return "", collectors.Failf(collectors.FailureOf(err), "%s: %w", h.VTL, err)
		}
		return text + "\n", nil
	}
	answers, err := (&lunacm.Program{Path: h.LunaCM}).Ask(ctx, listGroups)
	if err != nil {
		return "", err
	}
	return answers[0], nil
}

func readGroups(source, text string) (*hsm.HAGroups, []string, error) {
	s := answer.Split(text)
	if _, _, err := s.Last(); err != nil {
		return nil, nil, collectors.Failf(hsm.Command, "%s: %w", source, err)
	}
	fact, unread, err := GroupsFormat.Read(s)
	if err != nil {
		return nil, unread, collectors.Failf(hsm.Unrecognised, "%s: %w", source, err)
	}
	groups := fact.(hsm.HAGroups)
	return &groups, unread, nil
}

// certificates reads those that the configuration names. One that cannot be
// read is left out: its metric is gone.
func (h *Collector) certificates(config hsm.ClientConfig) []hsm.ClientCertificate {
	if h.Replay != "" {
		return h.capturedCertificates()
	}
	all := []hsm.ClientCertificate{}
	for _, c := range []struct{ role, file string }{{"client", config.ClientCert}, {"server", config.ServerCA}} {
		rest, err := os.ReadFile(c.file)
		for err == nil {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			if x, bad := x509.ParseCertificate(block.Bytes); bad == nil && block.Type == "CERTIFICATE" {
				all = append(all, hsm.ClientCertificate{Role: c.role, Subject: x.Subject.String(), NotAfter: x.NotAfter})
			}
		}
	}
	return all
}

// runningSince reports whether a process runs that began before a time, so
// that it can have written something then.
func runningSince(pid int64, at time.Time) bool {
	began, ok := processBegan(pid)
	return ok && began.Before(at.Add(time.Second))
}

// processBegan returns when a process that runs began.
func processBegan(pid int64) (time.Time, bool) {
	p, err := ps.NewProcess(int32(pid))
	if err != nil {
		return time.Time{}, false
	}
	created, err := p.CreateTime()
	return time.UnixMilli(created), err == nil
}
