package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/contrib/object"
	"github.com/lunawatch/lunawatch/contrib/zabbix/zabbixtest"
	"github.com/lunawatch/lunawatch/internal/check"
)

// A zabbix is the API of a real Zabbix 7.0, whose server is on this host.
type zabbix struct{ url, token string }

// zabbixTime bounds a wait for a condition: discovery, polling and triggers are seconds each.
const zabbixTime = 3 * time.Minute

func (z *zabbix) call(t *testing.T, method string, params, result any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": method, "params": params, "id": 1})
	check.Must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, z.url, bytes.NewReader(body))
	check.Must(t, err)
	request.Header.Set("Content-Type", "application/json-rpc")
	if z.token != "" {
		request.Header.Set("Authorization", "Bearer "+z.token)
	}
	answer, err := http.DefaultClient.Do(request)
	check.Must(t, err)
	defer answer.Body.Close()
	var reply struct {
		Result json.RawMessage
		Error  json.RawMessage
	}
	check.Must(t, json.NewDecoder(answer.Body).Decode(&reply))
	if reply.Error != nil {
		t.Fatalf("%s: %s", method, reply.Error)
	}
	check.Must(t, json.Unmarshal(reply.Result, result))
}

type (
	zabbixItem struct {
		Key       string `json:"key_"`
		LastValue string `json:"lastvalue"`
		LastClock string `json:"lastclock"`
		State     string `json:"state"` // "1": not supported
		Error     string `json:"error"`
		Name      string `json:"name"`
	}
	zabbixTrigger struct {
		Description string `json:"description"`
		State       string `json:"state"`
		Error       string `json:"error"`
	}
)

// watched imports our template, and makes a host of the estate's snmpd, until the test ends.
func (z *zabbix) watched(t *testing.T, e *estate) (host string) {
	t.Helper()
	z.call(t, "user.login", map[string]string{"username": "Admin", "password": "zabbix"}, &z.token)
	rules := make(map[string]any)
	for _, kind := range []string{"templates", "items", "discoveryRules", "triggers", "graphs", "valueMaps", "templateDashboards", "template_groups"} {
		rules[kind] = map[string]bool{"createMissing": true, "updateExisting": true}
	}
	for _, file := range []string{"../contrib/zabbix/lunawatch.yaml", "../contrib/zabbix/traps/template.yaml"} {
		text, err := os.ReadFile(file)
		check.Must(t, err)
		var done bool
		z.call(t, "configuration.import", map[string]any{"format": "yaml", "source": string(text), "rules": rules}, &done)
	}
	find := func(method, name string) string {
		var list []map[string]any
		key := map[string]string{"template.get": "host", "templategroup.get": "name", "hostgroup.get": "name"}[method]
		z.call(t, method, map[string]any{"filter": map[string]string{key: name}}, &list)
		for id, value := range list[0] {
			if id == "templateid" || id == "groupid" {
				return fmt.Sprint(value)
			}
		}
		t.Fatalf("%s: no %s", method, name)
		return ""
	}
	ip, port, err := net.SplitHostPort(e.snmpd.Address)
	check.Must(t, err)
	var made struct{ Hostids []string }
	z.call(t, "host.create", map[string]any{
		"host":   "lunawatch-" + port,
		"groups": []any{map[string]string{"groupid": find("hostgroup.get", "Linux servers")}},
		"interfaces": []any{map[string]any{"type": 2, "main": 1, "useip": 1, "ip": ip, "dns": "", "port": port,
			"details": map[string]any{"version": 2, "bulk": 1, "community": "public"}}},
		"templates": []any{map[string]string{"templateid": find("template.get", "Lunawatch by SNMP")}},
		"macros":    []any{map[string]string{"macro": "{$LUNAWATCH.INTERVAL}", "value": "1s"}, map[string]string{"macro": "{$LUNAWATCH.NODATA}", "value": "1m"}},
	}, &made)
	t.Cleanup(func() {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","method":"host.delete","params":[%q],"id":1}`, made.Hostids[0])
		request, _ := http.NewRequest(http.MethodPost, z.url, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json-rpc")
		request.Header.Set("Authorization", "Bearer "+z.token)
		if answer, err := http.DefaultClient.Do(request); err == nil {
			answer.Body.Close()
		}
	})
	return made.Hostids[0]
}

// items are those of a host that show an object of a module, by object and index as a series has them.
func (z *zabbix) items(t *testing.T, host string, byName map[string]object.Object) map[series]zabbixItem {
	t.Helper()
	var list []zabbixItem
	z.call(t, "item.get", map[string]any{"hostids": host, "output": []string{"key_", "lastvalue", "lastclock", "state", "error", "name"}}, &list)
	all := make(map[series]zabbixItem)
	for _, i := range list {
		if s, known := seriesOfKey(i.Key, byName); known {
			all[s] = i
		}
	}
	return all
}

// seriesOfKey is the object and the index that the key of an item of ours has.
func seriesOfKey(key string, byName map[string]object.Object) (series, bool) {
	name, _, _ := strings.Cut(key, "[")
	o, known := byName[name]
	labels := make(map[string]string)
	for n, value := range zabbixtest.Parameters(key) {
		if known {
			labels[o.Index[n]] = value
		}
	}
	return seriesOf(name, labels), known
}

// problems are the triggers that are in state PROBLEM and that no other suppresses.
func (z *zabbix) problems(t *testing.T, host string) (names []string) {
	t.Helper()
	var list []zabbixTrigger
	z.call(t, "trigger.get", map[string]any{"hostids": host, "output": []string{"description", "state", "error"}, "filter": map[string]int{"value": 1}, "skipDependent": true, "expandDescription": true}, &list)
	for _, p := range list {
		names = append(names, p.Description)
	}
	slices.Sort(names)
	return names
}

// zabbixShows is what an item of ours must show of a value.
func zabbixShows(o object.Object, value any) string {
	factors := map[string]float64{"millivolts": 0.001, "millidegrees Celsius": 0.001, "0.001 lunaSensorUnit": 0.001, "milliseconds": 0.001, "0.01 percent": 0.01}
	octets, isText := value.([]byte)
	switch {
	case o.Name == "ntlsCertExpireDay":
		at, _ := time.Parse("Jan _2 15:04:05 2006 MST", string(octets))
		return strconv.FormatInt(at.Unix(), 10)
	case isText:
		return string(octets)
	case o.Syntax == "TimeTicks":
		return strconv.FormatFloat(float64(gosnmp.ToBigInt(value).Int64())/100, 'g', 8, 64)
	case factors[o.Units] != 0:
		return strconv.FormatFloat(float64(gosnmp.ToBigInt(value).Int64())*factors[o.Units], 'g', 8, 64)
	}
	return gosnmp.ToBigInt(value).String()
}

// same compares numbers as numbers.
func same(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return strconv.FormatFloat(x, 'g', 8, 64) == strconv.FormatFloat(y, 'g', 8, 64)
	}
	return a == b
}

// zabbixNodes are the nodes that the template walks.
var zabbixNodes = []string{"1.3.6.1.4.1.8072.9999.9999.5862.1", "1.3.6.1.4.1.12383.3.1"}

// TestZabbix: a real Zabbix takes our template, and shows what TestZabbixInOurWords has. LUNAWATCH_ZABBIX is
// the URL of api_jsonrpc.php of a Zabbix 7.0 for tests on this host, with CacheUpdateFrequency=1 and the
// password of a new installation.
func TestZabbix(t *testing.T) {
	if os.Getenv("LUNAWATCH_ZABBIX") == "" {
		t.Skip("NOT TESTED with a real Zabbix: LUNAWATCH_ZABBIX=http://127.0.0.1/zabbix/api_jsonrpc.php")
	}
	e := startEstate(t, "")
	z := &zabbix{url: os.Getenv("LUNAWATCH_ZABBIX")}
	host, byName := z.watched(t, e), objectsByName(t)
	e.shownByZabbix(t, func() map[series]zabbixItem { return z.items(t, host, byName) }, func() []string { return z.problems(t, host) })
}

// TestZabbixInOurWords: by our words of Zabbix's rules each item of the template is what the walk of
// snmpd has, or says that it is not known, and nothing of the walk has no item; triggers are those of the
// estate, with a battery below the HSM's threshold, and with two of three HSMs away.
func TestZabbixInOurWords(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	template, err := os.ReadFile("../contrib/zabbix/lunawatch.yaml")
	check.Must(t, err)
	byName := objectsByName(t)
	walk := func() zabbixtest.Walk {
		return zabbixtest.ParseWalk(e.snmp(t, "snmpwalk", "-On", "."+zabbixNodes[0]) + e.snmp(t, "snmpwalk", "-On", "."+zabbixNodes[1]))
	}
	first := walk()
	show := func() zabbixtest.Result {
		r, err := zabbixtest.Evaluate(template, first, walk())
		check.Must(t, err)
		return r
	}
	e.shownByZabbix(t, func() map[series]zabbixItem {
		all, r := make(map[series]zabbixItem), show()
		for key, value := range r.Items {
			s, _ := seriesOfKey(key, byName)
			all[s] = zabbixItem{LastValue: value, LastClock: "1", State: "0"}
		}
		for _, key := range r.Unknown {
			s, _ := seriesOfKey(key, byName)
			all[s] = zabbixItem{State: "1"}
		}
		return all
	}, func() []string { return show().Problems })
}

func objectsByName(t *testing.T) map[string]object.Object {
	t.Helper()
	byName := make(map[string]object.Object)
	for _, o := range moduleObjects(t) {
		byName[o.Name] = o
	}
	return byName
}

// shownByZabbix requires what Zabbix has to show of an estate, and of what happens to it.
func (e *estate) shownByZabbix(t *testing.T, items func() map[series]zabbixItem, problems func() []string) {
	t.Helper()
	objects, seen, equal := moduleObjects(t), make(map[series]map[string]bool), make(map[series]bool)
	var wrong []string
	zabbixUntil(t, "every item is what the walk has", &wrong, func() bool {
		walk := e.zabbixWalk(t, objects, seen)
		shown := items()
		maps.Copy(walk, e.zabbixWalk(t, objects, seen))
		wrong = differences(shown, walk, seen, equal)
		return len(wrong) == 0 && len(equal) > 1000
	})
	t.Logf("%d items are equal to the walk", len(equal))
	for _, c := range []struct {
		inject []string
		want   []string
	}{
		{nil, nil},
		{[]string{"luna72 battery 2.7"}, []string{"HSM luna72: battery is below the HSM's threshold", "HSM luna72: has warnings"}},
		{[]string{"luna54 gone", "luna62 gone"}, []string{"HSM luna54: cannot be read", "HSM luna62: cannot be read", "HSM luna72: battery is below the HSM's threshold", "HSM luna72: has warnings"}},
	} {
		for _, event := range c.inject {
			name, what, _ := strings.Cut(event, " ")
			e.inject(t, name, what)
		}
		var got []string
		zabbixUntil(t, fmt.Sprint(c.inject), &got, func() bool {
			got = problems()
			return slices.Equal(got, c.want)
		})
		t.Logf("%q: %q", c.inject, got)
	}
}

// zabbixWalk notes what items have to show of a walk, and returns what it has.
func (e *estate) zabbixWalk(t *testing.T, objects map[string]object.Object, seen map[series]map[string]bool) map[series]object.Object {
	t.Helper()
	walk := make(map[series]object.Object)
	e.instances(t, objects, zabbixNodes, func(o object.Object, labels map[string]string, value any) {
		s := seriesOf(o.Name, labels)
		if seen[s] == nil {
			seen[s] = make(map[string]bool)
		}
		seen[s][zabbixShows(o, value)], walk[s] = true, o
	})
	return walk
}

// differences says what is shown and not so, or not shown, and notes what is equal.
func differences(items map[series]zabbixItem, walk map[series]object.Object, seen map[series]map[string]bool, equal map[series]bool) (wrong []string) {
	for s, i := range items {
		o, is := walk[s]
		switch {
		case !is && i.State == "0" && i.LastClock != "0":
			wrong = append(wrong, fmt.Sprintf("%s shows %q, and is not in the walk", s, i.LastValue))
		case is && i.State == "1":
			wrong = append(wrong, fmt.Sprintf("%s: %s", s, i.Error))
		case is && o.Syntax == "Counter64": // a rate
			equal[s] = equal[s] || i.LastClock != "0"
		case is && slices.ContainsFunc(slices.Collect(maps.Keys(seen[s])), func(v string) bool { return same(v, i.LastValue) }):
			equal[s] = true
		}
		if is && !equal[s] {
			wrong = append(wrong, fmt.Sprintf("%s shows %q, and the walk %v", s, i.LastValue, seen[s]))
		}
	}
	for s, o := range walk {
		left := strings.HasPrefix(o.Name, "lunaAlarm") && len(o.Index) > 0 || slices.Contains([]string{"DateAndTime", "TimeStamp", "RowPointer"}, o.Syntax)
		if _, shown := items[s]; !shown && !left {
			wrong = append(wrong, string(s)+" has no item")
		}
	}
	return wrong
}

// zabbixUntil waits for a condition of Zabbix; state says what there is instead.
func zabbixUntil(t *testing.T, what string, state *[]string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(zabbixTime); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s: %d: %q", zabbixTime, what, len(*state), (*state)[:min(len(*state), 20)])
		}
		time.Sleep(100 * time.Millisecond)
	}
}
