// Package grafana holds dashboards for Grafana as tables. Its test writes them as
// files, which the packages install.
package grafana

import (
	"bytes"
	"encoding/json"
)

// A board is one dashboard. Its series are of the data source that people choose.
type board struct {
	uid, title, says string
	perDevice        bool // has the variable device, of one HSM
	panels           []panel
}

// A panel shows the series of expressions.
type panel struct {
	kind    string // timeseries, stat or table
	title   string
	says    string
	unit    string // as Grafana names it
	exprs   []expr
	warn    *float64 // from where a value is yellow; nil: nowhere
	bad     *float64 // from where it is red; nil: nowhere
	falling bool     // it is bad below the limits
}

// An expr is a series and what it is called.
type expr struct{ query, legend string }

// Grid units: a row has 24, of which a panel takes a third.
const wide, high, perRow = 8, 8, 3

// text returns b as Grafana imports it.
func (b board) text() ([]byte, error) {
	variables := []any{map[string]any{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}}
	if b.perDevice {
		variables = append(variables, map[string]any{"name": "device", "type": "query", "label": "HSM", "datasource": source,
			"query": "label_values(luna_source_success,device)", "refresh": 2, "sort": 1})
	}
	var panels []any
	for i, p := range b.panels {
		panels = append(panels, p.object(i))
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	err := encoder.Encode(map[string]any{
		"uid": b.uid, "title": b.title, "description": b.says, "tags": []string{"lunawatch"}, "schemaVersion": 41, "version": 1,
		"editable": true, "refresh": "30s", "time": map[string]string{"from": "now-24h", "to": "now"}, "timezone": "browser",
		"templating": map[string]any{"list": variables}, "panels": panels,
		"links": []any{map[string]any{"type": "dashboards", "title": "Lunawatch", "tags": []string{"lunawatch"}, "asDropdown": true, "includeVars": true, "keepTime": true}},
	})
	return text.Bytes(), err
}

var source = map[string]string{"type": "prometheus", "uid": "${datasource}"}

// object returns the panel at place i as Grafana takes it.
func (p panel) object(i int) any {
	var targets []any
	for n, e := range p.exprs {
		target := map[string]any{"refId": string(rune('A' + n)), "datasource": source, "expr": e.query, "legendFormat": e.legend}
		if p.kind != "timeseries" {
			target["instant"] = true
		}
		if p.kind == "table" {
			target["format"] = "table"
		}
		targets = append(targets, target)
	}
	return map[string]any{
		"id": i + 1, "type": p.kind, "title": p.title, "description": p.says, "datasource": source, "targets": targets,
		"gridPos":     map[string]int{"x": i % perRow * wide, "y": i / perRow * high, "w": wide, "h": high},
		"fieldConfig": map[string]any{"defaults": map[string]any{"unit": p.unit, "noValue": "unknown", "thresholds": p.thresholds(), "color": map[string]string{"mode": p.colors()}}, "overrides": []any{}},
	}
}

// colors is by what a panel is coloured.
func (p panel) colors() string {
	if p.kind == "timeseries" || p.warn == nil && p.bad == nil {
		return "palette-classic"
	}
	return "thresholds"
}

// thresholds returns from where values have which colour.
func (p panel) thresholds() any {
	good, warn, bad := "green", "yellow", "red"
	if p.warn == nil && p.bad == nil {
		good = "blue"
	}
	steps := []any{}
	step := func(color string, from any) { steps = append(steps, map[string]any{"color": color, "value": from}) }
	if p.falling {
		step(bad, nil)
		if p.bad != nil && p.warn != nil {
			step(warn, *p.bad)
		}
		step(good, *p.lastLimit())
	} else {
		step(good, nil)
		if p.warn != nil {
			step(warn, *p.warn)
		}
		if p.bad != nil {
			step(bad, *p.bad)
		}
	}
	return map[string]any{"mode": "absolute", "steps": steps}
}

// lastLimit is from where a value that is bad when it falls is good.
func (p panel) lastLimit() *float64 {
	if p.warn != nil {
		return p.warn
	}
	return p.bad
}
