package lunacm

import "github.com/lunawatch/lunawatch/collectors"

// allowed is all the lines that may ever be sent to LunaCM. The commands change
// nothing but the slot of their own process, and need no login. The empty line is
// the only answer that a prompt ever gets.
var allowed = collectors.Allow(
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

// Allowed returns a *[collectors.Failed] at step [hsm.Command] unless line may be
// sent to LunaCM.
func Allowed(line string) error { return allowed.Check(line) }
