package simulator

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// A spec is what an appliance is at the start.
type spec struct {
	model       *model
	name        string
	address     string // of its eth0, as it prints it
	serial      uint64
	label       string
	ped         bool // PED authentication, not password
	fips        bool
	audit       bool // audit role initialized
	oldSSH      bool // offers only the SSH algorithms of its time
	noREST      bool // although its version has the REST API
	card        bool // in the host that LunaCM runs on, without an appliance
	uptime      time.Duration
	load        float64 // 0..1
	temperature float64 // degrees Celsius
	battery     float64 // volts
	partitions  []partition
	clients     []client
	timeline    []timed
	seed        uint64
	ntlsKey     *rsa.PrivateKey
}

// A timed is one event of a timeline.
type timed struct {
	at time.Duration // from the start
	do Event
}

// A scenario is a scenario file. Zero values mean defaults.
type scenario struct {
	Seed       uint64
	Appliances []scenarioAppliance
	HA         []scenarioGroup
	Timeline   []scenarioEvent
}

type scenarioAppliance struct {
	Name           text
	Model          text
	Address        string
	Serial         uint64
	Label          string
	Authentication text // "ped" or "password"
	FIPS           bool
	Audit          bool
	OldSSH         bool    `yaml:"old_ssh"`
	Card           bool    // LunaCM sees it as a card of its host; it still answers LunaSH
	Uptime         text    // a duration
	Load           float64 // percent
	Temperature    float64 // degrees Celsius
	Battery        float64 // volts
	Partitions     []scenarioPartition
	Clients        []scenarioClient
}

type scenarioPartition struct {
	Name    string
	Serial  uint64
	Bytes   int64
	Objects int
}

type scenarioClient struct {
	Name       string
	Address    string
	Hostname   bool
	Partitions []text
}

type scenarioEvent struct {
	At        text
	Appliance text // "" for all
	Do        text
}

// A text is a scalar with its line.
type text struct {
	value string
	line  int
}

// UnmarshalYAML reads the scalar.
func (t *text) UnmarshalYAML(n ast.Node) error {
	t.line = n.GetToken().Position.Line
	return yaml.NodeToValue(n, &t.value)
}

// errorf returns an error about this text.
func (t text) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %w", t.line, fmt.Errorf(format, args...))
}

// builtIn is the estate that runs when no scenario is given.
const builtIn = `
appliances:
  - {name: luna54, model: "5.4", authentication: password}
  - {name: luna62, model: "6.2", authentication: ped, audit: true}
  - {name: luna72, model: "7.2", authentication: ped, audit: true, fips: true}
`

// readScenario reads the file, or the built-in estate when path is empty.
func readScenario(path string) ([]spec, scenario, error) {
	if path == "" {
		return parseScenario([]byte(builtIn))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, scenario{}, fmt.Errorf("read scenario: %w", err)
	}
	specs, sc, err := parseScenario(b)
	if err != nil {
		return nil, sc, fmt.Errorf("scenario %s: %w", path, err)
	}
	return specs, sc, nil
}

func parseScenario(b []byte) ([]spec, scenario, error) {
	var sc scenario
	if err := yaml.UnmarshalWithOptions(b, &sc, yaml.Strict()); err != nil {
		return nil, sc, errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if len(sc.Appliances) == 0 {
		return nil, sc, errors.New("no appliances")
	}
	if sc.Seed == 0 {
		sc.Seed = 1
	}
	var specs []spec
	for i, a := range sc.Appliances {
		sp, err := a.validate(i)
		if err != nil {
			return nil, sc, err
		}
		if slices.ContainsFunc(specs, func(x spec) bool { return x.name == sp.name }) {
			return nil, sc, a.Name.errorf("a second appliance called %s", sp.name)
		}
		specs = append(specs, sp)
	}
	for _, e := range sc.Timeline {
		if err := e.assign(specs); err != nil {
			return nil, sc, err
		}
	}
	return specs, sc, nil
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func (a scenarioAppliance) validate(index int) (spec, error) {
	m := findModel(a.Model.value)
	if m == nil {
		return spec{}, a.Model.errorf("unknown model %q; known are %s", a.Model.value, modelNames())
	}
	if !hostName.MatchString(a.Name.value) {
		return spec{}, a.Name.errorf("an appliance needs a name that can be a host name, not %q", a.Name.value)
	}
	sp := defaults(m, index)
	sp.name, sp.fips, sp.audit, sp.oldSSH, sp.card = a.Name.value, a.FIPS, a.Audit, a.OldSSH, a.Card
	if sp.oldSSH && m.modern() {
		return spec{}, a.Name.errorf("old_ssh is for models with a K6 card")
	}
	setIf(&sp.address, a.Address)
	setIf(&sp.serial, a.Serial)
	setIf(&sp.label, a.Label)
	setIf(&sp.temperature, a.Temperature)
	setIf(&sp.battery, a.Battery)
	if a.Load != 0 {
		sp.load = a.Load / 100
	}
	switch a.Authentication.value {
	case "ped":
		sp.ped = true
	case "password", "":
	default:
		return spec{}, a.Authentication.errorf("authentication is ped or password, not %q", a.Authentication.value)
	}
	if a.Uptime.value != "" {
		d, err := time.ParseDuration(a.Uptime.value)
		if err != nil {
			return spec{}, a.Uptime.errorf("uptime: %w", err)
		}
		sp.uptime = d
	}
	sp.setPartitions(a.Partitions)
	return sp, sp.setClients(a.Clients)
}

func setIf[T comparable](to *T, from T) {
	var zero T
	if from != zero {
		*to = from
	}
}

// defaults returns an appliance with the values that a scenario need not state.
func defaults(m *model, index int) spec {
	n := uint64(index)
	sp := spec{
		model: m, address: fmt.Sprintf("10.31.8.%d", 20+index), serial: 481207 + 1013*n,
		label: fmt.Sprintf("hsm%d", index+1), uptime: (11*day + 7*time.Hour + 23*time.Minute) * time.Duration(index+1),
		load: 0.02, temperature: 36, battery: 3.081,
	}
	return sp
}

func (sp *spec) setPartitions(given []scenarioPartition) {
	if given == nil {
		given = []scenarioPartition{{Name: "issuing-ca", Objects: 14}, {Name: "payments", Objects: 41}, {Name: "timestamp", Objects: 3}}
	}
	size := sp.model.storageBytes / int64(sp.model.maxPartitions)
	for i, g := range given {
		p := partition{serial: sp.serial*1000 + 8 + uint64(i)*4, name: g.Name, bytes: size, objects: g.Objects, activated: true, attempts: 10}
		if sp.model.version != "5.4" {
			p.serial = 1_254_000_000_000 + p.serial
		}
		setIf(&p.serial, g.Serial)
		setIf(&p.bytes, g.Bytes)
		sp.partitions = append(sp.partitions, p)
	}
}

func (sp *spec) setClients(given []scenarioClient) error {
	if given == nil {
		for i, p := range sp.partitions {
			name := fmt.Sprintf("10.31.40.%d", 11+i)
			sp.clients = append(sp.clients, client{name: name, address: name, partitions: []string{p.name}})
		}
		return nil
	}
	for _, g := range given {
		c := client{name: g.Name, address: g.Address, hostname: g.Hostname}
		if c.address == "" {
			c.address = c.name
		}
		for _, p := range g.Partitions {
			if !slices.ContainsFunc(sp.partitions, func(x partition) bool { return x.name == p.value }) {
				return p.errorf("client %s: no partition called %s", g.Name, p.value)
			}
			c.partitions = append(c.partitions, p.value)
		}
		sp.clients = append(sp.clients, c)
	}
	return nil
}

// assign adds the event to the timelines of its appliances.
func (e scenarioEvent) assign(specs []spec) error {
	at, err := time.ParseDuration(e.At.value)
	if err != nil {
		return e.Do.errorf("at: %w", err)
	}
	ev, err := parseEvent(e.Do.value)
	if err != nil {
		return e.Do.errorf("%w", err)
	}
	found := false
	for i := range specs {
		sp := &specs[i]
		if e.Appliance.value != "" && e.Appliance.value != sp.name {
			continue
		}
		found = true
		if err := ev.check(sp.model); err != nil {
			return e.Do.errorf("%s: %w", sp.name, err)
		}
		sp.timeline = append(sp.timeline, timed{at, ev})
	}
	if !found {
		return e.Appliance.errorf("no appliance called %s", e.Appliance.value)
	}
	return nil
}

func findModel(version string) *model {
	i := slices.IndexFunc(models, func(m *model) bool { return m.version == version })
	if i < 0 {
		return nil
	}
	return models[i]
}

func modelNames() string {
	var names []string
	for _, m := range models {
		names = append(names, m.version)
	}
	return strings.Join(names, ", ")
}
