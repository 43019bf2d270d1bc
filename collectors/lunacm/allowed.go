package lunacm

import (
	"github.com/lunawatch/lunawatch/collectors"
)

// allowed is every line that may ever be sent to LunaCM. None of the
// commands changes anything but the slot of its own process or needs a login;
// the empty line is the only answer that a prompt ever gets.
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

// Allowed returns an error unless line may be sent to LunaCM.
func Allowed(line string) error { return allowed.Check(line) }
