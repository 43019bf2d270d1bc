package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

func show(v hsm.Show) *hsm.Device { return &hsm.Device{Name: "a", Show: alarmstest.Read(v)} }

func environment(e hsm.Environment) *hsm.Device { return show(hsm.Show{Environment: &e}) }

func volts(v float64) *hsm.Device {
	return environment(hsm.Environment{BatteryVolts: hsm.Some(v), BatteryWarning: hsm.Some(2.75)})
}

func celsius(v float64) *hsm.Device {
	return environment(hsm.Environment{TemperatureCelsius: hsm.Some(v), TemperatureWarning: hsm.Some(75.0)})
}

func fans(status ...string) *hsm.Device {
	var e hsm.Environment
	for i, s := range status {
		e.Fans = append(e.Fans, hsm.Fan{Name: fmt.Sprintf("Fan %d", i+1), Status: s})
	}
	return environment(e)
}

func utilized(ratio float64) *hsm.Device {
	return &hsm.Device{Monitor: alarmstest.Read(hsm.Monitor{Samples: []hsm.Sample{{UtilizationInt: 0.1}, {UtilizationInt: ratio}}, IntervalSeconds: hsm.Some(int64(5))})}
}

func attempts(n int64) *hsm.Device { return show(hsm.Show{SOLoginAttemptsLeft: hsm.Some(n)}) }

func storage(used int64) hsm.Storage {
	return hsm.Storage{Total: hsm.Some[int64](1000), Used: hsm.Some(used), Free: hsm.Some(1000 - used)}
}

func logs(percent int) *hsm.Device {
	return &hsm.Device{Name: "a", Disk: alarmstest.Read(hsm.Disk{Filesystems: []hsm.Filesystem{
		{Mount: "/", UsedRatio: 0.99}, {Mount: "/var/log", UsedRatio: float64(percent) / 100},
	}})}
}

func mounted(percent int) *hsm.Device {
	return &hsm.Device{Name: "a", Host: alarmstest.Read(hsm.Host{Filesystems: []hsm.Filesystem{
		{Mount: "/snap/x", Total: 100, UsedRatio: 1}, {Mount: "/var", Total: 100, UsedRatio: float64(percent) / 100},
	}})}
}

func smart(word string) *hsm.Device {
	return &hsm.Device{Name: "a", Disk: alarmstest.Read(hsm.Disk{SMART: word})}
}

func system(state string, codes ...int64) *hsm.Device {
	return &hsm.Device{Name: "a", System: alarmstest.Read(hsm.System{State: state, Codes: codes})}
}

func tampering(inShow, inTamperShow hsm.TamperState) *hsm.Device {
	d := show(hsm.Show{Tamper: inShow})
	d.Tamper = alarmstest.Read(hsm.Tamper{State: inTamperShow, Tampers: []string{"Chassis intrusion"}})
	return d
}

func expires(days int) *hsm.Device {
	return &hsm.Device{Name: "a", Certificate: alarmstest.Read(hsm.Certificate{NotAfter: hsm.Some(alarmstest.At(10).AddDate(0, 0, days))})}
}

func source(f hsm.Failure, failures int) *hsm.Device {
	return &hsm.Device{Name: "a", Sources: map[string]hsm.Source{"hsm show": {At: alarmstest.At(0), Failure: f, Failures: failures, Error: "why"}}}
}

// sources has one source that failed often and others that work.
func sources(name string, f hsm.Failure, others ...string) *hsm.Device {
	d := &hsm.Device{Name: "a", Sources: map[string]hsm.Source{name: {At: alarmstest.At(0), Failure: f, Failures: 2, Error: "why"}}}
	for _, o := range others {
		d.Sources[o] = hsm.Source{At: alarmstest.At(0)}
	}
	return d
}

// failing has sources, listed with commas, that failed often and others that
// work.
func failing(names string, f hsm.Failure, others ...string) *hsm.Device {
	d := &hsm.Device{Name: "a", Sources: make(map[string]hsm.Source)}
	for name := range strings.SplitSeq(names, ", ") {
		d.Sources[name] = hsm.Source{At: alarmstest.At(0), Failure: f, Failures: 9, Error: "why"}
	}
	for _, name := range others {
		d.Sources[name] = hsm.Source{At: alarmstest.At(0)}
	}
	return d
}

// holding has services that were read from a source.
func holding(source string, d *hsm.Device) *hsm.Device {
	d.Services = alarmstest.Read([]hsm.Service{})
	d.Services.At, d.Services.Source = alarmstest.At(0), source
	return d
}

func disagreeing(what ...string) *hsm.Device {
	d := &hsm.Device{Name: "a"}
	for _, w := range what {
		d.Disagreements = append(d.Disagreements, hsm.Disagreement{What: w, Stated: [2]hsm.Stated{{At: alarmstest.At(-9), Expires: alarmstest.At(60)}, {At: alarmstest.At(0), Expires: alarmstest.At(60)}}})
	}
	return d
}

func ha(groups ...hsm.HAGroupState) *hsm.Device {
	return &hsm.Device{Name: "a", HA: alarmstest.Read(hsm.HA{Groups: groups})}
}

// haGroup is a group that can lose so many members, -1 for unknown.
func haGroup(redundancy int64, offline bool, states ...hsm.HAMembership) hsm.HAGroupState {
	g := hsm.HAGroupState{Label: "pay", Expected: int64(len(states)), Offline: offline, Redundancy: hsm.Opt[int64]{Value: redundancy, Known: redundancy >= 0}}
	for i, s := range states {
		g.Members = append(g.Members, hsm.HAMemberState{Serial: fmt.Sprint(i + 1), State: s})
		if s == hsm.HAStateAlive {
			g.Alive++
		}
	}
	return g
}

func ofKind(kind hsm.Kind, source string, f hsm.Failure) *hsm.Device {
	return &hsm.Device{Name: "a", Kind: kind, Sources: map[string]hsm.Source{source: {At: alarmstest.At(0), Failure: f, Failures: 9, Error: "why"}}}
}

func board(sensors ...hsm.Sensor) *hsm.Device {
	return &hsm.Device{Name: "a", Sensors: alarmstest.Read(hsm.Sensors{Sensors: sensors})}
}

func unread(name string) hsm.Sensor { return hsm.Sensor{Name: name, Unit: "RPM"} }

// emitted renders what a rule emits for a device at a time.
func emitted(r Rule, d *hsm.Device, now time.Time) (list []string) {
	r.Evaluate(Poll{Device: d, Now: now, Thresholds: DefaultThresholds()}, func(o Result) {
		s := map[alarms.Condition]string{alarms.Good: "good", alarms.Between: "between", alarms.Bad: "bad " + o.Severity.String()}[o.Condition]
		if o.All {
			s = "all"
		}
		if o.Object != "" {
			s += " " + o.Object
		}
		if !o.At.Equal(alarmstest.At(0)) {
			s += " of another time"
		}
		list = append(list, s)
	})
	return list
}

func TestRules(t *testing.T) {
	for _, x := range []struct {
		rule Rule
		name string
		d    *hsm.Device
		want []string
	}{
		{hsmUtilization, "busy", utilized(0.93), []string{"bad warning"}},
		{hsmUtilization, "in the band", utilized(0.85), nil},
		{hsmUtilization, "not busy", utilized(0.79), []string{"good"}},
		{hsmUtilization, "since the reset only", &hsm.Device{Monitor: alarmstest.Read(hsm.Monitor{Samples: []hsm.Sample{{Utilization: 0.99}}})}, nil},
		{battery, "full", volts(3.07), []string{"good"}},
		{battery, "at the end of the band", volts(2.8), []string{"good"}},
		{battery, "in the band", volts(2.79), nil},
		{battery, "at the threshold", volts(2.75), nil},
		{battery, "low", volts(2.749), []string{"bad minor"}},
		{battery, "empty", volts(2.49), []string{"bad critical"}},
		{battery, "the device's own threshold", environment(hsm.Environment{BatteryVolts: hsm.Some(2.85), BatteryWarning: hsm.Some(2.9)}), []string{"bad minor"}},
		{battery, "no threshold printed", environment(hsm.Environment{BatteryVolts: hsm.Some(2.7)}), []string{"bad minor"}},
		{battery, "the device warns", environment(hsm.Environment{BatteryVolts: hsm.Some(3.0), BatteryLow: true}), []string{"bad minor"}},
		{battery, "the device warns without a number", environment(hsm.Environment{BatteryLow: true}), []string{"bad minor"}},
		{battery, "unknown", environment(hsm.Environment{}), nil},
		{battery, "no sensors", show(hsm.Show{}), nil},

		{temperature, "cool", celsius(38), []string{"good"}},
		{temperature, "below the band", celsius(72.9), []string{"good"}},
		{temperature, "in the band", celsius(73), nil},
		{temperature, "at the threshold", celsius(75), []string{"bad minor"}},
		{temperature, "stops soon", celsius(80), []string{"bad major"}},
		{temperature, "the device's own threshold", environment(hsm.Environment{TemperatureCelsius: hsm.Some(61.0), TemperatureWarning: hsm.Some(60.0)}), []string{"bad minor"}},
		{temperature, "no threshold printed", environment(hsm.Environment{TemperatureCelsius: hsm.Some(76.0)}), []string{"bad minor"}},
		{temperature, "the device warns", environment(hsm.Environment{TemperatureCelsius: hsm.Some(70.0), TemperatureHigh: true}), []string{"bad minor"}},
		{temperature, "the device warns without a number", environment(hsm.Environment{TemperatureHigh: true}), []string{"bad minor"}},
		{temperature, "unknown", environment(hsm.Environment{}), nil},

		{cardFans, "run", fans("active", "Standby"), []string{"good"}},
		{cardFans, "one failed", fans("active", "failed"), []string{"bad minor"}},
		{cardFans, "both failed", fans("failed", "Failed"), []string{"bad major"}},
		{cardFans, "a fault", fans("active", "Fault"), []string{"bad minor"}},
		{cardFans, "stopped", fans("stopped", "standby"), []string{"bad minor"}},
		{cardFans, "both, each in its words", fans("fault", "not running"), []string{"bad major"}},
		{cardFans, "a new word", fans("active", "resting"), []string{"bad indeterminate"}},
		{cardFans, "a new word beside a fault", fans("fault", "resting"), []string{"bad minor"}},
		{cardFans, "a blank", fans("active", ""), nil},
		{cardFans, "none", fans(), nil},

		{hsmStatus, "OK", show(hsm.Show{Status: "OK"}), []string{"good"}},
		{hsmStatus, "K7", show(hsm.Show{Status: "L3 Device"}), []string{"good"}},
		{hsmStatus, "tamper", show(hsm.Show{Status: "Hardware Tamper"}), []string{"bad critical"}},
		{hsmStatus, "tamper and no keys", show(hsm.Show{Status: "HSM Tamper, Decommissioned"}), []string{"bad critical"}},
		{hsmStatus, "transport mode", show(hsm.Show{Status: "Transport Mode"}), []string{"bad major"}},
		{hsmStatus, "transport mode and no keys", show(hsm.Show{Status: "Transport Mode, zeroized"}), []string{"bad critical"}},
		{hsmStatus, "a new word", show(hsm.Show{Status: "Asleep"}), []string{"bad indeterminate"}},
		{hsmStatus, "a virtual slot", show(hsm.Show{Status: "N/A - HA Group"}), nil},
		{hsmStatus, "not printed", show(hsm.Show{}), nil},

		{tampered, "yes", show(hsm.Show{Tamper: hsm.TamperDetected}), []string{"bad critical"}},
		{tampered, "no", show(hsm.Show{Tamper: hsm.TamperNone}), []string{"good"}},
		{tampered, "K6 does not say", show(hsm.Show{}), nil},
		{tampered, "in hsm tamper show only", tampering(hsm.TamperNone, hsm.TamperDetected), []string{"bad critical"}},
		{tampered, "in hsm show only", tampering(hsm.TamperDetected, hsm.TamperNone), []string{"bad critical"}},
		{tampered, "in neither", tampering(hsm.TamperNone, hsm.TamperNone), []string{"good"}},
		{tampered, "hsm tamper show alone", &hsm.Device{Name: "a", Tamper: alarmstest.Read(hsm.Tamper{State: hsm.TamperNone})}, []string{"good"}},

		{zeroized, "yes", show(hsm.Show{Zeroized: hsm.Some(true)}), []string{"bad critical"}},
		{zeroized, "no", show(hsm.Show{Zeroized: hsm.Some(false)}), []string{"good"}},
		{zeroized, "unknown", show(hsm.Show{}), nil},

		{secureTransport, "yes", show(hsm.Show{SecureTransportMode: hsm.Some(true)}), []string{"bad major"}},
		{secureTransport, "no", show(hsm.Show{SecureTransportMode: hsm.Some(false)}), []string{"good"}},
		{secureTransport, "unknown", show(hsm.Show{}), nil},

		{soLogin, "all left", attempts(3), []string{"good"}},
		{soLogin, "one used", attempts(2), []string{"bad major"}},
		{soLogin, "the last", attempts(1), []string{"bad critical"}},
		{soLogin, "none", attempts(0), []string{"bad critical"}},
		{soLogin, "zeroized since", show(hsm.Show{SOLoginAttemptsLeft: hsm.Some[int64](0), Zeroized: hsm.Some(true)}), []string{"good"}},
		{soLogin, "unknown", show(hsm.Show{}), nil},

		{hsmStorage, "room", show(hsm.Show{Storage: storage(500)}), []string{"good"}},
		{hsmStorage, "in the band", show(hsm.Show{Storage: storage(895)}), []string{"between"}},
		{hsmStorage, "nearly full", show(hsm.Show{Storage: storage(900)}), []string{"bad warning"}},
		{hsmStorage, "unknown", show(hsm.Show{Storage: hsm.Storage{Total: hsm.Some[int64](1000)}}), nil},

		{partitionStorage, "each", &hsm.Device{Name: "a", Partitions: alarmstest.Read([]hsm.Partition{
			{Serial: "1", Storage: storage(10)}, {Serial: "2", Storage: storage(920)}, {Serial: "3", Storage: storage(960)},
			{Serial: "4"}, {Name: "p5", Storage: storage(889)},
		})}, []string{"good 1", "bad minor 2", "bad major 3", "between 4", "good p5", "all"}},
		{partitionStorage, "none", &hsm.Device{Name: "a", Partitions: alarmstest.Read([]hsm.Partition{})}, []string{"all"}},

		{ntlsDown, "down", &hsm.Device{Name: "a", NTLS: alarmstest.Read(hsm.NTLS{Status: hsm.NTLSDown})}, []string{"bad critical"}},
		{ntlsDown, "up", &hsm.Device{Name: "a", NTLS: alarmstest.Read(hsm.NTLS{Status: hsm.NTLSUp})}, []string{"good"}},
		{ntlsDown, "unknown", &hsm.Device{Name: "a", NTLS: alarmstest.Read(hsm.NTLS{Status: hsm.NTLSUnknown})}, []string{"bad indeterminate"}},
		{ntlsDown, "not stated", &hsm.Device{Name: "a", NTLS: alarmstest.Read(hsm.NTLS{})}, nil},

		{certificate, "long", expires(31), []string{"good"}},
		{certificate, "a month", expires(30), []string{"bad warning"}},
		{certificate, "a week", expires(7), []string{"bad major"}},
		{certificate, "today", expires(0), []string{"bad critical"}},
		{certificate, "expired", expires(-3), []string{"bad critical"}},
		{certificate, "unknown", &hsm.Device{Name: "a", Certificate: alarmstest.Read(hsm.Certificate{})}, nil},

		{hostFilesystems, "room", mounted(80), []string{"good /var", "all"}},
		{hostFilesystems, "90 %", mounted(91), []string{"bad minor /var", "all"}},
		{hostFilesystems, "nearly full", mounted(96), []string{"bad major /var", "all"}},
		{haMember, "each", ha(haGroup(1, false, hsm.HAStateAlive, hsm.HAStateRecovering, hsm.HAStateUnknown)), []string{"good pay/1", "bad major pay/2", "between pay/3", "all"}},
		{haMember, "a word that nobody knows", ha(hsm.HAGroupState{Label: "pay", Members: []hsm.HAMemberState{{Serial: "1", State: hsm.HAStateUnknown, Word: "dozing"}, {Serial: "2", State: hsm.HAStateDown, Word: "dozing"}}}), []string{"bad indeterminate pay/1", "bad major pay/2", "all"}},
		{haMember, "no groups", ha(), []string{"all"}},
		{haExhausted, "each", ha(haGroup(1, false, hsm.HAStateExhausted, hsm.HAStateRecovering)), []string{"bad critical pay/1", "good pay/2", "all"}},
		{haRedundancy, "two", ha(haGroup(1, false, hsm.HAStateAlive, hsm.HAStateAlive)), []string{"good pay", "all"}},
		{haRedundancy, "one of two", ha(haGroup(0, false, hsm.HAStateAlive, hsm.HAStateDown)), []string{"bad major pay", "all"}},
		{haRedundancy, "a group of one", ha(haGroup(0, false, hsm.HAStateAlive)), []string{"good pay", "all"}},
		{haRedundancy, "none left has a rule of its own", ha(haGroup(0, true, hsm.HAStateDown, hsm.HAStateDown)), []string{"between pay", "all"}},
		{haRedundancy, "unknown", ha(haGroup(-1, false, hsm.HAStateAlive, hsm.HAStateUnknown)), []string{"between pay", "all"}},
		{haStandby, "in use", ha(hsm.HAGroupState{Label: "pay", StandbyInUse: hsm.Some(true)}), []string{"bad major pay", "all"}},
		{haStandby, "not needed", ha(hsm.HAGroupState{Label: "pay", StandbyInUse: hsm.Some(false)}), []string{"good pay", "all"}},
		{haStandby, "lost too: covered by ha-offline", ha(hsm.HAGroupState{Label: "pay", StandbyInUse: hsm.Some(false), Offline: true}), []string{"between pay", "all"}},
		{haStandby, "unknown", ha(hsm.HAGroupState{Label: "pay"}), []string{"between pay", "all"}},
		{haOffline, "none left", ha(haGroup(0, true, hsm.HAStateDown)), []string{"bad critical pay", "all"}},
		{haOffline, "one left", ha(haGroup(0, false, hsm.HAStateAlive, hsm.HAStateDown)), []string{"good pay", "all"}},
		{haOffline, "unknown", ha(haGroup(-1, false, hsm.HAStateUnknown)), []string{"between pay", "all"}},
		{haRecoveryDisabled, "disabled", ha(hsm.HAGroupState{Label: "pay", RecoveryDisabled: true}), []string{"bad major pay", "all"}},
		{haRecoveryDisabled, "not, or nothing lost", ha(hsm.HAGroupState{Serial: "7"}), []string{"good 7", "all"}},
		{haUnasked, "asked", ofKind(hsm.HostMachine, "hagroup listgroups", hsm.None), []string{"good"}},
		{haUnasked, "hangs", ofKind(hsm.HostMachine, "hagroup listgroups", hsm.Timeout), []string{"bad warning"}},
		{clientCertificate, "each", &hsm.Device{Name: "a", HA: alarmstest.Read(hsm.HA{Certificates: []hsm.ClientCertificate{
			{Role: "client", Subject: "CN=c", NotAfter: alarmstest.At(10).AddDate(0, 0, 40)}, {Role: "server", Subject: "CN=s", NotAfter: alarmstest.At(10).AddDate(0, 0, 5)},
		}})}, []string{"good client/CN=c", "bad major server/CN=s", "all"}},

		{logDisk, "room", logs(66), []string{"good"}},
		{logDisk, "in the band", logs(68), nil},
		{logDisk, "70 %", logs(70), []string{"bad minor"}},
		{logDisk, "80 %", logs(80), []string{"bad major"}},
		{logDisk, "90 %", logs(90), []string{"bad critical"}},
		{logDisk, "no such mount", &hsm.Device{Name: "a", Disk: alarmstest.Read(hsm.Disk{})}, nil},

		{diskHealth, "passed", smart("PASSED"), []string{"good"}},
		{diskHealth, "passed, SCSI", smart("OK"), []string{"good"}},
		{diskHealth, "failed", smart("FAILED!"), []string{"bad major"}},
		{diskHealth, "failed, SCSI", smart("FAILURE PREDICTION THRESHOLD EXCEEDED"), []string{"bad major"}},
		{diskHealth, "a new word", smart("DOUBTFUL"), []string{"bad indeterminate"}},
		{diskHealth, "not printed", smart(""), nil},

		{systemStatus, "well", system("ISO", 0), []string{"good state", "all"}},
		{systemStatus, "well, with codes", system("ISO", 100, 61, 95), []string{"good state", "all"}},
		{systemStatus, "HSM and logging", system("OOS", 100, 30, 70, 61), []string{"good state", "bad critical 30", "bad major 70", "all"}},
		{systemStatus, "NTLS has a rule of its own", system("OOS", 20), []string{"good state", "all"}},
		{systemStatus, "out of service", system("OOS", 0), []string{"bad critical state", "all"}},
		{systemStatus, "out of service, without codes", system("OOS"), []string{"bad critical state"}},
		{systemStatus, "out of service, by none of the codes", system("OOS", 70, 100), []string{"bad critical state", "bad major 70", "all"}},
		{systemStatus, "trouble", system("IST", 100), []string{"bad major state", "all"}},
		{systemStatus, "trouble, as the log writes it", system("INSRVTRB"), []string{"bad major state"}},
		{systemStatus, "off line", system("OFL", 100), []string{"bad critical state", "all"}},
		{systemStatus, "off line, trouble", system("OFT", 100), []string{"bad critical state", "all"}},
		{systemStatus, "off line, by a code", system("OFL", 50), []string{"good state", "bad critical 50", "all"}},
		{systemStatus, "a new word", system("ZZZ", 0), []string{"bad indeterminate state", "all"}},
		{systemStatus, "a new code", system("ISO", 100, 55), []string{"good state", "bad indeterminate 55", "all"}},
		{systemStatus, "no state, no codes", system(""), nil},
		{systemStatus, "codes without a state", system("", 100), []string{"between state", "all"}},
		{systemStatus, "a stopped monitor", &hsm.Device{Name: "a", System: alarmstest.Read(hsm.System{Codes: []int64{30}, Running: hsm.Some(false)})}, nil},

		{services, "each", &hsm.Device{Name: "a", Services: alarmstest.Read([]hsm.Service{
			{Name: "ssh", Status: "running", OnBoot: hsm.Some(true)}, {Name: "ntp", Status: "stopped", OnBoot: hsm.Some(true)},
			{Name: "snmp", Status: "stopped", OnBoot: hsm.Some(false)}, {Name: "stc", Status: "resting", OnBoot: hsm.Some(true)},
			{Name: "cbs", Status: "stopped"}, {Name: "ntls", Status: "stopped", OnBoot: hsm.Some(true)},
		})}, []string{"good ssh", "bad major ntp", "good snmp", "bad indeterminate stc", "between cbs", "all"}},

		{applianceFans, "each", board(alarmstest.ApplianceFan("Fan1A", 4300), alarmstest.ApplianceFan("FAN1B", 2000), alarmstest.ApplianceFan("Fan2A", 1000), alarmstest.ApplianceFan("Fan2B", 2499), alarmstest.ApplianceFan("Fan3A", 2500), unread("Fan3B"), alarmstest.Sensor("CPU", 99, "degrees C", 0, 0, 72, 89)),
			[]string{"good FAN1A", "bad minor FAN1B", "bad major FAN2A", "between FAN2B", "good FAN3A", "between FAN3B", "all"}},
		{applianceFans, "no table", board(), nil},
		{motherboard, "each", board(alarmstest.Sensor("CPU", 71, "degrees C", 0, 0, 72, 89), alarmstest.Sensor("VRD", 90, "degrees C", 0, 0, 90, 100), alarmstest.Sensor("CHA DIMM 0", 97, "degrees C", 0, 0, 87, 97), alarmstest.Sensor("VBAT", 2.797, "Volts", 0, 2.796, 0, 0), alarmstest.Sensor("+5V", 5.304, "Volts", 0, 4.692, 5.304, 0), alarmstest.ApplianceFan("Fan1A", 0)),
			[]string{"between CPU", "bad major VRD", "bad critical CHADIMM0", "good VBAT", "bad major +5V", "all"}},
		{powerSupplies, "one object each", &hsm.Device{Name: "a", Sensors: alarmstest.Read(hsm.Sensors{
			Sensors: []hsm.Sensor{
				alarmstest.Sensor("PSU1_+12V_value", 12.1, "Volts", 11.232, 0, 0, 13.392), alarmstest.Sensor("PSU1 FAN_value", 390, "RPM", 300, 0, 0, 0),
				alarmstest.Sensor("PSU2_+12V_value", 0, "Volts", 11.232, 0, 0, 13.392), alarmstest.Sensor("PSU2 Temp_value", 30, "degrees C", 0, 0, 0, 115),
				unread("PSU3_Voltage"), alarmstest.Sensor("PSU4 Temp_value", 30, "degrees C", 0, 0, 0, 115), unread("PSU4_Fan"), unread("PSU5_Fan"), alarmstest.ApplianceFan("Fan1A", 4300),
			},
			PowerSupplies: []hsm.Fan{{Name: "PSU1_Present", Status: "Presence detected"}, {Name: "PSU3_Present", Status: "Failure detected"}, {Name: "PSU5_Fan", Status: "No Reading"}, {Name: "CPU_Thermtrip", Status: "OK"}},
		})}, []string{"between PSU1", "bad major PSU2", "bad major PSU3", "good PSU4", "between PSU5", "all"}},

		{unreachable, "answers", source(hsm.None, 0), []string{"good"}},
		{unreachable, "one failure", source(hsm.Unreachable, 1), nil},
		{unreachable, "two failures", source(hsm.Unreachable, 2), []string{"bad major"}},
		{unreachable, "refused", source(hsm.Login, 2), []string{"bad major"}},
		{unreachable, "another key", source(hsm.HostKey, 1), []string{"bad critical"}},
		{unreachable, "the card is silent", source(hsm.Timeout, 9), []string{"good"}},
		{unreachable, "nothing tried", &hsm.Device{Name: "a"}, nil},
		{unreachable, "SNMP alone, answers", sources("snmp hsmTable", hsm.None), []string{"good"}},
		{unreachable, "SNMP alone, away", sources("snmp hsmTable", hsm.Unreachable), []string{"bad major"}},
		{unreachable, "SNMP beside LunaSH, away", sources("snmp hsmTable", hsm.Unreachable, "hsm show"), []string{"good"}},

		{unreachable, "a card without a slot", ofKind(hsm.CardHSM, "hsm showinfo", hsm.Unreachable), []string{"bad major"}},
		{unreachable, "no lunacm", ofKind(hsm.HostMachine, "slot list", hsm.Unreachable), []string{"bad major"}},
		{silent, "a card", ofKind(hsm.CardHSM, "hsm showinfo", hsm.Timeout), []string{"bad major"}},
		{silent, "a host without lunacm", ofKind(hsm.HostMachine, "host", hsm.Command), nil},

		{sourceFailing, "REST away beside LunaSH", failing("rest hsm, rest services", hsm.Unreachable, "hsm show"), []string{"good lunash", "bad warning rest"}},
		{sourceFailing, "the agent silent beside LunaSH", failing("snmp hsmTable", hsm.Timeout, "hsm show"), []string{"good lunash", "bad warning snmp"}},
		{sourceFailing, "one command never read", failing("hsm tamper show", hsm.Unrecognised, "hsm show"), []string{"bad warning lunash"}},
		{sourceFailing, "LunaSH away, REST works: covered by unreachable", failing("hsm show, partition show", hsm.Unreachable, "rest hsm"), []string{"good rest"}},
		{sourceFailing, "the card silent, REST works: covered by hsm-silent", failing("hsm show, partition show", hsm.Timeout, "rest hsm"), []string{"good rest"}},
		{sourceFailing, "nothing works: covered by unreachable", failing("hsm show, rest hsm", hsm.Unreachable), nil},
		{sourceFailing, "its data become stale: covered by data-stale", holding("rest services", failing("rest services", hsm.Command, "hsm show", "rest hsm")), []string{"good lunash", "good rest"}},
		{sourceFailing, "its data grow old, for want of a session", holding("rest services", failing("rest hsm, rest services", hsm.Login, "hsm show")), []string{"good lunash", "bad warning rest"}},
		{sourceFailing, "too soon", sources("rest hsm", hsm.Unreachable, "hsm show"), []string{"good lunash"}},
		{sourceFailing, "back, before it is the turn of all", &hsm.Device{Name: "a", Sources: map[string]hsm.Source{
			"hsm show": {At: alarmstest.At(0)}, "rest hsm": {At: alarmstest.At(0)}, "rest policies": {At: alarmstest.At(-60), Failure: hsm.Login, Failures: 2}}}, []string{"good lunash", "good rest"}},
		{sourceFailing, "one has not recovered", &hsm.Device{Name: "a", Sources: map[string]hsm.Source{
			"hsm show": {At: alarmstest.At(0)}, "rest hsm": {At: alarmstest.At(0)}, "rest policies": {At: alarmstest.At(-60), Failure: hsm.Command, Failures: 2}}}, []string{"good lunash"}},
		{sourceFailing, "the host", ofKind(hsm.HostMachine, "host", hsm.Command), []string{"bad warning host"}},
		{sourceFailing, "covered by ha-unasked", ofKind(hsm.HostMachine, "hagroup listgroups", hsm.Command), nil},
		{sourceFailing, "a card away: covered by unreachable", ofKind(hsm.CardHSM, "hsm showinfo", hsm.Unreachable), nil},
		{disagree, "two pairs and another thing", disagreeing("model", "model", "serial"), []string{"bad warning model", "bad warning serial"}},
		{stale, "REST away: covered by source-failing", holding("rest services", failing("rest hsm, rest services", hsm.Login, "hsm show")), []string{"good services"}},

		{silent, "answers", source(hsm.None, 0), []string{"good"}},
		{silent, "two timeouts", source(hsm.Timeout, 2), nil},
		{silent, "three timeouts", source(hsm.Timeout, 3), []string{"bad major"}},
		{silent, "errors", source(hsm.Command, 3), []string{"bad major"}},
		{silent, "answers in no known form", source(hsm.Unrecognised, 3), []string{"bad major"}},
		{silent, "the appliance is away", source(hsm.Unreachable, 9), nil},
		{silent, "nothing tried", &hsm.Device{Name: "a"}, nil},
	} {
		if diff := cmp.Diff(x.want, emitted(x.rule, x.d, alarmstest.At(10))); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", x.rule.Group, x.name, diff)
		}
		if len(x.d.Sources) > 0 {
			continue
		}
		if got := emitted(x.rule, x.d, alarmstest.At(3600)); got != nil {
			t.Errorf("%s, %s: from stale data: %q", x.rule.Group, x.name, got)
		}
	}
	for _, r := range rules {
		if got := emitted(r, &hsm.Device{Name: "a"}, alarmstest.At(10)); got != nil {
			t.Errorf("%s says %q of a device that nobody has read", r.Group, got)
		}
	}
}

func TestThresholdsMoveRules(t *testing.T) {
	s := DefaultThresholds()
	s.SOLoginAttempts, s.LogDiskRatio, s.IgnoredStatusCodes = 0, 0.95, []int64{30}
	for _, x := range []struct {
		rule Rule
		d    *hsm.Device
		bad  bool
	}{
		{soLogin, attempts(1), false},
		{logDisk, logs(94), false}, {logDisk, logs(95), true},
		{systemStatus, system("OOS", 30), false}, {systemStatus, system("IST", 70), true},
	} {
		got := false
		x.rule.Evaluate(Poll{Device: x.d, Now: alarmstest.At(10), Thresholds: s}, func(o Result) { got = got || o.Condition == alarms.Bad && !o.All })
		if got != x.bad {
			t.Errorf("%s: bad %v, want %v", x.rule.Group, got, x.bad)
		}
	}
	if errs := setting.Faults(Thresholds{StorageRatio: 1.1, LogDiskRatio: -1, BatteryMargin: -1, TemperatureMargin: -1, CertificateDays: -1, SOLoginAttempts: -1}.Validate()); len(errs) != 9 {
		t.Errorf("got %v", errs)
	}
}

// TestDataStale has stale data raise an alarm unless another alarm says why.
func TestDataStale(t *testing.T) {
	device := func(show, partitions hsm.Failure) *hsm.Device {
		d := &hsm.Device{Name: "a", Show: alarmstest.Read(hsm.Show{}), Partitions: alarmstest.Read([]hsm.Partition{}), Sources: map[string]hsm.Source{
			"hsm show": {Failure: show}, "partition show": {Failure: partitions},
		}}
		d.Show.Source, d.Partitions.Source = "hsm show", "partition show"
		return d
	}
	for name, x := range map[string]struct {
		d    *hsm.Device
		now  time.Time
		want []string
	}{
		"fresh":                     {device(hsm.None, hsm.None), alarmstest.At(10), []string{"good partitions of another time", "good show of another time"}},
		"nobody polls":              {device(hsm.None, hsm.None), alarmstest.At(3600), []string{"bad warning partitions of another time", "bad warning show of another time"}},
		"the appliance is away":     {device(hsm.Unreachable, hsm.Unreachable), alarmstest.At(3600), nil},
		"one has not noticed it":    {device(hsm.None, hsm.Unreachable), alarmstest.At(3600), []string{"bad warning show of another time"}},
		"another key":               {device(hsm.HostKey, hsm.HostKey), alarmstest.At(3600), nil},
		"the card is silent":        {device(hsm.Timeout, hsm.Timeout), alarmstest.At(3600), nil},
		"one command is slow":       {device(hsm.None, hsm.Timeout), alarmstest.At(3600), []string{"bad warning partitions of another time", "bad warning show of another time"}},
		"one answer is not read":    {device(hsm.Unrecognised, hsm.Unrecognised), alarmstest.At(3600), []string{"bad warning partitions of another time"}},
		"a command that is refused": {device(hsm.Command, hsm.Command), alarmstest.At(3600), []string{"bad warning partitions of another time"}},
	} {
		if diff := cmp.Diff(x.want, emitted(stale, x.d, x.now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestClearedByPolls evaluates each group that polls clear, by what clears it
// and by what does not.
func TestClearedByPolls(t *testing.T) {
	yes, no := hsm.Some(true), hsm.Some(false)
	with := func(d *hsm.Device, change func(*hsm.Device)) *hsm.Device { change(d); return d }
	k7 := show(hsm.Show{Tamper: hsm.TamperNone})
	off48 := hsm.Policies{Policies: []hsm.Policy{{ID: hsm.Some[int64](48), Value: "Off"}}}
	monitor := func(d *hsm.Device, uptime uint64) *hsm.Device {
		d.Monitor = alarmstest.Read(hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: 1}, {UptimeSeconds: uptime}}})
		return d
	}
	stored := func(s hsm.Storage, each ...hsm.Storage) *hsm.Device {
		d := show(hsm.Show{Storage: s})
		var ps []hsm.Partition
		for _, p := range each {
			ps = append(ps, hsm.Partition{Storage: p})
		}
		d.Partitions = alarmstest.Read(ps)
		return d
	}
	partitions := func(activated ...hsm.Opt[bool]) *hsm.Device {
		var ps []hsm.Partition
		for _, a := range activated {
			ps = append(ps, hsm.Partition{Activated: a})
		}
		return &hsm.Device{Name: "a", Partitions: alarmstest.Read(ps)}
	}
	answers := []string{"soft", "soft-t", "soft-v", "restart", "halt", "comm", "hsm-crashed"}
	tampers := []string{"hard", "hard-ht", "hard-lt", "hard-ov", "hard-osc", "hard-cfg", "chassis", "removal", "lock"}
	for _, x := range []struct {
		groups  []string
		name    string
		d       *hsm.Device
		cleared bool
	}{
		{answers, "answers", show(hsm.Show{}), true},
		{answers, "status OK", show(hsm.Show{Status: "OK"}), true},
		{answers, "another status", show(hsm.Show{Status: "Zeroized"}), false},
		{answers, "nothing read", &hsm.Device{Name: "a"}, false},
		{tampers, "none", k7, true},
		{tampers, "still", show(hsm.Show{Tamper: hsm.TamperDetected}), false},
		{tampers, "not stated", show(hsm.Show{}), false},
		{tampers, "hsm tamper show", &hsm.Device{Name: "a", Tamper: alarmstest.Read(hsm.Tamper{State: hsm.TamperNone})}, true},
		{tampers, "hsm tamper show: still", &hsm.Device{Name: "a", Tamper: alarmstest.Read(hsm.Tamper{State: hsm.TamperDetected})}, false},
		{tampers, "the two disagree", with(show(hsm.Show{Tamper: hsm.TamperDetected}), func(d *hsm.Device) { d.Tamper = alarmstest.Read(hsm.Tamper{State: hsm.TamperNone}) }), false},
		{tampers, "hsm tamper show: still, hsm show: none", tampering(hsm.TamperNone, hsm.TamperDetected), false},
		{tampers, "policy 48 off", with(show(hsm.Show{}), func(d *hsm.Device) { d.Policies = alarmstest.Read(off48) }), true},
		{[]string{"decom"}, "initialized", show(hsm.Show{Zeroized: no, Label: hsm.Some("root")}), true},
		{[]string{"tamper-reboot"}, "works", show(hsm.Show{Label: hsm.Some("root")}), true},
		{[]string{"tamper-reboot"}, "no label", show(hsm.Show{}), false},
		{[]string{"tamper-reboot"}, "tampered", show(hsm.Show{Label: hsm.Some("root"), Tamper: hsm.TamperDetected}), false},
		{[]string{"tamper-reboot"}, "bad status", show(hsm.Show{Label: hsm.Some("root"), Status: "Hardware Tamper"}), false},
		{[]string{"destroyed"}, "works", show(hsm.Show{Label: hsm.Some("root")}), false},
		{[]string{"destroyed"}, "replaced", show(hsm.Show{Zeroized: no, Label: hsm.Some("root")}), true},
		{[]string{"decom"}, "no label", show(hsm.Show{Zeroized: no, Label: hsm.Some("")}), false},
		{[]string{"decom"}, "zeroized", show(hsm.Show{Zeroized: yes, Label: hsm.Some("root")}), false},
		{[]string{"decom"}, "unknown", show(hsm.Show{Label: hsm.Some("root")}), false},
		{[]string{"activation"}, "all", partitions(yes, yes), true},
		{[]string{"activation"}, "one is not", partitions(yes, no), false},
		{[]string{"activation"}, "one does not say", partitions(yes, hsm.Opt[bool]{}), true},
		{[]string{"activation"}, "none says", partitions(hsm.Opt[bool]{}), false},
		{[]string{"capacity"}, "room", stored(storage(999), storage(1), storage(999)), true},
		{[]string{"capacity"}, "a partition over its size", stored(storage(10), storage(1), storage(1100)), false},
		{[]string{"capacity"}, "a partition does not say", stored(storage(10), hsm.Storage{}), false},
		{[]string{"capacity"}, "partitions unknown", show(hsm.Show{Storage: storage(10)}), false},
		{[]string{"capacity"}, "full", show(hsm.Show{Storage: storage(1000)}), false},
		{[]string{"capacity"}, "unknown", show(hsm.Show{}), false},
		{[]string{"hw"}, "restarted since", monitor(show(hsm.Show{}), 60), true},
		{[]string{"hw"}, "restarted before", monitor(show(hsm.Show{}), 3600), false},
		{[]string{"hw"}, "does not answer", monitor(&hsm.Device{Name: "a"}, 60), false},
		{[]string{"integrity", "fwupd", "meta", "temp-warn", "battery", "stm"}, "all well", monitor(k7, 60), false},
	} {
		for _, group := range x.groups {
			key := alarms.Key{Device: "a", Group: group}
			state := alarms.NewState()
			state.Active[key] = alarms.Alarm{Key: key, Last: alarmstest.At(-120), Codes: []string{"2001"}}
			got := alarms.Eval(state, clearedByPolls(x.d, []alarms.Key{key}, alarmstest.At(10)), alarms.Damping{}, alarmstest.At(10))
			if cleared := len(got) == 1; cleared != x.cleared {
				t.Errorf("%s, %s: cleared %v, want %v", group, x.name, cleared, x.cleared)
			}
			if got := clearedByPolls(x.d, []alarms.Key{key}, alarmstest.At(3600)); len(got) > 0 {
				t.Errorf("%s, %s: cleared by stale data", group, x.name)
			}
			for _, other := range []alarms.Key{{Device: "a", Group: group, Object: "k7pf1"}, {Device: "a", Group: group, Test: true}, {Device: "b", Group: group}} {
				if got := clearedByPolls(x.d, []alarms.Key{other}, alarmstest.At(10)); len(got) > 0 {
					t.Errorf("%s, %s: cleared %v", group, x.name, other)
				}
			}
			state.Active[key] = alarms.Alarm{Key: key, Last: alarmstest.At(1), Codes: []string{"2001"}} // while the poll ran
			if got := alarms.Eval(state, clearedByPolls(x.d, []alarms.Key{key}, alarmstest.At(10)), alarms.Damping{}, alarmstest.At(10)); len(got) > 0 {
				t.Errorf("%s, %s: cleared by a poll that had begun before", group, x.name)
			}
		}
	}
}

// TestGone clears the alarms of what is no longer there, and of nothing else.
func TestGone(t *testing.T) {
	state := alarms.NewState()
	for _, k := range []alarms.Key{
		{Device: "a", Group: "partition-storage", Object: "1"}, {Device: "a", Group: "partition-storage", Object: "2"},
		{Device: "a", Group: "partition-storage", Object: "3"}, {Device: "a", Group: "appliance-fan", Object: "FAN9Z"},
		{Device: "a", Group: "power-supply"}, {Device: "a", Group: "system-status", Object: "30"},
		{Device: "a", Group: "partition-storage", Object: "9", Test: true},
		{Device: "removed", Group: "ntls"}, {Device: "a", Group: "ntls"},
	} {
		state.Active[k] = alarms.Alarm{Key: k, Last: alarmstest.At(-60), Evidence: []alarms.Evidence{{At: alarmstest.At(-60)}}}
	}
	d := board(alarmstest.ApplianceFan("Fan1A", 4000), alarmstest.Sensor("PSU1 FAN_value", 8000, "RPM", 300, 0, 0, 0))
	d.Partitions = alarmstest.Read([]hsm.Partition{{Serial: "1"}, {Serial: "2", Storage: storage(990)}})
	d.System = alarmstest.Read(hsm.System{}) // half read
	got := alarmstest.Describe(alarms.Eval(state, EvaluateSnapshot(&hsm.Snapshot{Devices: []*hsm.Device{d}}, state, DefaultThresholds(), alarmstest.At(10)), alarms.Damping{}, alarmstest.At(10)))
	want := []string{
		"updated major a/partition-storage/2", "cleared none a/partition-storage/3",
		"cleared none a/appliance-fan/FAN9Z", "cleared none a/power-supply", "cleared none removed/ntls",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMissingDataNeverClears raises whatever a story can raise, then takes the
// data away.
func TestMissingDataNeverClears(t *testing.T) {
	state := alarms.NewState()
	for _, g := range alarms.Groups() {
		for _, object := range []string{"", "1"} {
			k := alarms.Key{Device: "a", Group: g.Name, Object: object}
			state.Active[k] = alarms.Alarm{Key: k, Severity: alarms.Minor, Last: alarmstest.At(-60), Codes: []string{"2001"}}
		}
	}
	failed := map[string]hsm.Source{"hsm show": {At: alarmstest.At(0), Failure: hsm.Incomplete, Failures: 1, Error: "cut off"}}
	full := &hsm.Device{
		Name: "a", Show: alarmstest.Read(hsm.Show{Tamper: hsm.TamperNone, Zeroized: hsm.Some(false), Label: hsm.Some("x"), Storage: storage(1)}),
		NTLS: alarmstest.Read(hsm.NTLS{Status: hsm.NTLSUp}), Partitions: alarmstest.Read([]hsm.Partition{}), Disk: alarmstest.Read(hsm.Disk{SMART: "PASSED"}),
		Sensors: alarmstest.Read(hsm.Sensors{Sensors: []hsm.Sensor{alarmstest.ApplianceFan("Fan1A", 4000)}}), System: alarmstest.Read(hsm.System{Codes: []int64{0}}),
	}
	for name, x := range map[string]struct {
		d     *hsm.Device
		now   time.Time
		never []string // groups that may clear
	}{
		"never read": {&hsm.Device{Name: "a"}, alarmstest.At(10), nil},
		"failing":    {&hsm.Device{Name: "a", Sources: failed}, alarmstest.At(10), []string{"unreachable"}},
		"stale":      {full, alarmstest.At(3600), nil},
		"empty facts": {&hsm.Device{Name: "a", Show: alarmstest.Read(hsm.Show{}), NTLS: alarmstest.Read(hsm.NTLS{}), Disk: alarmstest.Read(hsm.Disk{}), Sensors: alarmstest.Read(hsm.Sensors{}), System: alarmstest.Read(hsm.System{}), Certificate: alarmstest.Read(hsm.Certificate{}), Tamper: alarmstest.Read(hsm.Tamper{}),
			Monitor: alarmstest.Read(hsm.Monitor{}), Information: alarmstest.Read(hsm.Information{}), RAM: alarmstest.Read(hsm.RAM{})}, alarmstest.At(10), []string{"soft", "soft-t", "soft-v", "restart", "halt", "comm", "hsm-crashed", "inventory", "function-unproven"}}, // nothing is expected
	} {
		cleared := make(map[string]bool)
		for _, c := range alarms.Eval(state, EvaluateSnapshot(&hsm.Snapshot{Devices: []*hsm.Device{x.d}}, state, DefaultThresholds(), x.now), alarms.Damping{}, x.now) {
			if c.Kind == alarms.Cleared {
				cleared[c.Alarm.Group] = true
			}
		}
		for _, g := range x.never {
			if !cleared[g] {
				t.Errorf("%s: %s is active", name, g)
			}
			delete(cleared, g)
		}
		if len(cleared) > 0 {
			t.Errorf("%s: cleared %v", name, cleared)
		}
	}
}

// TestSourcesDisagree plays polls of two sources; the rule warns of what
// differs, and ends it when they agree and when one of them is silent.
func TestSourcesDisagree(t *testing.T) {
	s := &hsm.Snapshot{}
	for _, x := range []struct {
		second           int
		source, firmware string
		want             []string
	}{
		{0, "hsm show", "7.2.0", nil},
		{10, "rest hsm", "7.4.0", nil},
		{300, "hsm show", "7.2.0", nil}, // the other may have been late
		{310, "rest hsm", "7.4.0", []string{"bad warning firmware"}},
		{600, "hsm show", "7.2.0", []string{"bad warning firmware"}},
		{760, "rest hsm", "7.2.0", []string{"all"}},
		{900, "rest hsm", "7.4.0", nil},
		{910, "hsm show", "7.2.0", nil},
		{1200, "rest hsm", "7.4.0", []string{"bad warning firmware", "all"}},
		{1700, "rest hsm", "7.4.0", []string{"all"}}, // hsm show is silent
	} {
		s = s.With(hsm.Observation{Device: "a", Source: x.source, At: alarmstest.At(x.second), Took: time.Second, MaxAge: 750 * time.Second, Facts: []hsm.Fact{hsm.Show{Firmware: x.firmware}}})
		var got []string
		disagree.Evaluate(Poll{Device: s.Devices[0], Now: alarmstest.At(x.second), Thresholds: DefaultThresholds()}, func(o Result) {
			switch {
			case o.All:
				got = append(got, "all")
			case o.Text != "firmware: hsm show says 7.2.0, rest hsm says 7.4.0":
				t.Error(o.Text)
				fallthrough
			default:
				got = append(got, "bad "+o.Severity.String()+" "+o.Object)
			}
		})
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("at %d (-want +got):\n%s", x.second, diff)
		}
	}
}

// TestSerialTwice: two HSMs with one serial number are an alarm of each, until one
// of them has another; what was not read again says nothing.
func TestSerialTwice(t *testing.T) {
	s := &hsm.Snapshot{}
	read := func(name, serial string, second int) {
		s = s.With(hsm.Observation{Device: name, Kind: hsm.NetworkHSM, Source: "hsm show", At: alarmstest.At(second), MaxAge: time.Minute, Facts: []hsm.Fact{hsm.Show{Serial: serial}}})
	}
	for _, step := range []struct {
		name, serial string
		second       int
		want         []string
	}{
		{"a", "77", 0, []string{"a good"}},
		{"b", "77", 1, []string{"a bad", "b bad"}},
		{"c", "78", 2, []string{"a bad", "b bad", "c good"}},
		{"d", "", 3, []string{"a bad", "b bad", "c good"}},
		{"c", "78", 90, []string{"c good"}}, // a and b are stale
		{"a", "77", 91, []string{"c good"}},
		{"b", "79", 92, []string{"a good", "b good", "c good"}},
	} {
		read(step.name, step.serial, step.second)
		var got []string
		for _, f := range EvaluateSnapshot(s, alarms.NewState(), DefaultThresholds(), alarmstest.At(step.second)) {
			if f.Group == "serial-twice" {
				got = append(got, f.Device+" "+map[alarms.Condition]string{alarms.Bad: "bad", alarms.Good: "good"}[f.Condition])
			}
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("at %d (-want +got):\n%s", step.second, diff)
		}
	}
}
