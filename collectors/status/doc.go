// Package status parses the answers of LunaSH about the appliance itself, the
// commands "status": one file per command, each with the [answer.Format] of its
// answer. All parsers are pure functions of text.
package status
