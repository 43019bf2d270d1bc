package agent

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib/modules"
)

// named walks objects by the names of our modules, and returns their values by object and
// instance, such as lunaHsmState[luna72].
func (e *estate) named(tb testing.TB, objects ...string) map[string]string {
	tb.Helper()
	values := make(map[string]string)
	for _, object := range objects {
		out, err := exec.CommandContext(tb.Context(), "snmpwalk", "-v2c", "-c", "public", "-M", "../mibs:../mibs/base", "-m", "ALL", "-OQsXU", "-Pe", e.snmpd.Address, object).Output()
		check.Must(tb, err)
		for line := range strings.Lines(string(out)) {
			if name, value, found := strings.Cut(strings.TrimSpace(line), " = "); found {
				values[name] = value
			}
		}
	}
	return values
}

// remaining are the columns of an HSM of which nothing is fresh.
var remaining = []string{
	"lunaHsmAge", "lunaHsmAlarms", "lunaHsmKind", "lunaHsmName", "lunaHsmReach", "lunaHsmReadAt", "lunaHsmReason", "lunaHsmSerial",
	"lunaHsmSince", "lunaHsmStale", "lunaHsmState", "lunaHsmVendorRow", "lunaHsmWorstAlarm",
}

// TestTwoOfThreeAway: the state of every HSM is what "lunawatch status" says, and of those
// that are away SNMP shows that, and nothing that was measured.
func TestTwoOfThreeAway(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	e.until(t, "SNMP says what lunawatch status says", func() bool {
		got, want := map[string]string{}, map[string]string{}
		for name, value := range e.named(t, "lunaHsmState") {
			got[strings.Trim(strings.TrimPrefix(name, "lunaHsmState"), "[]")] = value
		}
		status, err := e.client.Estate(t.Context())
		check.Must(t, err)
		for _, r := range status.Rows {
			if r.Kind == "network_hsm" {
				want[r.Name] = r.State.String()
			}
		}
		return len(got) == 3 && maps.Equal(got, want)
	})
	for _, away := range []string{"luna54", "luna62"} {
		e.inject(t, away, "gone")
	}
	columns := func(values map[string]string, name string) (list []string) {
		for instance := range values {
			if column, index, _ := strings.Cut(instance, "["); index == name+"]" && !strings.HasPrefix(column, "lunaHsmProven") {
				list = append(list, column)
			}
		}
		slices.Sort(list)
		return list
	}
	var walk map[string]string
	e.until(t, "nothing that was measured remains of the two", func() bool {
		walk = e.named(t, "lunaHsmTable")
		return len(columns(walk, "luna54")) <= len(remaining) && len(columns(walk, "luna62")) <= len(remaining) && walk[`lunaHsmState[luna62]`] == "critical" && walk[`lunaHsmState[luna54]`] == "critical"
	})
	for _, away := range []string{"luna54", "luna62"} {
		if diff := cmp.Diff(remaining, columns(walk, away)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", away, diff)
		}
		if got := walk[`lunaHsmReach[`+away+`]`]; got != "portRefused" {
			t.Errorf("%s: reach %s", away, got)
		}
	}
	if n := len(columns(walk, "luna72")); n < 40 {
		t.Errorf("luna72 has %d columns: %v", n, columns(walk, "luna72"))
	}
	sources := e.named(t, "lunaSourceFailure", "lunaSourceSucceededAt")
	if got := sources[`lunaSourceFailure[luna54][hsm show]`]; got != "unreachable" {
		t.Errorf("hsm show of luna54: %s", got)
	}
	if sources[`lunaSourceSucceededAt[luna54][hsm show]`] == "" {
		t.Errorf("no time of hsm show of luna54 in %v", sources)
	}
	for name := range e.named(t, "lunaPartitionTable", "lunaRoleTable", "lunaSensorTable") {
		if strings.Contains(name, "[luna54]") && !strings.HasPrefix(name, "lunaSensor") || strings.Contains(name, "[luna62][card]") { // status sensors is valid for longer
			t.Errorf("%s remains", name)
		}
	}
}

// TestMissingInstanceOrObject asks snmpd for what is not there: of a column that exists
// there is no such instance (RFC 3416, 4.2.1), and sysORTable has what is implemented.
func TestMissingInstanceOrObject(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	const luna = ".1.3.6.1.4.1.8072.9999.9999.5862.1."
	for oid, want := range map[string]string{
		luna + "5.1.4.1.120":                    "No Such Instance", // lunaHsmState of x, which is not there
		luna + "1.7.1":                          "No Such Instance", // of a scalar
		luna + "5.1.999.6.108.117.110.97.53.52": "No Such Object",   // no such column
		luna + "5.1.1.6.108.117.110.97.53.52":   "No Such Object",   // lunaHsmKey is not accessible
		luna + "99.0":                           "No Such Object",
		".1.3.6.1.4.1.23629.1.5.1.2.1.3.1.120":  "No Such Instance", // hsmLabel
		".1.3.6.1.4.1.23629.1.5.1.2.1.99.1.49":  "No Such Object",
	} {
		if got := e.snmp(t, "snmpget", oid); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", oid, strings.TrimSpace(got), want)
		}
	}
	or := e.snmp(t, "snmpwalk", "-On", ".1.3.6.1.2.1.1.9.1.2")
	for _, capability := range modules.Capabilities() {
		if !strings.Contains(or, "OID: ."+capability.ID.String()+"\n") {
			t.Errorf("%v is not in sysORTable:\n%s", capability.ID, or)
		}
	}
}
