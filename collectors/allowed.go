package collectors

import (
	"regexp"

	"github.com/lunawatch/lunawatch/hsm"
)

// allowed is every command that may ever be sent to LunaSH. All are open to
// the role monitor, change nothing, and need no login to the HSM.
var allowed = []*regexp.Regexp{
	exactly(`hsm show`),
	exactly(`hsm information show`),
	exactly(`hsm information monitor( -interval [0-9]{1,3})?( -rounds [0-9]{1,5})?`),
	exactly(`hsm displaylicenses`),
	exactly(`hsm showpolicies`),
	exactly(`hsm tamper show`),
	exactly(`ntls information show`),
	exactly(`ntls certificate show`),
	exactly(`partition list`),
	exactly(`partition show`),
	exactly(`client list`),
	exactly(`client show -client ([A-Za-z0-9._:-]+|"[A-Za-z0-9._: -]+")`),
	exactly(`status sensors`),
	exactly(`status sysstat show`),
	exactly(`status disk`),
}

// allowedLunaCM is every line that may ever be sent to LunaCM. None of the
// commands changes anything but the slot of its own process or needs a login;
// the empty line is the only answer that a prompt ever gets.
var allowedLunaCM = []*regexp.Regexp{
	exactly(``),
	exactly(`exit`),
	exactly(`slot list`),
	exactly(`slot set -slot [0-9]{1,4}`),
	exactly(`hsm showinfo`),
	exactly(`hsm envshow`),
	exactly(`hsm monitor`),
	exactly(`hsm tampershow`),
	exactly(`hsm showpolicies`),
	exactly(`partition showinfo`),
	exactly(`partition showpolicies`),
	exactly(`role show -name co`),
	exactly(`hagroup listgroups`),
}

// vtlArguments are the only ones that vtl, the tool of old Luna clients, is
// ever started with: they list the HA groups, and ask for no password.
var vtlArguments = []string{"haAdmin", "-show"}

func exactly(pattern string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + pattern + `)\z`) }

// Allowed returns an error unless command may be sent to an appliance.
func Allowed(command string) error { return allowedBy(allowed, command) }

// AllowedLunaCM returns an error unless line may be sent to LunaCM.
func AllowedLunaCM(line string) error { return allowedBy(allowedLunaCM, line) }

func allowedBy(list []*regexp.Regexp, command string) error {
	for _, a := range list {
		if a.MatchString(command) {
			return nil
		}
	}
	return failed(hsm.Command, "command %q is not on the list of commands that change nothing; it was not sent", command)
}
