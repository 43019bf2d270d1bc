package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
)

var agentCommand = command{"agent", "watch the HSMs of a configuration file", runAgent}

func runAgent(ctx context.Context, args []string, std stdio) int {
	flags := newFlags("agent", std)
	file := flags.String("config.file", "/etc/lunawatch/lunawatch.yaml", "configuration")
	vendor := flags.String("agentx.vendor-config", "", "luna-snmp.conf of the vendor's agent; its agentX options override the configuration")
	replay := flags.String("replay", "", "directory or archive of lunawatch capture, to watch instead of the HSMs")
	listen := flags.String("web.listen-address", ":9477", "address of /metrics and the status page")
	webConfig := flags.String("web.config.file", "", "TLS and basic auth, as Prometheus exporters take it")
	systemd := flags.Bool("web.systemd-socket", false, "take the listening socket from systemd")
	path := flags.String("web.telemetry-path", "/metrics", "path of the metrics")
	level := flags.String("log.level", "info", "debug, info, warn or error")
	format := flags.String("log.format", "logfmt", "logfmt or json")
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	log, err := newLog(std, *level, *format)
	if err != nil {
		return usageError(std, "agent", err)
	}
	c, err := config.Read(*file)
	if err == nil && *vendor != "" {
		err = c.SNMP.ReadVendor(*vendor)
	}
	if err == nil && *replay != "" {
		err = agent.Replay(&c, *replay)
	}
	if err != nil {
		return fail(std, "agent", err)
	}
	a := agent.New(c, agent.Web{
		Flags: &web.FlagConfig{
			WebListenAddresses: &[]string{*listen},
			WebSystemdSocket:   systemd,
			WebConfigFile:      webConfig,
		},
		TelemetryPath: *path,
	}, log)
	if err := a.Run(ctx); err != nil {
		return fail(std, "agent", err)
	}
	return exitOK
}

func newLog(std stdio, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("-log.level %q is none of debug, info, warn, error", level)
	}
	options := &slog.HandlerOptions{Level: l}
	switch format {
	case "logfmt":
		return slog.New(slog.NewTextHandler(std.err, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(std.err, options)), nil
	}
	return nil, fmt.Errorf("-log.format %q is neither logfmt nor json", format)
}

// newFlags returns the flags of a subcommand; "-x" and "--x" are the same.
func newFlags(name string, std stdio) *flag.FlagSet {
	flags := flag.NewFlagSet("lunawatch "+name, flag.ContinueOnError)
	flags.SetOutput(std.err)
	return flags
}

// parseFlags reports whether the command goes on, with at most so many words
// after the flags; else its exit code.
func parseFlags(flags *flag.FlagSet, args []string, words int) (code int, ok bool) {
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK, false
	case err != nil:
		return exitUsage, false
	case flags.NArg() > words:
		fmt.Fprintf(flags.Output(), "%s: %q is one word too many\n", flags.Name(), flags.Arg(words))
		flags.Usage()
		return exitUsage, false
	}
	return exitOK, true
}

// fail prints an error. Faults of a configuration stand by themselves, so that
// editors find their lines.
func fail(std stdio, name string, err error) int {
	if faults := config.Faults(nil); errors.As(err, &faults) {
		fmt.Fprintln(std.err, faults)
		return exitError
	}
	fmt.Fprintf(std.err, "lunawatch %s: %s\n", name, err)
	return exitError
}

func usageError(std stdio, name string, err error) int {
	fail(std, name, err)
	return exitUsage
}
