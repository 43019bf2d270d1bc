package collectors

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A RESTPoller reads one Luna Network HSM over its REST API, each source at
// its pace, one request at a time.
type RESTPoller struct {
	Device    string
	REST      *REST
	Rank      int // of its observations
	Intervals Intervals

	hsm    string          // id, which is the serial number of the HSM
	last   hsmCounter      // of the poll before, for the utilization
	read   map[string]bool // sources that were read once
	absent map[string]bool // sources that this release lacks
}

// A restSource is one or more resources that are read together.
type restSource struct {
	name     string
	pace     Pace
	optional bool // not every release has it
	ask      func(*RESTPoller, context.Context) ([]hsm.Fact, []string, error)
}

// restSources lists what is read, in this order.
var restSources = []restSource{
	{name: "rest hsm", pace: Fast, ask: (*RESTPoller).askHSM},
	{name: "rest counter", pace: Fast, ask: (*RESTPoller).askCounter},
	{name: "rest metrics", pace: Fast, optional: true, ask: (*RESTPoller).askOperations},
	{name: "rest ntls", pace: Fast, ask: (*RESTPoller).askNTLS},
	{name: "rest partitions", pace: Fast, ask: (*RESTPoller).askPartitions},
	{name: "rest services", pace: Fast, optional: true, ask: (*RESTPoller).askServices},
	{name: "rest sensors", pace: Slow, optional: true, ask: (*RESTPoller).askSensors},
	{name: "rest disk", pace: Slow, optional: true, ask: (*RESTPoller).askDisk},
	{name: "rest licenses", pace: Hourly, optional: true, ask: (*RESTPoller).askLicenses},
	{name: "rest policies", pace: Hourly, optional: true, ask: (*RESTPoller).askPolicies},
	{name: "rest clients", pace: Hourly, optional: true, ask: (*RESTPoller).askClients},
	{name: "rest certificate", pace: Hourly, optional: true, ask: (*RESTPoller).askCertificate},
}

func (p *RESTPoller) String() string { return "REST poller of " + p.Device }

// Run implements [Collector], at the paces of a [Poller].
func (p *RESTPoller) Run(ctx context.Context, report func(hsm.Observation)) error {
	defer p.REST.Close()
	p.Intervals.poll(ctx, func(due func(Pace) bool) hsm.Failure { return p.round(ctx, due, report) })
	return nil
}

// round reads every source that is due and returns why the session was lost,
// or None. Without a session every source of the round shares its failure;
// and so it is after a request that timed out, since the appliance shuts out
// who lets requests hang.
func (p *RESTPoller) round(ctx context.Context, due func(Pace) bool, report func(hsm.Observation)) hsm.Failure {
	if p.read == nil {
		p.read, p.absent = make(map[string]bool), make(map[string]bool)
	}
	if due(Hourly) {
		clear(p.absent) // it may have been updated, or switched on
	}
	var lost error
	for _, s := range restSources {
		if !due(s.pace) || p.absent[s.name] {
			continue
		}
		start := time.Now()
		obs := hsm.Observation{Device: p.Device, Source: s.name, Rank: p.Rank, MaxAge: p.Intervals[s.pace]*5/2 + restTimeout, Err: lost}
		if lost == nil {
			obs.Facts, obs.Unread, obs.Err = s.ask(p, ctx)
		}
		if ctx.Err() != nil {
			return hsm.None
		}
		if s.optional && lacks(obs.Err) && !p.read[s.name] {
			p.absent[s.name] = true
			continue
		}
		if s.optional && !p.read[s.name] && failure(obs.Err).OfSession() {
			lost = obs.Err
			continue // this release may lack it, and then nobody would ever report it again
		}
		obs.At = time.Now()
		obs.Took = obs.At.Sub(start)
		obs.Failure = failure(obs.Err)
		if obs.Failure.OfSession() || obs.Failure == hsm.Timeout {
			lost = obs.Err
		}
		p.read[s.name] = p.read[s.name] || obs.Failure == hsm.None
		report(obs)
	}
	return failure(lost)
}

// lacks reports whether err says that there is no such resource in this release.
func lacks(err error) bool {
	switch status(err) {
	case http.StatusNotFound, http.StatusNotImplemented, http.StatusInternalServerError:
		return true
	}
	return false
}

// resource reads one resource with its reader.
func resource[T any](ctx context.Context, r *REST, path string, read func(object) (T, bool)) (T, error) {
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
	return failed(hsm.Unrecognised, "GET %s: %w", path, ErrUnrecognised)
}

// maxListed bounds the resources of one list; an HSM has 100 partitions.
const maxListed = 1000

// every reads each resource of a list. One that was removed since it was
// listed, or whose name would be no plain name, is left out.
func every[T any](ctx context.Context, r *REST, path, key string, read func(object) (T, bool), add func(listed, T) error) (unread []string, err error) {
	list, err := resource(ctx, r, path, func(o object) ([]listed, bool) { return o.list(key) })
	if err != nil {
		return nil, err
	}
	if len(list) > maxListed {
		return nil, failed(hsm.Unrecognised, "GET %s: a list of %d", path, len(list))
	}
	for _, l := range list {
		one := path + "/" + url.PathEscape(l.id)
		if AllowedREST(http.MethodGet, one) != nil {
			unread = append(unread, clip(one, 200))
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

const restRoot = "/api/lunasa"

// ofHSM returns the path of a resource of the HSM.
func (p *RESTPoller) ofHSM(ctx context.Context, more string) (string, error) {
	if p.hsm == "" {
		if _, err := p.findHSM(ctx); err != nil {
			return "", err
		}
	}
	return restRoot + "/hsms/" + p.hsm + more, nil
}

// findHSM takes the first HSM of the appliance and tells of others.
func (p *RESTPoller) findHSM(ctx context.Context) (others []string, err error) {
	p.hsm = ""
	path := restRoot + "/hsms"
	list, err := resource(ctx, p.REST, path, func(o object) ([]listed, bool) { return o.list("hsms") })
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, failed(hsm.Command, "GET %s: the appliance lists no HSM: it is out of service", path)
	}
	if _, ok := count(list[0].id); !ok {
		return nil, unrecognised(path)
	}
	p.hsm = list[0].id
	for _, l := range list[1:] {
		others = append(others, clip("another HSM, not read: "+l.id, 200))
	}
	return others, nil
}

func (p *RESTPoller) askHSM(ctx context.Context) ([]hsm.Fact, []string, error) {
	software, err := resource(ctx, p.REST, restRoot, readVersion)
	if oldAPI(err) && p.REST.older() {
		software, err = resource(ctx, p.REST, restRoot, readVersion)
	}
	if err != nil {
		return nil, nil, err
	}
	others, err := p.findHSM(ctx)
	if err != nil {
		return nil, nil, err
	}
	path, _ := p.ofHSM(ctx, "")
	show, err := resource(ctx, p.REST, path, readHSM)
	if err != nil {
		return nil, nil, err
	}
	show.SoftwareVersion, show.Serial = software, p.hsm
	if major, _, _ := strings.Cut(software, "."); len(major) == 1 && major < "7" {
		return []hsm.Fact{show}, others, nil // tells of no tampers
	}
	facts := []hsm.Fact{show}
	tamper, err := resource(ctx, p.REST, path+"/tamper", readTamper)
	switch {
	case err == nil:
		show.Tamper = tamper.State
		facts = []hsm.Fact{show, tamper}
	case !lacks(err):
		return nil, nil, err
	}
	return facts, others, nil
}

// oldAPI reports whether err can come of an API version that is too new.
func oldAPI(err error) bool {
	switch status(err) {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, http.StatusUnsupportedMediaType, http.StatusNotImplemented:
		return true
	}
	return false
}

// older takes the next older version of the API; false if there is none.
func (r *REST) older() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range apiVersions {
		if v < r.version {
			r.version = v
			return true
		}
	}
	return false
}

func (p *RESTPoller) askCounter(ctx context.Context) ([]hsm.Fact, []string, error) {
	path, err := p.ofHSM(ctx, "/counter")
	if err != nil {
		return nil, nil, err
	}
	c, err := resource(ctx, p.REST, path, readCounter)
	if err != nil {
		return nil, nil, err
	}
	facts := []hsm.Fact{c.Information}
	m, ok := c.since(p.last)
	if ok {
		facts = append(facts, m)
	}
	if ok || c.uptime.Value-p.last.uptime.Value >= 1 || c.uptime.Value < p.last.uptime.Value || !p.last.uptime.Known {
		p.last = c // unless it is too near to the last to tell
	}
	return facts, nil, nil
}

// single asks for one resource that is one fact.
func single[T hsm.Fact](ctx context.Context, p *RESTPoller, path string, read func(object) (T, bool)) ([]hsm.Fact, []string, error) {
	v, err := resource(ctx, p.REST, path, read)
	if err != nil {
		return nil, nil, err
	}
	return []hsm.Fact{v}, nil, nil
}

func (p *RESTPoller) askOperations(ctx context.Context) ([]hsm.Fact, []string, error) {
	path, err := p.ofHSM(ctx, "/metrics")
	if err != nil {
		return nil, nil, err
	}
	return single(ctx, p, path, readOperations)
}

func (p *RESTPoller) askNTLS(ctx context.Context) ([]hsm.Fact, []string, error) {
	return single(ctx, p, restRoot+"/ntls", readNTLS)
}

func (p *RESTPoller) askCertificate(ctx context.Context) ([]hsm.Fact, []string, error) {
	return single(ctx, p, restRoot+"/ntls/certificate", readCertificate)
}

func (p *RESTPoller) askLicenses(ctx context.Context) ([]hsm.Fact, []string, error) {
	path, err := p.ofHSM(ctx, "/licenses")
	if err != nil {
		return nil, nil, err
	}
	return single(ctx, p, path, readLicenses)
}

// partitionRoleID is the role that is read of each partition: the Crypto Officer
// is the one that applications need activated. Each role more would be one
// more command to the HSM for each partition.
const partitionRoleID = "co"

func (p *RESTPoller) askPartitions(ctx context.Context) ([]hsm.Fact, []string, error) {
	path, err := p.ofHSM(ctx, "/partitions")
	if err != nil {
		return nil, nil, err
	}
	all := hsm.Partitions{}
	unread, err := every(ctx, p.REST, path, "partitions", readPartition, func(l listed, one hsm.Partition) error {
		one.Serial = l.id
		role, err := resource(ctx, p.REST, path+"/"+l.id+"/roles/"+partitionRoleID, readRole)
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

func (p *RESTPoller) askServices(ctx context.Context) ([]hsm.Fact, []string, error) {
	all := hsm.Services{}
	unread, err := every(ctx, p.REST, restRoot+"/services", "services", readService, func(l listed, s hsm.Service) error {
		s.Name = l.id
		all = append(all, s)
		return nil
	})
	return []hsm.Fact{all}, unread, err
}

func (p *RESTPoller) askSensors(ctx context.Context) ([]hsm.Fact, []string, error) {
	var all hsm.Sensors
	unread, err := every(ctx, p.REST, restRoot+"/sensors", "sensors", readSensor, func(_ listed, s hsm.Sensor) error {
		all.Sensors = append(all.Sensors, s)
		return nil
	})
	return []hsm.Fact{all}, unread, err
}

func (p *RESTPoller) askDisk(ctx context.Context) ([]hsm.Fact, []string, error) {
	var d hsm.Disk
	unread, err := every(ctx, p.REST, restRoot+"/disk/partitions", "partitions", readFilesystem, func(_ listed, f hsm.Filesystem) error {
		d.Filesystems = append(d.Filesystems, f)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	d.SMART, err = resource(ctx, p.REST, restRoot+"/disk/smart", readSMART)
	if err != nil && !lacks(err) {
		return nil, nil, err
	}
	return []hsm.Fact{d}, unread, nil
}

func (p *RESTPoller) askPolicies(ctx context.Context) ([]hsm.Fact, []string, error) {
	path, err := p.ofHSM(ctx, "/policies")
	if err != nil {
		return nil, nil, err
	}
	var all hsm.Policies
	unread, err := every(ctx, p.REST, path, "policies", readPolicy, func(_ listed, one hsm.Policy) error {
		all.Policies = append(all.Policies, one)
		return nil
	})
	return []hsm.Fact{all}, unread, err
}

func (p *RESTPoller) askClients(ctx context.Context) ([]hsm.Fact, []string, error) {
	all := hsm.Clients{}
	unread, err := every(ctx, p.REST, restRoot+"/ntls/clients", "clients", readClient, func(_ listed, c hsm.Client) error {
		all = append(all, c)
		return nil
	})
	return []hsm.Fact{all}, unread, err
}
