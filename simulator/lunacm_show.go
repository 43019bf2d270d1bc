package simulator

import (
	"cmp"
	"fmt"
	"strings"
)

func currentSlot(q lunacmLine) string {
	if len(q.Slots) == 0 {
		return "        Current Slot Id: None\n"
	}
	return fmt.Sprintf("        Current Slot Id: %d\n", q.Current)
}

// slotsText prints the slots that there were when LunaCM started.
func (e *Estate) slotsText(slots []string) string {
	var p page
	for id, key := range slots {
		name, part, _ := strings.Cut(key, "/")
		e.find(name).do(func(s *state) { s.slot(&p, id, part) })
	}
	return p.String()
}

func (s *state) slot(p *page, id int, part string) {
	row := func(label string, value any) { p.line("        %-24s%v", label+" ->", value) }
	method := choose(s.spec.ped, "PED", "PW")
	row("Slot Id", id)
	if part == "" {
		row("Label", s.label)
		row("Serial Number", s.spec.serial)
		row("Model", s.hardware)
		row("Firmware Version", s.firmware)
		row("Configuration", "Luna HSM Admin Partition ("+method+") Signing With Cloning Mode")
		row("Slot Description", "Admin Token Slot")
		row("HSM Configuration", "Luna HSM Admin Partition ("+method+")")
		row("HSM Status", s.hsmStatus("OK"))
		p.line("")
		return
	}
	for _, x := range s.partitions {
		if x.name == part {
			row("Label", x.name)
			row("Serial Number", x.serial)
			break
		}
	}
	row("Model", choose(s.spec.card, s.hardware, "LunaSA "+s.software))
	row("Firmware Version", s.firmware)
	row("Configuration", "Luna User Partition With SO ("+method+") Signing With Cloning Mode")
	row("Slot Description", choose(s.spec.card, "User Token Slot", "Net Token Slot"))
	p.line("")
}

// infoStatus returns the status that showinfo prints. That of a K7 begins with what
// the card is.
func (s *state) infoStatus() string {
	fault := s.hsmStatus("")
	switch {
	case !s.modern():
		return cmp.Or(fault, "OK")
	case fault != "":
		return "L3 Device, " + fault
	}
	return "L3 Device"
}

// hsmStatus returns the state of the card in one line; good is that of a card without
// fault.
func (s *state) hsmStatus(good string) string {
	lost := choose(s.decommissioned, "Decommissioned", choose(s.zeroized, "Zeroized", ""))
	switch {
	case s.says.noTamper && lost == "" && !s.transport:
		return good
	case s.tamper != nil && lost == "":
		return "Hardware Tamper"
	case s.tamper != nil && s.decommissioned:
		return "HSM Tamper, Decommissioned"
	case s.tamper != nil:
		return "Hardware Tamper, Zeroized"
	case s.transport && lost == "":
		return "Transport Mode"
	case s.transport && s.decommissioned:
		return "Transport Mode, Decommissioned"
	case s.transport:
		return "Transport Mode, zeroized"
	case lost != "":
		return lost
	}
	return good
}

// infoHead is the beginning of the output for partitions of all kinds.
func infoHead(s *state, p *page, label, status string, serial uint64, slot int, admin bool) {
	p.line("")
	p.line("        Partition Label -> %s", label)
	p.line("        Partition Manufacturer -> SafeNet")
	p.line("        Partition Model -> %s", s.hardware)
	p.line("        Partition Serial Number -> %d", serial)
	p.line("        Partition Status -> %s", status)
	if s.modern() && admin {
		p.line("        HSM Part Number -> %s", s.part)
	}
	p.line("        Token Flags ->")
	if !admin {
		p.line("                CKF_LOGIN_REQUIRED")
	}
	p.line("                CKF_RESTORE_KEY_NOT_NEEDED")
	if s.spec.ped {
		p.line("                CKF_PROTECTED_AUTHENTICATION_PATH")
	}
	if !s.zeroized {
		p.line("                CKF_TOKEN_INITIALIZED")
	}
	p.line("        RPV Initialized -> %s", yesNo(s.spec.ped))
	p.line("        Slot Id -> %d", slot)
	p.line("        Session State -> CKS_RW_PUBLIC_SESSION")
	p.line("        Role Status ->   none logged in")
}

func storageLines(p *page, title string, total, used int64) {
	p.line("        %s:", title)
	p.line("                Total Storage Space:  %d", total)
	p.line("                Used Storage Space:   %d", used)
	p.line("                Free Storage Space:   %d", total-used)
}

func cardInfo(s *state, _ *partition, slot int) string {
	var p page
	infoHead(s, &p, s.label, s.infoStatus(), s.spec.serial, slot, true)
	p.line("")
	storageLines(&p, "Partition Storage", 393216, 2292)
	p.line("                Object Count:         4\n")
	p.line("        *** The HSM is %sin FIPS 140-2 approved operation mode. ***\n", choose(s.spec.fips, "", "NOT "))
	p.line("        Firmware Version -> %s", s.firmware)
	p.line("        Rollback Firmware Version -> %s\n", s.firmware)
	if s.modern() {
		p.WriteString(cardEnvironment(s) + "\n")
	}
	storageLines(&p, "HSM Storage", s.storageBytes, s.usedBytes())
	p.line("                Allowed Partitions:   %d", s.maxPartitions)
	p.line("                Number of Partitions: %d\n", len(s.partitions))
	p.line("        License Count -> %d", len(cardLicenses))
	for i, l := range cardLicenses {
		p.line("                %d. %s %s", i+1, l[0], l[1])
	}
	return p.String()
}

func cardEnvironment(s *state) string {
	var p page
	row := func(label, format string, args ...any) {
		p.line("                %-40s: %s", label, fmt.Sprintf(format, args...))
	}
	p.line("        Environmental:")
	for i, failed := range s.hsmFanFailed {
		row(fmt.Sprintf("Fan %d Status", i+1), "%s", s.cardFan(i, failed))
	}
	row("Battery Voltage", "%.3f V", s.volts())
	row("Battery Warning Threshold Voltage", "%.3f V", batteryWarning)
	if s.volts() < batteryWarning {
		p.line("WARNING: Battery Voltage below warning threshold!!")
	}
	row("System Temp", "%d deg. C", s.celsius())
	row("System Temperature Warning Threshold", "%.0f deg. C", warmCelsius)
	if s.celsius() >= warmCelsius {
		p.line("WARNING: System Temperature above warning threshold!!")
	}
	return p.String()
}

func partitionInfo(s *state, part *partition, slot int) string {
	var p page
	if part == nil {
		infoHead(s, &p, s.label, s.infoStatus(), s.spec.serial, slot, true)
		return p.String()
	}
	status := s.infoStatus()
	if part.zeroized && !s.zeroized {
		status = choose(s.modern(), "L3 Device, Zeroized", "Zeroized")
	}
	infoHead(s, &p, part.label(), status, part.serial, slot, false)
	p.line("")
	storageLines(&p, "Partition Storage", part.bytes, part.usedBytes())
	p.line("                Object Count:         %d\n", part.objects)
	return p.String()
}

func roleShow(s *state, part *partition, _ int) string {
	var p page
	p.line("\n        State of role 'Crypto Officer':")
	if part == nil || part.blank {
		p.line("        Not initialized.")
		return p.String()
	}
	if s.spec.ped {
		p.line("        %s", choose(part.activated, "Activated.", "Not activated."))
	}
	if part.attempts == 0 {
		p.line("        Locked out.")
	}
	p.line("                Primary authentication type:          %s", choose(s.spec.ped, "PED", "PIN"))
	p.line("                Secondary authentication type:        %s", choose(s.spec.ped, "PIN", "None"))
	p.line("                Failed login attempts before lockout: %d", part.attempts)
	return p.String()
}

func cardPolicies(s *state, _ *partition, _ int) string {
	set := policySets[s.model.card]
	var p page
	p.line("\n        HSM Capabilities")
	for i, r := range set.capabilities {
		p.line("                %d: %s : %v", i, r.text, numeric(s.policyValue(r)))
	}
	p.line("\n        HSM Policies")
	for _, r := range set.changeable {
		p.line("                %d: %s : %v", r.code, r.text, numeric(s.policyValue(r)))
	}
	return p.String()
}

// numeric returns the value of a policy as LunaCM prints it.
func numeric(v any) any {
	switch v {
	case allowed, "On":
		return 1
	case disallowed, "Off":
		return 0
	}
	return v
}

func partitionPolicies(s *state, part *partition, _ int) string {
	var p page
	p.line("\n        Partition Capabilities")
	p.line("                0: Enable private key cloning : 1")
	p.line("                22: Enable activation : %d", choose(s.spec.ped, 1, 0))
	p.line("\n        Partition Policies")
	p.line("                0: Allow private key cloning : 1")
	p.line("                22: Allow activation : %d", choose(s.spec.ped, 1, 0))
	return p.String()
}
