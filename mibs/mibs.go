// Package mibs holds the MIB modules that Lunawatch serves, as text for people
// and network management systems.
package mibs

import "embed"

// Modules are the modules, each in a file of its name. The folder base, for
// systems without the modules of the IETF, is not among them.
//
//go:embed *.txt
var Modules embed.FS
