package traps

import (
	"fmt"
	"strings"
)

const generated = "# Made of the MIB modules by go test ./contrib/traps -update: edits are lost.\n\n"

// category is what SNMPTT files the events under.
const category = "Lunawatch"

// SNMPTT returns events as a file for snmptt.ini's snmptt_conf_files. Each line that
// SNMPTT logs begins with head, the notification and its severity.
func SNMPTT(head string, events []Event) string {
	var b strings.Builder
	b.WriteString(generated)
	for _, e := range events {
		fmt.Fprintf(&b, "EVENT %s %s %q %s\n", e.Name, e.OID, category, e.Severity)
		fmt.Fprintf(&b, "FORMAT %s%s %s %s\n", head, e.Name, e.Severity, e.Message)
		if e.Match != "" {
			fmt.Fprintf(&b, "MATCH %s\n", e.Match)
		}
		fmt.Fprintf(&b, "SDESC\n%s::%s: %s\nEDESC\n\n", e.Module, e.Name, e.Description)
	}
	return b.String()
}
