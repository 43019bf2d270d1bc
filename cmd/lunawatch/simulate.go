package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/lunawatch/lunawatch/simulator"
)

const simulateUsage = `usage: lunawatch simulate -state-dir DIR [flags]
       lunawatch simulate inject -state-dir DIR [-appliance NAME] EVENT [ARG...]
       lunawatch simulate lunacm [-state-dir DIR | -scenario FILE]

Simulates Luna appliances. Once they can be reached, one line of JSON on
standard output says how; then it runs until SIGINT or SIGTERM.

`

func simulate(ctx context.Context, args []string, std stdio) int {
	if len(args) > 0 && args[0] == "inject" {
		return simulateInject(ctx, args[1:], std)
	}
	if len(args) > 0 && args[0] == "lunacm" {
		return simulateLunaCM(ctx, args[1:], std)
	}
	var c simulator.Config
	flags := newFlags("simulate", std)
	flags.StringVar(&c.ListenAddress, "ssh.listen-address", "127.0.0.1:0", "`host:port` of the first SSH server; the others take the next ports, with port 0 any")
	flags.StringVar(&c.StateDir, "state-dir", "", "`directory` for keys, logs and the control socket")
	flags.StringVar(&c.Scenario, "scenario", "", "scenario `file`; without it three appliances of 5.4, 6.2 and 7.2")
	flags.StringVar(&c.PasswordFile, "ssh.password-file", "", "`file` with the password of user monitor; without it one is made in the state directory")
	flags.StringVar(&c.AuthorizedKeys, "ssh.authorized-keys", "", "`file` with public keys of user monitor")
	flags.Usage = func() {
		fmt.Fprint(std.err, simulateUsage)
		flags.PrintDefaults()
	}
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	if c.StateDir == "" {
		flags.Usage()
		return exitUsage
	}
	if _, _, err := net.SplitHostPort(c.ListenAddress); err != nil {
		fmt.Fprintf(std.err, "lunawatch simulate: -ssh.listen-address %q is not host:port\n", c.ListenAddress)
		return exitUsage
	}
	c.Log = slog.New(slog.NewTextHandler(std.err, nil))
	if err := runEstate(ctx, c, std); err != nil {
		fmt.Fprintf(std.err, "lunawatch simulate: %v\n", err)
		return exitError
	}
	return exitOK
}

func runEstate(ctx context.Context, c simulator.Config, std stdio) error {
	e, err := simulator.New(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	select {
	case r := <-e.Ready():
		if err := linkLunaCM(c.StateDir); err != nil {
			cancel()
			return errors.Join(err, <-ended)
		}
		if err := json.NewEncoder(std.out).Encode(r); err != nil {
			cancel()
			return errors.Join(fmt.Errorf("report that it is ready: %w", err), <-ended)
		}
		return <-ended
	case err := <-ended:
		return err
	}
}

// linkLunaCM creates a link in the state directory: the LunaCM of the
// simulation.
func linkLunaCM(dir string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	link := filepath.Join(dir, "lunacm")
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(program, link)
}

func simulateInject(ctx context.Context, args []string, std stdio) int {
	var dir, appliance string
	flags := newFlags("simulate inject", std)
	flags.StringVar(&dir, "state-dir", "", "`directory` of the running simulation")
	flags.StringVar(&appliance, "appliance", "", "`name` of the appliance; without it all")
	flags.Usage = func() {
		fmt.Fprint(std.err, simulateUsage)
		flags.PrintDefaults()
		fmt.Fprintf(std.err, "\nEvents:\n%s", simulator.Help())
	}
	if code, ok := parseFlags(flags, args, 99); !ok {
		return code
	}
	if dir == "" || flags.NArg() == 0 {
		flags.Usage()
		return exitUsage
	}
	ev := simulator.Event{Name: flags.Arg(0), Args: flags.Args()[1:]}
	if err := simulator.InjectInto(ctx, dir, appliance, ev); err != nil {
		fmt.Fprintf(std.err, "lunawatch simulate inject: %v\n", err)
		return exitError
	}
	return exitOK
}

func simulateLunaCM(ctx context.Context, args []string, std stdio) int {
	var dir, scenario string
	flags := newFlags("simulate lunacm", std)
	flags.StringVar(&dir, "state-dir", "", "`directory` of the running simulation; without it a new one")
	flags.StringVar(&scenario, "scenario", "", "scenario `file` of a new one")
	flags.Usage = func() {
		fmt.Fprint(std.err, simulateUsage)
		flags.PrintDefaults()
	}
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	l, err := simulator.LunaCMOf(dir), error(nil)
	if dir == "" {
		l, err = simulator.LunaCMAlone(scenario)
	}
	if err == nil {
		err = l.Run(ctx, std.in, std.out)
	}
	if err != nil {
		fmt.Fprintf(std.err, "lunawatch simulate lunacm: %v\n", err)
		return exitError
	}
	return exitOK
}
