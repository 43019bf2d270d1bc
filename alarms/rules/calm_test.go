package rules

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

// ordinaryDay is what an appliance logs on any day: logins, sessions of
// clients and their restarts, jobs, rotation, sensors that are read.
var ordinaryDay = []string{
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

// plannedReboot is what a K6 and its appliance log at a planned reboot.
var plannedReboot = []string{
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

// TestOrdinaryMonthOfLogs plays the logs of a month with a planned reboot. Nothing in
// them is bad. The audit log's month is in alarms/audit.
func TestOrdinaryMonthOfLogs(t *testing.T) {
	for day := range 30 {
		at := alarmstest.At(0).Add(time.Duration(day) * 24 * time.Hour)
		today := ordinaryDay
		if day == 12 {
			today = plannedReboot
		}
		for i, text := range today {
			stamp := at.Add(time.Duration(i) * time.Minute).Format("2006 Jan _2 15:04:05")
			l := line(stamp + " luna-a  " + text)
			for _, f := range EvaluateLine(l, DefaultThresholds()) {
				if f.Condition == alarms.Bad {
					t.Errorf("%s: %s %s: %s", text, f.Severity, f.Key, f.Text)
				}
			}
		}
	}
}
