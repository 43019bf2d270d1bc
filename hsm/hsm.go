// Package hsm describes hardware security modules as the agent sees them. It knows
// neither where the values come from nor who uses them.
//
// A [Snapshot] is immutable: once published it is only read. Sources report
// Observations; [Snapshot.With] combines one with a Snapshot into the next. What a
// source did not state is an unknown [Opt], never zero.
//
// The JSON names are those of every view and of "lunawatch parse". Units are bytes,
// seconds, volts, degrees Celsius, and ratios from 0 to 1.
package hsm

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// An Opt is a value that a source may not state. The zero Opt is unknown.
type Opt[T any] struct {
	Value T
	Known bool
}

// Some returns a known value.
func Some[T any](v T) Opt[T] { return Opt[T]{v, true} }

// Is reports whether o is known and equal to v.
func Is[T comparable](o Opt[T], v T) bool { return o.Known && o.Value == v }

// IsZero reports whether o is unknown: encoding/json omits it where marked omitzero.
func (o Opt[T]) IsZero() bool { return !o.Known }

// MarshalJSON writes null for an unknown value.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.Known {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

// UnmarshalJSON reads null as unknown.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = Opt[T]{}
		return nil
	}
	o.Known = true
	return json.Unmarshal(b, &o.Value)
}

// A Snapshot is everything known about every device at one time.
type Snapshot struct {
	Seq     uint64    `json:"seq"`     // increases with each Snapshot
	Devices []*Device `json:"devices"` // sorted by Name; shared with other Snapshots, never changed

	serials map[string][]string // names by serial number; shared, and replaced when one changes; nil: not known
}

// A Device is what is monitored under one name: an HSM, with its appliance if it has
// one, or a host.
type Device struct {
	Name    string            `json:"name"` // as configured
	Kind    Kind              `json:"kind"`
	Sources map[string]Source `json:"sources"`
	From    string            `json:"from,omitempty"` // the agent that reads it; "": this one
	Seq     uint64            `json:"-"`              // of the Snapshot in which it last changed

	Show        Section[Show]        `json:"show,omitzero"`
	Information Section[Information] `json:"information,omitzero"`
	Monitor     Section[Monitor]     `json:"monitor,omitzero"`
	NTLS        Section[NTLS]        `json:"ntls,omitzero"`
	Certificate Section[Certificate] `json:"certificate,omitzero"`
	Partitions  Section[[]Partition] `json:"partitions,omitzero"`
	Licenses    Section[[]License]   `json:"licenses,omitzero"`
	Policies    Section[Policies]    `json:"policies,omitzero"`
	Clients     Section[[]Client]    `json:"clients,omitzero"`
	Sensors     Section[Sensors]     `json:"sensors,omitzero"`
	System      Section[System]      `json:"system,omitzero"`
	Disk        Section[Disk]        `json:"disk,omitzero"`
	CPU         Section[CPU]         `json:"cpu,omitzero"`
	RAM         Section[RAM]         `json:"memory,omitzero"`
	Tamper      Section[Tamper]      `json:"tamper,omitzero"`
	Services    Section[[]Service]   `json:"services,omitzero"`
	Operations  Section[Operations]  `json:"operations,omitzero"`
	Host        Section[Host]        `json:"host,omitzero"`
	HA          Section[HA]          `json:"ha,omitzero"`

	Proven Proof `json:"proven,omitzero"` // of this unit; it does not become stale
	// CountedSince is since when this run of the agent has read Information of this unit
	// from one source without a gap; zero: it has not.
	CountedSince time.Time `json:"counted_since,omitzero"`
	Probes       []Probe   `json:"probes,omitempty"` // sorted by name; nil: it is not known which there are

	Elsewhere Elsewhere `json:"elsewhere,omitzero"` // of the last outage

	// Disagreements are different claims of two sources about the same property,
	// although it is one that rarely changes.
	Disagreements []Disagreement `json:"disagreements,omitempty"`

	identities map[string]identity      // by source; replaced, never changed
	differs    map[difference]time.Time // since when; replaced, never changed
	differing  bool                     // there is a difference since which a source was not asked again
	compared   time.Time                // when every source has been polled
}

// A Kind is a kind of Device.
type Kind string

// The kinds of Device.
const (
	NetworkHSM  Kind = "network_hsm" // an appliance and the HSM in it
	CardHSM     Kind = "card_hsm"    // a PCIe, USB or backup HSM in or at the host of the agent
	HostMachine Kind = "host"        // a machine without an HSM of its own
)

// HSMs returns the devices that are HSMs.
func (s *Snapshot) HSMs() []*Device {
	return slices.DeleteFunc(slices.Clone(s.Devices), func(d *Device) bool { return d.Kind == HostMachine })
}

// NetworkHSMs returns the devices that are HSMs in an appliance.
func (s *Snapshot) NetworkHSMs() []*Device {
	return slices.DeleteFunc(s.HSMs(), func(d *Device) bool { return d.Kind == CardHSM })
}

// Twins returns the HSMs with the serial number of d, itself among them; none if that
// is not known.
func (s *Snapshot) Twins(d *Device) (all []*Device) {
	serials := s.serials
	if serials == nil {
		serials = s.bySerial()
	}
	for _, name := range serials[d.Serial()] {
		if other := s.Device(name); other.Kind != HostMachine {
			all = append(all, other)
		}
	}
	return all
}

// bySerial returns the names of all devices by their serial numbers.
func (s *Snapshot) bySerial() map[string][]string {
	all := make(map[string][]string)
	for _, d := range s.Devices {
		if serial := d.Serial(); serial != "" {
			all[serial] = append(all[serial], d.Name)
		}
	}
	return all
}

// Serial returns the HSM's serial number, "" if it was not read yet. It also takes it
// from a stale section: a serial number does not change.
func (d *Device) Serial() string { return d.Show.Value.Serial }

// A Section is one part of a Device, when and from which source it was read, and how
// long it is valid.
type Section[T any] struct {
	At     time.Time     `json:"at"`
	Source string        `json:"source"`
	MaxAge time.Duration `json:"max_age_ns"`       // after which it is stale
	Took   time.Duration `json:"took_ns,omitzero"` // duration of the poll: Value is of some time in it
	Rank   int           `json:"rank,omitzero"`    // of the source: see [Observation]
	Seq    uint64        `json:"-"`                // of the Snapshot in which it last changed
	Value  T             `json:"value"`
}

// Asked returns when the source was asked: Value need not include what happened since.
func (s Section[T]) Asked() time.Time { return s.At.Add(-s.Took) }

// IsZero reports whether the section was never read.
func (s Section[T]) IsZero() bool { return s.At.IsZero() }

// Fresh reports whether the section was read and is not stale.
func (s Section[T]) Fresh(now time.Time) bool {
	return !s.At.IsZero() && !now.After(s.expires())
}

// Get returns the value and whether it is fresh.
func (s Section[T]) Get(now time.Time) (T, bool) { return s.Value, s.Fresh(now) }

func (s Section[T]) expires() time.Time { return s.At.Add(s.MaxAge) }

func (s Section[T]) read() reading { return reading{s.At, s.expires(), s.Source, s.Rank} }

// A reading is when and from which source a section was read.
type reading struct {
	at, expires time.Time
	source      string
	rank        int
}

// A read is a section of any type.
type read interface {
	read() reading
	adopt(seq uint64)
	shift(by time.Duration)
}

// sections returns every section of a device by its JSON name.
func (d *Device) sections() map[string]read {
	return map[string]read{
		"show": &d.Show, "information": &d.Information, "monitor": &d.Monitor, "ntls": &d.NTLS,
		"certificate": &d.Certificate, "partitions": &d.Partitions, "licenses": &d.Licenses,
		"policies": &d.Policies, "clients": &d.Clients, "sensors": &d.Sensors,
		"system": &d.System, "disk": &d.Disk, "cpu": &d.CPU, "memory": &d.RAM, "tamper": &d.Tamper, "services": &d.Services,
		"operations": &d.Operations, "host": &d.Host, "ha": &d.HA,
	}
}

// Ages returns the age of every section that was read, by its JSON name.
func (d *Device) Ages(now time.Time) map[string]Age {
	ages := make(map[string]Age)
	for name, s := range d.sections() {
		if r := s.read(); !r.at.IsZero() {
			ages[name] = Age{now.Sub(r.at), now.After(r.expires), r.source, r.at, r.expires.Sub(r.at)}
		}
	}
	return ages
}

// An Age is how long ago a section was read.
type Age struct {
	Since  time.Duration
	Stale  bool // past its maximum age
	Source string
	At     time.Time
	MaxAge time.Duration // after which it is stale
}

// NextExpiry returns when the next section that is fresh at now becomes stale, or other
// agents are waited for no longer; zero if there is neither. Until then a view of d is
// valid.
func (d *Device) NextExpiry(now time.Time) (next time.Time) {
	for _, sec := range d.sections() {
		r := sec.read()
		if !r.at.IsZero() && !now.After(r.expires) && (next.IsZero() || r.expires.Before(next)) {
			next = r.expires
		}
	}
	if end := d.Elsewhere.Asked.Add(AnswersWithin); d.Elsewhere.Awaited(now) && (next.IsZero() || end.Before(next)) {
		next = end
	}
	return next
}

// A Source is the outcome of the attempts of one source on one device.
type Source struct {
	At       time.Time     `json:"at"`              // last attempt
	Success  time.Time     `json:"success"`         // last success; zero: none yet
	Took     time.Duration `json:"took_ns"`         // duration of the last attempt
	Failure  Failure       `json:"failure"`         // None: the last attempt succeeded
	Layer    Layer         `json:"layer,omitempty"` // where the way is dead; "": it is not, or it is not known where
	Error    string        `json:"error"`           // what failed and what to do about it; "" on success
	Failures int           `json:"failures"`        // failed attempts in a row
	Unread   []string      `json:"unread"`          // lines of the last answer that no parser understood
}

// A Failure is the step at which an attempt failed.
type Failure string

// The failures, from the network inwards.
const (
	None         Failure = ""
	Unreachable  Failure = "unreachable"  // no connection, or it was lost
	HostKey      Failure = "host-key"     // the appliance's key is unknown or has changed
	Login        Failure = "login"        // the account was refused
	Timeout      Failure = "timeout"      // connected, but there was no answer in time
	Command      Failure = "command"      // the answer is an error
	Unrecognised Failure = "unrecognised" // the answer has no known form
	Incomplete   Failure = "incomplete"   // the answer was cut off
)

// Failures returns all failures but None.
func Failures() []Failure {
	return []Failure{Unreachable, HostKey, Login, Timeout, Command, Unrecognised, Incomplete}
}

// OfSession reports whether f means that there is no session with the device,
// so that all its sources fail together.
func (f Failure) OfSession() bool { return f == Unreachable || f == HostKey || f == Login }

// An Observation is the result of one attempt of one source on one device.
type Observation struct {
	Device string
	Kind   Kind   // of a device that is not in [Store.Expect]; "": it is
	Source string // the command or file that was asked
	// Rank orders the sources that can fill the same section: the lowest is
	// preferred, the others replace it when it fails.
	Rank    int
	At      time.Time     // of the end of the attempt
	Took    time.Duration // duration of the attempt
	MaxAge  time.Duration // how long the facts are valid
	Facts   []Fact
	Unread  []string
	Answer  string // as it came, with what no parser understood; "": the source keeps none
	Failure Failure
	Layer   Layer // where the way is dead; LayerUnknown on success
	Err     error // nil exactly if Failure is None
	Absent  bool  // the device has no such source: what was reported of it is forgotten

	seq uint64 // of the Snapshot that includes it
}

// A Fact replaces one Section of a Device, or a part of it. Only types of this package
// implement it.
type Fact interface {
	apply(d *Device, o Observation)
}

func section[T any](o Observation, v T) Section[T] {
	return Section[T]{At: o.At, Source: o.Source, MaxAge: o.MaxAge, Took: o.Took, Rank: o.Rank, Seq: o.seq, Value: v}
}

// With returns a new Snapshot that includes o. It does not change s. An observation that
// failed changes only its Source. A fact of a less preferred source changes nothing
// while a preferred source holds the section.
func (s *Snapshot) With(o Observation) *Snapshot {
	next := &Snapshot{Seq: s.Seq + 1, Devices: slices.Clone(s.Devices), serials: s.serials}
	o.seq = next.Seq
	d := next.device(o.Device)
	serial := d.Serial()
	d.observe(o)
	if next.serials == nil || d.Serial() != serial {
		next.serials = next.bySerial()
	}
	return next
}

// observe adds o to d.
func (d *Device) observe(o Observation) {
	d.Kind = cmp.Or(d.Kind, o.Kind)
	d.attempt(o)
	if o.Absent || o.Failure != None {
		return
	}
	if stated := claims(o.Facts); len(stated) > 0 {
		d.compare(stated, o)
	}
	serial := d.Serial()
	for _, f := range o.Facts {
		d.take(f, o)
	}
	d.Proven = d.Proven.of(d.Serial())
	if serial != "" && d.Serial() != serial {
		d.CountedSince = time.Time{}
	}
}

// attempt adds that the source of o was tried. Facts of no source are of the agent itself.
func (d *Device) attempt(o Observation) {
	if o.Source == "" {
		return
	}
	if d.From != "" { // this agent takes it over
		d.From, d.Elsewhere = "", Elsewhere{}
	}
	d.Sources = maps.Clone(d.Sources)
	if d.Sources == nil {
		d.Sources = make(map[string]Source)
	}
	if o.Absent {
		delete(d.Sources, o.Source)
		return
	}
	d.Sources[o.Source] = d.Sources[o.Source].after(o)
}

// Device returns the device with that name; nil: there is none.
func (s *Snapshot) Device(name string) *Device {
	if i, found := s.index(name); found {
		return s.Devices[i]
	}
	return nil
}

func (s *Snapshot) index(name string) (int, bool) {
	return slices.BinarySearchFunc(s.Devices, name, func(d *Device, name string) int { return cmp.Compare(d.Name, name) })
}

// device returns a copy, in s, of the device with that name, or a new one.
func (s *Snapshot) device(name string) *Device {
	i, found := s.index(name)
	d := &Device{Name: name}
	if found {
		*d = *s.Devices[i]
		s.Devices[i] = d
	} else {
		s.Devices = slices.Insert(s.Devices, i, d)
	}
	d.Seq = s.Seq
	return d
}

// after returns s after the attempt o.
func (s Source) after(o Observation) Source {
	next := Source{At: o.At, Success: s.Success, Took: o.Took, Failure: o.Failure, Unread: o.Unread}
	if o.Failure == None {
		next.Success = o.At
		return next
	}
	next.Layer, next.Error = o.Layer, o.Layer.Explain(o.Err.Error())
	next.Failures, next.Unread = s.Failures+1, s.Unread
	return next
}
