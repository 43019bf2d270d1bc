package rest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/collectors/collectortest"
)

// exampleResult is the heading of a published answer.
var exampleResult = regexp.MustCompile(`(?m)^### (rest_api/\d+) - GET (/api/\S+): Example Result$`)

// notSimulated are members of published answers that the simulator leaves out, and
// such as it has in place of them, by path: those that lead to resources nobody reads.
var notSimulated = map[string][]string{
	"/api/lunasa/hsms/{hsmid}/tamper": {"tampers.#"}, // nothing has tampered with it
	"/api/lunasa":                     {"syslog", "ssh", "network", "actions", "ntp", "time", "snmp", "packages", "packageFiles", "upgrades", "partitionPolicyTemplates", "forceSoLogin", "webServer", "cpu"},
}

// TestSimulatorSaysWhatRealOnesSay holds the members of the simulator's answers
// against the published ones, for every resource that is polled: each published
// member is there, and no other is.
func TestSimulatorSaysWhatRealOnesSay(t *testing.T) {
	text := collectortest.ReferenceText(t, "rest_api")
	_, blocks := collectortest.ReferenceBlocks(t, "rest_api")
	e := collectortest.StartEstate(t, "")
	api := apiOf(t, e, "luna72")
	compared := 0
	for _, m := range exampleResult.FindAllStringSubmatch(text, -1) {
		id, path := m[1], m[2]
		if blocks[id] == "" {
			continue // without a text
		}
		real, err := parseObject([]byte(blocks[id]))
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		asked := resolved(t, api, path)
		if !allowed.Has(asked) {
			continue // nobody reads it
		}
		ours, err := api.get(t.Context(), asked)
		if err != nil {
			t.Errorf("%s: %v", asked, err)
			continue
		}
		compared++
		said, published := members(ours), members(real)
		for _, name := range slices.Sorted(maps.Keys(published)) {
			if !said[name] && !slices.Contains(notSimulated[path], name) {
				t.Errorf("%s: the simulator has no %s", path, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(said)) {
			if !published[name] {
				t.Errorf("%s: nobody but the simulator has %s", path, name)
			}
		}
	}
	if compared < 10 {
		t.Errorf("%d resources compared", compared)
	}
	t.Logf("%d resources compared", compared)
}

// members returns the names of the members of o, and of those within it; an entry of
// a list is "[]", a name that is a number "#".
func members(o map[string]any) map[string]bool {
	all := make(map[string]bool)
	var within func(prefix string, v any)
	within = func(prefix string, v any) {
		switch v := v.(type) {
		case object:
			within(prefix, map[string]any(v))
		case map[string]any:
			for name, value := range v {
				if strings.Trim(name, "0123456789") == "" {
					name = "#"
				}
				all[prefix+name] = true
				within(prefix+name+".", value)
			}
		case []any:
			for _, value := range v {
				within(prefix+"[].", value)
			}
		}
	}
	within("", o)
	return all
}

// resolved returns a path with the identifiers of the simulated appliance.
func resolved(t *testing.T, api *API, path string) string {
	t.Helper()
	for _, x := range []struct{ place, list, key string }{
		{"{hsmid}", root + "/hsms", "hsms"}, {"{partitionid}", root + "/hsms/{hsmid}/partitions", "partitions"},
		{"{clientid}", root + "/ntls/clients", "clients"}, {"{serviceid}", root + "/services", "services"},
		{"{sensorid}", root + "/sensors", "sensors"}, {"{policyid}", root + "/hsms/{hsmid}/policies", "policies"},
		{"{licenseid}", root + "/hsms/{hsmid}/licenses", "licenses"},
	} {
		if !strings.Contains(path, x.place) {
			continue
		}
		o, err := api.get(t.Context(), resolved(t, api, x.list))
		if err != nil {
			t.Fatal(err)
		}
		entries, ok := o.list(x.key)
		if !ok || len(entries) == 0 {
			t.Fatalf("%s has no entries", x.list)
		}
		path = strings.ReplaceAll(path, x.place, entries[0].id)
	}
	return strings.ReplaceAll(path, "{roleid}", "co")
}
