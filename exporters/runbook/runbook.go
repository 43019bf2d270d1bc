// Package runbook says of each group of alarms what people need who are called for
// one: what it means, how it is found, what to look at and to do, and what clears it.
// All of it is made of the tables of groups, codes and texts.
package runbook

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/alarms/texts"
)

// A Page is what people need of one group.
type Page struct {
	Name, Title string
	Number      uint32 // event ID
	Trap        string
	X733        string
	Means       []Meaning
	Detected    []string // ways in which it is found
	Keys        []Key    // of the configuration, under alarms
	Codes       []alarms.Code
	Check       []Command // they only read
	Action      string
	Advice      []Advice // of codes that have their own
	Cleared     string
	After       []string // groups that explain it
	Parents     []string // groups that explain it, on what the HSM depends on
	Before      []string // groups that it explains
}

// A Key is a key of the configuration, with its default.
type Key struct{ Name, Default string }

// A Command is one that only reads. Where is where it is typed.
type Command struct{ Where, Line string }

// A Meaning is what codes mean, or all alarms of the group if it has no Codes.
type Meaning struct {
	Codes []string
	Text  string
}

// Advice is what to do about one code.
type Advice struct{ Code, Text string }

// Of returns the page of a group; false: there is none of this name.
func Of(name string) (Page, bool) {
	g := alarms.GroupNamed(name)
	if g.Number == 0 {
		return Page{}, false
	}
	p := Page{Name: g.Name, Title: g.Title, Number: g.Number, Trap: string(g.Trap), X733: "event type " + g.Type + ", probable cause " + g.Cause,
		Action: g.Action, Cleared: rules.HowCleared(g.Name), After: g.Causes, Parents: g.ParentCauses, Keys: keysOf(g)}
	if g.Means != "" {
		p.Means = []Meaning{{Text: g.Means}}
	}
	p.codes(g)
	p.detected(g)
	p.Check = append(p.Check, Command{hereabouts, "lunawatch alarms show HSM/" + g.Name})
	for _, line := range g.Check {
		p.Check = append(p.Check, command(line))
	}
	for _, other := range alarms.Groups() {
		if slices.Contains(other.Causes, g.Name) || slices.Contains(other.ParentCauses, g.Name) && other.Name != g.Name {
			p.Before = append(p.Before, other.Name)
		}
	}
	return p, true
}

// codes adds what the codes of g say.
func (p *Page) codes(g alarms.Group) {
	for _, c := range alarms.Catalogue() {
		if c.Group != g.Name || c.Kind == alarms.Clear || c.Severity == alarms.None {
			continue
		}
		p.Codes = append(p.Codes, c)
		i := slices.IndexFunc(p.Means, func(m Meaning) bool { return m.Text == c.Why })
		if i < 0 {
			i, p.Means = len(p.Means), append(p.Means, Meaning{Text: c.Why})
		}
		p.Means[i].Codes = append(p.Means[i].Codes, "ALM"+c.Code)
		if c.Action != "" && c.Action != g.Action {
			p.Advice = append(p.Advice, Advice{"ALM" + c.Code, c.Action})
		}
	}
}

// detected adds the ways in which alarms of g are found.
func (p *Page) detected(g alarms.Group) {
	if rules.Polled(g.Name) {
		p.Detected = append(p.Detected, "Polls of the HSM, its appliance or its host.")
	}
	if g.Self {
		p.Detected = append(p.Detected, "The agent, about itself.")
	}
	for _, c := range p.Codes {
		p.Detected = append(p.Detected, fmt.Sprintf("ALM%s in the log (%s, from %s): %s.", c.Code, c.Severity, c.Component, c.Text))
	}
	for _, t := range texts.All() {
		line := fmt.Sprintf("A line of the log (%s): %s.", t.Severity, t.What)
		if t.Group == g.Name && !slices.Contains(p.Detected, line) {
			p.Detected = append(p.Detected, line)
		}
	}
	if len(p.Detected) == 0 {
		p.Detected = []string{"Lines of a log, or what the agent makes of several polls."}
	}
}

// keysOf returns the keys by which alarms of g are raised and clear.
func keysOf(g alarms.Group) (keys []Key) {
	names := slices.Clone(g.Keys)
	if g.Ages {
		names = append(names, "event_age")
	}
	limits := reflect.ValueOf(rules.DefaultThresholds())
	for f, v := range limits.Fields() {
		if key := f.Tag.Get("yaml"); slices.Contains(names, key) {
			keys = append(keys, Key{key, strings.TrimSpace(fmt.Sprint(v.Interface()) + " " + f.Tag.Get("unit"))})
		}
	}
	return keys
}

// Where commands are typed.
const (
	hereabouts = "on the agent's host"
	lunash     = "in LunaSH"
	lunacm     = "in LunaCM"
	onHost     = "on the host"
)

// command takes a command of [alarms.Group.Check] apart.
func command(line string) Command {
	if rest, ok := strings.CutPrefix(line, "lunacm: "); ok {
		return Command{lunacm, rest}
	}
	if rest, ok := strings.CutPrefix(line, "host: "); ok {
		return Command{onHost, rest}
	}
	if strings.HasPrefix(line, "lunawatch ") {
		return Command{hereabouts, line}
	}
	return Command{lunash, line}
}
