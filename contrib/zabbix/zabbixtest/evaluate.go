// Package zabbixtest says in our words what Zabbix 7.0 makes of a template and of walks: which rows
// it discovers, what their items show, and which triggers are problems. It has what our
// template uses, as documented for "SNMP walk value", "SNMP walk to JSON" and trigger expressions.
package zabbixtest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

type (
	template struct {
		Export struct {
			Templates []struct {
				Items  []item `yaml:"items"`
				Rules  []rule `yaml:"discovery_rules"`
				Macros []struct {
					Macro string `yaml:"macro"`
					Value string `yaml:"value"`
				} `yaml:"macros"`
			} `yaml:"templates"`
		} `yaml:"zabbix_export"`
	}
	item struct {
		Key      string    `yaml:"key"`
		Steps    []step    `yaml:"preprocessing"`
		Triggers []trigger `yaml:"triggers"`
	}
	rule struct {
		Key      string    `yaml:"key"`
		Steps    []step    `yaml:"preprocessing"`
		Items    []item    `yaml:"item_prototypes"`
		Triggers []trigger `yaml:"trigger_prototypes"`
	}
	step struct {
		Type       string   `yaml:"type"`
		Parameters []string `yaml:"parameters"`
	}
	trigger struct {
		Name         string    `yaml:"name"`
		Expression   string    `yaml:"expression"`
		Dependencies []trigger `yaml:"dependencies"`
	}
)

// A Result is what Zabbix shows.
type Result struct {
	Items    map[string]string // last values by key; of a rate ""
	Unknown  []string          // keys of items that are not supported
	Problems []string          // names of the triggers that no other suppresses, sorted
}

// A Walk is the output of snmpwalk -On, by OID with a leading dot.
type Walk map[string]string

// ParseWalk reads the lines of snmpwalk -On.
func ParseWalk(text string) Walk {
	w := make(Walk)
	for line := range strings.Lines(text) {
		if oid, value, found := strings.Cut(strings.TrimSpace(line), " = "); found && !strings.HasPrefix(value, "No ") {
			w[oid] = value
		}
	}
	return w
}

// Evaluate returns what the template shows after walks, the newest last. An error is something of the
// template that is not understood.
func Evaluate(text []byte, walks ...Walk) (Result, error) {
	var x template
	r := Result{Items: make(map[string]string)}
	if err := yaml.Unmarshal(text, &x); err != nil {
		return r, err
	}
	t := x.Export.Templates[0]
	e := evaluation{history: make(map[string][]string), macros: make(map[string]string), failing: make(map[string]bool)}
	for _, m := range t.Macros {
		e.macros[m.Macro] = m.Value
	}
	var triggers []trigger
	for n, w := range walks {
		newest := n == len(walks)-1
		for _, i := range t.Items {
			if err := e.see(&r, i, w, nil, newest); err != nil {
				return r, err
			}
			if newest {
				triggers = append(triggers, i.Triggers...)
			}
		}
		for _, d := range t.Rules {
			rows, err := discover(d, w)
			if err != nil {
				return r, err
			}
			for _, row := range rows {
				for _, i := range d.Items {
					if err := e.see(&r, i, w, row, newest); err != nil {
						return r, err
					}
				}
				for _, c := range d.Triggers {
					if newest {
						triggers = append(triggers, c.of(row))
					}
				}
			}
		}
	}
	return r, e.evaluate(&r, triggers)
}

// of has a row's macros in the place of their names.
func (t trigger) of(row map[string]string) trigger {
	t.Name, t.Expression = fill(t.Name, row), fill(t.Expression, row)
	var list []trigger
	for _, d := range t.Dependencies {
		list = append(list, d.of(row))
	}
	t.Dependencies = list
	return t
}

func fill(text string, row map[string]string) string {
	for macro, value := range row {
		text = strings.ReplaceAll(text, macro, value)
	}
	return text
}

var reads = regexp.MustCompile(`row\['(\{#\w+\})'\] = (text\(\)|ids\[at\+\+\]);`)

// discover returns the rows of a rule: every index below one of its columns.
func discover(d rule, w Walk) ([]map[string]string, error) {
	if len(d.Steps) != 2 || d.Steps[0].Type != "SNMP_WALK_TO_JSON" || d.Steps[1].Type != "JAVASCRIPT" {
		return nil, fmt.Errorf("%s: %+v", d.Key, d.Steps)
	}
	rows := make(map[string]map[string]string)
	for p := range slices.Chunk(d.Steps[0].Parameters, 3) {
		for oid, value := range w {
			if index, below := strings.CutPrefix(oid, "."+p[1]+"."); below {
				if rows[index] == nil {
					rows[index] = map[string]string{"{#SNMPINDEX}": index}
				}
				rows[index][p[0]] = plain(value, p[2])
			}
		}
	}
	var list []map[string]string
	for index, row := range rows {
		ids := strings.Split(index, ".")
		for _, m := range reads.FindAllStringSubmatch(d.Steps[1].Parameters[0], -1) {
			n := 1
			if m[2] == "text()" {
				length, err := strconv.Atoi(ids[0])
				if err != nil || length >= len(ids) {
					return nil, fmt.Errorf("%s: index %s", d.Key, index)
				}
				var text []byte
				for _, id := range ids[1 : 1+length] {
					b, err := strconv.ParseUint(id, 10, 8)
					if err != nil {
						return nil, err
					}
					text = append(text, byte(b))
				}
				row[m[1]], n = string(text), 1+length
			} else {
				row[m[1]] = ids[0]
			}
			ids = ids[n:]
		}
		if len(ids) > 0 {
			return nil, fmt.Errorf("%s: %v is left of index %s", d.Key, ids, index)
		}
		list = append(list, row)
	}
	return list, nil
}

var ticks = regexp.MustCompile(`^\((\d+)\)`)

// plain is the value of a line without its type; with format 1, octets are text.
func plain(value, format string) string {
	kind, rest, found := strings.Cut(value, ": ")
	switch {
	case !found:
		return strings.Trim(value, `"`)
	case kind == "STRING":
		if text, err := strconv.Unquote(rest); err == nil {
			return text
		}
		return strings.Trim(rest, `"`)
	case kind == "Timeticks":
		return ticks.FindStringSubmatch(rest)[1]
	case kind == "Hex-STRING" && format == "1":
		octets, _ := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
		return string(octets)
	}
	return rest
}

// see notes what an item shows of a walk.
func (e *evaluation) see(r *Result, i item, w Walk, row map[string]string, newest bool) error {
	if len(i.Steps) == 0 { // a walk
		return nil
	}
	key := fill(i.Key, row)
	line, known := w["."+fill(i.Steps[0].Parameters[0], row)]
	if !known {
		if newest {
			r.Unknown = append(r.Unknown, key)
		}
		return nil
	}
	value := plain(line, i.Steps[0].Parameters[1])
	for _, s := range i.Steps[1:] {
		switch s.Type {
		case "MULTIPLIER":
			x, err := strconv.ParseFloat(value, 64)
			factor, err2 := strconv.ParseFloat(s.Parameters[0], 64)
			if err != nil || err2 != nil {
				return fmt.Errorf("%s: %q times %v", key, value, s.Parameters)
			}
			value = strconv.FormatFloat(x*factor, 'g', 8, 64)
		case "CHANGE_PER_SECOND":
			value = ""
		case "DISCARD_UNCHANGED_HEARTBEAT":
		case "JAVASCRIPT":
			at, err := time.Parse("Jan _2 15:04:05 2006 MST", value)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			value = strconv.FormatInt(at.Unix(), 10)
		default:
			return fmt.Errorf("%s: step %s", key, s.Type)
		}
	}
	e.history[key] = append(e.history[key], value)
	if newest {
		r.Items[key] = value
	}
	return nil
}

// Parameters returns those of an item's key, such as the name of an HSM.
func Parameters(key string) (list []string) {
	_, rest, found := strings.Cut(key, "[")
	if found && json.Unmarshal([]byte("["+rest), &list) != nil {
		return nil
	}
	return list
}
