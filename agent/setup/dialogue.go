package setup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// ErrNamed is of appliances that are not named as they must be.
var ErrNamed = errors.New("name each appliance once, as -hsm NAME=ADDRESS, such as -hsm luna-a=192.0.2.10")

// A Dialogue makes a first configuration with somebody, or with what it is given.
type Dialogue struct {
	In        *bufio.Reader // where somebody answers; nil: nobody does
	Out       io.Writer
	Confirmed []string // fingerprints that somebody has compared
	RESTPort  string   // of the REST APIs; "": they are not used
}

// Make completes p with what is found, with the appliances that are named or asked for,
// and with their keys, once confirmed. It prints what is to be typed at them, writes the
// configuration to a file, and prints what comes next. An error, or the end of ctx, leaves
// nothing behind.
func (d Dialogue) Make(ctx context.Context, p Plan, named []string, file string, next []string) (err error) {
	if err := Free(file); err != nil {
		return err
	}
	p.Host = Find("")
	p.Host.Listen = listenable()
	printHost(d.Out, p.Host)
	if p.Appliances, err = d.appliances(ctx, named, p.Host); err != nil {
		return err
	}
	printToType(d.Out, p)
	if err := d.password(ctx, p.PasswordFile); err != nil {
		return err
	}
	if err := Write(ctx, file, p.Config()); err != nil {
		return err
	}
	fmt.Fprintf(d.Out, "%s is written. Next, once somebody is notified (receivers):\n\n%s", file, indent(strings.Join(next, "\n")))
	return nil
}

// listenable returns where forwarded logs can be received; "": something is there.
func listenable() string {
	address := "0.0.0.0:" + ListenPort
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		return ""
	}
	conn.Close()
	return address
}

// appliances returns those that are named, or that somebody names, with the keys that
// were confirmed.
func (d Dialogue) appliances(ctx context.Context, named []string, host Host) (all []Appliance, err error) {
	if len(named) == 0 && d.In != nil {
		if named, err = d.askNames(ctx); err != nil {
			return nil, err
		}
	}
	if len(named) == 0 && host.Groups == 0 && len(host.Cards) == 0 {
		return nil, fmt.Errorf("there is nothing to watch: %w", ErrNamed)
	}
	for _, text := range named {
		a, err := Parse(text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(b Appliance) bool { return a.Name == b.Name || a.Address == b.Address }) {
			return nil, fmt.Errorf("%s is named twice, or has the address of another: %w", a.Name, ErrNamed)
		}
		if err := a.Fetch(ctx, d.RESTPort); err != nil {
			return nil, err
		}
		for _, s := range a.Shown() {
			if err := d.confirm(ctx, s); err != nil {
				return nil, err
			}
		}
		a.Logs = host.LogsOf(a)
		all = append(all, a)
	}
	return all, nil
}

func (d Dialogue) askNames(ctx context.Context) (named []string, err error) {
	fmt.Fprintln(d.Out, "Name the appliances to be watched, as NAME=ADDRESS; an empty line ends the list.")
	for {
		line, err := d.ask(ctx, "appliance: ")
		if err != nil || line == "" {
			return named, err
		}
		named = append(named, line)
	}
}

// confirm returns an error unless somebody has compared a fingerprint.
func (d Dialogue) confirm(ctx context.Context, s Shown) error {
	fmt.Fprintf(d.Out, "%s\n    %s\n    Compare it %s.\n", s.Of, s.Fingerprint, s.Compare)
	switch {
	case slices.Contains(d.Confirmed, s.Fingerprint):
		fmt.Fprintln(d.Out, "    It is as given with -yes-fingerprint.")
		return nil
	case len(d.Confirmed) > 0:
		return fmt.Errorf("%s is %s, and not as given with -yes-fingerprint; nothing was written. Find out why before you go on: somebody may be in between", s.Of, s.Fingerprint)
	case d.In == nil:
		return fmt.Errorf("%s was not confirmed; nothing was written. Compare %s, then answer at a terminal, or give it with -yes-fingerprint", s.Of, s.Fingerprint)
	}
	answer, err := d.ask(ctx, "    Do they agree? (yes or no) ")
	if err == nil && answer != "yes" {
		err = fmt.Errorf("%s was not confirmed; nothing was written", s.Of)
	}
	return err
}

// ask returns what somebody types, without blanks around it.
func (d Dialogue) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(d.Out, question)
	type typed struct {
		line string
		err  error
	}
	answer := make(chan typed, 1)
	go func() {
		line, err := d.In.ReadString('\n')
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

// password waits for one in a file. Where nobody can be asked, it must be there.
func (d Dialogue) password(ctx context.Context, file string) error {
	for {
		_, err := setting.File(file).Line(1)
		if err == nil || d.In == nil {
			return passwordMissing(file, err)
		}
		fmt.Fprintf(d.Out, "There is no password yet: %s\n", err)
		if _, err := d.ask(ctx, "Store that of the account in the first line of "+file+", at another terminal, then press Enter: "); err != nil {
			return err
		}
	}
}

// passwordMissing says how to store the password.
func passwordMissing(file string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("-password-file: %s does not exist, so nothing was written. Store the account's password in its first line, then repeat this command:\n    install -m 640 -g lunawatch /dev/null %s && editor %s", file, file, file)
	}
	return fmt.Errorf("-password-file: %w; nothing was written", err)
}

// printHost prints what was found.
func printHost(w io.Writer, h Host) {
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
func printToType(w io.Writer, p Plan) {
	for _, a := range p.Appliances {
		fmt.Fprintf(w, "\nIn LunaSH of %s, as admin (unless it is done):\n\n%s", a.Name, indent(p.Account()+p.Forwarding(a)))
	}
	if len(p.Appliances) > 0 {
		fmt.Fprintf(w, "\nThe first password of an account must be changed: log in once as %s, and store the new one in %s.\n", p.User, p.PasswordFile)
		fmt.Fprintln(w, "Releases 5 need \"service restart syslog\" after syslog remotehost add.")
	}
	fmt.Fprintf(w, "\nIn snmpd.conf, for SNMP (Debian's package lunawatch has it in snmpd.conf.d):\n\n%s\n", indent(Snmpd))
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}
