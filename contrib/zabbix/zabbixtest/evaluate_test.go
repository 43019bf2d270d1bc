package zabbixtest

import (
	"slices"
	"testing"
)

// small has an item of each kind, and triggers that depend on each other.
const small = `zabbix_export:
  templates:
  - macros: [{macro: "{$MAX}", value: 2m}]
    items:
    - {key: walk}
    - key: up
      preprocessing: [{type: SNMP_WALK_VALUE, parameters: [1.2.1.0, "0"]}, {type: MULTIPLIER, parameters: ["0.01"]}]
      triggers: [{name: silent, expression: "nodata(/T/up,{$MAX})=1"}, {name: still, expression: "max(/T/up,1m)=min(/T/up,1m)"}]
    discovery_rules:
    - key: rows
      preprocessing: [{type: SNMP_WALK_TO_JSON, parameters: ["{#A}", 1.3.1, "1"]}, {type: JAVASCRIPT, parameters: ["row['{#HSM}'] = text(); row['{#N}'] = ids[at++];"]}]
      item_prototypes:
      - {key: 'a["{#HSM}"]', preprocessing: [{type: SNMP_WALK_VALUE, parameters: ["1.3.1.{#SNMPINDEX}", "1"]}]}
      - {key: 'b["{#HSM}"]', preprocessing: [{type: SNMP_WALK_VALUE, parameters: ["1.3.2.{#SNMPINDEX}", "0"]}]}
      trigger_prototypes:
      - {name: "{#HSM} b", expression: 'last(/T/b["{#HSM}"])<=3*{$MAX:"{#HSM}"}/120 and "{#HSM}"<>"yy"'}
      - {name: "{#HSM} c", expression: 'last(/T/b["{#HSM}"])>0', dependencies: [{name: "{#HSM} b", expression: 'last(/T/b["{#HSM}"])<=3*{$MAX:"{#HSM}"}/120 and "{#HSM}"<>"yy"'}]}
`

// TestEvaluate: rows, values, and what is a problem; what is not known is none.
func TestEvaluate(t *testing.T) {
	const rows = ".1.3.1.2.120.120.7 = Hex-STRING: C3 A9\n.1.3.1.2.121.121.7 = STRING: \"y\"\n.1.3.1.2.122.122.7 = STRING: \"z\"\n"
	for _, c := range []struct {
		name     string
		walks    []Walk
		problems []string
	}{
		{"one fails and suppresses, another is excluded, and of the third nothing is known", []Walk{
			ParseWalk(".1.2.1.0 = Timeticks: (100) 0:00:01.00"),
			ParseWalk(".1.2.1.0 = Timeticks: (200) 0:00:02.00\n" + rows + ".1.3.2.2.120.120.7 = INTEGER: 3\n.1.3.2.2.121.121.7 = Gauge32: 3\n"),
		}, []string{"xx b", "yy c"}},
		{"values stand still", []Walk{ParseWalk(".1.2.1.0 = Timeticks: (100) 0:00:01.00"), ParseWalk(".1.2.1.0 = Timeticks: (100) 0:00:01.00")}, []string{"still"}},
		{"no answer", []Walk{ParseWalk(".1.2.1.0 = No Such Object available on this agent at this OID")}, []string{"silent"}},
	} {
		r, err := Evaluate([]byte(small), c.walks...)
		if err != nil || !slices.Equal(r.Problems, c.problems) {
			t.Errorf("%s: %q, %v", c.name, r.Problems, err)
		}
		if len(c.walks) == 2 && len(c.problems) == 2 && (r.Items["up"] != "2" || r.Items[`a["xx"]`] != "é" || !slices.Contains(r.Unknown, `b["zz"]`)) {
			t.Errorf("%s: %v, unknown %v", c.name, r.Items, r.Unknown)
		}
	}
}
