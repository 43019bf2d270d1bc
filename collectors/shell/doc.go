// Package shell parses the answers of the Luna command shells, LunaSH and LunaCM:
// one file per command, each with the [answer.Format] of its answer. All
// parsers are pure functions of text. It knows no transport, and not when or how
// often a command is sent.
package shell
