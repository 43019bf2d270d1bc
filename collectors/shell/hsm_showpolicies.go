package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// policyTable is what the rows being read are.
type policyTable int

const (
	noTable policyTable = iota
	capabilities
	policies
	otherPolicies // of the SO (LunaCM); their codes are not the HSM's
)

// policiesRead are policies while they are parsed.
type policiesRead struct {
	hsm.PartitionPolicies
	table   policyTable
	columns []string // of LunaSH and LunaCM tables, in lower case
	lists   int      // number of tables without a heading so far
}

// HSMShowPolicies is the format of the capabilities and policies of an HSM.
var HSMShowPolicies = answer.Latest("hsm-showpolicies", "hsm showpolicies", parseHSMPolicies)

// parseHSMPolicies reads "hsm showpolicies" of LunaSH (tables, codes only for
// what can be changed) and LunaCM ("7: Enable cloning : 1" in sections).
func parseHSMPolicies(lines []string, unread func(string)) hsm.Fact {
	if p := readPolicies(lines, unread); p != nil {
		return p.Policies
	}
	return nil
}

// PartitionShowPolicies is the format of the capabilities and policies of a
// partition.
var PartitionShowPolicies = answer.Latest("partition-showpolicies", "partition showpolicies", ParsePartitionPolicies)

// ParsePartitionPolicies reads "partition showpolicies" of LunaSH and LunaCM.
func ParsePartitionPolicies(lines []string, unread func(string)) hsm.Fact {
	if p := readPolicies(lines, unread); p != nil {
		return p.PartitionPolicies
	}
	return nil
}

func readPolicies(lines []string, unread func(string)) *policiesRead {
	var p policiesRead
	for _, line := range lines {
		if !answer.IsRule(line) && !p.read(line) {
			unread(line)
		}
	}
	if len(p.Capabilities) == 0 && len(p.Policies.Policies) == 0 {
		return nil
	}
	return &p
}

func (p *policiesRead) read(line string) bool {
	if len(line) > 1000 {
		return false
	}
	low := strings.ToLower(answer.Collapse(line))
	switch {
	case p.heading(low), p.header(low), p.named(line):
		return true
	case p.columns != nil:
		return p.row(line)
	}
	return p.entry(line) || isExplanation(low)
}

// heading reads a line that names the table below it.
func (p *policiesRead) heading(low string) bool {
	switch strings.TrimSuffix(low, ":") {
	case "hsm capabilities", "partition capabilities":
		p.table = capabilities
	case "hsm policies", "partition policies":
		p.table = policies
	case "so capabilities", "so policies":
		p.table = otherPolicies
	default:
		switch {
		case strings.HasPrefix(low, "the following capabilities"):
			p.table = capabilities
		case strings.HasPrefix(low, "the following policies"):
			p.table = policies
		default:
			return false
		}
	}
	p.columns = nil
	return true
}

// header reads the names of the columns.
func (p *policiesRead) header(low string) bool {
	if low == "destructive" {
		return true // the upper line of a column name
	}
	f := strings.Fields(low)
	if len(f) < 2 || f[0] != "description" && (f[0] != "code" || f[1] != "description") {
		return false
	}
	if p.table == noTable { // the heading is missing
		p.table = policies
		if p.lists++; p.lists == 1 && len(f) == 2 {
			p.table = capabilities
		}
	}
	p.columns = f
	return true
}

// named reads a line that states whose policies these are.
func (p *policiesRead) named(line string) bool {
	head, value, _ := answer.CutLabel(strings.TrimSpace(line))
	switch answer.Key(head) {
	case "hsm label", "serial #", "firmware":
		return true
	case "partition name":
		p.Partition = strings.TrimSpace(value)
		return true
	case "partition num", "partition sn":
		return answer.Serial(&p.Serial, value)
	}
	return false
}

// row reads a row of a table from the right, where the fields are single words: a
// description can contain anything.
func (p *policiesRead) row(line string) bool {
	rest := strings.TrimSpace(line)
	if isExplanation(strings.ToLower(answer.Collapse(rest))) {
		p.columns, p.table = nil, noTable
		return true
	}
	var policy hsm.Policy
	var offToOn, onToOff hsm.Opt[bool]
	ok := true
	for i := len(p.columns) - 1; i >= 0 && ok; i-- {
		if column := p.columns[i]; column != "description" {
			if i == 0 { // the code is the first column in LunaCM
				code := answer.FirstField(rest)
				rest = strings.TrimSpace(strings.TrimPrefix(rest, code))
				ok = answer.Whole(&policy.ID, code)
				continue
			}
			var last string
			rest, last = answer.CutLast(rest)
			switch column {
			case "value":
				policy.Value, ok = last, isPolicyValue(last)
			case "code":
				ok = answer.Whole(&policy.ID, last)
			case "destructive":
				ok = answer.Boolean(&policy.Destructive, last)
			case "off-to-on":
				ok = answer.Boolean(&offToOn, last) || last != "" && answer.NotKnown(last)
			case "on-to-off":
				ok = answer.Boolean(&onToOff, last) || last != "" && answer.NotKnown(last)
			}
		}
	}
	switch policy.Value {
	case "Off":
		policy.Destructive = answer.FirstKnown(offToOn, policy.Destructive)
	case "On":
		policy.Destructive = answer.FirstKnown(onToOff, policy.Destructive)
	}
	policy.Description = answer.Collapse(rest)
	return ok && policy.Description != "" && p.add(policy)
}

func isPolicyValue(s string) bool {
	switch strings.ToLower(s) {
	case "allowed", "disallowed", "true", "false", "on", "off", "yes", "no":
		return true
	}
	_, ok := answer.Amount(s)
	return ok
}

// entry reads "25: Minimum pin length (inverted: 255 - min) : 248" of LunaCM.
func (p *policiesRead) entry(line string) bool {
	code, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
	i := strings.LastIndex(rest, " : ")
	var policy hsm.Policy
	if i < 0 || p.table == noTable || strings.Contains(code, " ") || !answer.Whole(&policy.ID, code) {
		return false
	}
	policy.Description, policy.Value = answer.Collapse(rest[:i]), strings.TrimSpace(rest[i+3:])
	return policy.Description != "" && policy.Value != "" && p.add(policy)
}

func (p *policiesRead) add(policy hsm.Policy) bool {
	switch p.table {
	case capabilities:
		p.Capabilities = append(p.Capabilities, policy)
	case policies:
		p.Policies.Policies = append(p.Policies.Policies, policy)
	case otherPolicies:
	case noTable:
		return false
	}
	return true
}

// explanations are beginnings of lines within the sentences around the tables.
var explanations = []string{
	"except via", "never be changed", "can never", "this hsm and", "this hsm, and", "of this partition",
	"partition and may", "changing policies", "completely) the", "changing a destructive",
}

func isExplanation(low string) bool {
	for _, e := range explanations {
		if strings.HasPrefix(low, e) {
			return true
		}
	}
	return false
}
