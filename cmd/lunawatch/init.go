package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/agent/setup"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A list is a flag that may be repeated.
type list []string

// String implements [flag.Value].
func (l *list) String() string { return strings.Join(*l, " ") }

// Set implements [flag.Value].
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// initializing is what lunawatch init was given.
type initializing struct {
	std       stdio
	in        *bufio.Reader // nil: there is no terminal to ask at
	confirmed list
	rest      bool
	restPort  string
}

func initCommand(flags *flag.FlagSet) action {
	var named list
	i := new(initializing)
	plan := setup.Plan{}
	flags.Var(&named, "hsm", "`NAME=ADDRESS` of an appliance; may be repeated, and is asked for at a terminal")
	flags.Var(&i.confirmed, "yes-fingerprint", "`FINGERPRINT` that was compared with the appliance's, for scripts; may be repeated")
	flags.BoolVar(&i.rest, "rest", false, "use the REST API of the appliances, too")
	flags.StringVar(&i.restPort, "rest-port", "8443", "`PORT` of the REST API")
	flags.StringVar(&plan.User, "user", "monitor", "`USER` with role monitor, the same on every appliance")
	flags.StringVar(&plan.PasswordFile, "password-file", "/etc/lunawatch/monitor.password", "`FILE` with the password of that user in its first line")
	flags.StringVar(&plan.Directory, "state-directory", "", "`DIRECTORY` of the agent's state and control socket, if they are not in those of the packages")
	out := flags.String("out", defaultConfig, "configuration `FILE` to write; none is overwritten")
	return func(ctx context.Context, _ []string, std stdio) error {
		i.std = std
		if isTerminal(std.in) {
			i.in = bufio.NewReader(std.in)
		}
		if err := setup.Free(*out); err != nil {
			return err
		}
		plan.Host = setup.Find("")
		plan.Host.Listen = listenable()
		printHost(std.out, plan.Host)
		var err error
		if plan.Appliances, err = i.appliances(ctx, named, plan.Host); err != nil {
			return err
		}
		printToType(std.out, plan)
		if _, err := setting.File(plan.PasswordFile).Line(1); err != nil {
			return passwordMissing(plan.PasswordFile, err)
		}
		if err := setup.Write(ctx, *out, plan.Config()); err != nil {
			return err
		}
		printNext(std.out, *out)
		return nil
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

// listenable returns where forwarded logs can be received; "": something is there.
func listenable() string {
	address := "0.0.0.0:" + setup.ListenPort
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		return ""
	}
	conn.Close()
	return address
}

// appliances returns those that are named, or that somebody names, with the keys that
// were confirmed.
func (i *initializing) appliances(ctx context.Context, named []string, host setup.Host) (all []setup.Appliance, err error) {
	if len(named) == 0 && i.in != nil {
		if named, err = i.askNames(ctx); err != nil {
			return nil, err
		}
	}
	if len(named) == 0 && host.Groups == 0 && len(host.Cards) == 0 {
		return nil, usagef("there is nothing to watch; name an appliance with -hsm NAME=ADDRESS")
	}
	for _, text := range named {
		a, err := setup.Parse(text)
		if err != nil {
			return nil, usageFault{err}
		}
		if slices.ContainsFunc(all, func(b setup.Appliance) bool { return a.Name == b.Name || a.Address == b.Address }) {
			return nil, usagef("%s is named twice, or has the address of another", a.Name)
		}
		port := ""
		if i.rest {
			port = i.restPort
		}
		if err := a.Fetch(ctx, port); err != nil {
			return nil, err
		}
		for _, s := range a.Shown() {
			if err := i.confirm(ctx, s); err != nil {
				return nil, err
			}
		}
		a.Logs = host.LogsOf(a)
		all = append(all, a)
	}
	return all, nil
}

func (i *initializing) askNames(ctx context.Context) (named []string, err error) {
	fmt.Fprintln(i.std.out, "Name the appliances to be watched, as NAME=ADDRESS; an empty line ends the list.")
	for {
		line, err := i.ask(ctx, "appliance: ")
		if err != nil || line == "" {
			return named, err
		}
		named = append(named, line)
	}
}

// confirm returns an error unless somebody has compared a fingerprint.
func (i *initializing) confirm(ctx context.Context, s setup.Shown) error {
	fmt.Fprintf(i.std.out, "%s\n    %s\n    Compare it %s.\n", s.Of, s.Fingerprint, s.Compare)
	switch {
	case slices.Contains(i.confirmed, s.Fingerprint):
		fmt.Fprintln(i.std.out, "    It is as given with -yes-fingerprint.")
		return nil
	case len(i.confirmed) > 0:
		return fmt.Errorf("%s is %s, and not as given with -yes-fingerprint; nothing was written. Find out why before you go on: somebody may be in between", s.Of, s.Fingerprint)
	case i.in == nil:
		return fmt.Errorf("%s was not confirmed; nothing was written. Compare %s, then answer at a terminal, or give it with -yes-fingerprint", s.Of, s.Fingerprint)
	}
	answer, err := i.ask(ctx, "    Do they agree? (yes or no) ")
	if err == nil && answer != "yes" {
		err = fmt.Errorf("%s was not confirmed; nothing was written", s.Of)
	}
	return err
}

// ask returns what somebody types, without blanks around it.
func (i *initializing) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(i.std.out, question)
	type typed struct {
		line string
		err  error
	}
	answer := make(chan typed, 1)
	go func() {
		line, err := i.in.ReadString('\n')
		answer <- typed{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		return "", errors.New("interrupted; nothing was written")
	case t := <-answer:
		if t.err != nil && t.line == "" {
			return "", errors.New("the input has ended; nothing was written")
		}
		return t.line, nil
	}
}

// passwordMissing says how to store the password.
func passwordMissing(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("-password-file: %s does not exist, so nothing was written. Store the account's password in its first line, then repeat this command:\n    install -m 640 -g lunawatch /dev/null %s && editor %s", file, file, file)
	}
	return fmt.Errorf("-password-file: %w; nothing was written", err)
}

// printHost prints what was found.
func printHost(w io.Writer, h setup.Host) {
	fmt.Fprintln(w, "On this host:")
	for _, row := range [][2]string{
		{"Luna client", h.ClientConfig}, {"its appliances", strings.Join(h.Servers, ", ")}, {"LunaCM", h.LunaCM}, {"HSM cards", strings.Join(h.Cards, ", ")},
		{"snmpd's AgentX", h.AgentX}, {"logs of appliances", strings.Join(h.Logs, ", ")},
	} {
		if row[1] == "" {
			row[1] = "none found"
		}
		fmt.Fprintf(w, "  %-20s %s\n", row[0], row[1])
	}
	fmt.Fprintln(w)
}

// printToType prints what an administrator has to type at appliances and on this host.
func printToType(w io.Writer, p setup.Plan) {
	for _, a := range p.Appliances {
		fmt.Fprintf(w, "\nIn LunaSH of %s, as admin (unless it is done):\n\n%s", a.Name, indented(p.Account()+p.Forwarding(a)))
	}
	if len(p.Appliances) > 0 {
		fmt.Fprintf(w, "\nThe first password of an account must be changed: log in once as %s, and store the new one in %s.\n", p.User, p.PasswordFile)
		fmt.Fprintln(w, "Releases 5 need \"service restart syslog\" after syslog remotehost add.")
	}
	fmt.Fprintf(w, "\nIn snmpd.conf, for SNMP (Debian's package lunawatch has it in snmpd.conf.d):\n\n%s\n", indented(setup.Snmpd))
}

func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}

// printNext prints how to go on.
func printNext(w io.Writer, file string) {
	fmt.Fprintf(w, "%s is written. Next, once somebody is notified (receivers):\n\n", file)
	named := ""
	if file != defaultConfig {
		named = " -config.file " + file
	}
	fmt.Fprint(w, indented("lunawatch doctor"+named+"\nsystemctl enable --now lunawatch\nlunawatch alarms test"))
}
