package runbook

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	texttemplate "text/template"

	"github.com/lunawatch/lunawatch/alarms"
)

// A section is a part of a page: a sentence, or a list of what is looked at one by one.
type section struct {
	Title string
	Text  string
	Items []item
}

// An item is words, then code, then links to other pages.
type item struct {
	Words, Code string
	Links       []string
}

// sections returns what a page says, without what is not known of the group.
func (p Page) sections() (all []section) {
	var means, detected, check, advice, related []item
	for _, m := range p.Means {
		means = append(means, item{Words: strings.TrimPrefix(strings.Join(m.Codes, ", ")+": "+m.Text, ": ")})
	}
	for _, way := range p.Detected {
		detected = append(detected, item{Words: way})
	}
	for _, k := range p.Keys {
		detected = append(detected, item{Words: "Threshold under alarms of the configuration, default " + k.Default + ":", Code: k.Name})
	}
	for _, c := range p.Check {
		check = append(check, item{Words: c.Where + ":", Code: c.Line})
	}
	for _, a := range p.Advice {
		advice = append(advice, item{Words: a.Code + ": " + a.Text})
	}
	for _, x := range []item{
		{Words: "Can follow from these; while one is active, notifications are sent for that only:", Links: p.After},
		{Words: "Can follow from these, of what the HSM depends on:", Links: p.Parents},
		{Words: "Can explain:", Links: p.Before},
	} {
		if len(x.Links) > 0 {
			related = append(related, x)
		}
	}
	all = []section{
		{"What it means", "", means},
		{"How it is detected", "", detected},
		{"What to check first", "These commands only read.", check},
		{"What to do", p.Action, advice},
		{"What clears it", strings.ToUpper(p.Cleared[:1]) + p.Cleared[1:], nil},
		{"Related alarms", "", related},
	}
	return slices.DeleteFunc(all, func(s section) bool { return s.Text == "" && len(s.Items) == 0 })
}

// Rows returns what a page says, as names and values for a terminal.
func (p Page) Rows() [][2]string {
	var means, codes, keys, check []string
	for _, m := range p.Means {
		means = append(means, strings.TrimPrefix(strings.Join(m.Codes, ", ")+": "+m.Text, ": "))
	}
	for _, c := range p.Codes {
		codes = append(codes, fmt.Sprintf("ALM%s %s (%s)", c.Code, c.Text, c.Severity))
	}
	for _, k := range p.Keys {
		keys = append(keys, k.Name+" (default "+k.Default+")")
	}
	for _, c := range p.Check {
		check = append(check, c.Line+" ("+c.Where+")")
	}
	rows := [][2]string{
		{"Meaning", strings.Join(means, " ")},
		{"Event ID", fmt.Sprint(p.Number)},
		{"X.733", p.X733},
		{"Notification", p.Trap},
		{"Codes", cmp.Or(strings.Join(codes, "; "), "none: it is polled, or read from other lines")},
		{"Thresholds", strings.Join(keys, ", ")},
		{"Check first", strings.Join(check, "; ")},
		{"What to do", p.Action},
		{"What clears it", p.Cleared},
	}
	if len(p.After) > 0 {
		rows = append(rows, [2]string{"Can follow", "from " + strings.Join(p.After, ", ") + ": while that is active, notifications are sent for that only"})
	}
	rows = append(rows, [2]string{"Can explain", strings.Join(p.Before, ", ")})
	return slices.DeleteFunc(rows, func(r [2]string) bool { return r[1] == "" })
}

var markdown = texttemplate.Must(texttemplate.New("page").Parse(`# {{.Page.Name}}: {{.Page.Title}}

Event ID {{.Page.Number}}, {{.Page.Trap}}, {{.Page.X733}}. [All runbooks](README.md).
{{range .Sections}}
## {{.Title}}
{{with .Text}}
{{.}}
{{end}}{{with .Items}}
{{range .}}- {{.Words}}{{with .Code}} ` + "`{{.}}`" + `{{end}}{{range $i, $name := .Links}}{{if $i}},{{end}} [{{.}}]({{.}}.md){{end}}
{{end}}{{end}}{{end}}`))

// Markdown writes a page as a document beside those of all other groups.
func Markdown(w io.Writer, p Page) error { return markdown.Execute(w, shown{p, p.sections()}) }

// shown is what the templates take.
type shown struct {
	Page     Page
	Sections []section
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:44em;margin:1.5em auto;padding:0 1em;color:#222;background:#fff}
code{background:#eee;padding:.1em .3em;overflow-wrap:anywhere}a{color:#0645ad}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}code{background:#333}a{color:#8ab4f8}}`

var html = template.Must(template.New("runbook").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Page.Name}}: {{.Page.Title}}</title><style>` + style + `</style></head><body>
<h1>{{.Page.Name}}: {{.Page.Title}}</h1>
<p>Event ID {{.Page.Number}}, {{.Page.Trap}}, {{.Page.X733}}. <a href="./">All runbooks</a></p>
{{range .Sections}}<h2>{{.Title}}</h2>
{{with .Text}}<p>{{.}}</p>
{{end}}{{with .Items}}<ul>
{{range .}}<li>{{.Words}}{{with .Code}} <code>{{.}}</code>{{end}}{{range $i, $name := .Links}}{{if $i}},{{end}} <a href="{{.}}">{{.}}</a>{{end}}</li>
{{end}}</ul>
{{end}}{{end}}</body></html>
`))

var index = template.Must(template.New("runbooks").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runbooks</title><style>` + style + `</style></head><body>
<h1>Runbooks</h1>
<ul>
{{range .}}<li><a href="{{.Name}}">{{.Name}}</a>: {{.Title}}</li>
{{end}}</ul></body></html>
`))

// policy allows a page its own style, and nothing else.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// Path is where [Handler] serves the page of a group, with its name added.
const Path = "/runbooks/"

// Handler serves the pages under [Path], and a list of all at it.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"{$}", func(w http.ResponseWriter, _ *http.Request) { respond(w, index, alarms.Groups()) })
	mux.HandleFunc("GET "+Path+"{group}", func(w http.ResponseWriter, r *http.Request) {
		p, known := Of(r.PathValue("group"))
		if !known {
			http.Error(w, "There is no runbook of this name; "+Path+" lists all.", http.StatusNotFound)
			return
		}
		respond(w, html, shown{p, p.sections()})
	})
	return mux
}

func respond(w http.ResponseWriter, page *template.Template, data any) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	_ = page.Execute(w, data) // the client is gone
}
