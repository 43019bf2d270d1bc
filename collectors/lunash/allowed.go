package lunash

import "github.com/lunawatch/lunawatch/collectors"

// allowed is all the commands that may ever be sent to LunaSH. Role monitor may
// use them; they change nothing and need no login to the HSM.
var allowed = collectors.Allow(
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
	`client show -client ([A-Za-z0-9._:][A-Za-z0-9._:-]*|"[A-Za-z0-9._:][A-Za-z0-9._: -]*")`, // a name that begins with - would be an option
	`status sensors`,
	`status sysstat show`,
	`status disk`,
	`status cpu`,
	`status mem`,
)

// Allowed returns a *[collectors.Failed] at step [hsm.Command] unless command may
// be sent to an appliance.
func Allowed(command string) error { return allowed.Check(command) }
