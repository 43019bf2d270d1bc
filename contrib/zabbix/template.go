package zabbix

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/contrib/object"
	"github.com/lunawatch/lunawatch/contrib/traps"
)

const (
	generated = "# Made of the MIB modules by go test ./contrib/zabbix -update: edits are lost.\n"
	host      = "Lunawatch by SNMP"
	groupName = "Templates/Applications"
	groupUUID = "a571c0d144b14fd4a87a9d9b2aa9fcd6" // Zabbix's own
	dependent = "DEPENDENT"
)

// uuid is the same for the same thing in every release.
func uuid(of ...string) string { return traps.UUID(host + " " + strings.Join(of, " ")) }

// A module is the objects of the MIB modules by name, in their order.
type module struct {
	objects []object.Object
	byName  map[string]object.Object
}

// Template returns the template for the objects of the MIB modules. An error is a name in
// tables that they do not have, or a unit that shows lacks.
func Template(objects []object.Object) ([]byte, error) {
	m := module{objects, make(map[string]object.Object)}
	for _, o := range objects {
		m.byName[o.Name] = o
	}
	t := template{
		UUID: uuid(), Template: host, Name: host, Groups: []group{{Name: groupName}}, Macros: macros,
		Description: "Luna HSMs as Lunawatch shows them in LUNAWATCH-MIB. Limits are those that each HSM states; the macros are for what it does not state.",
		Tags:        []tag{{"class", "security"}, {"target", "luna-hsm"}},
	}
	var err error
	if t.Items, err = m.agent(); err != nil {
		return nil, err
	}
	for _, d := range tables {
		r, err := m.rule(d)
		if err != nil {
			return nil, err
		}
		t.Items = append(t.Items, m.master(d.name))
		t.Rules = append(t.Rules, r)
	}
	t.Dashboards, t.ValueMaps = []dashboard{board()}, m.valueMaps(t)
	var x export
	x.Zabbix.Version, x.Zabbix.Groups, x.Zabbix.Templates = "7.0", []group{{groupUUID, groupName}}, []template{t}
	text, err := yaml.MarshalWithOptions(x, yaml.UseLiteralStyleIfMultiline(true))
	return append([]byte(generated), text...), err
}

// master walks all that is below an object at once.
func (m module) master(name string) item {
	return item{
		UUID: uuid("walk", name), Name: "Walk of " + name, Type: "SNMP_AGENT", Key: masterKey(name), OID: "walk[" + m.oid(name) + "]",
		Delay: "{$LUNAWATCH.INTERVAL}", History: "0", Trends: "0", ValueType: "TEXT", Tags: []tag{{"component", "raw"}},
	}
}

func masterKey(name string) string { return "lunawatch.walk[" + name + "]" }

// groups are nodes that are no objects.
var groups = map[string]string{"lunaAgent": "1.3.6.1.4.1.8072.9999.9999.5862.1.1", "chrysalisUtspMIB": "1.3.6.1.4.1.12383.3.1"}

// oid is that of a group of scalars, or of a table: its columns have two numbers more.
func (m module) oid(name string) string {
	if oid, known := groups[name]; known {
		return oid
	}
	oid := m.columns(name)[0].OID
	for range 2 {
		oid = oid[:strings.LastIndex(oid, ".")]
	}
	return oid
}

// columns are those of a table, which begin with its name.
func (m module) columns(table string) (list []object.Object) {
	prefix := strings.TrimSuffix(table, "Table")
	for _, o := range m.objects {
		if o.Accessible && len(o.Index) > 0 && strings.HasPrefix(o.Name, prefix) && !slices.Contains(o.Index, o.Name) {
			list = append(list, o)
		}
	}
	return list
}

// agent are the scalars, with their triggers.
func (m module) agent() (list []item, err error) {
	for _, name := range slices.Sorted(slices.Values([]string{"chrysalisUtspMIB", "lunaAgent"})) {
		list = append(list, m.master(name))
		for _, o := range m.objects {
			if !o.Accessible || len(o.Index) > 0 || !strings.HasPrefix(o.OID, groups[name]+".") || !shown(o) {
				continue
			}
			i, err := m.item(o, name, o.Name, "Lunawatch: "+words(o.Name), ".0")
			if err != nil {
				return nil, err
			}
			i.Tags = []tag{{"component", "lunawatch"}}
			list = append(list, i)
		}
	}
	for _, c := range ofAgent {
		expression, first, err := m.expression(c.when, "")
		if err != nil {
			return nil, err
		}
		t := trigger{UUID: uuid("trigger", c.name), Expression: expression, Name: c.name, Priority: c.priority, Tags: []tag{{"scope", scope(c.priority)}}}
		if c != silent {
			t.Dependencies = []dependency{m.silence()}
		}
		i := slices.IndexFunc(list, func(i item) bool { return i.Key == first })
		list[i].Triggers = append(list[i].Triggers, t)
	}
	return list, nil
}

func (m module) silence() dependency {
	expression, _, _ := m.expression(silent.when, "")
	return dependency{silent.name, expression}
}

// rule discovers the rows of a table.
func (m module) rule(d table) (rule, error) {
	r := rule{
		UUID: uuid("rule", d.name), Name: "Rows of " + d.name, Type: dependent, Key: "lunawatch.discovery[" + d.name + "]", Delay: "0", Master: &key{masterKey(d.name)},
		Description: "Each row of " + d.name + " of LUNAWATCH-MIB.", Steps: m.discover(d),
	}
	parameters := parametersOf(d)
	for _, o := range m.columns(d.name) {
		if !shown(o) {
			continue
		}
		i, err := m.item(o, d.name, o.Name+parameters, d.about+": "+words(o.Name), ".{#SNMPINDEX}")
		if err != nil {
			return r, err
		}
		i.Tags = d.tags()
		r.Items = append(r.Items, i)
	}
	for n, c := range d.triggers {
		expression, _, err := m.expression(c.when, parameters)
		if err != nil {
			return r, err
		}
		t := trigger{UUID: uuid("trigger", d.name, c.name), Expression: expression, Name: d.about + ": " + c.name, Priority: c.priority, Tags: append(d.tags(), tag{"scope", scope(c.priority)})}
		if c.why != "" {
			t.EventName = t.Name + ": {?last(/" + host + "/" + c.why + parameters + ")}"
		}
		t.Dependencies = []dependency{m.silence()}
		if n > 0 {
			t.Dependencies = []dependency{{r.Triggers[0].Name, r.Triggers[0].Expression}}
		}
		r.Triggers = append(r.Triggers, t)
	}
	for _, p := range plots {
		if p.table == d.name {
			r.Graphs = append(r.Graphs, p.graph(d, parameters))
		}
	}
	return r, nil
}

// parametersOf tell the items of one row from those of others.
func parametersOf(d table) string {
	var quoted []string
	for _, macro := range d.index {
		quoted = append(quoted, `"`+macro+`"`)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

func (d table) tags() []tag {
	list := []tag{{"component", strings.TrimSuffix(strings.TrimPrefix(d.name, "luna"), "Table")}}
	for _, macro := range d.index {
		list = append(list, tag{strings.ToLower(strings.Trim(macro, "{#}")), macro})
	}
	return list
}

func scope(priority string) string {
	if priority == disaster || priority == high {
		return "availability"
	}
	return "notice"
}

var itemName = regexp.MustCompile(`\b(?:luna|ntls)[A-Z]\w*`)

// expression puts items in the place of columns, and returns the key of the first, too.
func (m module) expression(when, parameters string) (expression, first string, err error) {
	expression = itemName.ReplaceAllStringFunc(when, func(name string) string {
		if _, known := m.byName[name]; !known {
			err = fmt.Errorf("%s: no module has %s", when, name)
		}
		if first == "" {
			first = name + parameters
		}
		return "/" + host + "/" + name + parameters
	})
	return expression, first, err
}

// discover makes the rows of a walk those of a discovery rule, with the macros of their index.
func (m module) discover(d table) []step {
	var parameters []string
	for i, name := range d.rows {
		parameters = append(parameters, fmt.Sprintf("{#ROW%d}", i+1), m.byName[name].OID, "0")
	}
	for _, c := range d.macros {
		parameters = append(parameters, c.macro, m.byName[c.name].OID, "1")
	}
	index := m.byName[d.rows[0]].Index
	var code strings.Builder
	code.WriteString(script)
	for i, macro := range d.index {
		read := "text()"
		if m.byName[index[i]].Syntax == "INTEGER" {
			read = "ids[at++]"
		}
		fmt.Fprintf(&code, "  row['%s'] = %s;\n", macro, read)
	}
	for _, c := range d.macros {
		fmt.Fprintf(&code, "  if (!row['%s']) row['%s'] = '';\n", c.macro, c.macro)
	}
	code.WriteString("});\nreturn JSON.stringify(rows);")
	return []step{{Type: "SNMP_WALK_TO_JSON", Parameters: parameters}, {Type: "JAVASCRIPT", Parameters: []string{code.String()}}}
}

// script reads the index of a row: texts are a length and that many octets.
const script = `var rows = JSON.parse(value);
rows.forEach(function (row) {
  var ids = row['{#SNMPINDEX}'].split('.'), at = 0;
  function text() {
    var s = '';
    for (var n = Number(ids[at++]); n > 0; n--) s += '%' + ('0' + Number(ids[at++]).toString(16)).slice(-2);
    return decodeURIComponent(s);
  }
`

// graph has the columns of a plot.
func (p plot) graph(d table, parameters string) graph {
	g := graph{UUID: uuid("graph", p.table, p.name), Name: d.about + ": " + p.name}
	for i, name := range p.columns {
		g.Items = append(g.Items, graphItem{Order: strconv.Itoa(i), Color: colours[i], Item: itemRef{host, name + parameters}})
	}
	return g
}

// board shows the plots of all rows.
func board() dashboard {
	d := dashboard{UUID: uuid("dashboard"), Name: "Luna HSMs", Pages: []page{{}}}
	for i, p := range plots {
		at := slices.IndexFunc(tables, func(t table) bool { return t.name == p.table })
		d.Pages[0].Widgets = append(d.Pages[0].Widgets, widget{
			Type: "graphprototype", X: strconv.Itoa(i % 2 * 36), Y: strconv.Itoa(i / 2 * 5), Width: "36", Height: "5",
			Fields: []field{
				{"INTEGER", "columns", "2"},
				{"GRAPH_PROTOTYPE", "graphid.0", graphRef{host, tables[at].about + ": " + p.name}},
				{"STRING", "reference", strings.ToUpper(p.name + "XXXXX")[:5]},
			},
		})
	}
	return d
}
