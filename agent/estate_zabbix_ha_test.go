package agent

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/contrib/zabbix/zabbixtest"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestZabbixHAInOurWords: of an HA group the template shows its members and who is lost, until
// none is alive, which is the only problem of the group then.
func TestZabbixHAInOurWords(t *testing.T) {
	t.Parallel()
	e := startHost(t)
	template, err := os.ReadFile("../contrib/zabbix/lunawatch.yaml")
	check.Must(t, err)
	for _, step := range []struct {
		event, alive string
		want         []string
	}{
		{"", "2", nil},
		{"luna1 gone", "1", []string{"HA group pay of client member 1254600001012: is not alive", "HA group pay of client: no member may be lost any more"}},
		{"luna2 partition-deactivate payments", "0", []string{"HA group pay of client member 1254600001012: is not alive", "HA group pay of client member 1254600002012: is not alive", "HA group pay of client: no member is alive"}},
	} {
		if name, what, found := strings.Cut(step.event, " "); found {
			e.inject(t, name, what)
		}
		var got []string
		zabbixUntil(t, step.event, &got, func() bool {
			list, err := e.client.Walk(t.Context())
			check.Must(t, err)
			walk := make(zabbixtest.Walk)
			for _, i := range list {
				walk["."+i.OID] = i.Value
			}
			r, err := zabbixtest.Evaluate(template, walk)
			check.Must(t, err)
			got = slices.DeleteFunc(r.Problems, func(name string) bool { return !strings.HasPrefix(name, "HA ") })
			return slices.Equal(got, step.want) && r.Items[`lunaHaGroupAlive["client","pay"]`] == step.alive && r.Items[`lunaHaGroupMembers["client","pay"]`] == "2"
		})
		t.Logf("%s: %q", step.event, got)
	}
}
