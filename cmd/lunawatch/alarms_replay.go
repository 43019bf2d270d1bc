package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
)

func alarmsReplay(flags *flag.FlagSet) action {
	device := flags.String("device", "hsm", "name of the HSM whose log it is")
	file := flags.String("config.file", "", "configuration, for its alarms section; the defaults unless given")
	asJSON := jsonFlag(flags)
	return func(_ context.Context, words []string, std stdio) error {
		settings := watch.DefaultSettings()
		if *file != "" {
			c, err := config.Read(*file)
			if err != nil {
				return err
			}
			settings = c.Alarms
		}
		log, written, err := openLog(words[0], std.in)
		if err != nil {
			return err
		}
		defer log.Close()
		var (
			steps []watch.Step
			bad   error
		)
		sum := watch.Replay(*device, logLines(log, &bad), settings, written, func(s watch.Step) { steps = append(steps, s) })
		if bad != nil {
			return fmt.Errorf("%s, after line %d: %w", words[0], sum.Lines, bad)
		}
		if *asJSON {
			return printJSON(std.out, map[string]any{"steps": append([]watch.Step{}, steps...), "summary": sum})
		}
		exporters.ReplayText(std.out, steps, sum)
		return nil
	}
}

// openLog opens a log that may be compressed, and returns when it was last
// written.
func openLog(name string, stdin io.Reader) (log io.ReadCloser, written time.Time, err error) {
	in, written := io.NopCloser(stdin), time.Now()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, written, err
		}
		info, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, written, err
		}
		in, written = f, info.ModTime()
	}
	text := bufio.NewReader(in)
	if magic, _ := text.Peek(2); string(magic) != "\x1f\x8b" {
		return readCloser{text, in}, written, nil
	}
	unpacked, err := gzip.NewReader(text)
	if err != nil {
		in.Close()
		return nil, written, fmt.Errorf("%s: %w", name, err)
	}
	return readCloser{unpacked, in}, written, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// logLines reads every line, cut to what the agent would read of it. err is set
// if it ends early.
func logLines(log io.Reader, err *error) iter.Seq[hsm.LogLine] {
	return func(yield func(hsm.LogLine) bool) {
		lines := bufio.NewScanner(log)
		lines.Buffer(make([]byte, 64<<10), 1<<20)
		for lines.Scan() {
			if !yield(syslog.ParseLine(lines.Text())) {
				return
			}
		}
		*err = lines.Err()
	}
}
