package simulator

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"math"
	"slices"
	"time"
)

// A condition is the state of the HSM card for its appliance.
type condition int

const (
	running      condition = iota
	locked                 // tampered: a few commands only, until the security officer clears the tamper
	inReset                // held in reset by a tamper
	waitsRestart           // the bootloader waits for an HSM restart
	offBus                 // gone from the PCIe bus until the appliance reboots
	halted                 // the firmware stopped
)

// A ramp is a value that moves from one level to another in a straight line.
type ramp struct {
	from, to float64
	start    time.Time
	over     time.Duration
}

func (r ramp) at(t time.Time) float64 {
	switch done := t.Sub(r.start); {
	case done >= r.over:
		return r.to
	default:
		return r.from + (r.to-r.from)*float64(done)/float64(r.over)
	}
}

// A partition is one key container of the card.
type partition struct {
	serial    uint64
	name      string
	bytes     int64
	objects   int
	activated bool
	attempts  int  // remaining login attempts of the crypto officer
	blank     bool // no role but the partition SO is initialized
	zeroized  bool
}

const (
	objectBytes     = 616 // one RSA key half, roughly
	partitionFloor  = 2   // objects that never leave a partition
	firstAttempts   = 3   // SO login attempts after a successful one
	batteryWarning  = 2.75
	batteryDepleted = 2.5
	warmCelsius     = 75.0
	softCelsius     = 80.0
	hardCelsius     = 88.0
)

func (p partition) usedBytes() int64 { return min(int64(p.objects)*objectBytes, p.bytes) }

// A client is one registered NTLS client.
type client struct {
	name       string
	address    string
	hostname   bool // registered by name, not by address
	partitions []string
	connected  bool
}

// A state is everything that an appliance knows of itself. It changes only in step and by
// events, both functions of the state and the time, so that the same seed and events give
// the same appliance again.
type state struct {
	*model
	spec spec

	now      time.Time
	start    time.Time // when the simulation began
	boot     time.Time // when the appliance booted
	hsmReset time.Time
	due      []due

	condition condition
	label     string
	zeroized  bool
	byHand    bool // zeroized by a person
	// decommissioned is whether the card was zeroized by that; LunaCM shows it.
	decommissioned bool
	transport      bool // secure transport mode
	tamper         *tamper
	soAttempts     int
	hsmFanFailed   [2]bool
	partitions     []partition
	load           ramp // 0..1
	dayCurve       bool // load follows the time of day
	temperature    ramp // degrees Celsius
	pinned         bool // temperature set by an event, and so without variation
	battery        ramp // volts
	warm           bool // over the warning threshold
	warmSince      time.Time
	warmLogged     bool // the driver's five-minute warning was logged
	softLogged     bool
	hardLogged     bool
	batteryLogged  int // 0 good, 1 low, 2 depleted

	busySeconds   float64
	commands      float64
	operations    float64
	operationErrs float64
	crypto        float64
	cryptoErrs    float64
	critical      int
	nonCritical   int

	ntlsUp       bool
	clients      []client
	ntlsGood     int
	ntlsFailed   int
	certificate  validity
	fanFailed    map[string]bool
	psuFailed    [2]bool
	logUsedBytes float64
	diskWarned   int    // highest of 75, 90, 95 percent written to the log
	lastStatus   string // last system status written to the log

	says says // in place of what is so
	wire wire
	out  []entry
}

// validity is the validity period of the NTLS server certificate.
type validity struct {
	serial            int64
	notBefore, notAft time.Time
}

// A due is work for a later time.
type due struct {
	at time.Time
	do func(*state)
}

func newState(sp spec, seed uint64, now time.Time) *state {
	now = now.UTC().Truncate(time.Second)
	sp.seed = seed
	s := &state{
		model: sp.model, spec: sp, now: now, start: now,
		boot: now.Add(-sp.uptime), hsmReset: now.Add(-sp.uptime),
		label: sp.label, soAttempts: firstAttempts,
		load: ramp{to: sp.load}, dayCurve: true,
		temperature: ramp{to: sp.temperature}, battery: ramp{to: sp.battery},
		ntlsUp: true, ntlsFailed: 1, fanFailed: map[string]bool{},
		certificate: validity{0, now.Add(-sp.uptime - 400*day).Truncate(day), now.Add(9 * 365 * day).Truncate(day)},
	}
	s.partitions = slices.Clone(sp.partitions)
	s.clients = slices.Clone(sp.clients)
	for i := range s.clients {
		s.clients[i].connected = true
		s.ntlsGood += 3 + int(20*s.noise("connections", int64(i)))
	}
	seconds := sp.uptime.Seconds()
	s.busySeconds = sp.load * seconds
	s.commands = s.busySeconds * s.rate
	s.crypto = 0.85 * s.commands
	s.cryptoErrs = math.Floor(s.crypto * 2e-6)
	s.operations = s.commands + backgroundRequests*seconds
	s.operationErrs = s.cryptoErrs + backgroundErrors*seconds
	s.nonCritical = 31
	s.logUsedBytes = 0.04 * logDisk(s.model)
	s.lastStatus = s.status()
	return s
}

const day = 24 * time.Hour

// The requests of the appliance's own daemons to the card, per second.
const (
	backgroundRequests = 1.45
	backgroundErrors   = 0.17
)

// advance advances the state to time t, second by second.
func (s *state) advance(t time.Time) {
	for next := s.now.Add(time.Second); !next.After(t); next = s.now.Add(time.Second) {
		s.now = next
		s.step()
	}
}

func (s *state) step() {
	for len(s.due) > 0 && !s.due[0].at.After(s.now) {
		d := s.due[0]
		s.due = s.due[1:]
		d.do(s)
	}
	if s.wire.down {
		return
	}
	s.work()
	if s.modern() {
		s.heat()
		s.fade()
	}
	s.traffic()
	s.disk()
	s.chatter()
	if now := s.status(); now != s.lastStatus {
		s.lastStatus = now
		s.logStatus()
	}
}

// after schedules work for later.
func (s *state) after(d time.Duration, do func(*state)) {
	at := s.now.Add(d)
	i, _ := slices.BinarySearchFunc(s.due, at, func(d due, at time.Time) int {
		return cmp.Or(d.at.Compare(at), -1) // behind those of the same time
	})
	s.due = slices.Insert(s.due, i, due{at, do})
}

// answers reports whether the card answers any commands.
func (s *state) answers() bool { return s.condition == running || s.condition == locked }

// utilization is the share of the last second that the card was busy, 0..1.
func (s *state) utilization() float64 {
	if s.condition != running || s.zeroized || s.transport {
		return 0
	}
	u := s.load.at(s.now)
	if s.dayCurve {
		u *= 1 + 0.4*math.Sin(2*math.Pi*float64(s.now.Unix()%86400)/86400)
	}
	return min(1, u*(0.9+0.2*s.noise("load", s.now.Unix())))
}

func (s *state) work() {
	if !s.answers() {
		return
	}
	u := s.utilization()
	s.busySeconds += u
	done := math.Floor(u * s.rate)
	s.commands += 1 + done
	s.crypto += math.Floor(0.85 * done)
	s.operations += backgroundRequests + done
	s.operationErrs += backgroundErrors
	if s.noise("crypto error", s.now.Unix()) < 0.0005*u {
		s.cryptoErrs++
		s.operationErrs++
	}
	if s.now.Unix()%600 == 0 {
		s.grow()
	}
}

// grow has applications make and delete keys.
func (s *state) grow() {
	for i := range s.partitions {
		p := &s.partitions[i]
		n := p.objects + int(4*s.noise(p.name, s.now.Unix())) - 1
		p.objects = max(partitionFloor, min(n, int(p.bytes*8/10/objectBytes)))
	}
}

// charge counts the requests of a LunaSH command to the card.
func (s *state) charge(requests int) {
	if s.answers() {
		s.operations += float64(requests)
		s.commands += float64(requests)
		s.busySeconds += float64(requests) / s.rate
	}
}

// celsius returns the temperature of the card, in whole degrees Celsius.
func (s *state) celsius() int {
	t := s.temperature.at(s.now)
	if !s.pinned {
		t += 6*s.utilization() + 1.2*s.wave("temperature", 5*time.Minute)
	}
	return int(math.Floor(t + 0.5))
}

// volts returns the voltage of the card's battery, rounded to 1 mV.
func (s *state) volts() float64 {
	return math.Round(s.battery.at(s.now)*1000) / 1000
}

// usedBytes returns the storage of the card that partitions use.
func (s *state) usedBytes() int64 {
	var sum int64
	for _, p := range s.partitions {
		sum += p.bytes
	}
	return sum
}

// restartCounters resets the counters, as a reset of the card does.
func (s *state) restartCounters() {
	s.hsmReset = s.now
	s.busySeconds, s.commands = 0, 0
	s.operations, s.operationErrs, s.crypto, s.cryptoErrs = 0, 0, 0, 0
	s.nonCritical += 31
}

// noise returns a number in 0..1 that depends only on the seed, a name and n.
func (s *state) noise(name string, n int64) float64 {
	h := fnv.New64a()
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], s.spec.seed)
	binary.LittleEndian.PutUint64(b[8:], uint64(n))
	h.Write(b[:])
	h.Write([]byte(s.spec.name))
	h.Write([]byte(name))
	x := h.Sum64()
	x ^= x >> 31 // fnv mixes its last bytes weakly
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 29
	return float64(x>>11) / (1 << 53)
}

// wave returns a slow random walk in -1..1 with one corner per period.
func (s *state) wave(name string, period time.Duration) float64 {
	t := float64(s.now.UnixNano()) / float64(period)
	n := math.Floor(t)
	a, b := s.noise(name, int64(n)), s.noise(name, int64(n)+1)
	return 2*(a+(b-a)*(t-n)) - 1
}

// pid returns the process ID of a daemon, which stays the same until the next boot.
func (s *state) pid(process string) int {
	return 1000 + int(20000*s.noise(process, s.boot.Unix()))
}
