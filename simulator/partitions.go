package simulator

import "fmt"

func partitionList(s *state, _ params) (string, error) {
	var p page
	p.line("")
	if len(s.partitions) == 0 {
		p.line("   There are no partitions.\n")
		return p.String(), nil
	}
	p.line("%54sStorage (bytes)", "")
	p.line("%48s----------------------------", "")
	row := " %-21s%-23s%7v%8v%8v%8v"
	if s.version == "5.4" { // shorter serials
		row = " %-13s%-25s%7v%10v%10v%10v"
	}
	p.line(row, "Partition", "Name", "Objects", "Total", "Used", "Free")
	p.line(" ===========================================================================")
	for _, part := range s.partitions {
		used := part.usedBytes()
		p.line(row, fmt.Sprint(part.serial), part.name, part.objects, part.bytes, used, part.bytes-used)
	}
	return p.String(), nil
}

func partitionShow(s *state, pr params) (string, error) {
	name, one := pr["-partition"]
	var p page
	p.line("")
	for _, part := range s.partitions {
		if one && part.name != name {
			continue
		}
		p.line("")
		describePartition(s, part, &p)
	}
	switch {
	case one && p.Len() == 1:
		return "", failed("partition show", codeNotInList, "Specified partition does not exist.")
	case p.Len() == 1:
		p.line("   There are no partitions.\n")
	}
	return p.String(), nil
}

// label is empty once the partition is zeroized.
func (p partition) label() string { return choose(p.zeroized, "", p.name) }

const partitionColumn = 43

func describePartition(s *state, part partition, p *page) {
	show := func(label string, value any) { p.field(partitionColumn, label, value) }
	if s.version == "5.4" {
		show("Partition SN:", part.serial)
		show("Partition Name:", part.name)
		ownerAndUser(s, part, show)
	} else {
		show("Partition Name:", part.name)
		show("Partition SN:", part.serial)
		show("Partition Label:", part.label())
		roles(s, part, p)
	}
	show("Legacy Domain Has Been Set:", "no")
	used := part.usedBytes()
	show("Partition Storage Information (Bytes):", fmt.Sprintf("Total=%d, Used=%d, Free=%d", part.bytes, used, part.bytes-used))
	show("Partition Object Count:", part.objects)
}

// ownerAndUser are the roles of a partition in 5.x.
func ownerAndUser(s *state, part partition, show func(string, any)) {
	show("Activated:", choose(part.activated, "yes", "no"))
	show("Auto Activation:", choose(s.spec.ped, "yes", "no"))
	show("Partition Owner Locked Out:", choose(part.attempts == 0, "yes", "no"))
	show("Partition Owner PIN To Be Changed:", "no")
	show("Partition Owner Login Attempts Left:", choose(part.attempts == 0, "None - Owner is Locked Out", fmt.Sprintf("%d before Owner is Locked Out", part.attempts)))
	show("Crypto-User Locked Out:", "no")
	show("Crypto-User Challenge To Be Changed:", "no")
	show("Crypto-User Login Attempts Left:", "10 before Crypto User is Locked Out!")
}

// roles are the roles of a partition from 6.2 on.
func roles(s *state, part partition, p *page) {
	role := func(role, label string, value any) {
		p.field(partitionColumn, fmt.Sprintf("%-17s%s", role, label), value)
	}
	if s.modern() {
		role("Partition SO", "PIN To Be Changed:", "no")
		if s.spec.ped {
			role("Partition SO", "Challenge To Be Changed:", "no")
		}
		role("Partition SO", "Zeroized:", choose(part.zeroized, "yes", "no"))
		role("Partition SO", "Login Attempts Left:", 10)
	}
	for _, r := range []struct {
		name     string
		attempts int
	}{{"Crypto Officer", part.attempts}, {"Crypto User", 10}} {
		if r.name == "Crypto User" && !s.modern() || part.blank {
			p.line("   %-17sis not initialized.", r.name)
			continue
		}
		role(r.name, "PIN To Be Changed:", "no")
		if s.spec.ped {
			role(r.name, "Challenge To Be Changed:", "no")
		}
		role(r.name, "Locked Out:", choose(r.attempts == 0, "yes", "no"))
		role(r.name, "Login Attempts Left:", r.attempts)
		if s.spec.ped {
			role(r.name, "is activated:", choose(part.activated, "yes", "no"))
		}
	}
}
