package alarmstest

import (
	"github.com/lunawatch/lunawatch/hsm"
)

// OrdinaryDay is what an appliance logs on any day: logins, sessions of
// clients and their restarts, jobs, rotation, sensors that are read.
var OrdinaryDay = []string{
	"authpriv info  sshd[310]: Accepted publickey for monitor from 192.0.2.20 port 50122 ssh2",
	"authpriv info  sshd[310]: pam_unix(sshd:session): session opened for user monitor by (uid=0)",
	"authpriv info  sshd[310]: pam_unix(sshd:session): session closed for user monitor",
	"authpriv info  sshd[311]: Failed password for admin from 192.0.2.21 port 50200 ssh2",
	"authpriv info  login: pam_unix(login:session): session opened for user admin by LOGIN(uid=0)",
	"authpriv info  login: DIALUP AT ttyS0 BY admin",
	"local5 info  lunash [29]: info : 0 : Command: hsm show  : monitor : 192.0.2.20/50122",
	"local5 info  lunash [29]: info : 0 : Command: hsm tamper show  : admin : 192.0.2.20/50122",
	"local5 info  NTLS [31]: info : 0 : Incoming connection request... : 192.0.2.30/40001",
	"local5 info  NTLS [31]: info : 0 : Client opened session 181 : HSM1:payments : 192.0.2.30/40001",
	"local5 info  NTLS [31]: info : 0 : Client closed session 181 : 192.0.2.30/40001",
	"local5 info  NTLS [31]: info : 0 : NTLS Client \"web\" has disconnected : 192.0.2.30/40001",
	"local5 info  hsm[32]: STC policy is set to \"OFF\" on partition 484233007 : Unknown ResultCode value",
	"local5 info  certmonitord[33]: info : 0 : NTLS certificate expiry monitor started",
	"syslog info  rsyslogd: [origin software=\"rsyslogd\" x-pid=\"40\"] rsyslogd was HUPed",
	"syslog info  logger: uptime: 04:02:01 up 30 days, 2 users, load average: 0.35, 0.30, 0.35",
	"cron info  CROND[41]: (root) CMD (/usr/lib/sa/sa1 1 1)",
	"daemon info  ntpd[42]: synchronized to 192.0.2.123, stratum 2",
	"daemon info  snmpd[43]: Connection from UDP: [192.0.2.50]:50000",
	"daemon info  smartd[44]: Device: /dev/sda, SMART Usage Attribute: 194 Temperature_Celsius changed from 35 to 36",
	"local4 notice  ipmievd[45]: Reading sensors...",
	"user info  sysstatd: Luna System State Server - InSrvTrb Errors: 61,62,63,95!",
	"kern info  kernel: usb 1-1: new full-speed USB device number 4 using xhci_hcd",
	"kern info  kernel: usb 1-1: Product: Luna PED",
	"kern info  kernel: EXT4-fs (sda11): re-mounted. Opts: errors=remount-ro",
	"kern info  kernel: eth1: link down",
}

// PlannedReboot is what a K6 and its appliance log at a planned reboot.
var PlannedReboot = []string{
	"user info  sysstatd: ------------ Luna System State Server - Stopped.",
	"local5 info  NTLS [31]: info : 0 : NTLS terminated",
	"kern info  kernel: Kernel command line: ro root=/dev/sda2 panic=10",
	"kern info  kernel: mce: CPU supports 9 MCE banks",
	"kern info  kernel: pcieport 0000:00:01.0: AER enabled with IRQ 24",
	"kern info  kernel: viper0: HSM driver loaded",
	"kern info  kernel: k7pf0: device found",
	"kern info  kernel: ACPI: Power Button [PWRF]",
	"local6 info  oamp[77]: ----- HSM Logging started",
	"local6 info  oamp[77]: INFO:    Warm boot",
	"local6 info  oamp[77]: INFO:    POWER-UP LOG DUMP START",
	"local6 info  oamp[77]: INFO:    HSM is powered-up",
	"local6 info  oamp[77]: INFO:    LOG(INFO):   POWER-UP LOG DUMP END",
	"local6 info  oamp[77]: INFO:    RTC_Init OK",
	"local6 info  oamp[77]: INFO:    MTK_Init OK",
	"local6 info  oamp[77]: INFO:    CA_AlgorithmSelfTest(): HW disabled, skipping all self tests",
	"user info  sysstatd: ------------ Luna System State Server - Started.",
	"user info  sysstatd: Luna System State Server - OOS Errors: 20,60,61,62,63,80,95,100!",
	"authpriv info  useradd[80]: new user: name=recover, UID=0, GID=0, home=/home/recover, shell=/usr/lunasa/bin/recover",
	"local5 info  NTLS [91]: info : 0 : NTLS is online and operational.",
}

// Ordinary is an ordinary appliance at a second, the i-th time that it is
// polled.
func Ordinary(second, i int, load float64) *hsm.Device {
	at := At(second)
	d := &hsm.Device{Name: "a", Kind: hsm.NetworkHSM, Sources: map[string]hsm.Source{"hsm show": {At: at, Success: at, Unread: []string{"A line of a new version: 7"}}}}
	d.Show = ReadAt(second, hsm.Show{Serial: "70001", Label: hsm.Some("root"), Zeroized: hsm.Some(false), Tamper: hsm.TamperNone, Status: "L3 Device",
		SecureTransportMode: hsm.Some(false), SOLoginAttemptsLeft: hsm.Some[int64](3), Environment: &hsm.Environment{
			BatteryVolts: hsm.Some(3.08), BatteryWarning: hsm.Some(2.75), TemperatureCelsius: hsm.Some(34 + 8*load), TemperatureWarning: hsm.Some(75.0),
			Fans: []hsm.Fan{{Name: "Fan 1", Status: []string{"standby", "active"}[i/100%2]}, {Name: "Fan 2", Status: "active"}}}})
	d.Tamper = ReadAt(second, hsm.Tamper{State: hsm.TamperNone})
	d.Monitor = ReadAt(second, hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: uint64(86400 + second), UtilizationInt: load}}, IntervalSeconds: hsm.Some[int64](5)})
	d.System = ReadAt(second, hsm.System{State: "ISO", Codes: []int64{100, 61, 62, 63, 95}, CheckTime: at.Format("2006-01-02T15:04")})
	d.CPU = ReadAt(second, hsm.CPU{Load1: 6 * load, Load5: 3 * load, Load15: 2 * load})
	d.RAM = ReadAt(second, hsm.RAM{Total: hsm.Some[int64](4e9), Available: hsm.Some(int64(3.6e9 - 1e9*load)), SwapTotal: hsm.Some[int64](4e9), SwapUsed: hsm.Some[int64](2e7)})
	pay := hsm.Partition{Serial: "1", Name: "pay", Label: hsm.Some("pay"), Activated: hsm.Some(true), Status: "L3 Device",
		Roles: []hsm.Role{{Name: "Crypto Officer", LockedOut: hsm.Some(false), LoginAttemptsLeft: hsm.Some(int64(10 - i%3))}, {Name: "Crypto User", Initialized: hsm.Some(false)}}}
	list := []hsm.Partition{pay}
	switch {
	case i > 3000: // somebody uses it
		list = append(list, hsm.Partition{Serial: "2", Name: "new", Label: hsm.Some("new"), Status: "L3 Device", Activated: hsm.Some(i > 3100), Roles: pay.Roles})
	case i > 2000: // it is created, and not initialized
		list = append(list, hsm.Partition{Serial: "2", Name: "new", Label: hsm.Some(""), Status: "L3 Device, Zeroized", Zeroized: hsm.Some(true),
			Roles: []hsm.Role{{Name: "Partition SO", Initialized: hsm.Some(false)}, {Name: "Crypto Officer", Initialized: hsm.Some(false)}}})
	}
	d.Partitions = ReadAt(second, list)
	reading := "OK"
	if i%1000 < 3 {
		reading = "No Reading"
	}
	d.Sensors = ReadAt(second, hsm.Sensors{
		Sensors:       []hsm.Sensor{ApplianceFan("Fan1A", 4000+1500*load), Sensor("PSU1 Temp_value", 30+10*load, "degrees C", 0, 0, 0, 115)},
		PowerSupplies: []hsm.Fan{{Name: "PSU1_Status", Status: "Presence detected"}, {Name: "CPU_Thermtrip", Status: "OK"}},
		Fans:          []hsm.Fan{{Name: "Fan1A", Status: reading}},
		Chassis:       map[string]string{"System Power": "on", "Main Power Fault": "false", "Power Overload": "false", "Drive Fault": "false", "Cooling/Fan Fault": "false", "Chassis Intrusion": "inactive", "Last Power Event": "ac-failed", "Front-Panel Lockout": "inactive"},
	})
	return d
}
