// Package snmp reads another SNMP agent: that of an appliance, or luna-snmp on the host
// of a card. It walks the vendor's modules and parses their tables. It serves no SNMP
// and sends no traps.
package snmp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/snmppeer"
)

// An Agent watches one HSM through the SNMP agent of its appliance, or through
// luna-snmp on the host of a card: the modules CHRYSALIS-UTSP-MIB, SAFENET-HSM-MIB and
// SAFENET-APPLIANCE-MIB. Each table is a source of its own, named after it, such as
// "snmp hsmTable". An Agent implements [collectors.Source].
type Agent struct {
	snmppeer.Peer

	Device   string
	Serial   string        // of the HSM, if the agent serves several; "": it serves one
	Rank     int           // of its observations
	Interval time.Duration // between polls; the agent renews its rows only once a minute
	Timeout  time.Duration // of one request, which is sent twice; 0: 5 s
	Reach    poll.Timing   // between polls; zero: [poll.DefaultTiming]
	Replay   string        // directory of a capture, instead of an agent

	hsms   int             // number of HSMs that the agent serves, once read
	served map[string]bool // sources that have had rows
	window []hsmLoad       // for the utilization, oldest first

	unconfirmed error // of the last confirm: what the next poll fails with
}

const (
	requestTimeout = 5 * time.Second  // of one request
	pollTimeout    = 40 * time.Second // of one poll
	// cacheTime is how long an agent serves the same rows, and so how old an
	// answer can be.
	cacheTime = time.Minute
)

func (a *Agent) String() string { return "SNMP agent of " + a.Device }

// Run implements [collectors.Collector]. The first poll starts at once.
func (a *Agent) Run(ctx context.Context, report func(hsm.Observation)) error {
	intervals := poll.Intervals{a.Interval, a.Interval, a.Interval}
	var away atomic.Bool
	round := func(func(poll.Pace) bool) hsm.Failure {
		failure := a.once(ctx, report)
		away.Store(failure == hsm.Unreachable)
		return failure
	}
	if a.Replay != "" {
		intervals.Poll(ctx, a.Device, poll.Reach{}, round)
		return nil
	}
	lost, restarted, ended := make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		a.watch(ctx, &away, lost, restarted)
	}()
	intervals.Poll(ctx, a.Device, poll.Reach{Lost: lost, Again: restarted, Confirm: a.confirm, Free: true}, round)
	<-ended
	return nil
}

// Once polls every object once and reports each source.
func (a *Agent) Once(ctx context.Context, report func(hsm.Observation)) { a.once(ctx, report) }

// once is Once, and returns why nothing was read.
func (a *Agent) once(ctx context.Context, report func(hsm.Observation)) hsm.Failure {
	walk := a.walkAll
	if a.Replay != "" {
		walk = a.captured
	}
	return a.poll(ctx, walk, report)
}

// poll reports what walk reads. The values may be as old as the rows of the agent, so
// cacheTime is added to the time that the answer took.
func (a *Agent) poll(ctx context.Context, walk func(context.Context) (walked, error), report func(hsm.Observation)) hsm.Failure {
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	answer, err := walk(limited)
	if ctx.Err() != nil {
		return hsm.None
	}
	if a.served == nil {
		a.served = make(map[string]bool)
	}
	end := time.Now()
	r := &round{agent: a, answer: answer}
	for i, s := range sources {
		o := hsm.Observation{Device: a.Device, Source: s.name, Rank: a.Rank, At: end, Took: end.Sub(start) + cacheTime, MaxAge: a.Interval*5/2 + pollTimeout}
		r.unread, r.more = nil, 0
		switch {
		case err == nil:
			o.Facts, o.Err = r.read(s)
			o.Unread = r.unreadObjects()
		case i == 0 || a.served[s.name]:
			o.Err = err
		}
		if o.Err == nil && o.Facts == nil && o.Unread == nil {
			continue // it is not served
		}
		a.served[s.name] = a.served[s.name] || o.Facts != nil
		o.Failure, o.Layer = collectors.FailureOf(o.Err), collectors.LayerOf(o.Err)
		report(o)
	}
	return collectors.FailureOf(err)
}

// A source is a table, or a group of objects, and its reader.
type source struct {
	name   string
	tables []oid // that must have been read whole
	read   func(*round) ([]hsm.Fact, error)
}

// sources are read in this order. The first finds the HSM whose rows the others
// choose.
var sources = []source{
	{"snmp hsmTable", []oid{hsmObjects.entry}, readHSM},
	{"snmp hsmOperations", []oid{operationObjects.entry}, readOperations},
	{"snmp ntls", []oid{ntlsObjects.entry}, readNTLS},
	{"snmp hsmLicenseTable", []oid{licenseObjects.entry}, readLicenses},
	{"snmp hsmPartitionTable", []oid{partitionObjects.entry}, readPartitions},
	{"snmp hsmPolicyTable", []oid{policyObjects.entry}, readPolicies},
	{"snmp hsmPartitionPolicyTable", []oid{partitionPolicyObjects.entry}, readPartitionPolicies},
	{"snmp hsmClientRegistrationTable", []oid{clientObjects.entry, assignmentObjects.entry}, readClients},
}

// A round is one poll while its answer is read.
type round struct {
	agent  *Agent
	answer walked
	serial string // of the HSM; "": none was found
	none   bool   // the HSM has no partition

	unread []string // of the source that is read
	more   int      // number of unread objects that are not listed
}

// maxUnread is how many unread objects a source lists one by one.
const maxUnread = 20

// addUnread adds an object that was not understood.
func (r *round) addUnread(format string, args ...any) {
	if len(r.unread) == maxUnread {
		r.more++
		return
	}
	r.unread = append(r.unread, answer.Clip(fmt.Sprintf(format, args...), 200))
}

// unreadObjects returns the objects that were not understood.
func (r *round) unreadObjects() []string {
	if r.more > 0 {
		return append(r.unread, fmt.Sprintf("and %d more", r.more))
	}
	return r.unread
}

// read reads s if all its tables are whole.
func (r *round) read(s source) ([]hsm.Fact, error) {
	for _, t := range s.tables {
		if err := r.answer.whole(t); err != nil {
			return nil, collectors.Failf(collectors.FailureOf(err), "%s: %w", s.name, err)
		}
	}
	facts, err := s.read(r)
	if err != nil {
		return nil, collectors.Failf(collectors.FailureOf(err), "%s: %w", s.name, err)
	}
	return facts, nil
}

// readHSM finds the row of the HSM and reads it.
func readHSM(r *round) ([]hsm.Fact, error) {
	rows := hsmObjects.rows(r)
	r.agent.hsms = len(rows)
	i, err := r.pick(rows)
	if err != nil {
		return nil, err
	}
	row := rows[i].value
	r.serial, r.none = rows[i].index[0], hsm.Is(row.PartitionsCreated, 0)
	row.Serial = r.serial
	row.SoftwareVersion = r.softwareVersion()
	facts := []hsm.Fact{row.Show}
	if m, ok := r.agent.monitor(row.hsmLoad); ok {
		facts = append(facts, m)
	}
	return facts, nil
}

// pick returns the index of the row with the configured serial number, or of the only
// row.
func (r *round) pick(rows []tableRow[hsmRow]) (int, error) {
	var serials []string
	for i, row := range rows {
		serials = append(serials, row.index[0])
		if row.index[0] == r.agent.Serial {
			return i, nil
		}
	}
	found := answer.Clip(strings.Join(serials, ", "), 200)
	switch {
	case len(rows) == 0 && len(r.answer.vars) == 0:
		return 0, collectors.Failf(hsm.Unrecognised, "the agent answers, but shows this user none of the HSM's objects: it is not the agent of a Luna HSM, its luna-snmp does not run, or its view does not include them")
	case len(rows) == 0:
		return 0, collectors.Failf(hsm.Unrecognised, "the table has no row that can be read")
	case r.agent.Serial != "":
		return 0, collectors.Failf(hsm.Unrecognised, "the agent serves no HSM with the configured serial %s, but %s", r.agent.Serial, found)
	case len(rows) > 1:
		return 0, collectors.Failf(hsm.Unrecognised, "the agent serves %d HSMs, %s: set snmp_agent.serial to the one that is meant", len(rows), found)
	}
	return 0, nil
}

// softwareVersion returns the string below appSoftwareVersion, whose OID is not
// published; "" if there are several. A list of versions is that of several appliances.
func (r *round) softwareVersion() string {
	var version string
	for _, v := range r.answer.under(softwareVersionObject) {
		s, ok := v.text()
		if !ok || answer.NotKnown(s) || version != "" || strings.ContainsAny(s, ", ") {
			return ""
		}
		version = s
	}
	return version
}

// alone reports whether objects without an index describe the HSM. With several HSMs
// they are sums, or describe an unknown one.
func (r *round) alone() bool { return r.agent.hsms <= 1 }

func readOperations(r *round) ([]hsm.Fact, error) {
	rows := operationObjects.rows(r)
	if len(rows) == 0 || !r.alone() || rows[0].value == (hsm.Information{}) {
		return nil, nil
	}
	return []hsm.Fact{rows[0].value}, nil
}

func readNTLS(r *round) ([]hsm.Fact, error) {
	rows := ntlsObjects.rows(r)
	if len(rows) == 0 || !r.alone() {
		return nil, nil
	}
	var facts []hsm.Fact
	if v := rows[0].value; v.NTLS != (hsm.NTLS{}) {
		facts = append(facts, v.NTLS)
	}
	if v := rows[0].value; v.NotAfter.Known {
		facts = append(facts, v.Certificate)
	}
	return facts, nil
}

// list reports whether a number of rows is the whole table: an agent that does not
// serve a table looks like one whose table is empty.
func (r *round) list(source string, rows int) bool {
	return r.serial != "" && (rows > 0 || r.agent.served[source])
}

func readLicenses(r *round) ([]hsm.Fact, error) {
	list := hsm.Licenses{}
	for _, row := range ofTheHSM(r, licenseObjects.rows(r)) {
		row.value.ID = row.index[1]
		list = append(list, row.value)
	}
	if !r.list("snmp hsmLicenseTable", len(list)) {
		return nil, nil
	}
	return []hsm.Fact{list}, nil
}

func readPartitions(r *round) ([]hsm.Fact, error) {
	list := hsm.Partitions{}
	for _, row := range ofTheHSM(r, partitionObjects.rows(r)) {
		row.value.Serial = row.index[len(row.index)-1]
		list = append(list, row.value)
	}
	if !r.list("snmp hsmPartitionTable", len(list)) && !(r.serial != "" && r.none) {
		return nil, nil
	}
	return []hsm.Fact{list}, nil
}

func readPolicies(r *round) ([]hsm.Fact, error) {
	var p hsm.Policies
	rows := ofTheHSM(r, policyObjects.rows(r))
	for _, row := range rows {
		row.value.add(&p, row.index[1], row.index[2])
	}
	if !r.list("snmp hsmPolicyTable", len(rows)) {
		return nil, nil
	}
	return []hsm.Fact{p}, nil
}

func readPartitionPolicies(r *round) ([]hsm.Fact, error) {
	var facts []hsm.Fact
	of := make(map[string]*hsm.PartitionPolicies)
	var serials []string
	for _, row := range ofTheHSM(r, partitionPolicyObjects.rows(r)) {
		serial := row.index[1]
		if of[serial] == nil {
			of[serial] = &hsm.PartitionPolicies{Serial: serial}
			serials = append(serials, serial)
		}
		row.value.add(&of[serial].Policies, row.index[2], row.index[3])
	}
	for _, serial := range serials {
		facts = append(facts, *of[serial])
	}
	return facts, nil
}

// readClients reads the clients, and their partitions from the table of assignments,
// which has the serial numbers.
func readClients(r *round) ([]hsm.Fact, error) {
	list := hsm.Clients{}
	assigned := assignmentObjects.rows(r)
	const assignments = "hsmClientPartitionAssignmentTable"
	r.agent.served[assignments] = r.agent.served[assignments] || len(assigned) > 0
	for _, row := range clientObjects.rows(r) {
		row.value.Name = row.index[0]
		if r.agent.served[assignments] {
			row.value.Partitions = []string{}
		}
		list = append(list, row.value)
	}
	if !r.list("snmp hsmClientRegistrationTable", len(list)) {
		return nil, nil
	}
	for _, row := range assigned {
		i := slices.IndexFunc(list, func(c hsm.Client) bool { return c.Name == row.index[0] })
		if i >= 0 && row.index[1] == r.serial {
			list[i].Partitions = append(list[i].Partitions, row.index[2])
		}
	}
	return []hsm.Fact{list}, nil
}
