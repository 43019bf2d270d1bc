package modules

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var objectType = regexp.MustCompile(`(?m)^(\w+) OBJECT-TYPE\n\s+SYNTAX\s+([^\n]+)\n(?:\s+UNITS[^\n]+\n)?\s+MAX-ACCESS\s+read-only`)

// TestModules compares the declared tables with the MIB modules: every object is in both
// and has the same OID.
func TestModules(t *testing.T) {
	if _, err := exec.LookPath("snmptranslate"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("snmptranslate is missing: apt-get install snmp")
		}
		t.Skip("SKIPPED: snmptranslate is missing: apt-get install snmp")
	}
	out, err := exec.Command("snmptranslate", "-M", "../../mibs:../../mibs/base", "-m", "ALL", "-Tz").Output()
	if err != nil {
		t.Fatal(err)
	}
	oids := make(map[string]string)
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if f := strings.Split(lines.Text(), `"`); len(f) == 5 {
			oids[f[1]] = f[3]
		}
	}
	declared := map[string]bool{"ssLogReference": true} // only notifications have it
	for name, oid := range Tables().Objects() {
		declared[name] = true
		if oids[name] != oid.String() {
			t.Errorf("%s is %s in the modules and %s here", name, oids[name], oid)
		}
	}
	for name, oid := range Tables().OIDs() {
		if oids[name] != oid.String() {
			t.Errorf("%s is %s in the modules and %s here", name, oids[name], oid)
		}
	}
	for i, name := range []string{"lunaCapabilityLunawatch", "lunaCapabilityAlarm", "lunaCapabilityVendor", "lunaCapabilityEntity"} {
		if id := Capabilities()[i].ID; oids[name] != id.String() {
			t.Errorf("%s is %s in the modules and %s here", name, oids[name], id)
		}
	}
	modules, _ := filepath.Glob("../../mibs/*.txt")
	if len(modules) == 0 {
		t.Fatal("no MIB modules")
	}
	for _, file := range modules {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range objectType.FindAllSubmatch(text, -1) {
			if !declared[string(m[1])] {
				t.Errorf("%s: nothing serves %s", file, m[1])
			}
		}
	}
}
