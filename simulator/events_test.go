package simulator

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestEvents injects events and checks the logs and the output of commands. An event
// "wait 5m" lets time pass.
func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name, version string
		events        []string
		alarms        string   // the ALM codes of messages, in order
		logged        []string // in any log
		says          map[string][]string
	}{
		{"warm", "7.2", []string{"temperature 76 1m", "wait 2m"}, "2001", nil,
			map[string][]string{"hsm show": {"System Temp:                         76 deg. C\n", "WARNING: System Temperature above warning threshold!!"}}},
		{"warm for five minutes and cool again", "7.2", []string{"temperature 75", "wait 6m", "temperature 40 1m", "wait 2m"}, "2001 0013 2002",
			[]string{"kern info  kernel: k7pf0: ALM0013: High Temperature - 75C\n", "kern info  kernel: k7pf0: [HSM] ALM2002: High temperature warning deactivated\n"},
			map[string][]string{"hsm show": {"System Temp:                         40 deg. C\n"}}},
		{"soft tamper", "7.2", []string{"temperature 81 30s", "wait 1m"}, "2001 0002",
			[]string{"ALM0002: Soft tamper - temperature (80C)\n", "sysstatd: Luna System State Server - OOS Errors: 100,30,61,62,63,95!\n"},
			map[string][]string{
				"hsm show":              {"Software Version:", "Error:  'hsm show' failed. (300000 : LUNA_RET_DEVICE_ERROR)\n", resultBad},
				"partition list":        {"Error:  'partition list' failed. (300000 : LUNA_RET_DEVICE_ERROR)\n"},
				"status sysstat show":   {"System Status:       OOS\n", "System Status Code:  100,30,61,62,63,95\n"},
				"ntls information show": {"1 (up)"},
			}},
		{"soft tamper and restart", "7.2", []string{"temperature 81", "wait 10s", "temperature 60", "wait 10s", "hsm-reset", "wait 10s"}, "2001 0002 1006 1001", nil,
			map[string][]string{"hsm show": {"No tamper(s)", resultGood}, "hsm information monitor": {"0 day(s), 00:00:15"}}},
		{"hard tamper", "7.2", []string{"temperature 89 90s", "wait 2m", "temperature 50", "wait 1m", "hsm-reset", "wait 1s"}, "2001 0002 0004 1007 1001 2015 2010 2005", nil,
			map[string][]string{
				"hsm show":        {"HSM Tamper State:                   Tamper(s) detected\n"},
				"hsm tamper show": {"        WARNING - Tamper(s) Detected:\n        Over temperature\n"},
				"partition show":  {"(80000076 : CKR_HSM_TAMPERED)"},
			}},
		{"tamper cleared", "7.2", []string{"tamper over-voltage", "wait 10s", "hsm-reset", "tamper-clear", "wait 1s"}, "0006 1009 1001 2017 2010 2005 2011", nil,
			map[string][]string{
				"hsm tamper show": {"No active tampers."},
				"partition show":  {"Crypto Officer   is activated:             no\n"},
			}},
		{"chassis", "7.2", []string{"tamper", "wait 1m"}, "0015", nil,
			map[string][]string{"hsm show": {codeDevice}, "hsm tamper show": {codeDevice}}},
		{"chassis and reboot", "7.2", []string{"tamper chassis", "wait 1m", "reboot 90s", "wait 91s"}, "0015 2020 2010 2005",
			[]string{"NTLS terminated", "NTLS is online and operational.", "Luna System State Server - Started."},
			map[string][]string{"hsm tamper show": {"Chassis intrusion\n"}}},
		{"removal", "7.2", []string{"tamper removal", "reboot 5s", "wait 6s"}, "0015 2021 2010 2005", nil,
			map[string][]string{"hsm tamper show": {"Card removal\n"}}},
		{"battery fades", "7.2", []string{"battery 2.70 1h", "wait 61m"}, "0014 2003", nil,
			map[string][]string{"hsm show": {"Battery Voltage:                     2.700 V\n", "WARNING: Battery Voltage below warning threshold!!\n"}}},
		{"battery ends", "7.2", []string{"battery 2.70", "wait 2s", "battery 2.4 10s", "wait 20s"}, "0014 2003 2004", nil,
			map[string][]string{"hsm show": {codeDevice}, "status sysstat show": {"OOS"}}},
		{"zeroize", "7.2", []string{"zeroize"}, "2007 2005", nil,
			map[string][]string{
				"hsm show":       {"HSM Label:                          \n", "HSM IS ZEROIZED !!!!\n", "Manually Zeroized:                  Yes\n", "There are no partitions.\n"},
				"partition list": {"   There are no partitions.\n"},
			}},
		{"zeroize and initialize", "5.4", []string{"zeroize", "initialize"}, "", nil,
			map[string][]string{"hsm show": {"3 before HSM zeroization!", "Name: payments"}}},
		{"zeroize K6", "5.4", []string{"zeroize"}, "", nil,
			map[string][]string{"hsm show": {"HSM Label:                          no label\n", "HSM IS ZEROIZED !!!!\n"}}},
		{"decommission", "7.2", []string{"decommission", "wait 30s"}, "0010 1016 2022 2006", nil,
			map[string][]string{"hsm show": {"HSM IS ZEROIZED !!!!\n", "Manually Zeroized:                  No\n"}}},
		{"decommission K6", "6.2", []string{"decommission"}, "", []string{"local6 info  oamp[", "Zeroizing HSM after decommission..."},
			map[string][]string{"hsm show": {"HSM IS ZEROIZED !!!!\n"}}},
		{"transport mode", "7.2", []string{"stm on"}, "2012", nil,
			map[string][]string{"hsm show": {"Secure Transport Mode:              Yes\n"}, "partition list": {"CKR_CMD_NOT_ALLOWED_HSM_IN_TRANSPORT"}}},
		{"transport mode ended", "7.2", []string{"stm on", "stm off"}, "2012 2013", nil,
			map[string][]string{"hsm show": {"Secure Transport Mode:              No\n"}}},
		{"ntls down", "6.2", []string{"ntls down", "wait 1s"}, "", []string{"local5 info  NTLS [", "]: info : 0 : NTLS terminated\n", "user info  sysstatd: Luna System State Server - OOS Errors: 100,20,61,95!"},
			map[string][]string{"ntls information show": {"Operational Status:                               2 (down)\nConnected Clients:                                0\n"}}},
		{"ntls up", "7.2", []string{"ntls down", "ntls up"}, "", []string{"NTLS is online and operational."},
			map[string][]string{"ntls information show": {"  Connected Clients:                                3\n"}}},
		{"partition deactivated", "6.2", []string{"partition-deactivate payments"}, "", nil,
			map[string][]string{"partition show -partition payments": {"Crypto Officer   is activated:             no\n"}, "partition show -partition timestamp": {"is activated:             yes\n"}}},
		{"partition activated", "5.4", []string{"partition-deactivate payments", "partition-activate payments"}, "", nil,
			map[string][]string{"partition show -partition payments": {"Activated:                                 yes\n"}}},
		{"one bad SO login", "7.2", []string{"so-login-fail"}, "", []string{"local5 warn  lunash ["},
			map[string][]string{"hsm show": {"2 before HSM zeroization!\n"}}},
		{"good SO login", "7.2", []string{"so-login-fail 2", "so-login"}, "", nil,
			map[string][]string{"hsm show": {"3 before HSM zeroization!\n"}}},
		{"three bad SO logins", "7.2", []string{"so-login-fail 3"}, "2007 2005", []string{"HSM Zeroized due to three consecutive bad login attempts."},
			map[string][]string{"hsm show": {"HSM IS ZEROIZED !!!!\n", "Manually Zeroized:                  No\n"}}},
		{"certificate", "7.2", []string{"certificate 5"}, "", []string{"New NTLS certificate detected and the expiry date of this new certificate is Jan  6 00:00:00 2000 GMT", "NTLS certificate will be expire on Jan  6 00:00:00 2000 GMT"},
			map[string][]string{"ntls certificate show": {"Serial Number: 1 (0x1)", "Not After : Jan  6 00:00:00 2000 GMT\n"}}},
		{"HSM reset", "7.2", []string{"hsm-reset"}, "", nil, map[string][]string{"hsm information monitor": {"0 day(s), 00:00:05"}}},
		{"HSM reset K6", "5.4", []string{"hsm-reset"}, "", []string{"local6 info  oamp[", "INFO:     Warm boot"},
			map[string][]string{"hsm information monitor": {"                 5 |"}}},
		{"HSM crash", "7.2", []string{"hsm-crash"}, "2009", nil, map[string][]string{"hsm information show": {codeDevice}}},
		{"HSM crash K6", "6.2", []string{"hsm-crash", "hsm-reset"}, "", []string{"kernel: NOTE: viper0: hsm log: LOG(CRITICAL)  HSM crashed:\n", "local6 crit  oamp[", "CRIT: Fatal error 0x"},
			map[string][]string{"hsm information show": {"Critical Events:                                  1\n"}}},
		{"tamper K6", "5.4", []string{"tamper"}, "", []string{"ERR:    RTC: tamper 2 signal\n"}, map[string][]string{"hsm show": {codeDevice}}},
		{"card fan", "7.2", []string{"hsm-fan-fail 1"}, "2023", []string{"k7pf0: [HSM] ALM2023: HSM fan 1 failure\n"},
			map[string][]string{"hsm show": {"Fan 1 Status:                        failed\n"}}},
		{"card fan restored", "7.2", []string{"hsm-fan-fail 2", "hsm-fan-restore 2"}, "2023", nil,
			map[string][]string{"hsm show": {"Fan 2 Status:                        active\n"}}},
		{"power supply", "7.2", []string{"psu-fail 2"}, "", []string{"local4 notice  ipmievd[", "Power Supply sensor PSU2_Status    . - Failure detected Asserted\n"},
			map[string][]string{"status sensors": {"PSU2_+12V_value. | 0.000      | Volts      | CR *  |", "PSU2_Status    . | Failure detected\n"}}},
		{"power supply restored", "7.2", []string{"psu-fail 2", "psu-restore 2"}, "", []string{"Failure detected Deasserted\n"},
			map[string][]string{"status sensors": {"PSU2_Status    . | Presence detected\n"}}},
		{"fan", "7.2", []string{"fan-fail fan3b", "wait 11s"}, "", []string{
			"Fan sensor Fan3B          . Lower Critical going low  (Reading 1600 < Threshold 2000 RPM)\n",
			"Fan sensor Fan3B          . Lower Non-recoverable going low  (Reading 0 < Threshold 1000 RPM)\n"},
			map[string][]string{"status sensors": {"Fan3B          . | 0.000      | RPM        | NR *  |", "Cooling/Fan Fault    : true"}}},
		{"fan restored", "6.2", []string{"fan-fail FAN1A", "wait 11s", "fan-restore FAN1A"}, "", []string{"Fan sensor FAN1A            Lower Non-recoverable going low  (Reading 4"},
			map[string][]string{"status sensors": {"FAN1A            | OK  | 4"}}},
		{"disk at 80 percent", "7.2", []string{"disk-full 80", "wait 1s"}, "", []string{"syslog warn  crontab: DISK FULL: WARNING! First log threshold reached 75%.", "InSrvTrb Errors: 100,110,61,62,63,95!"},
			map[string][]string{"status disk": {" 80% /var/log\n", " 1% /var/log/audit\n"}, "status sysstat show": {"IST\n"}, "ntls information show": {"1 (up)"}}},
		{"disk at 96 percent", "5.4", []string{"disk-full 96", "wait 1s"}, "", []string{"syslog alert  crontab: DISK FULL:", "NTLS terminated"},
			map[string][]string{"ntls information show": {"2 (down)"}}},
		{"hot disk", "7.2", []string{"disk-hot 47"}, "", []string{"daemon crit  smartd[", "Device: /dev/sda, Temperature 47 Celsius reached limit of 44 Celsius (Min/Max 24/47)\n"}, nil},
		{"raw line", "7.2", []string{"log 2012 Feb 29 12:05:01 x  kern info  kernel: k7pf0: [HSM] ALM2024: Stored data integrity verify error "}, "2024",
			[]string{"2012 Feb 29 12:05:01 x  kern info  kernel: k7pf0: [HSM] ALM2024: Stored data integrity verify error\n"}, nil},
		{"load", "6.2", []string{"load 95", "wait 1h"}, "", nil, map[string][]string{"hsm information monitor": {"In This Period  :  9"}}},
		{"smartd and time", "7.2", []string{"wait 4h"}, "", []string{"daemon info  smartd[", "Device: /dev/sda, Temperature changed "}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulate(t, c.version)
				for _, e := range c.events {
					if d, wait := strings.CutPrefix(e, "wait "); wait {
						d, _ := time.ParseDuration(d)
						time.Sleep(d) // the clock of the bubble
						continue
					}
					s.inject(e)
				}
				s.do(func(*state) {})
				if got := alarms(s.logged("messages")); got != c.alarms {
					t.Errorf("alarms %q, want %q", got, c.alarms)
				}
				logs := s.logged("messages") + s.logged("lunalogs") + s.logged("hsm.log")
				for _, want := range c.logged {
					if !strings.Contains(logs, want) {
						t.Errorf("no %q in the logs:\n%s", want, logs)
					}
				}
				if len(c.says) == 0 {
					return
				}
				term := s.login()
				for _, command := range slices.Sorted(maps.Keys(c.says)) {
					out := term.must(command)
					for _, want := range c.says[command] {
						if !strings.Contains(out, want) {
							t.Errorf("no %q in %s:\n%s", want, command, out)
						}
					}
				}
			})
		})
	}
}

var almCode = regexp.MustCompile(`ALM(\d{4})`)

func alarms(log string) string {
	var codes []string
	for _, m := range almCode.FindAllStringSubmatch(log, -1) {
		codes = append(codes, m[1])
	}
	return strings.Join(codes, " ")
}

// TestLogLines compares every line of the logs with the template of the product.
func TestLogLines(t *testing.T) {
	line := regexp.MustCompile(`^(\d{4}) (\w{3}) +(\d{1,2}) (\d\d:\d\d:\d\d) (\S+) +(\w+) +(\w+) +([\w./()*-]+) ?(?:\[(\d+)\])?: *(.*)$`)
	for _, m := range models {
		synctest.Test(t, func(t *testing.T) {
			s := simulate(t, m.version)
			s.login().must("status sensors")
			for _, r := range events {
				e := Event{Name: r.name, Args: sampleArgs(r.args)}
				if r.name == "log" || e.check(m) != nil {
					continue
				}
				s.appliance.inject(e)
			}
			s.inject("heal")
			time.Sleep(time.Hour) // the clock of the bubble
			seen := 0
			for _, name := range []string{"messages", "messages.1", "lunalogs", "lunalogs.1", "secure", "hsm.log"} {
				for l := range strings.Lines(s.logged(name)) {
					seen++
					if !line.MatchString(strings.TrimSuffix(l, "\n")) {
						t.Errorf("%s: %q", name, l)
					}
				}
			}
			if seen < 30 {
				t.Errorf("only %d lines", seen)
			}
		})
	}
}

func sampleArgs(args string) []string {
	sample := map[string]string{"DURATION": "3s", "CELSIUS": "70", "VOLTS": "2.7", "PERCENT": "50", "DAYS": "20", "N": "1", "KIND": "low-temperature",
		"SWITCH": "on", "LINK": "up", "PARTITION": "payments", "FAN": "Fan1A", "HOW": "rename"}
	var out []string
	for a := range strings.FieldsSeq(args) {
		out = append(out, sample[strings.Trim(a, "[].")])
	}
	return out
}

func TestEventErrors(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"explode", `unknown event "explode"; known are load, temperature,`},
		{"temperature", "CELSIUS is missing; it is temperature CELSIUS [DURATION]"},
		{"temperature hot", `"hot" is not a valid CELSIUS`},
		{"temperature 40 soon", `"soon" is not a valid DURATION`},
		{"temperature 40 1m now", "too many arguments"},
		{"stm maybe", `"maybe" is not a valid SWITCH`},
		{"log", "LINE is missing"},
		{"tamper magic", `unknown tamper "magic"; known are chassis,`},
		{"tamper-clear", "there is no tamper to clear"},
		{"partition-activate x", "no partition called x"},
		{"fan-fail Inlet", "no fan called Inlet"},
		{"psu-fail 3", "the appliance has 2 power supplies"},
		{"hsm-fan-fail 3", "the card has 2 fans"},
	} {
		t.Run(c.line, func(t *testing.T) {
			s := newState(testSpecs(t)["7.2"], 1, time.Unix(0, 0))
			e, err := parseEvent(c.line)
			if err == nil {
				err = s.apply(e)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	k6 := newState(testSpecs(t)["6.2"], 1, time.Unix(0, 0))
	if err := k6.apply(Event{"battery", []string{"3"}}); err == nil || !strings.Contains(err.Error(), "needs a K7 card") {
		t.Errorf("battery on a K6: %v", err)
	}
}

// TestEvolution: the same seed, events and times give the same appliance, however often
// it is asked.
func TestEvolution(t *testing.T) {
	begin := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	live := func(polls int) string {
		s := newState(testSpecs(t)["7.2"], 7, begin)
		s.after(time.Minute, func(s *state) { s.apply(Event{"temperature", []string{"77", "2m"}}) })
		for i := 1; i <= polls; i++ {
			s.advance(begin.Add(time.Duration(i) * 6 * time.Hour / time.Duration(polls)))
		}
		text, err := hsmShow(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		counters, _ := informationShow(s, nil)
		for _, e := range s.out {
			text += e.text + "\n"
		}
		return text + counters
	}
	if diff := cmp.Diff(live(1), live(977)); diff != "" {
		t.Error(diff)
	}
}

func TestCountersMove(t *testing.T) {
	s := newState(testSpecs(t)["7.2"], 7, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	objects, good, disk, operations := s.partitions[1].objects, s.ntlsGood, s.logUsedBytes, s.operations
	s.advance(s.now.Add(2 * day))
	if s.partitions[1].objects == objects || s.ntlsGood == good || s.logUsedBytes <= disk || s.operations <= operations {
		t.Errorf("after two days: objects %d, connections %d, disk %.0f, operations %.0f", s.partitions[1].objects, s.ntlsGood, s.logUsedBytes, s.operations)
	}
}

func TestRotate(t *testing.T) {
	for _, how := range []string{"rename", "copytruncate"} {
		dir := t.TempDir()
		for _, step := range [][]entry{
			{{text: "one"}, {rotate: how}, {text: "two"}},
			{{rotate: how}, {text: "three"}},
		} {
			if err := write(dir, step); err != nil {
				t.Fatal(err)
			}
		}
		s := &simulated{appliance: &appliance{dir: dir}, t: t}
		got := []string{s.logged("messages"), s.logged("messages.1"), s.logged("messages.2")}
		if diff := cmp.Diff([]string{"three\n", "two\n", "one\n"}, got); diff != "" {
			t.Errorf("%s: %s", how, diff)
		}
	}
}

// TestRebootIsQuiet: an appliance that is down writes nothing.
func TestRebootIsQuiet(t *testing.T) {
	s := newState(testSpecs(t)["7.2"], 7, time.Unix(0, 0))
	if err := s.apply(Event{"reboot", []string{"5h"}}); err != nil {
		t.Fatal(err)
	}
	lines := len(s.out)
	s.advance(s.now.Add(4*time.Hour + 59*time.Minute))
	if len(s.out) != lines {
		t.Errorf("lines while down: %v", s.out[lines:])
	}
	s.advance(s.now.Add(2 * time.Minute))
	if len(s.out) == lines {
		t.Error("no lines after the boot")
	}
}
