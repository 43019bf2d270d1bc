// Package zabbix makes a template of Zabbix 7.0 out of the MIB modules: discovery of what
// LUNAWATCH-MIB has rows of, an item for each column, and triggers by the HSMs' own limits.
package zabbix

// What an export of Zabbix has, as far as it is used here. Names are those of its format.
type (
	export struct {
		Zabbix struct {
			Version   string     `yaml:"version"`
			Groups    []group    `yaml:"template_groups"`
			Templates []template `yaml:"templates"`
			Graphs    []graph    `yaml:"graphs,omitempty"`
		} `yaml:"zabbix_export"`
	}
	group struct {
		UUID string `yaml:"uuid,omitempty"`
		Name string `yaml:"name"`
	}
	template struct {
		UUID        string      `yaml:"uuid"`
		Template    string      `yaml:"template"`
		Name        string      `yaml:"name"`
		Description string      `yaml:"description"`
		Groups      []group     `yaml:"groups"`
		Items       []item      `yaml:"items"`
		Rules       []rule      `yaml:"discovery_rules"`
		Tags        []tag       `yaml:"tags"`
		Macros      []macro     `yaml:"macros"`
		Dashboards  []dashboard `yaml:"dashboards"`
		ValueMaps   []valueMap  `yaml:"valuemaps"`
	}
	item struct {
		UUID        string    `yaml:"uuid"`
		Name        string    `yaml:"name"`
		Type        string    `yaml:"type"`
		OID         string    `yaml:"snmp_oid,omitempty"`
		Key         string    `yaml:"key"`
		Delay       string    `yaml:"delay,omitempty"`
		History     string    `yaml:"history,omitempty"`
		Trends      string    `yaml:"trends,omitempty"`
		ValueType   string    `yaml:"value_type,omitempty"`
		Units       string    `yaml:"units,omitempty"`
		Description string    `yaml:"description,omitempty"`
		ValueMap    *ref      `yaml:"valuemap,omitempty"`
		Steps       []step    `yaml:"preprocessing,omitempty"`
		Master      *key      `yaml:"master_item,omitempty"`
		Tags        []tag     `yaml:"tags,omitempty"`
		Triggers    []trigger `yaml:"triggers,omitempty"`
	}
	rule struct {
		UUID        string    `yaml:"uuid"`
		Name        string    `yaml:"name"`
		Type        string    `yaml:"type"`
		Key         string    `yaml:"key"`
		Delay       string    `yaml:"delay"`
		Description string    `yaml:"description"`
		Items       []item    `yaml:"item_prototypes"`
		Triggers    []trigger `yaml:"trigger_prototypes,omitempty"`
		Graphs      []graph   `yaml:"graph_prototypes,omitempty"`
		Master      *key      `yaml:"master_item"`
		Steps       []step    `yaml:"preprocessing"`
	}
	step struct {
		Type       string   `yaml:"type"`
		Parameters []string `yaml:"parameters"`
		OnError    string   `yaml:"error_handler,omitempty"`
		Error      string   `yaml:"error_handler_params,omitempty"`
	}
	key struct {
		Key string `yaml:"key"`
	}
	ref struct {
		Name string `yaml:"name"`
	}
	tag struct {
		Tag   string `yaml:"tag"`
		Value string `yaml:"value"`
	}
	macro struct {
		Macro       string `yaml:"macro"`
		Value       string `yaml:"value"`
		Description string `yaml:"description"`
	}
	trigger struct {
		UUID         string       `yaml:"uuid"`
		Expression   string       `yaml:"expression"`
		Name         string       `yaml:"name"`
		EventName    string       `yaml:"event_name,omitempty"`
		Priority     string       `yaml:"priority"`
		Description  string       `yaml:"description,omitempty"`
		Dependencies []dependency `yaml:"dependencies,omitempty"`
		Tags         []tag        `yaml:"tags,omitempty"`
	}
	dependency struct {
		Name       string `yaml:"name"`
		Expression string `yaml:"expression"`
	}
	graph struct {
		UUID  string      `yaml:"uuid"`
		Name  string      `yaml:"name"`
		Items []graphItem `yaml:"graph_items"`
	}
	graphItem struct {
		Draw  string  `yaml:"drawtype,omitempty"`
		Order string  `yaml:"sortorder,omitempty"`
		Color string  `yaml:"color"`
		Item  itemRef `yaml:"item"`
	}
	itemRef struct {
		Host string `yaml:"host"`
		Key  string `yaml:"key"`
	}
	valueMap struct {
		UUID     string    `yaml:"uuid"`
		Name     string    `yaml:"name"`
		Mappings []mapping `yaml:"mappings"`
	}
	mapping struct {
		Value    string `yaml:"value"`
		NewValue string `yaml:"newvalue"`
	}
	dashboard struct {
		UUID  string `yaml:"uuid"`
		Name  string `yaml:"name"`
		Pages []page `yaml:"pages"`
	}
	page struct {
		Widgets []widget `yaml:"widgets"`
	}
	widget struct {
		Type   string  `yaml:"type"`
		Name   string  `yaml:"name,omitempty"`
		X      string  `yaml:"x"`
		Y      string  `yaml:"y"`
		Width  string  `yaml:"width"`
		Height string  `yaml:"height"`
		Fields []field `yaml:"fields"`
	}
	field struct {
		Type  string `yaml:"type"`
		Name  string `yaml:"name"`
		Value any    `yaml:"value"`
	}
	graphRef struct {
		Host string `yaml:"host"`
		Name string `yaml:"name"`
	}
)
