package simulator

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The system status codes that the simulation can have.
const (
	codeNTLSDown = 20
	codeHSMError = 30
	codeDiskFull = 110
)

// statusCodes returns the current system status codes, in the order of their digits.
func (s *state) statusCodes() []string {
	all := slices.Clone(s.model.codes)
	if !s.ntlsUp {
		all = append(all, codeNTLSDown)
	}
	if s.condition != running {
		all = append(all, codeHSMError)
	}
	if s.logPercent() >= 75 {
		all = append(all, codeDiskFull)
	}
	texts := make([]string, len(all))
	for i, c := range all {
		texts[i] = strconv.Itoa(c)
	}
	slices.Sort(texts)
	return texts
}

// systemState returns the worst state of the codes.
func (s *state) systemState() string {
	switch {
	case !s.ntlsUp || s.condition != running:
		return "OOS"
	case s.logPercent() >= 75:
		return "IST"
	}
	return "ISO"
}

// status returns the system status in one line.
func (s *state) status() string {
	return s.systemState() + " " + strings.Join(s.statusCodes(), ",")
}

func (s *state) logStatus() {
	names := map[string]string{"OOS": "OOS", "IST": "InSrvTrb"}
	if name := names[s.systemState()]; name != "" {
		s.log("user", "info", "sysstatd", "Luna System State Server - %s Errors: %s!", name, strings.Join(s.statusCodes(), ","))
	}
}

const systemStates = `ISO (In Service Okay):%[1]sThe appliance is online and the necessary subsystems are operational.
%[2]sIST (In Service with Trouble): The appliance is online and the necessary subsystems are operational with some troubles.
%[2]sOFL (Off Line):%[3]sThe appliance is not currently connected to the %[5]s network and cannot provide service.
%[2]sOOS (Out Of Service):%[4]sThe appliance is online but the necessary subsystems are NOT operational.
`

func sysstatShow(s *state, _ params) (string, error) {
	var p page
	at := s.now
	if !s.says.checked.IsZero() {
		at = s.says.checked
	}
	check := at.Truncate(20 * time.Second).Format("15:04 on 02/01/2006")
	if !s.modern() {
		daemon := fmt.Sprintf("sysstatd (pid %d) is running...", s.pid("sysstatd"))
		p.line("\nVolatile State:\n%s\nService Status: %s\n\nNon-volatile State:\nEnabled\n", daemon, daemon)
		p.line("System Status Monitor - Current Status\n======================================")
		s.statusRows(func(label, value string) { p.line("%s %s", label, value) }, check)
		p.line("\nSystem State Description")
		p.WriteString(fmt.Sprintf(systemStates, " ", "", " ", " ", "ethernet"))
		return p.String(), nil
	}
	p.line("\nVolatile State:\nsysstat is running\nService Status: sysstat is running\n\nNon-volatile State:\nEnabled\n\n")
	p.line("  System Status Monitor - Current Status\n  ======================================")
	s.statusRows(func(label, value string) { p.line("  %-20s %s", label, value) }, check)
	p.line("\n\nSystem State Description\n")
	p.WriteString("  " + fmt.Sprintf(systemStates, "         ", "  ", "                ", "          ", "Ethernet"))
	return p.String(), nil
}

func (s *state) statusRows(row func(label, value string), check string) {
	row("Hostname:", s.spec.name)
	row("Interface eth0:", s.spec.address)
	for _, name := range s.interfaces {
		row("Interface "+name+":", "not configured")
	}
	row("Software Version:", s.sysstat)
	if said := s.says.system; len(said) > 0 {
		row("System Status:", said[0])
		row("System Status Code:", argument(said, 1, "0"))
	} else {
		row("System Status:", s.systemState())
		row("System Status Code:", strings.Join(s.statusCodes(), ","))
	}
	row("Status Check Time:", check)
}

// A mount is one row of df, in blocks of 1024 bytes.
type mount struct {
	device string
	blocks int64
	used   int64
	path   string
}

var mounts = map[string][]mount{
	"K6": {
		{"/dev/sda5", 988212, 126140, "/"}, {"/dev/sda7", 1976492, 35800, "/tmp"}, {"/dev/sda9", 3945128, 98120, "/var"},
		{"/dev/sda10", 1976492, 35772, "/var/tmp"}, {"/dev/sda11", 1976492, 0, "/var/log"}, {"/dev/sda12", 29538432, 177200, "/home"},
		{"/dev/sda8", 39381744, 601280, "/usr"}, {"/dev/sda6", 101086, 14310, "/boot"},
	},
	"K7": {
		{"/dev/sda5", 8125880, 109120, "/"}, {"/dev/sda8", 41153760, 1161200, "/usr"}, {"/dev/sda6", 1998672, 80310, "/boot"},
		{"/dev/sda12", 57667680, 54020, "/home"}, {"/dev/sda9", 3997376, 87400, "/var"}, {"/dev/sda7", 3997376, 119300, "/tmp"},
		{"/dev/sda10", 1998672, 6150, "/var/tmp"}, {"/dev/sda13", 231063860, 61510, "/var/audit"}, {"/dev/sda11", 10190100, 0, "/var/log"},
		{"/dev/sda14", 10190100, 39180, "/var/log/audit"},
	},
}

const logPath = "/var/log"

// logDisk is the size of the log file system that users may use, in bytes, as in df.
func logDisk(m *model) float64 {
	i := slices.IndexFunc(mounts[m.card], func(x mount) bool { return x.path == logPath })
	return float64(available(mounts[m.card][i].blocks)) * 1024
}

// available returns the part of a file system that users may use: five percent are
// reserved.
func available(blocks int64) int64 { return blocks * 95 / 100 }

func (s *state) logPercent() float64 { return 100 * s.logUsedBytes / logDisk(s.model) }

// The limits of the log file system in percent, at which the appliance acts.
const (
	diskFirst  = 75
	diskSecond = 90
	diskStop   = 95
)

func (s *state) disk() {
	percent := int(s.logPercent())
	if percent < diskFirst {
		s.diskWarned = 0
	}
	if percent >= diskFirst && s.diskWarned < diskFirst {
		s.diskWarned = diskFirst
		s.log("syslog", "warn", "crontab", `DISK FULL: WARNING! First log threshold reached %d%%. Please clean up the logs using the "syslog cleanup" command`, diskFirst)
	}
	if percent >= diskSecond && s.diskWarned < diskSecond {
		s.diskWarned = diskSecond
		s.log("syslog", "alert", "crontab", "DISK FULL: WARNING! Second log threshold reached %d%% policy: tarlogs_cleanup.", diskSecond)
	}
	if percent >= diskStop && s.diskWarned < diskStop {
		s.diskWarned = diskStop
		s.stopNTLS()
	}
}

func diskShow(s *state, _ params) (string, error) {
	var p page
	p.line("\n\n===================== Hard Disk utilization =====================")
	row := "%-14s %9s %7s %9s %4s %s"
	if !s.modern() {
		row = "%-20s %9s %9s %9s %4s %s"
	}
	p.line(row, "Filesystem", "1K-blocks", "Used", "Available", "Use%", "Mounted on")
	for _, m := range mounts[s.model.card] {
		used := m.used
		if m.path == logPath {
			used = int64(s.logUsedBytes / 1024)
		}
		free := max(0, available(m.blocks)-used)
		p.line(row, m.device, fmt.Sprint(m.blocks), fmt.Sprint(used), fmt.Sprint(free),
			fmt.Sprintf("%.0f%%", math.Ceil(100*float64(used)/float64(used+free))), m.path)
	}
	smart(s, &p)
	return p.String(), nil
}

func smart(s *state, p *page) {
	p.line("\n===================== Hard Disk SMART Report =====================\n")
	p.line("=== START OF INFORMATION SECTION ===")
	if s.modern() {
		p.line("Device Model:     HGST HUS726020ALE611\nSerial Number:    N4G%05d\nLU WWN Device Id: 5 000cca %09x\nFirmware Version: APGNV7J0", s.spec.serial%100000, s.spec.serial%1e9)
		p.line("Copyright (C) 2002-13, Bruce Allen, Christian Franke, www.smartmontools.org\n")
	} else {
		p.line("Device Model: WDC WD1600BEVT-00A23T0\nSerial Number: WD-WX91A10N%04d\nFirmware Version: 04.04V06\n", s.spec.serial%10000)
	}
	p.line("=== START OF READ SMART DATA SECTION ===")
	p.line("SMART overall-health self-assessment test result: PASSED\n")
	p.line("SMART Attributes Data Structure revision number: 16\nVendor Specific SMART Attributes with Thresholds:")
	p.line("ID# ATTRIBUTE_NAME          FLAG     VALUE WORST THRESH TYPE      UPDATED  WHEN_FAILED RAW_VALUE")
	hours := int(s.now.Sub(s.boot).Hours()) + 4000
	disk := fmt.Sprint(s.diskCelsius(s.now.Unix()))
	for _, a := range smartRows[s.model.card] {
		raw := strings.NewReplacer("HOURS", fmt.Sprint(hours), "CELSIUS", disk).Replace(a.raw)
		p.line("%3d %-23s %s   %03d   %03d   %03d    %-9s %-8s     -       %s", a.id, a.name, a.flag, a.value, a.value, a.limit, a.kind, a.updated, raw)
	}
	p.line("\nSMART Error Log Version: 1\nNo Errors Logged")
}

// A smartRow is an attribute of a disk. HOURS and CELSIUS in its raw value change.
type smartRow struct {
	id                 int
	name, flag         string
	value, limit       int
	kind, updated, raw string
}

// smartRows are the attributes of the disks by card: those of 5.x and 6.x have other
// ones than those of 7.x.
var smartRows = map[string][]smartRow{
	"K6": {
		{1, "Raw_Read_Error_Rate", "0x002f", 200, 51, "Pre-fail", "Always", "0"}, {3, "Spin_Up_Time", "0x0027", 201, 21, "Pre-fail", "Always", "2941"},
		{4, "Start_Stop_Count", "0x0032", 100, 0, "Old_Age", "Always", "26"}, {5, "Reallocated_Sector_Ct", "0x0033", 200, 140, "Pre-fail", "Always", "0"},
		{7, "Seek_Error_Rate", "0x002e", 200, 0, "Old_Age", "Always", "0"}, {9, "Power_On_Hours", "0x0032", 100, 0, "Old_Age", "Always", "HOURS"},
		{10, "Spin_Retry_Count", "0x0032", 100, 0, "Old_Age", "Always", "0"}, {11, "Calibration_Retry_Count", "0x0012", 100, 0, "Old_Age", "Always", "0"},
		{12, "Power_Cycle_Count", "0x0032", 100, 0, "Old_Age", "Always", "26"}, {192, "Power-Off_Retract_Count", "0x0032", 200, 0, "Old_Age", "Always", "5"},
		{193, "Load_Cycle_Count", "0x0032", 200, 0, "Old_Age", "Always", "385701"}, {194, "Temperature_Celsius", "0x0022", 117, 0, "Old_Age", "Always", "CELSIUS"},
		{196, "Reallocated_Event_Count", "0x0032", 200, 0, "Old_Age", "Always", "0"}, {197, "Current_Pending_Sector", "0x0012", 200, 0, "Old_Age", "Always", "0"},
		{198, "Offline_Uncorrectable", "0x0010", 100, 0, "Old_Age", "Offline", "0"}, {199, "UDMA_CRC_Error_count", "0x0032", 200, 0, "Old_age", "Always", "0"},
		{200, "Multi_Zone_Error_Rate", "0x0008", 100, 0, "Old_Age", "Offline", "0"},
	},
	"K7": {
		{1, "Raw_Read_Error_Rate", "0x000b", 100, 16, "Pre-fail", "Always", "0"}, {2, "Throughput_Performance", "0x0005", 136, 54, "Pre-fail", "Offline", "109"},
		{3, "Spin_Up_Time", "0x0007", 131, 24, "Pre-fail", "Always", "226 (Average 228)"}, {4, "Start_Stop_Count", "0x0012", 100, 0, "Old_age", "Always", "17"},
		{5, "Reallocated_Sector_Ct", "0x0033", 100, 5, "Pre-fail", "Always", "0"}, {7, "Seek_Error_Rate", "0x000b", 100, 67, "Pre-fail", "Always", "0"},
		{8, "Seek_Time_Performance", "0x0005", 128, 20, "Pre-fail", "Offline", "18"}, {9, "Power_On_Hours", "0x0012", 100, 0, "Old_age", "Always", "HOURS"},
		{10, "Spin_Retry_Count", "0x0013", 100, 60, "Pre-fail", "Always", "0"}, {12, "Power_Cycle_Count", "0x0032", 100, 0, "Old_age", "Always", "17"},
		{192, "Power-Off_Retract_Count", "0x0032", 100, 0, "Old_age", "Always", "188"}, {193, "Load_Cycle_Count", "0x0012", 100, 0, "Old_age", "Always", "188"},
		{194, "Temperature_Celsius", "0x0002", 206, 0, "Old_age", "Always", "CELSIUS (Min/Max 24/41)"}, {196, "Reallocated_Event_Count", "0x0032", 100, 0, "Old_age", "Always", "0"},
		{197, "Current_Pending_Sector", "0x0022", 100, 0, "Old_age", "Always", "0"}, {198, "Offline_Uncorrectable", "0x0008", 100, 0, "Old_age", "Offline", "0"},
		{199, "UDMA_CRC_Error_Count", "0x000a", 200, 0, "Old_age", "Always", "0"},
	},
}
