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
		name, parameters, _ := strings.Cut(i.Key, "[")
		o, known := byName[name]
		if !known {
			continue
		}
		var values []string
		if parameters != "" {
			check.Must(t, json.Unmarshal([]byte("["+parameters), &values))
		}
		labels := make(map[string]string)
		for n, index := range o.Index {
			labels[index] = values[n]
		}
		all[seriesOf(name, labels)] = i
	}
	return all
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

// TestZabbix: a real Zabbix takes our template, and each of its items is what the walk of snmpd
// has, or says that it is not known; triggers are those of the estate, with two of three HSMs away,
// and with a battery below the HSM's threshold. LUNAWATCH_ZABBIX is the URL of api_jsonrpc.php of a
// Zabbix 7.0 for tests on this host, with CacheUpdateFrequency=1 and the password of a new installation.
func TestZabbix(t *testing.T) {
	if os.Getenv("LUNAWATCH_ZABBIX") == "" {
		t.Skip("NOT TESTED with a real Zabbix: LUNAWATCH_ZABBIX=http://127.0.0.1/zabbix/api_jsonrpc.php")
	}
	e := startEstate(t, "")
	z := &zabbix{url: os.Getenv("LUNAWATCH_ZABBIX")}
	host, objects, byName := z.watched(t, e), moduleObjects(t), make(map[string]object.Object)
	for _, o := range objects {
		byName[o.Name] = o
	}
	seen, equal := make(map[series]map[string]bool), make(map[series]bool)
	var missing []string
	z.until(t, "every item is what the walk has", &missing, func() bool {
		walk := make(map[series]bool)
		e.instances(t, objects, zabbixNodes, func(o object.Object, labels map[string]string, value any) {
			s := seriesOf(o.Name, labels)
			if seen[s] == nil {
				seen[s] = make(map[string]bool)
			}
			seen[s][zabbixShows(o, value)], walk[s] = true, true
		})
		items := z.items(t, host, byName)
		missing = nil
		for s, i := range items {
			o := byName[strings.Fields(string(s))[0]]
			switch {
			case !walk[s] && i.State == "0" && i.LastClock != "0":
				missing = append(missing, fmt.Sprintf("%s shows %q, and is not in the walk", s, i.LastValue))
			case walk[s] && i.State == "1":
				missing = append(missing, fmt.Sprintf("%s: %s", s, i.Error))
			case walk[s] && o.Syntax == "Counter64": // a rate
				equal[s] = equal[s] || i.LastClock != "0"
			case walk[s] && slices.ContainsFunc(slices.Collect(maps.Keys(seen[s])), func(v string) bool { return same(v, i.LastValue) }):
				equal[s] = true
			}
			if walk[s] && !equal[s] {
				missing = append(missing, fmt.Sprintf("%s shows %q, and the walk %v", s, i.LastValue, seen[s]))
			}
		}
		for s := range walk {
			o := byName[strings.Fields(string(s))[0]]
			_, shown := items[s]
			table := strings.HasPrefix(o.Name, "lunaAlarm") && len(o.Index) > 0
			if !shown && !table && !slices.Contains([]string{"DateAndTime", "TimeStamp", "RowPointer"}, o.Syntax) && !strings.HasPrefix(o.Name, "hsm") {
				missing = append(missing, string(s)+" has no item")
			}
		}
		return len(missing) == 0 && len(equal) > 1000
	})
	t.Logf("%d items are equal to the walk", len(equal))
	z.shows(t, host, "nothing is wrong")
	e.inject(t, "luna72", "battery 2.7")
	z.shows(t, host, "a battery fades", "HSM luna72: battery is below the HSM's threshold", "HSM luna72: has warnings")
	for _, away := range []string{"luna54", "luna62"} {
		e.inject(t, away, "gone")
	}
	z.shows(t, host, "two of three are away", "HSM luna54: cannot be read", "HSM luna62: cannot be read", "HSM luna72: battery is below the HSM's threshold", "HSM luna72: has warnings")
}

// shows requires that there are these problems and no others.
func (z *zabbix) shows(t *testing.T, host, what string, want ...string) {
	t.Helper()
	var got []string
	z.until(t, what, &got, func() bool {
		got = z.problems(t, host)
		return slices.Equal(got, want)
	})
	t.Logf("%s: %q", what, got)
}

// until waits for a condition of Zabbix.
func (z *zabbix) until(t *testing.T, what string, missing *[]string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(zabbixTime); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s: %d: %.40q", zabbixTime, what, len(*missing), *missing)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
