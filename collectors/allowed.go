package collectors

import (
	"regexp"
	"slices"

	"github.com/lunawatch/lunawatch/hsm"
)

// allowed is every command that may ever be sent to LunaSH. All are open to
// the role monitor, change nothing, and need no login to the HSM.
var allowed = Allow(
	`hsm show`,
	`hsm information show`,
	`hsm information monitor( -interval [0-9]{1,3})?( -rounds [0-9]{1,5})?`,
	`hsm displaylicenses`,
	`hsm showpolicies`,
	`hsm tamper show`,
	`ntls information show`,
	`ntls certificate show`,
	`partition list`,
	`partition show`,
	`client list`,
	`client show -client ([A-Za-z0-9._:-]+|"[A-Za-z0-9._: -]+")`,
	`status sensors`,
	`status sysstat show`,
	`status disk`,
)

// allowedLunaCM is every line that may ever be sent to LunaCM. None of the
// commands changes anything but the slot of its own process or needs a login;
// the empty line is the only answer that a prompt ever gets.
var allowedLunaCM = Allow(
	``,
	`exit`,
	`slot list`,
	`slot set -slot [0-9]{1,4}`,
	`hsm showinfo`,
	`hsm envshow`,
	`hsm monitor`,
	`hsm tampershow`,
	`hsm showpolicies`,
	`partition showinfo`,
	`partition showpolicies`,
	`role show -name co`,
	`hagroup listgroups`,
)

// vtlArguments are the only ones that vtl, the tool of old Luna clients, is
// ever started with: they list the HA groups, and ask for no password.
var vtlArguments = []string{"haAdmin", "-show"}

// Allowed returns an error unless command may be sent to an appliance.
func Allowed(command string) error { return allowed.Check(command) }

// AllowedLunaCM returns an error unless line may be sent to LunaCM.
func AllowedLunaCM(line string) error { return allowedLunaCM.Check(line) }

// An AllowList is every command that may ever be sent one way to an HSM.
type AllowList []*regexp.Regexp

// Allow returns the list of the commands that one of patterns matches whole.
func Allow(patterns ...string) AllowList {
	list := make(AllowList, len(patterns))
	for i, p := range patterns {
		list[i] = regexp.MustCompile(`\A(?:` + p + `)\z`)
	}
	return list
}

// Has reports whether command is on the list.
func (l AllowList) Has(command string) bool {
	return slices.ContainsFunc(l, func(a *regexp.Regexp) bool { return a.MatchString(command) })
}

// Check returns an error unless command is on the list.
func (l AllowList) Check(command string) error {
	if l.Has(command) {
		return nil
	}
	return failed(hsm.Command, "command %q is not on the list of commands that change nothing; it was not sent", command)
}
