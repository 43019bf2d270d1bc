// Command lunasim runs a pretend estate of Luna HSMs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/lunawatch/lunawatch/simulator"
)

const usage = `usage: lunasim -state-dir DIR [flags]
       lunasim inject -state-dir DIR [-appliance PATTERN] EVENT [ARG...]
       lunasim counts -state-dir DIR
       lunasim lunacm [-state-dir DIR | -scenario FILE]

Simulates Luna appliances. Once they can be reached, one line of JSON on
standard output says how; then it runs until SIGINT or SIGTERM.

`

// Exit codes, as those of lunawatch.
const (
	exitOK    = 0
	exitError = 1 // the command failed; standard error says why
	exitUsage = 2 // the command line or a value in it is wrong
)

// A terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	args := os.Args[1:]
	if filepath.Base(os.Args[0]) == "lunacm" { // a link in the state directory of a simulation
		args = append([]string{"lunacm", "-state-dir", filepath.Dir(os.Args[0])}, args...)
	}
	os.Exit(terminal{os.Stdin, os.Stdout, os.Stderr}.run(ctx, args))
}

func (t terminal) run(ctx context.Context, args []string) int {
	if len(args) > 0 {
		switch args[0] {
		case "inject":
			return t.inject(ctx, args[1:])
		case "counts":
			return t.counts(ctx, args[1:])
		case "lunacm":
			return t.lunaCM(ctx, args[1:])
		}
	}
	return t.simulate(ctx, args)
}

func (t terminal) simulate(ctx context.Context, args []string) int {
	var c simulator.Config
	flags := t.flags("lunasim", "")
	flags.StringVar(&c.ListenAddress, "ssh.listen-address", "127.0.0.1:0", "`host:port` of the first SSH server; the others take the next ports, with port 0 any")
	flags.StringVar(&c.StateDir, "state-dir", "", "`directory` for keys, logs and the control socket")
	flags.StringVar(&c.Scenario, "scenario", "", "scenario `file`; without it three appliances of 5.4, 6.2 and 7.2")
	flags.StringVar(&c.PasswordFile, "ssh.password-file", "", "`file` with the password of user monitor; without it one is made in the state directory")
	flags.StringVar(&c.AuthorizedKeys, "ssh.authorized-keys", "", "`file` with public keys of user monitor")
	fleetFlags(flags, &c.Fleet)
	if err := parse(flags, args, 0); err != nil {
		return usageCode(err)
	}
	if fault := fleetFault(flags); fault != "" {
		fmt.Fprintln(t.err, "lunasim:", fault)
		return exitUsage
	}
	if c.StateDir == "" {
		flags.Usage()
		return exitUsage
	}
	if _, _, err := net.SplitHostPort(c.ListenAddress); err != nil {
		fmt.Fprintf(t.err, "lunasim: -ssh.listen-address %q is not host:port\n", c.ListenAddress)
		return exitUsage
	}
	c.Log = slog.New(slog.NewTextHandler(t.err, nil))
	return t.code("lunasim", runEstate(ctx, c, t.out))
}

// fleetFlags adds the flags of a fleet.
func fleetFlags(flags *flag.FlagSet, f *simulator.Fleet) {
	flags.IntVar(&f.Size, "fleet", 0, "a fleet of `N` appliances with 20 partitions each, in place of a scenario")
	flags.Func("fleet.models", "`versions` that the fleet has in turns, such as 5.4,6.2,7.2; without it 7.2", func(text string) error {
		f.Models = strings.Split(text, ",")
		return nil
	})
	flags.BoolVar(&f.REST, "fleet.rest", false, "the fleet has the REST API, too")
	flags.BoolVar(&f.Syslog, "fleet.syslog", false, "the fleet writes its logs into files")
}

// fleetFault returns what is wrong with the flags of a fleet together.
func fleetFault(flags *flag.FlagSet) string {
	given := map[string]string{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = f.Value.String() })
	size, fleet := given["fleet"]
	switch {
	case fleet && given["scenario"] != "":
		return "-fleet or -scenario, not both"
	case size == "0":
		return "a fleet has at least one appliance"
	}
	for _, name := range []string{"fleet.models", "fleet.rest", "fleet.syslog"} {
		if _, set := given[name]; set && !fleet {
			return "-" + name + " is for -fleet"
		}
	}
	return ""
}

func runEstate(ctx context.Context, c simulator.Config, out io.Writer) error {
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
		if err := json.NewEncoder(out).Encode(r); err != nil {
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

func (t terminal) inject(ctx context.Context, args []string) int {
	var dir, appliance string
	flags := t.flags("lunasim inject", "\nEvents:\n"+simulator.Help())
	flags.StringVar(&dir, "state-dir", "", "`directory` of the running simulation")
	flags.StringVar(&appliance, "appliance", "", "`pattern` of the names of the appliances, such as hsm-00[1-3]*; without it all")
	if err := parse(flags, args, 99); err != nil {
		return usageCode(err)
	}
	if dir == "" || flags.NArg() == 0 {
		flags.Usage()
		return exitUsage
	}
	ev := simulator.Event{Name: flags.Arg(0), Args: flags.Args()[1:]}
	return t.code("lunasim inject", simulator.InjectInto(ctx, dir, appliance, ev))
}

// counts prints those of the running simulation, in one line of JSON.
func (t terminal) counts(ctx context.Context, args []string) int {
	var dir string
	flags := t.flags("lunasim counts", "")
	flags.StringVar(&dir, "state-dir", "", "`directory` of the running simulation")
	if err := parse(flags, args, 0); err != nil {
		return usageCode(err)
	}
	if dir == "" {
		flags.Usage()
		return exitUsage
	}
	c, err := simulator.CountsOf(ctx, dir)
	if err == nil {
		err = json.NewEncoder(t.out).Encode(c)
	}
	return t.code("lunasim counts", err)
}

func (t terminal) lunaCM(ctx context.Context, args []string) int {
	var dir, scenario string
	flags := t.flags("lunasim lunacm", "")
	flags.StringVar(&dir, "state-dir", "", "`directory` of the running simulation; without it a new one")
	flags.StringVar(&scenario, "scenario", "", "scenario `file` of a new one")
	if err := parse(flags, args, 0); err != nil {
		return usageCode(err)
	}
	l, err := simulator.LunaCMOf(dir), error(nil)
	if dir == "" {
		l, err = simulator.LunaCMAlone(scenario)
	}
	if err == nil {
		err = l.Run(ctx, t.in, t.out)
	}
	return t.code("lunasim lunacm", err)
}

// flags returns the flags of a command. Its help ends with more.
func (t terminal) flags(name, more string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(t.err)
	flags.Usage = func() {
		fmt.Fprint(t.err, usage)
		flags.PrintDefaults()
		fmt.Fprint(t.err, more)
	}
	return flags
}

// parse takes at most so many words after the flags. It prints what it returns.
func parse(flags *flag.FlagSet, args []string, words int) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > words {
		err := fmt.Errorf("%s: unexpected argument %q", flags.Name(), flags.Arg(words))
		fmt.Fprintln(flags.Output(), err)
		flags.Usage()
		return err
	}
	return nil
}

func usageCode(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	return exitUsage
}

func (t terminal) code(name string, err error) int {
	if err != nil {
		fmt.Fprintf(t.err, "%s: %v\n", name, err)
		return exitError
	}
	return exitOK
}
