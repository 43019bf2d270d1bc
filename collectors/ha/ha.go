// Package ha determines the state of the HA groups of a Luna client on this host.
// It combines the client's configuration, the HA log that the client's processes
// write, and what LunaCM, as a fresh process, sees. It also has the parsers of
// these three. It raises no alarms: those follow from the state.
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
	"sync"
	"time"

	ps "github.com/shirou/gopsutil/v3/process"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// vtlArguments are the only arguments of vtl, the tool of old Luna clients. With
// them it lists the HA groups and asks for no password.
var vtlArguments = []string{"haAdmin", "-show"}

// A Collector watches the HA groups of the Luna client on this host. It implements
// [collectors.Source].
type Collector struct {
	Device   string
	Config   string        // path of Chrystoki.conf or crystoki.ini
	LunaCM   string        // path; "": it is not asked
	VTL      string        // path of the tool of old clients, which is asked in place of LunaCM; "": LunaCM is
	Interval time.Duration // between polls of LunaCM, each of which connects to every member
	Log      *slog.Logger
	Replay   string // directory of a capture, instead of a client host

	// Events takes new lines of the HA log, each once, and the cursor behind them;
	// see [follow.Follower]. Nil: nobody does.
	Events func(file string, lines []hsm.LogLine, cursor []byte) error
	Cursor func(file string) ([]byte, error) // that was delivered last; nil: none was

	check time.Duration // interval of checks of the configuration; 0: checkInterval
}

const (
	checkInterval = 10 * time.Second // at which the client itself checks its configuration
	askTimeout    = 2 * time.Minute  // each member that is down takes up to 24 s
)

// The sources of the observations.
const (
	source     = "ha"
	listGroups = "hagroup listgroups"
	vtlShow    = "vtl haAdmin -show"
)

func (h *Collector) String() string { return "HA of " + h.Device }

// A watcher is a Collector that runs. It belongs to one goroutine.
type watcher struct {
	*Collector
	sources
	text   []byte             // of the configuration
	file   string             // HA log that is followed
	stop   context.CancelFunc // stops following it
	all    sync.WaitGroup     // what runs beside
	events chan batch
}

// A batch is lines of one HA log.
type batch struct {
	file  string
	lines []hsm.LogLine
}

// A pollResult is an answer of LunaCM, and when it was asked.
type pollResult struct {
	groups *hsm.HAGroups
	asked  time.Time
}

// Run implements [collectors.Collector].
func (h *Collector) Run(ctx context.Context, report func(hsm.Observation)) error {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{Collector: h, sources: sources{log: new(logState), running: h.runs()}, events: make(chan batch), stop: func() {}}
	defer w.all.Wait()
	defer cancel()
	polls := make(chan pollResult)
	if h.asks() {
		w.all.Go(func() { h.poll(ctx, polls, report) })
	}
	every := h.check
	if every == 0 {
		every = checkInterval
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

// observe reads the configuration and returns the state that follows from all
// sources.
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
		w.polled = nil // it is stale
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

// follow reads the HA log that the configuration names from its beginning, rotated
// files included: the state follows from all lines.
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
	deliver := func(lines []hsm.LogLine, _ []byte) error {
		if len(lines) == 0 {
			return nil
		}
		select {
		case w.events <- batch{file, lines}:
		case <-ctx.Done():
		}
		return nil
	}
	w.all.Go(func() { _ = f.Run(ctx, nil, deliver) }) // without a cursor it has no error
	if w.Events != nil && w.Replay == "" {
		w.all.Go(func() { w.followEvents(ctx, file) })
	}
}

// followEvents passes on what is new in the HA log: the state of a member says
// nothing of a loss from which it has recovered in the same moment, or while
// the agent was down.
func (w *watcher) followEvents(ctx context.Context, file string) {
	from, err := w.Cursor(file)
	if err == nil {
		f := follow.Follower{File: file, Log: w.Log, Read: eventLine}
		err = f.Run(ctx, from, func(lines []hsm.LogLine, cursor []byte) error { return w.Events(file, lines, cursor) })
	}
	if err != nil {
		w.Log.Error("events of the HA log are not followed", "file", file, "err", err)
	}
}

// eventLine reads a line of an HA log as an event, at the time of this host.
func eventLine(s string) hsm.LogLine {
	e := ParseLine(s)
	l := hsm.LogLine{Message: s, HA: &e, PID: e.PID}
	if t := e.Time.Value; e.Time.Known {
		l.Time = hsm.Some(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.Local))
	}
	return l
}

// poll asks LunaCM, or vtl, at each Interval.
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

// wholeLine returns a line of a log that is not syslog.
func wholeLine(s string) hsm.LogLine { return hsm.LogLine{Message: s} }

// groupsSource returns the source of the groups that a fresh process sees.
func (h *Collector) groupsSource() string {
	if h.VTL != "" {
		return vtlShow
	}
	return listGroups
}

// groupsText asks once for the groups that a fresh process sees.
func (h *Collector) groupsText(ctx context.Context) (string, error) {
	switch {
	case h.Replay != "":
		text, err := os.ReadFile(h.captured(GroupsFormat.CaptureFile()))
		if err != nil {
			return "", collectors.Failf(hsm.Command, "%s: replay: %w", h.groupsSource(), err)
		}
		return string(text), nil
	case h.VTL != "": // it takes no commands, and prints no result line
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

// certificates reads the certificates that the configuration names. It skips those
// that it cannot read; their metrics vanish.
func (h *Collector) certificates(config hsm.ClientConfig) []hsm.ClientCertificate {
	if h.Replay != "" {
		return h.capturedCertificates()
	}
	all := []hsm.ClientCertificate{}
	for _, c := range []struct{ role, file string }{{"client", config.ClientCert}, {"server", config.ServerCA}} {
		text, err := os.ReadFile(c.file)
		for err == nil {
			var block *pem.Block
			if block, text = pem.Decode(text); block == nil {
				break
			}
			if x, bad := x509.ParseCertificate(block.Bytes); bad == nil && block.Type == "CERTIFICATE" {
				all = append(all, hsm.ClientCertificate{Role: c.role, Subject: answer.CleanLine(x.Subject.String()), NotAfter: x.NotAfter})
			}
		}
	}
	return all
}

// runningSince reports whether a process runs that had started by the given time,
// to the second: it may be the one that wrote a line then.
func runningSince(pid int64, at time.Time) bool {
	start, ok := processStart(pid)
	return ok && start.Before(at.Add(time.Second))
}

// processStart returns when a running process started; false if there is none.
func processStart(pid int64) (time.Time, bool) {
	p, err := ps.NewProcess(int32(pid))
	if err != nil {
		return time.Time{}, false
	}
	created, err := p.CreateTime()
	return time.UnixMilli(created), err == nil
}
