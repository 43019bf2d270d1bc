package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Event changes an appliance, by the timeline of a scenario or by Inject.
type Event struct {
	Name string   `json:"event"`
	Args []string `json:"args,omitempty"`
}

func (e Event) String() string { return strings.Join(append([]string{e.Name}, e.Args...), " ") }

// An eventRow is an event of scenarios and Inject. The words of args are kinds of
// arguments; those in brackets are optional.
type eventRow struct {
	name, args, help string
	k7               bool // only for models that have a K7 card
	do               func(s *state, args []string) error
}

// events are all events, in the order of the help text.
var events = []eventRow{
	{"load", "PERCENT [DURATION]", "move the load of the card to a value, over a time", false, func(s *state, a []string) error {
		s.load, s.dayCurve = s.toward(s.load.at(s.now), number(a[0])/100, a[1:]), false
		return nil
	}},
	{"temperature", "CELSIUS [DURATION]", "move the temperature of the card; 75 is a warning, 80 and 88 are tampers", true, func(s *state, a []string) error {
		s.temperature, s.pinned = s.toward(float64(s.celsius()), number(a[0]), a[1:]), true
		return nil
	}},
	{"battery", "VOLTS [DURATION]", "move the voltage of the card's battery; 2.75 is a warning, 2.5 depleted", true, func(s *state, a []string) error {
		s.battery = s.toward(s.volts(), number(a[0]), a[1:])
		return nil
	}},
	{"tamper", "[KIND]", "tamper with the card: chassis, removal, low-temperature, over-voltage, ...", false, tamperEvent},
	{"tamper-clear", "", "the security officer clears the tamper", true, tamperClear},
	{"zeroize", "", "erase the card by hand", false, zeroize},
	{"initialize", "", "initialize an erased card as the scenario describes it", false, func(s *state, _ []string) error {
		s.initialize()
		return nil
	}},
	{"decommission", "", "press the decommission button", false, decommission},
	{"stm", "SWITCH", "secure transport mode on or off", true, transport},
	{"ntls", "LINK", "NTLS up or down", false, func(s *state, a []string) error {
		if a[0] == "up" {
			s.startNTLS()
		} else {
			s.stopNTLS()
		}
		return nil
	}},
	{"partition-deactivate", "PARTITION", "deactivate a partition", false, activation(false)},
	{"partition-activate", "PARTITION", "activate a partition again", false, activation(true)},
	{"so-login-fail", "[N]", "failed logins of the security officer; the third zeroizes", false, soLoginFail},
	{"so-login", "", "a successful login of the security officer", false, func(s *state, _ []string) error {
		if s.zeroized {
			return errors.New("the card is zeroized")
		}
		s.soAttempts = firstAttempts
		return nil
	}},
	{"certificate", "DAYS", "a new NTLS certificate that is valid for so many days", false, func(s *state, a []string) error {
		s.renew(time.Duration(number(a[0]) * float64(day)))
		return nil
	}},
	{"hsm-reset", "", "restart the card: counters start again", false, func(s *state, _ []string) error { return s.restart() }},
	{"hsm-crash", "", "the firmware of the card stops", false, func(s *state, _ []string) error { s.crash(); return nil }},
	{"hsm-fan-fail", "N", "a fan of the card stops: 1 or 2", true, cardFan(true)},
	{"hsm-fan-restore", "N", "the fan of the card turns again", true, cardFan(false)},
	{"reboot", "[DURATION]", "reboot the appliance; it is away for 60s or the time given", false, reboot},
	{"psu-fail", "N", "a power supply fails: 1 or 2", false, supplyFails(true)},
	{"psu-restore", "N", "the power supply works again", false, supplyFails(false)},
	{"fan-fail", "FAN", "a fan of the appliance stops, e.g. Fan3B", false, fanFails},
	{"fan-restore", "FAN", "the fan turns again", false, fanRestored},
	{"hsm-fan-says", "N WORD", "the card states a fan in a word, e.g. fault", true, cardFanSays},
	{"hsm-tamper-hidden", "KIND", "hsm tamper show lists a tamper that hsm show does not state", true, hiddenTamper},
	{"hsm-replace", "SERIAL", "another card takes the place of this one", false, replaceCard},
	{"critical-event", "", "the card counts a critical event", false, func(s *state, _ []string) error { s.critical++; return nil }},
	{"crypto-errors", "N", "a thousand requests of clients of which N in ten end in an error", false, cryptoErrors},
	{"role-lock", "PARTITION", "lock out the crypto officer of a partition", false, ofPartition(func(p *partition) { p.attempts = 0 })},
	{"role-unlock", "PARTITION", "give the crypto officer his login attempts again", false, ofPartition(func(p *partition) { p.attempts = 10 })},
	{"role-reset", "PARTITION", "crypto officer and user of a partition are not initialized any more", false, ofPartition(func(p *partition) { p.blank = true })},
	{"partition-zeroize", "PARTITION", "erase a partition", false, ofPartition(func(p *partition) { p.zeroized, p.blank, p.objects = true, true, 0 })},
	{"supply-says", "LINE...", "the controller states a power supply in words, e.g. 2 Predictive failure", false, supplySays},
	{"chassis-says", "LINE...", "the chassis status has a line, e.g. Chassis Intrusion: active", false, chassisSays},
	{"system-says", "STATE [CODES]", "the system status is a word, e.g. OFT 100; without a fault: ISO 0", false, func(s *state, a []string) error { s.says.system = a; return nil }},
	{"appliance-load", "LOAD", "the load average of the appliance is a number", false, func(s *state, a []string) error { s.says.load = number(a[0]); return nil }},
	{"appliance-memory", "PERCENT [SWAP]", "used memory, and used swap, of the appliance, in percent", false, func(s *state, a []string) error {
		s.says.used = [2]float64{number(a[0]) / 100, number(argument(a, 1, "0")) / 100}
		return nil
	}},
	{"sysstat-hang", "SWITCH", "the status monitor checks no more: on or off", false, func(s *state, a []string) error {
		s.says.checked = choose(a[0] == "on", s.now, time.Time{})
		return nil
	}},
	{"disk-full", "PERCENT", "fill the log file system; 75, 90 and 95 have effects", false, func(s *state, a []string) error {
		s.logUsedBytes = number(a[0]) / 100 * logDisk(s.model)
		return nil
	}},
	{"disk-hot", "CELSIUS", "the hard disk of the appliance reaches a temperature", false, func(s *state, a []string) error {
		s.log("daemon", "crit", fmt.Sprintf("smartd[%d]", s.pid("smartd")),
			"Device: /dev/sda, Temperature %s Celsius reached limit of 44 Celsius (Min/Max 24/%s)", a[0], a[0])
		return nil
	}},
	{"log", "LINE...", "append a line to messages as it is", false, func(s *state, a []string) error {
		s.out = append(s.out, entry{text: a[0]})
		return nil
	}},
	{"log-rotate", "[HOW]", "rotate the logs: rename or copytruncate", false, func(s *state, a []string) error {
		s.out = append(s.out, entry{rotate: argument(a, 0, "rename")})
		return nil
	}},
	{"slow", "DURATION", "wait before each answer", false, func(s *state, a []string) error {
		s.wire.slow, _ = time.ParseDuration(a[0])
		return nil
	}},
	{"hang", "[PART]", "accept commands and never answer: all, or with the word card those that need it", false, func(s *state, a []string) error {
		s.wire.answer = choose(argument(a, 0, "") == "card", hangCard, hang)
		return nil
	}},
	{"drop", "", "close the connection in the middle of an answer", false, func(s *state, _ []string) error { s.wire.answer = drop; return nil }},
	{"truncate", "", "send half an answer, then the prompt", false, func(s *state, _ []string) error { s.wire.answer = truncate; return nil }},
	{"garbage", "", "send garbage for answers", false, func(s *state, _ []string) error { s.wire.answer = garbage; return nil }},
	{"wrong-password", "", "end the sessions and refuse the password", false, func(s *state, _ []string) error {
		s.wire.refuse = true
		s.wire.restSessions++
		return nil
	}},
	{"host-key", "", "end the sessions and come back with another host key", false, func(s *state, _ []string) error { s.wire.otherKey = true; return nil }},
	{"rest-certificate", "", "end the connections to the REST API and come back with another certificate", false, func(s *state, _ []string) error {
		s.wire.restOther = true
		s.wire.restEpoch++
		return nil
	}},
	{"rest-expire", "", "end the sessions of the REST API", false, func(s *state, _ []string) error { s.wire.restSessions++; return nil }},
	{"rest-quirks", "SWITCH", "answer with JSON as faulty as in the vendor's documents: on or off", false, func(s *state, a []string) error {
		s.wire.restQuirks = a[0] == "on"
		return nil
	}},
	{"gone", "[DOOR]", "end the sessions and stop listening: on ssh, rest, or without a word both", false, func(s *state, a []string) error {
		door := argument(a, 0, "")
		s.wire.gone = s.wire.gone || door != "rest"
		s.wire.restGone = s.wire.restGone || door != "ssh"
		s.wire.restEpoch++
		return nil
	}},
	{applicationRestart, "", "the application of the client host that uses the HA groups is restarted", false, func(*state, []string) error {
		return errors.New("not an event of an appliance; only inject can apply it")
	}},
	{"heal", "", "end all faults of the wire", false, func(s *state, _ []string) error {
		s.wire = wire{down: s.wire.down, restEpoch: s.wire.restEpoch + 1, restSessions: s.wire.restSessions}
		return nil
	}},
}

// applicationRestart is the only event that does not change an appliance.
const applicationRestart = "application-restart"

// kinds are the checks of arguments, by kind. An argument of any other kind is not
// checked.
var kinds = map[string]func(string) bool{
	"CELSIUS":  between(-60, 150),
	"VOLTS":    between(0, 5),
	"PERCENT":  between(0, 100),
	"N":        between(1, 10),
	"DAYS":     between(0, 36500),
	"DURATION": func(v string) bool { d, err := time.ParseDuration(v); return err == nil && d >= 0 },
	"SWITCH":   oneOf("on", "off"),
	"LINK":     oneOf("up", "down"),
	"DOOR":     oneOf("ssh", "rest"),
	"PART":     oneOf("card"),
	"HOW":      oneOf("rename", "copytruncate"),
	"LOAD":     between(0, 1000),
	"SWAP":     between(0, 100),
	"SERIAL":   func(v string) bool { n, err := strconv.ParseUint(v, 10, 40); return err == nil && n > 0 },
}

func between(low, high float64) func(string) bool {
	return func(v string) bool {
		n, err := strconv.ParseFloat(v, 64)
		return err == nil && n >= low && n <= high
	}
}

func oneOf(words ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(words, v) }
}

// parseEvent reads an event as a scenario writes it.
func parseEvent(line string) (Event, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	e := Event{Name: name, Args: strings.Fields(rest)}
	row, err := e.row()
	if err == nil && row.takesLine() && rest != "" {
		e.Args = []string{rest} // including runs of blanks
	}
	return e, err
}

// takesLine reports whether all arguments together are one line of text.
func (r *eventRow) takesLine() bool { return strings.HasSuffix(r.args, "...") }

// arguments returns the arguments of the event in the form of its row.
func (e Event) arguments(r *eventRow) []string {
	if r.takesLine() && len(e.Args) > 1 {
		return []string{strings.Join(e.Args, " ")}
	}
	return e.Args
}

func (e Event) row() (*eventRow, error) {
	i := slices.IndexFunc(events, func(r eventRow) bool { return r.name == e.Name })
	if i < 0 {
		var names []string
		for _, r := range events {
			names = append(names, r.name)
		}
		return nil, fmt.Errorf("unknown event %q; known are %s", e.Name, strings.Join(names, ", "))
	}
	return &events[i], nil
}

// check returns what is wrong with the event for a model.
func (e Event) check(m *model) error {
	row, err := e.row()
	if err != nil {
		return err
	}
	want, args := strings.Fields(row.args), e.arguments(row)
	usage := strings.TrimSpace(row.name + " " + row.args)
	if len(args) > len(want) {
		return fmt.Errorf("too many arguments; it is %s", usage)
	}
	for i, kind := range want {
		bare := strings.Trim(kind, "[].")
		switch valid := kinds[bare]; {
		case i >= len(args) && strings.HasPrefix(kind, "["):
			return row.fits(m)
		case i >= len(args):
			return fmt.Errorf("%s is missing; it is %s", bare, usage)
		case valid != nil && !valid(args[i]):
			return fmt.Errorf("%q is not a valid %s; it is %s", args[i], bare, usage)
		}
	}
	return row.fits(m)
}

func (r *eventRow) fits(m *model) error {
	if r.k7 && !m.modern() {
		return fmt.Errorf("%s needs a K7 card, model %s has a %s", r.name, m.version, m.card)
	}
	return nil
}

// apply applies the event now.
func (s *state) apply(e Event) error {
	if err := e.check(s.model); err != nil {
		return err
	}
	row, err := e.row()
	if err != nil {
		return err
	}
	return row.do(s, e.arguments(row))
}

// Help returns all events with their arguments, one per line.
func Help() string {
	var b strings.Builder
	for _, r := range events {
		fmt.Fprintf(&b, "  %-32s %s\n", strings.TrimSpace(r.name+" "+r.args), r.help)
	}
	return b.String()
}

// number returns an argument that check has found to be a number.
func number(v string) float64 {
	n, _ := strconv.ParseFloat(v, 64)
	return n
}

func argument(args []string, i int, otherwise string) string {
	if i < len(args) {
		return args[i]
	}
	return otherwise
}

// toward returns a ramp from one value to another, over the duration in args.
func (s *state) toward(from, to float64, args []string) ramp {
	d, _ := time.ParseDuration(argument(args, 0, "0s"))
	return ramp{from: from, to: to, start: s.now, over: d}
}

func tamperEvent(s *state, args []string) error {
	if !s.modern() {
		s.oamp("err", "ERR:    RTC: tamper 2 signal")
		s.condition = halted
		s.deactivate()
		return nil
	}
	kind := argument(args, 0, "chassis")
	t := findTamper(kind)
	if t == nil {
		var names []string
		for _, t := range tampers {
			names = append(names, t.name)
		}
		return fmt.Errorf("unknown tamper %q; known are %s", kind, strings.Join(names, ", "))
	}
	s.trip(t)
	return nil
}

func tamperClear(s *state, _ []string) error {
	if s.tamper == nil {
		return errors.New("there is no tamper to clear")
	}
	if s.condition != locked {
		return errors.New("the firmware does not run; use hsm-reset, or reboot for a card off the bus")
	}
	s.tamper = nil
	s.condition = running
	s.alarm("ALM2011: HSM unlocked - tamper clear done")
	return nil
}

func zeroize(s *state, _ []string) error {
	s.byHand = true
	s.zeroizeNow()
	return nil
}

func (s *state) zeroizeNow() {
	s.erase()
	if s.modern() {
		s.alarm("ALM2007: HSM zeroized")
		s.deactivate()
	}
}

func decommission(s *state, _ []string) error {
	s.decommissioned = true
	if !s.modern() {
		s.erase()
		s.warmBoot()
		s.oamp("err", "ERR:    MTK: security function was zeroized for unknown reason")
		s.oamp("info", "INFO:     Zeroizing HSM after decommission...LOG(INFO):     POWER-UP LOG DUMP END")
		s.restartCounters()
		return nil
	}
	s.alarm("ALM0010: Decommission signal triggered")
	s.condition = inReset
	s.after(bootloaderDelay, func(s *state) { s.alarm("ALM1016: Decommission signal triggered") })
	s.after(firmwareDelay, func(s *state) {
		s.restartCounters()
		s.condition = running
		s.alarm("ALM2022: Decommission signal triggered")
		s.alarm("ALM2006: HSM decommissioned by FW")
		s.erase()
	})
	return nil
}

func transport(s *state, args []string) error {
	on := args[0] == "on"
	if on == s.transport {
		return fmt.Errorf("secure transport mode is %s already", args[0])
	}
	s.transport = on
	s.alarm("%s", choose(on, "ALM2012: HSM in secure transport mode", "ALM2013: HSM recovered from secure transport mode"))
	return nil
}

func activation(on bool) func(*state, []string) error {
	return func(s *state, args []string) error {
		i := slices.IndexFunc(s.partitions, func(p partition) bool { return p.name == args[0] })
		if i < 0 {
			return fmt.Errorf("no partition called %s", args[0])
		}
		s.partitions[i].activated = on
		return nil
	}
}

func soLoginFail(s *state, args []string) error {
	for range int(number(argument(args, 0, "1"))) {
		if s.zeroized {
			return nil
		}
		s.soAttempts--
		s.lunash("warn", "HSM Admin Login: incorrect password or PED key")
		if s.soAttempts == 0 {
			s.lunash("warn", "HSM Admin Login: HSM Zeroized due to three consecutive bad login attempts.")
			s.zeroizeNow()
		}
	}
	return nil
}

func cardFan(failed bool) func(*state, []string) error {
	return func(s *state, args []string) error {
		n := int(number(args[0]))
		if n > len(s.hsmFanFailed) {
			return fmt.Errorf("the card has %d fans", len(s.hsmFanFailed))
		}
		if failed && !s.hsmFanFailed[n-1] {
			s.alarm("ALM2023: HSM fan %d failure", n)
		}
		s.hsmFanFailed[n-1] = failed
		return nil
	}
}

func supplyFails(failed bool) func(*state, []string) error {
	return func(s *state, args []string) error {
		n := int(number(args[0]))
		if n > len(s.psuFailed) {
			return fmt.Errorf("the appliance has %d power supplies", len(s.psuFailed))
		}
		if s.psuFailed[n-1] != failed {
			s.psuFailed[n-1] = failed
			s.ipmi("Power Supply sensor %s - Failure detected %s", s.dotted(fmt.Sprintf("PSU%d_Status", n)), choose(failed, "Asserted", "Deasserted"))
		}
		return nil
	}
}

func (s *state) frontFan(name string) (*sensor, error) {
	x := s.findSensor(name)
	if x == nil || !x.front {
		return nil, fmt.Errorf("no fan called %s; there are Fan1A to Fan3B", name)
	}
	return x, nil
}

func fanFails(s *state, args []string) error {
	x, err := s.frontFan(args[0])
	if err != nil || s.fanFailed[x.name] {
		return err
	}
	s.fanFailed[x.name] = true
	s.ipmi("Fan sensor %s Lower Critical going low  (Reading 1600 < Threshold %.0f RPM)", s.dotted(x.name), x.lc)
	s.after(10*time.Second, func(s *state) {
		if s.fanFailed[x.name] {
			s.ipmi("Fan sensor %s Lower Non-recoverable going low  (Reading 0 < Threshold %.0f RPM)", s.dotted(x.name), x.lnr)
		}
	})
	return nil
}

func fanRestored(s *state, args []string) error {
	x, err := s.frontFan(args[0])
	if err != nil || !s.fanFailed[x.name] {
		return err
	}
	delete(s.fanFailed, x.name)
	v, _ := s.reading(*x)
	s.ipmi("Fan sensor %s Lower Non-recoverable going low  (Reading %.0f < Threshold %.0f RPM)", s.dotted(x.name), v, x.lnr)
	s.ipmi("Fan sensor %s Lower Critical going low  (Reading %.0f < Threshold %.0f RPM)", s.dotted(x.name), v, x.lc)
	return nil
}

func reboot(s *state, args []string) error {
	d, _ := time.ParseDuration(argument(args, 0, "60s"))
	s.stopNTLS()
	s.log("user", "info", "sysstatd", "------------ Luna System State Server - Stopped.")
	s.wire.down = true
	s.after(d, (*state).booted)
	return nil
}

// booted is the end of a reboot.
func (s *state) booted() {
	s.wire.down = false
	s.boot = s.now
	s.log("user", "info", "sysstatd", "------------ Luna System State Server - Started.")
	if s.condition == offBus {
		s.condition = waitsRestart
	}
	if err := s.restart(); err == nil {
		s.startNTLS()
	}
	s.certmonitor("NTLS certificate expiry monitor started")
}
