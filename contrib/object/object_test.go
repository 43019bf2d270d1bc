package object

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib/modules"
)

func read(t *testing.T) map[string]Object {
	t.Helper()
	ours, err := filepath.Glob("../../mibs/*.txt")
	check.Must(t, err)
	base, err := filepath.Glob("../../mibs/base/*.txt")
	check.Must(t, err)
	var texts []string
	for _, file := range slices.Concat(ours, base) {
		text, err := os.ReadFile(file)
		check.Must(t, err)
		texts = append(texts, string(text))
	}
	list, err := Read(texts)
	check.Must(t, err)
	byName := make(map[string]Object)
	for _, o := range list {
		byName[o.Name] = o
	}
	return byName
}

// TestServed: every object that is served is read from its module, with its OID.
func TestServed(t *testing.T) {
	objects := read(t)
	n := 0
	for name, oid := range modules.Tables().Objects() {
		if o := objects[name]; o.OID != oid.String() || !o.Accessible {
			t.Errorf("%s of %v is read as %+v", name, oid, o)
		}
		n++
	}
	if n < 200 {
		t.Errorf("%d objects are served", n)
	}
}

// TestRead: what is read of objects of each kind.
func TestRead(t *testing.T) {
	objects := read(t)
	truth := []Label{{1, "true"}, {2, "false"}}
	for _, want := range []Object{
		{Name: "lunaHsmBattery", OID: "1.3.6.1.4.1.8072.9999.9999.5862.1.5.1.16", Syntax: "Integer32", Units: "millivolts", Accessible: true, Index: []string{"lunaHsmKey"}, Description: "Voltage of the battery of the card."},
		{Name: "lunaHsmTamper", OID: "1.3.6.1.4.1.8072.9999.9999.5862.1.5.1.35", Syntax: "INTEGER", Accessible: true, Index: []string{"lunaHsmKey"}, Description: "Whether a tamper is active.", Labels: []Label{{1, "none"}, {2, "detected"}}},
		{Name: "lunaRoleLockedOut", OID: "1.3.6.1.4.1.8072.9999.9999.5862.1.7.1.5", Syntax: "TruthValue", Accessible: true, Index: []string{"lunaHsmKey", "lunaRolePartition", "lunaRoleName"}, Description: "Whether the role is locked out.", Labels: truth},
		{Name: "lunaSensorName", OID: "1.3.6.1.4.1.8072.9999.9999.5862.1.8.1.2", Syntax: "SnmpAdminString", Index: []string{"lunaHsmKey", "lunaSensorPart", "lunaSensorName"}, Description: "Name of the sensor as the device prints it; Battery and Temperature for those of the card."},
		{Name: "lunaAgentState", OID: "1.3.6.1.4.1.8072.9999.9999.5862.1.1.8", Syntax: "LunaState", Accessible: true, Description: "The worst state of all HSMs, hosts and of the agent itself, as 'lunawatch status' says; critical is the worst, then unknown.", Labels: []Label{{1, "ok"}, {2, "warning"}, {3, "critical"}, {4, "unknown"}}},
	} {
		if diff := cmp.Diff(want, objects[want.Name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
	if got := objects["entPhySensorValue"].Index; !slices.Equal(got, []string{"entPhysicalIndex"}) {
		t.Errorf("the index of entPhySensorValue is %v", got)
	}
}

// TestNoParent: an object that leads nowhere is an error.
func TestNoParent(t *testing.T) {
	_, err := Read([]string{"a OBJECT-TYPE SYNTAX Integer32 MAX-ACCESS read-only STATUS current DESCRIPTION \"x\" ::= { nobody 1 }"})
	if err == nil || err.Error() != "a: nothing leads from nobody to iso" {
		t.Errorf("error %v", err)
	}
}
