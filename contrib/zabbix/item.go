package zabbix

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/contrib/object"
)

// A unit is how Zabbix shows what a module has.
type unit struct {
	units  string
	factor string // "": as it is
}

// shows are the units by those of the modules.
var shows = map[string]unit{
	"": {}, "millivolts": {"V", "0.001"}, "millidegrees Celsius": {"°C", "0.001"}, "0.001 lunaSensorUnit": {"{#UNIT}", "0.001"},
	"milliseconds": {"s", "0.001"}, "seconds": {"s", ""}, "0.01 percent": {"%", "0.01"}, "bytes": {"B", ""},
	"HSMs": {}, "alarms": {}, "commands": {}, "requests": {}, "errors": {}, "events": {}, "attempts": {}, "logins": {},
	"partitions": {}, "licences": {}, "objects": {}, "members": {}, "processes": {}, "lines": {},
}

// shown is all but times, which the ages say, and pointers.
func shown(o object.Object) bool {
	return !slices.Contains([]string{"DateAndTime", "TimeStamp", "RowPointer"}, o.Syntax)
}

// item shows an instance of o: what a walk has is taken apart for it. What is not known now
// makes it unsupported, with the reason; its last value stays behind.
func (m module) item(o object.Object, master, itemKey, name, instance string) (item, error) {
	u, known := shows[o.Units]
	if !known {
		return item{}, fmt.Errorf("%s: nothing says how to show %q", o.Name, o.Units)
	}
	i := item{UUID: uuid("item", o.Name), Name: name, Type: dependent, Key: itemKey, Delay: "0", Units: u.units, Description: o.Description, Master: &key{masterKey(master)}}
	value := step{Type: "SNMP_WALK_VALUE", Parameters: []string{o.OID + instance, "0"}, OnError: "CUSTOM_ERROR", Error: o.Name + " is not known now"}
	switch {
	case o.Name == "ntlsCertExpireDay":
		i.Units = "unixtime"
		i.Steps = []step{value, {Type: "JAVASCRIPT", Parameters: []string{dateScript}}}
	case o.Labels != nil:
		i.ValueMap, i.Steps = &ref{mapOf(o)}, []step{value}
	case o.Syntax == "Counter64":
		i.ValueType, i.Name = "FLOAT", i.Name+" per second"
		i.Steps = []step{value, {Type: "CHANGE_PER_SECOND", Parameters: []string{""}}}
	case o.Syntax == "TimeTicks":
		i.Units, i.ValueType = "uptime", "FLOAT"
		i.Steps = []step{value, {Type: "MULTIPLIER", Parameters: []string{"0.01"}}}
	case isText(o):
		i.ValueType, i.Trends, value.Parameters[1] = "CHAR", "0", "1"
		i.Steps = []step{value, {Type: "DISCARD_UNCHANGED_HEARTBEAT", Parameters: []string{"1h"}}}
	default:
		i.Steps = []step{value}
		if o.Syntax == "Integer32" || u.factor != "" {
			i.ValueType = "FLOAT"
		}
		if u.factor != "" {
			i.Steps = append(i.Steps, step{Type: "MULTIPLIER", Parameters: []string{u.factor}})
		}
	}
	return i, nil
}

func isText(o object.Object) bool { return strings.HasSuffix(o.Syntax, "String") }

// dateScript makes seconds since 1970 of what OpenSSL prints, "Nov 17 11:38:50 2034 GMT".
const dateScript = `var m = value.match(/^([A-Z][a-z]{2}) +(\d+) (\d+):(\d+):(\d+) (\d+) GMT$/);
if (!m) throw 'not a date: ' + value;
var month = 'JanFebMarAprMayJunJulAugSepOctNovDec'.indexOf(m[1]) / 3;
return Math.floor(Date.UTC(m[6], month, m[2], m[3], m[4], m[5]) / 1000);`

// mapOf names the value map of an enumeration: that of its type, or of the only object that has it.
func mapOf(o object.Object) string {
	if o.Syntax == "INTEGER" {
		return o.Name
	}
	return o.Syntax
}

// valueMaps are those that the items of t have.
func (m module) valueMaps(t template) (list []valueMap) {
	used := make(map[string]bool)
	all := t.Items
	for _, r := range t.Rules {
		all = slices.Concat(all, r.Items)
	}
	for _, i := range all {
		if i.ValueMap != nil {
			used[i.ValueMap.Name] = true
		}
	}
	for _, o := range m.objects {
		name := mapOf(o)
		if o.Labels == nil || !used[name] {
			continue
		}
		delete(used, name)
		v := valueMap{UUID: uuid("map", name), Name: name}
		for _, l := range o.Labels {
			v.Mappings = append(v.Mappings, mapping{strconv.Itoa(l.Value), l.Name})
		}
		list = append(list, v)
	}
	return list
}

var (
	capital = regexp.MustCompile(`[A-Z][a-z0-9]*`)
	prefix  = regexp.MustCompile(`^(luna(Hsm|Partition|Role|Sensor|HaGroup|HaMember|Source|Operation|Receiver|Agent|Alarm)?|hsm|ntls)`)
)

// words are those of the name of an object, without what it is a part of: "battery threshold".
func words(name string) string {
	rest := prefix.ReplaceAllString(name, "")
	if strings.HasPrefix(name, "ntls") {
		rest = "Ntls" + rest
	}
	if strings.HasPrefix(name, "lunaAlarm") {
		rest = "Alarm" + rest
	}
	return strings.ToLower(strings.Join(capital.FindAllString(rest, -1), " "))
}
