package rest

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Poller reads one Luna Network HSM over its REST API, each source at its pace
// and one request at a time. It implements [collectors.Source].
type Poller struct {
	Device    string
	API       *API
	Rank      int // of its observations
	Intervals poll.Intervals

	hsm    string          // its id, which is its serial number; "": not known
	last   hsmCounter      // of an earlier poll, for the utilization
	read   map[string]bool // sources that were read at least once
	absent map[string]bool // sources that this release does not have
	failed map[string]bool // sources that were not read yet, and whose failure was reported
}

// A source is one or more resources that are read together.
type source struct {
	name     string
	pace     poll.Pace
	optional bool // not every release has it
	ask      func(*Poller, context.Context) ([]hsm.Fact, []string, error)
}

// sources are polled in this order.
var sources = []source{
	{name: "rest hsm", pace: poll.Fast, ask: (*Poller).askHSM},
	{name: "rest counter", pace: poll.Fast, ask: (*Poller).askCounter},
	{name: "rest metrics", pace: poll.Fast, optional: true, ask: (*Poller).askOperations},
	{name: "rest ntls", pace: poll.Fast, ask: (*Poller).askNTLS},
	{name: "rest partitions", pace: poll.Fast, ask: (*Poller).askPartitions},
	{name: "rest services", pace: poll.Fast, optional: true, ask: (*Poller).askServices},
	{name: "rest sensors", pace: poll.Slow, optional: true, ask: (*Poller).askSensors},
	{name: "rest disk", pace: poll.Slow, optional: true, ask: (*Poller).askDisk},
	{name: "rest licenses", pace: poll.Hourly, optional: true, ask: (*Poller).askLicenses},
	{name: "rest policies", pace: poll.Hourly, optional: true, ask: (*Poller).askPolicies},
	{name: "rest clients", pace: poll.Hourly, optional: true, ask: (*Poller).askClients},
	{name: "rest certificate", pace: poll.Hourly, optional: true, ask: (*Poller).askCertificate},
}

func (p *Poller) String() string { return "REST poller of " + p.Device }

// Run implements [collectors.Collector], at the paces of a [poll.Poller].
func (p *Poller) Run(ctx context.Context, report func(hsm.Observation)) error {
	defer p.API.Close()
	var reach poll.Reach
	if p.API.Replay == "" {
		p.API.lost = make(chan struct{}, 1)
		reach = poll.Reach{Lost: p.API.lost, Confirm: p.API.Confirm}
	}
	p.Intervals.Poll(ctx, p.Device, reach, func(due func(poll.Pace) bool) hsm.Failure { return p.round(ctx, due, report) })
	return nil
}

// round reads every source that is due and returns why the session was lost, or
// None. After that all remaining sources of the round report the same failure; and
// so they do after a request that timed out, since the appliance locks out a
// client whose requests hang.
func (p *Poller) round(ctx context.Context, due func(poll.Pace) bool, report func(hsm.Observation)) hsm.Failure {
	if p.read == nil {
		p.read, p.absent, p.failed = make(map[string]bool), make(map[string]bool), make(map[string]bool)
	}
	if due(poll.Hourly) {
		clear(p.absent) // it may have been updated, or switched on
	}
	var lost error
	for _, s := range sources {
		if !due(s.pace) || p.absent[s.name] {
			continue
		}
		start := time.Now()
		obs := hsm.Observation{Device: p.Device, Source: s.name, Rank: p.Rank, MaxAge: p.Intervals[s.pace]*5/2 + timeout, Err: lost}
		if lost == nil {
			obs.Facts, obs.Unread, obs.Err = s.ask(p, ctx)
			obs.Answer = p.API.answers()
		}
		if ctx.Err() != nil {
			return hsm.None
		}
		if s.optional && lacks(obs.Err) && !p.read[s.name] {
			p.absent[s.name] = true
			if p.failed[s.name] {
				report(hsm.Observation{Device: p.Device, Source: s.name, At: time.Now(), Absent: true})
			}
			delete(p.failed, s.name)
			continue
		}
		if s.optional && !p.read[s.name] && collectors.FailureOf(obs.Err).OfSession() {
			lost = obs.Err
			continue // this release may not have it, and then its failure would never clear
		}
		obs.At = time.Now()
		obs.Took = obs.At.Sub(start)
		obs.Failure, obs.Layer = collectors.FailureOf(obs.Err), collectors.LayerOf(obs.Err)
		if obs.Failure.OfSession() || obs.Failure == hsm.Timeout {
			lost = obs.Err
		}
		p.read[s.name] = p.read[s.name] || obs.Failure == hsm.None
		p.failed[s.name] = !p.read[s.name]
		report(obs)
	}
	return collectors.FailureOf(lost)
}

// lacks reports whether err means that this release has no such resource.
func lacks(err error) bool {
	switch status(err) {
	case http.StatusNotFound, http.StatusNotImplemented, http.StatusInternalServerError:
		return true
	}
	return false
}

// resource reads one resource with its reader.
func resource[T any](ctx context.Context, r *API, path string, read func(object) (T, bool)) (T, error) {
	var none T
	o, err := r.get(ctx, path)
	if err != nil {
		return none, err
	}
	v, ok := read(o)
	if !ok {
		return none, unrecognised(path)
	}
	return v, nil
}

func unrecognised(path string) error {
	return collectors.Failf(hsm.Unrecognised, "GET %s: %w", path, answer.ErrUnrecognised)
}

// maxListed bounds the resources of one list; an HSM has 100 partitions.
const maxListed = 1000

// every reads each resource of a list and passes it to add. It skips one that was
// removed since it was listed, and returns as unread those whose names may not be
// sent.
func every[T any](ctx context.Context, r *API, path, key string, read func(object) (T, bool), add func(listed, T) error) (unread []string, err error) {
	list, err := resource(ctx, r, path, func(o object) ([]listed, bool) { return o.list(key) })
	if err != nil {
		return nil, err
	}
	if len(list) > maxListed {
		return nil, collectors.Failf(hsm.Unrecognised, "GET %s: a list of %d", path, len(list))
	}
	for _, l := range list {
		one := path + "/" + url.PathEscape(l.id)
		if Allowed(http.MethodGet, one) != nil {
			unread = append(unread, answer.Clip(one, 200))
			continue
		}
		v, err := resource(ctx, r, one, read)
		if status(err) == http.StatusNotFound {
			continue
		}
		if err == nil {
			err = add(l, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return unread, nil
}

// root is the path of the appliance; the others are below it.
const root = "/api/lunasa"

// ofHSM returns the path of a resource of the HSM.
func (p *Poller) ofHSM(ctx context.Context, resource string) (string, error) {
	if p.hsm == "" {
		if _, err := p.findHSM(ctx); err != nil {
			return "", err
		}
	}
	return root + "/hsms/" + p.hsm + resource, nil
}

// findHSM chooses the first HSM of the appliance and returns a note on each other
// one.
func (p *Poller) findHSM(ctx context.Context) (others []string, err error) {
	p.hsm = ""
	path := root + "/hsms"
	list, err := resource(ctx, p.API, path, func(o object) ([]listed, bool) { return o.list("hsms") })
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, collectors.Failf(hsm.Command, "GET %s: the appliance lists no HSM: it is out of service", path)
	}
	if _, ok := answer.Count(list[0].id); !ok {
		return nil, unrecognised(path)
	}
	p.hsm = list[0].id
	for _, l := range list[1:] {
		others = append(others, answer.Clip("another HSM, not read: "+l.id, 200))
	}
	return others, nil
}

func (p *Poller) askHSM(ctx context.Context) ([]hsm.Fact, []string, error) {
	software, err := p.API.Try(ctx)
	if err != nil {
		return nil, nil, err
	}
	others, err := p.findHSM(ctx)
	if err != nil {
		return nil, nil, err
	}
	path, _ := p.ofHSM(ctx, "")
	show, err := resource(ctx, p.API, path, readHSM)
	if err != nil {
		return nil, nil, err
	}
	show.SoftwareVersion, show.Serial = software, p.hsm
	if major, _, _ := strings.Cut(software, "."); len(major) == 1 && major < "7" {
		return []hsm.Fact{show}, others, nil // it has no tampers
	}
	facts := []hsm.Fact{show}
	tamper, err := resource(ctx, p.API, path+"/tamper", readTamper)
	switch {
	case err == nil:
		show.Tamper = tamper.State
		facts = []hsm.Fact{show, tamper}
	case !lacks(err):
		return nil, nil, err
	}
	return facts, others, nil
}

// oldAPI reports whether the cause of err can be that the appliance does not
// support the API version.
func oldAPI(err error) bool {
	switch status(err) {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, http.StatusUnsupportedMediaType, http.StatusNotImplemented:
		return true
	}
	return false
}

func (p *Poller) askCounter(ctx context.Context) ([]hsm.Fact, []string, error) {
	path, err := p.ofHSM(ctx, "/counter")
	if err != nil {
		return nil, nil, err
	}
	c, err := resource(ctx, p.API, path, readCounter)
	if err != nil {
		return nil, nil, err
	}
	facts := []hsm.Fact{c.Information}
	m, ok := c.since(p.last)
	if ok {
		facts = append(facts, m)
	}
	if ok || c.uptime.Value-p.last.uptime.Value >= 1 || c.uptime.Value < p.last.uptime.Value || !p.last.uptime.Known {
		p.last = c // unless too close to the last one for a utilization
	}
	return facts, nil, nil
}

// single reads one resource that is one fact.
func single[T hsm.Fact](ctx context.Context, p *Poller, path string, read func(object) (T, bool)) ([]hsm.Fact, []string, error) {
	v, err := resource(ctx, p.API, path, read)
	if err != nil {
		return nil, nil, err
	}
	return []hsm.Fact{v}, nil, nil
}

func (p *Poller) askOperations(ctx context.Context) ([]hsm.Fact, []string, error) {
	path, err := p.ofHSM(ctx, "/metrics")
	if err != nil {
		return nil, nil, err
	}
	return single(ctx, p, path, readOperations)
}

func (p *Poller) askNTLS(ctx context.Context) ([]hsm.Fact, []string, error) {
	return single(ctx, p, root+"/ntls", readNTLS)
}

func (p *Poller) askCertificate(ctx context.Context) ([]hsm.Fact, []string, error) {
	return single(ctx, p, root+"/ntls/certificate", readCertificate)
}

func (p *Poller) askLicenses(ctx context.Context) ([]hsm.Fact, []string, error) {
	path, err := p.ofHSM(ctx, "/licenses")
	if err != nil {
		return nil, nil, err
	}
	return single(ctx, p, path, readLicenses)
}

// partitionRoleID is the role that is read of each partition: applications need
// the Crypto Officer to be activated. Another role would cost another command to
// the HSM for each partition.
const partitionRoleID = "co"

func (p *Poller) askPartitions(ctx context.Context) ([]hsm.Fact, []string, error) {
	path, err := p.ofHSM(ctx, "/partitions")
	if err != nil {
		return nil, nil, err
	}
	all := hsm.Partitions{}
	unread, err := every(ctx, p.API, path, "partitions", readPartition, func(l listed, one hsm.Partition) error {
		one.Serial = l.id
		role, err := resource(ctx, p.API, path+"/"+l.id+"/roles/"+partitionRoleID, readRole)
		if err != nil && !lacks(err) {
			return err
		}
		if err == nil {
			one.Roles, one.Activated = []hsm.Role{role}, role.Activated
		}
		all = append(all, one)
		return nil
	})
	return []hsm.Fact{all}, unread, err
}

func (p *Poller) askServices(ctx context.Context) ([]hsm.Fact, []string, error) {
	all := hsm.Services{}
	unread, err := every(ctx, p.API, root+"/services", "services", readService, func(l listed, s hsm.Service) error {
		s.Name = l.id
		all = append(all, s)
		return nil
	})
	return []hsm.Fact{all}, unread, err
}

func (p *Poller) askSensors(ctx context.Context) ([]hsm.Fact, []string, error) {
	var all hsm.Sensors
	unread, err := every(ctx, p.API, root+"/sensors", "sensors", readSensor, func(_ listed, s hsm.Sensor) error {
		all.Sensors = append(all.Sensors, s)
		return nil
	})
	return []hsm.Fact{all}, unread, err
}

func (p *Poller) askDisk(ctx context.Context) ([]hsm.Fact, []string, error) {
	var d hsm.Disk
	unread, err := every(ctx, p.API, root+"/disk/partitions", "partitions", readFilesystem, func(_ listed, f hsm.Filesystem) error {
		d.Filesystems = append(d.Filesystems, f)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	d.SMART, err = resource(ctx, p.API, root+"/disk/smart", readSMART)
	if err != nil && !lacks(err) {
		return nil, nil, err
	}
	return []hsm.Fact{d}, unread, nil
}

func (p *Poller) askPolicies(ctx context.Context) ([]hsm.Fact, []string, error) {
	path, err := p.ofHSM(ctx, "/policies")
	if err != nil {
		return nil, nil, err
	}
	var all hsm.Policies
	unread, err := every(ctx, p.API, path, "policies", readPolicy, func(_ listed, one hsm.Policy) error {
		all.Policies = append(all.Policies, one)
		return nil
	})
	return []hsm.Fact{all}, unread, err
}

func (p *Poller) askClients(ctx context.Context) ([]hsm.Fact, []string, error) {
	all := hsm.Clients{}
	unread, err := every(ctx, p.API, root+"/ntls/clients", "clients", readClient, func(_ listed, c hsm.Client) error {
		all = append(all, c)
		return nil
	})
	return []hsm.Fact{all}, unread, err
}
