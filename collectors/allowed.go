package collectors

import (
	"regexp"
	"slices"

	"github.com/lunawatch/lunawatch/hsm"
)

// An AllowList is all the commands that may ever be sent to an HSM over one
// transport.
type AllowList []*regexp.Regexp

// Allow returns the list of the commands that one of the regular expressions
// matches as a whole. It panics if one does not compile.
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

// Check returns a [Failed] at step [hsm.Command] unless command is on the list.
func (l AllowList) Check(command string) error {
	if l.Has(command) {
		return nil
	}
	return Failf(hsm.Command, "command %q is not on the list of commands that change nothing; it was not sent", command)
}
