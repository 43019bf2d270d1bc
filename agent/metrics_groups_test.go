package agent

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/prometheus/client_golang/prometheus"
)

// lost is what a site does not see that excludes a group.
var lost = map[string]string{
	"policy":    "values of capabilities and policies",
	"role":      "whether roles are locked out, activated or initialized, and their login attempts; the alarm on a locked one stays",
	"threshold": "limits of the appliance's sensors",
	"info":      "names, labels, firmware, licences, clients",
}

// TestGroupsInDocumentation: docs/metrics.md has what each group of metrics costs
// for the captured HSM of release 7.2, as if it had 20 partitions.
func TestGroupsInDocumentation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := replayed(t)
		captured := store.Latest().Device("luna72").Partitions
		var partitions hsm.Partitions
		for i := range 20 {
			p := captured.Value[0]
			p.Serial, p.Name = fmt.Sprint(1000+i), fmt.Sprintf("partition%d", i)
			partitions = append(partitions, p)
		}
		store.Apply(hsm.Observation{Device: "luna72", Source: captured.Source, At: time.Now(), MaxAge: captured.MaxAge, Facts: []hsm.Fact{partitions}})
		families, series := count(scraped(store, "/metrics?device=luna72"))
		var table strings.Builder
		table.WriteString("| group | families | series | what is lost |\n|---|---|---|---|\n")
		restFamilies, restSeries := families, series
		for _, group := range exporters.Groups() {
			f, s := count(scraped(store, "/metrics?device=luna72", group))
			fmt.Fprintf(&table, "| `%s` | %d | %d | %s |\n", group, families-f, series-s, lost[group])
			restFamilies, restSeries = restFamilies-(families-f), restSeries-(series-s)
		}
		fmt.Fprintf(&table, "| all others | %d | %d | they cannot be left out |\n", restFamilies, restSeries)
		text, err := os.ReadFile("../docs/metrics.md")
		check.Must(t, err)
		if !strings.Contains(string(text), table.String()) {
			t.Errorf("docs/metrics.md lacks this table:\n%s", &table)
		}
	})
}

// count returns the numbers of families and of series of an exposition.
func count(text []byte) (families, series int) {
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "# HELP"):
			families++
		case !strings.HasPrefix(line, "#"):
			series++
		}
	}
	return families, series
}

// TestExcludedByConfiguration: a group that the configuration excludes is not
// served.
func TestExcludedByConfiguration(t *testing.T) {
	for text, want := range map[string]bool{"": true, "metrics: {exclude: [info, policy]}\n": false, "metrics: {exclude: [info]}\n": true} {
		c, err := config.Parse([]byte(text + "snmp: {enabled: false}\nhost: {enabled: false}\nhsms: [{name: a, replay: captured}]\n"))
		check.Must(t, err)
		a := New(c, Web{}, slog.New(slog.DiscardHandler))
		policies := hsm.Policies{Policies: []hsm.Policy{{Description: "Allow cloning", Value: "On"}}}
		a.store.Apply(hsm.Observation{Device: "a", Source: "hsm showpolicies", At: time.Now(), MaxAge: time.Hour, Facts: []hsm.Fact{policies}})
		w := httptest.NewRecorder()
		exporters.Web(a.store, nil, a.devices, prometheus.NewRegistry(), "/metrics").ServeHTTP(w, httptest.NewRequest("GET", "/metrics?device=a", nil))
		if got := strings.Contains(w.Body.String(), "luna_hsm_policy_info{"); got != want || !strings.Contains(w.Body.String(), "luna_source_success{") {
			t.Errorf("%q: policies are served: %v, want %v\n%s", text, got, want, w.Body)
		}
	}
}
