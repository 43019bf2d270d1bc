package exporters

import (
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// pageTemplate is the status page: each HSM at a glance, alarms and receivers.
// What is stale is marked; what is unknown is a dash.
var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Lunawatch</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222 }
table { border-collapse: collapse } th, td { text-align: left; padding: .3em 1em .3em 0; border-bottom: 1px solid #ddd }
.stale { color: #999; font-style: italic } .bad, .critical, .major { color: #b00 } .critical { font-weight: bold }
</style></head><body>
<h1>Lunawatch</h1>
<h2>HSMs</h2>
<table><tr><th>HSM</th><th>Serial</th><th>Label</th><th>Model</th><th>Firmware</th><th>Utilization</th><th>Temperature</th><th>Battery</th><th>NTLS</th><th>Read</th></tr>
{{range .HSMs}}<tr{{if .Stale}} class="stale"{{end}}><td>{{.Name}}</td><td>{{.Serial}}</td><td>{{.Label}}</td><td>{{.Model}}</td><td>{{.Firmware}}</td><td>{{.Utilization}}</td><td>{{.Temperature}}</td><td>{{.Battery}}</td><td>{{.NTLS}}</td><td>{{.Read}}</td></tr>
{{range .Failures}}<tr><td></td><td colspan="9" class="bad">{{.}}</td></tr>
{{end}}{{end}}</table>
<h2>Alarms</h2>
{{with .Alarms}}<table><tr><th>Number</th><th>Severity</th><th>HSM</th><th>Alarm</th><th>Since</th><th>Count</th><th>Text</th></tr>
{{range .}}<tr id="{{.Anchor}}"><td>{{.Number}}</td><td class="{{.Severity}}">{{.Severity}}</td><td>{{.HSM}}</td><td>{{.Alarm}}</td><td>{{.Since}}</td><td>{{.Count}}</td><td>{{.Text}}{{range .Marks}}<br><em>{{.}}</em>{{end}}<br>{{.Action}}</td></tr>
{{end}}</table>{{else}}<p>No active alarms.</p>{{end}}
{{with .Silences}}<h2>Silences</h2>
<table><tr><th>Silence</th><th>From</th><th>Until</th><th>By</th><th>Of</th><th>Reason</th></tr>
{{range .}}<tr><td>{{.Number}}</td><td>{{.From}}</td><td>{{.Until}}</td><td>{{.By}}</td><td>{{.Of}}</td><td>{{.Reason}}</td></tr>
{{end}}</table>{{end}}
<h2>Receivers</h2>
{{with .Deliveries}}<table><tr><th>Receiver</th><th>Delivered</th><th>Waiting</th><th>Oldest</th><th>Given up</th><th>Last error</th></tr>
{{range .}}<tr{{if .Bad}} class="bad"{{end}}><td>{{.Receiver}}</td><td>{{.Delivered}}</td><td>{{.Waiting}}</td><td>{{.Oldest}}</td><td>{{.Lost}}</td><td>{{.Error}}</td></tr>
{{end}}</table>{{else}}<p class="bad">No receiver is configured: nobody is notified of alarms.</p>{{end}}
{{if .InMemory}}<p class="bad">The state cannot be stored: {{.InMemory}}</p>{{end}}
<p><a href="{{.Metrics}}">Metrics</a></p>
</body></html>
`))

type pageRow struct {
	Name, Serial, Label, Model, Firmware, Utilization, Temperature, Battery, NTLS, Read string

	Stale    bool
	Failures []string
}

func page(w http.ResponseWriter, s *hsm.Snapshot, a AlarmState, metrics string, now time.Time) {
	var rows []pageRow
	for _, d := range s.HSMs() {
		rows = append(rows, rowOf(d, now))
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pageTemplate.Execute(w, map[string]any{
		"HSMs": rows, "Metrics": metrics,
		"Alarms": alarmRows(a.Active, now), "Silences": silenceRows(a.Silences, now), "Deliveries": deliveryRows(a.Deliveries, now), "InMemory": a.Trouble,
	})
}

func rowOf(d *hsm.Device, now time.Time) pageRow {
	show, fresh := d.Show.Get(now)
	row := pageRow{
		Name: d.Name, Serial: dash(show.Serial), Label: label(show.Label), Model: dash(show.Model), Firmware: dash(show.Firmware),
		Utilization: "-", Temperature: "-", Battery: "-", NTLS: "-", Read: "never", Stale: !fresh,
	}
	if !d.Show.IsZero() {
		row.Read = now.Sub(d.Show.At).Round(time.Second).String() + " ago"
	}
	if m, ok := d.Monitor.Get(now); ok && len(m.Samples) > 0 && m.IntervalSeconds.Known {
		row.Utilization = percent(m.Samples[len(m.Samples)-1].UtilizationInt)
	}
	if n, ok := d.NTLS.Get(now); ok {
		row.NTLS = string(n.Status)
	}
	if e := show.Environment; fresh && e != nil {
		row.Temperature, row.Battery = measure(e.TemperatureCelsius, "%.0f °C"), measure(e.BatteryVolts, "%.3f V")
	}
	for _, x := range disagreements(d, now) {
		row.Failures = append(row.Failures, "sources disagree on "+disagreementText(x))
	}
	if services, ok := d.Services.Get(now); ok {
		for _, s := range services {
			if s.Missing() {
				row.Failures = append(row.Failures, fmt.Sprintf("service %s is %s", s.Name, s.Status))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Sources)) {
		if s := d.Sources[name]; s.Failure != hsm.None && !slices.Contains(row.Failures, s.Error) {
			row.Failures = append(row.Failures, s.Error)
		}
	}
	return row
}
