package simulator

import (
	"fmt"
	"strings"
)

// yesNo and the functions below it return the words of LunaSH for a boolean.
func yesNo(b bool) string { return choose(b, "Yes", "No") }

func choose[T any](b bool, yes, no T) T {
	if b {
		return yes
	}
	return no
}

// A page is output while it is written: lines with the indent of the product.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// field prints a label and, from the given column on, its value.
func (p *page) field(width int, label string, value any) {
	p.line("   %-*s%v", width, label, value)
}

// Columns of the values of hsm show, counted behind the indent.
const (
	softwareColumn = 33
	detailColumn   = 36
	storageColumn  = 37
)

func applianceDetails(s *state) string {
	var p page
	p.line("")
	if !s.modern() {
		p.line("")
	}
	p.line("   Appliance Details:")
	p.line("   ==================")
	p.field(softwareColumn, "Software Version:", s.software)
	return p.String()
}

func hsmShow(s *state, _ params) (string, error) {
	var p page
	p.WriteString(applianceDetails(s))
	p.line("")
	blank := choose(s.version == "5.4", " ", "") // two titles of 5.x end with a blank
	p.line("   HSM Details:%s", blank)
	p.line("   ============")
	hsmDetails(s, &p)
	p.line("")
	p.line("   Partitions created on HSM:%s", blank)
	p.line("   %s", strings.Repeat("=", choose(s.version == "5.4", 26, 30)))
	hsmPartitions(s, &p)
	p.line("")
	p.line("   FIPS 140-2 Operation:")
	p.line("   =====================")
	p.line("   The HSM is %sin FIPS 140-2 approved operation mode.", choose(s.spec.fips, "", "NOT "))
	p.line("")
	p.line("   HSM Storage Information:")
	p.line("   ========================")
	used := s.usedBytes()
	p.field(storageColumn, "Maximum HSM Storage Space (Bytes):", s.storageBytes)
	p.field(storageColumn, "Space In Use (Bytes):", used)
	p.field(storageColumn, "Free Space Left (Bytes):", s.storageBytes-used)
	if s.modern() {
		p.line("")
		environment(s, &p)
	}
	return p.String(), nil
}

func hsmDetails(s *state, p *page) {
	left := fmt.Sprintf("%d before HSM zeroization!", s.soAttempts)
	if s.zeroized {
		left = "HSM IS ZEROIZED !!!!"
	}
	rows := []struct {
		label  string
		value  any
		absent bool
	}{
		{"HSM Label:", s.label, false},
		{"Serial #:", s.spec.serial, false},
		{"Firmware:", s.firmware, false},
		{choose(s.version == "5.4", "Hardware Model:", "HSM Model:"), s.hardware, false},
		{"HSM Part Number:", s.part, !s.modern()},
		{"Authentication Method:", choose(s.spec.ped, "PED keys", "Password"), false},
		{"HSM Admin login status:", "Not Logged In", false},
		{"HSM Admin login attempts left:", left, false},
		{"RPV Initialized:", yesNo(s.spec.ped), false},
		{"Audit Role Initialized:", yesNo(s.spec.audit), false},
		{"Remote Login Initialized:", "No", false},
		{"Manually Zeroized:", yesNo(s.byHand), false},
		{"Secure Transport Mode:", yesNo(s.transport), !s.modern()},
		{"HSM Tamper State:", choose(s.tamper != nil && !s.says.noTamper, "Tamper(s) detected", "No tamper(s)"), !s.modern()},
	}
	for _, r := range rows {
		if !r.absent {
			p.field(detailColumn, r.label, r.value)
		}
	}
}

func hsmPartitions(s *state, p *page) {
	for _, part := range s.partitions {
		if s.version == "5.4" {
			p.line("   Partition: %d,     Name: %s", part.serial, part.name)
			continue
		}
		p.line("   Partition:%21d, Name: %s", part.serial, part.name)
	}
	if len(s.partitions) == 0 {
		p.line("   There are no partitions.")
	} else if s.version != "5.4" {
		p.line("")
	}
	if s.version == "5.4" {
		if len(s.partitions) == 0 {
			p.line("")
		}
		return
	}
	p.field(storageColumn, "Number of partitions allowed:", s.maxPartitions)
	p.field(storageColumn, "Number of partitions created:", len(s.partitions))
}

func environment(s *state, p *page) {
	p.line("   Environmental Information on HSM:")
	p.line("   =================================")
	for i, failed := range s.hsmFanFailed {
		p.field(storageColumn, fmt.Sprintf("Fan %d Status:", i+1), s.cardFan(i, failed))
	}
	p.field(storageColumn, "Battery Voltage:", fmt.Sprintf("%.3f V", s.volts()))
	p.field(storageColumn, "Battery Warning Threshold Voltage:", fmt.Sprintf("%.3f V", batteryWarning))
	if s.volts() < batteryWarning {
		p.line("   WARNING: Battery Voltage below warning threshold!!")
	}
	p.field(storageColumn, "System Temp:", fmt.Sprintf("%d deg. C", s.celsius()))
	p.field(storageColumn, "System Temp Warning Threshold:", fmt.Sprintf("%.0f deg. C", warmCelsius))
	if s.celsius() >= warmCelsius {
		p.line("   WARNING: System Temperature above warning threshold!!")
	}
}

func tamperShow(s *state, _ params) (string, error) {
	if s.tamper == nil {
		return "\n        No active tampers.\n", nil
	}
	return "\n        WARNING - Tamper(s) Detected:\n        " + s.tamper.shown + "\n", nil
}

func informationShow(s *state, _ params) (string, error) {
	var p page
	rows := []struct {
		label string
		value int64
		late  bool // from 6.2 on
	}{
		{"Operation Requests:", int64(s.operations), false},
		{"Operation Errors:", int64(s.operationErrs), false},
		{"Crypto Operation Requests:", int64(s.crypto), true},
		{"Crypto Operation Errors:", int64(s.cryptoErrs), true},
		{"Critical Events:", int64(s.critical), false},
		{"Non-Critical Events:", int64(s.nonCritical), false},
	}
	early := s.version == "5.4"
	p.line("")
	if early {
		p.line("HSM Information:")
	} else {
		p.line("\nHSM Event Counters:\n")
	}
	for _, r := range rows {
		if !early || !r.late {
			p.line("%-30s%21d", r.label, r.value)
		}
	}
	return p.String(), nil
}
