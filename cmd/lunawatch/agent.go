package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/exporters"
)

func agentCommand(flags *flag.FlagSet) action {
	file := configFlag(flags)
	vendor := flags.String("agentx.vendor-config", "", "luna-snmp.conf of the vendor's agent, a `FILE`; its agentX options override the configuration")
	replay := flags.String("replay", "", "`FILE` or directory of lunawatch capture, to watch instead of the HSMs")
	listen := flags.String("web.listen-address", agent.DefaultListenAddress, "`ADDRESS` of /metrics and the status page; :9477 for all addresses, with -web.config.file")
	webConfig := flags.String("web.config.file", "", "`FILE` with TLS and basic auth, as Prometheus exporters take it")
	systemd := flags.Bool("web.systemd-socket", false, "take the listening socket from systemd")
	path := flags.String("web.telemetry-path", "/metrics", "`PATH` of the metrics")
	level := flags.String("log.level", "info", "debug, info, warn or error: the `LEVEL` from which on is logged")
	format := flags.String("log.format", "logfmt", "logfmt or json, the `FORMAT` of the log")
	return func(ctx context.Context, _ []string, std stdio) error {
		log, err := newLog(std, *level, *format)
		if err != nil {
			return usageFault{err}
		}
		if err := exporters.ValidPath(*path); err != nil {
			return usagef("-web.telemetry-path %w", err)
		}
		c, err := config.Read(*file)
		if err == nil && *vendor != "" {
			err = c.SNMP.ReadVendor(*vendor)
		}
		if err == nil && *replay != "" {
			err = agent.Replay(&c, *replay)
		}
		if err != nil {
			return err
		}
		a := agent.New(c, agent.Web{
			Flags: &web.FlagConfig{
				WebListenAddresses: &[]string{*listen},
				WebSystemdSocket:   systemd,
				WebConfigFile:      webConfig,
			},
			TelemetryPath: *path,
		}, log)
		keepToItself()
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(heapGrowth)
		}
		return a.Run(ctx)
	}
}

// heapGrowth is by how much of what is in use the heap grows between collections, in
// percent: less than Go's 100, since an agent that shares a host is measured by its memory.
const heapGrowth = 75

// keepToItself has no file of the agent readable to others, and no other process of
// its user read its memory, which holds secrets.
func keepToItself() {
	unix.Umask(0o027)
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
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
