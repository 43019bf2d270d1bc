package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"os"

	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/agent/setup"
)

func initCommand(flags *flag.FlagSet) action {
	var plan setup.Plan
	var named []string
	var d setup.Dialogue
	flags.Func("hsm", "`NAME=ADDRESS` of an appliance; may be repeated, and is asked for at a terminal", func(s string) error { named = append(named, s); return nil })
	flags.Func("yes-fingerprint", "`FINGERPRINT` that was compared with the appliance's, for scripts; may be repeated", func(s string) error { d.Confirmed = append(d.Confirmed, s); return nil })
	rest := flags.Bool("rest", false, "use the REST API of the appliances, too")
	restPort := flags.String("rest-port", "8443", "`PORT` of the REST API")
	flags.StringVar(&plan.User, "user", "monitor", "`USER` with role monitor, the same on every appliance")
	flags.StringVar(&plan.PasswordFile, "password-file", "/etc/lunawatch/monitor.password", "`FILE` with the password of that user in its first line")
	flags.StringVar(&plan.Directory, "state-directory", "", "`DIRECTORY` of the agent's state and control socket, if they are not in those of the packages")
	out := flags.String("out", defaultConfig, "configuration `FILE` to write; none is overwritten")
	return func(ctx context.Context, _ []string, std stdio) error {
		d.Out = std.out
		if isTerminal(std.in) {
			d.In = bufio.NewReader(std.in)
		}
		if *rest {
			d.RESTPort = *restPort
		}
		next := []string{"lunawatch doctor", "systemctl enable --now lunawatch", "lunawatch alarms test"}
		if *out != defaultConfig {
			next[0] += " -config.file " + *out
		}
		err := d.Make(ctx, plan, named, *out, next)
		if errors.Is(err, setup.ErrNamed) {
			return usageFault{err}
		}
		return err
	}
}

// isTerminal reports whether somebody sits at what is read or written.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
