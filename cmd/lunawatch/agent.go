package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/capture"
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
	lifecycle := flags.Bool("web.enable-lifecycle", false, "have POST /-/reload read the configuration anew, for whoever may use the web server")
	force := flags.Bool("force", false, "start although nothing is configured to be watched; all alarms end then")
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
		read := func() (config.Config, error) {
			c, err := config.Read(*file)
			if err == nil && *vendor != "" {
				err = c.SNMP.ReadVendor(*vendor)
			}
			return c, err
		}
		c, err := read()
		if err == nil && *replay != "" {
			err = capture.Replay(&c, *replay)
			read = func() (config.Config, error) {
				return c, errors.New("a replay has no configuration that could be read anew; restart it")
			}
		}
		if err != nil {
			return err
		}
		if !c.Watches() && !*force {
			return fmt.Errorf("%s has no HSM, card or HA group: nothing would be watched, and all alarms would end; configure one (hsms, lunacm, ha), or start with -force", *file)
		}
		a := agent.New(c, agent.Web{
			Flags: &web.FlagConfig{
				WebListenAddresses: &[]string{*listen},
				WebSystemdSocket:   systemd,
				WebConfigFile:      webConfig,
			},
			TelemetryPath: *path,
			Lifecycle:     *lifecycle,
		}, log)
		a.Load = read
		reloadOnHangUp(a)
		keepToItself()
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(heapGrowth)
		}
		return a.Run(ctx)
	}
}

// reloadOnHangUp has a reload at each SIGHUP. What is wrong, the agent logs.
func reloadOnHangUp(a *agent.Agent) {
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	go func() {
		for range hangUp {
			_ = a.Reload(false)
		}
	}()
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
