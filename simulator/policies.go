package simulator

// A policyRow is a capability or a policy of the card. Its value may depend on the
// appliance; only changeable policies have code and destructive.
type policyRow struct {
	text        string
	value       string // fixed, or one of the words below
	code        int
	destructive string
}

// Values that depend on the appliance.
const (
	ifPassword   = "password"
	ifPED        = "ped"
	ifPEDOn      = "ped on"
	ifNotFIPS    = "not fips"
	ifControlled = "controlled"
	theStorage   = "storage"
	thePartition = "partitions"
)

const (
	allowed    = "Allowed"
	disallowed = "Disallowed"
)

// policySet is the content of hsm showpolicies for one generation of card.
type policySet struct{ capabilities, changeable []policyRow }

var policySets = map[string]policySet{
	"K6": {
		capabilities: []policyRow{
			{text: "Enable PIN-based authentication", value: ifPassword}, {text: "Enable PED-based authentication", value: ifPED},
			{text: "Performance level", value: "15"}, {text: "Enable domestic mechanisms & key sizes", value: allowed},
			{text: "Enable masking", value: allowed}, {text: "Enable cloning", value: allowed},
			{text: "Enable special cloning certificate", value: disallowed}, {text: "Enable full (non-backup) functionality", value: allowed},
			{text: "Enable ECC mechanisms", value: allowed},
			{text: "Enable non-FIPS algorithms", value: allowed}, {text: "Enable SO reset of partition PIN", value: allowed},
			{text: "Enable network replication", value: allowed}, {text: "Enable Korean Algorithms", value: disallowed},
			{text: "FIPS evaluated", value: disallowed}, {text: "Manufacturing Token", value: disallowed},
			{text: "Enable Remote Authentication", value: allowed}, {text: "Enable forcing user PIN change", value: allowed},
			{text: "Enable portable masking key", value: allowed}, {text: "Enable partition groups", value: disallowed},
			{text: "Enable Remote PED usage", value: ifPED}, {text: "Enable external storage of MTK split", value: allowed},
			{text: "HSM non-volatile storage space", value: theStorage}, {text: "Enable HA mode CGX", value: disallowed},
			{text: "Enable Acceleration", value: allowed}, {text: "Enable unmasking", value: allowed},
		},
		changeable: []policyRow{
			{"Allow masking", "On", 6, "Yes"}, {"Allow cloning", "On", 7, "Yes"}, {"Allow non-FIPS algorithms", ifNotFIPS, 12, "Yes"},
			{"SO can reset partition PIN", "On", 15, "Yes"}, {"Allow network replication", "On", 16, "No"},
			{"Allow Remote Authentication", "On", 20, "Yes"}, {"Force user PIN change after set/reset", "Off", 21, "No"},
			{"Allow offboard storage", "On", 22, "Yes"}, {"Allow remote PED usage", ifPEDOn, 25, "No"}, {"Allow Acceleration", "On", 29, "Yes"}, {"Allow unmasking", "On", 30, "Yes"},
		},
	},
	"K7": {
		capabilities: []policyRow{
			{text: "Enable PIN-based authentication", value: ifPassword}, {text: "Enable PED-based authentication", value: ifPED},
			{text: "Performance level", value: "15"}, {text: "Enable domestic mechanisms & key sizes", value: allowed},
			{text: "Enable masking", value: disallowed}, {text: "Enable cloning", value: allowed},
			{text: "Enable full (non-backup) functionality", value: allowed}, {text: "Enable non-FIPS algorithms", value: allowed},
			{text: "Enable SO reset of partition PIN", value: allowed}, {text: "Enable network replication", value: allowed},
			{text: "Enable Korean Algorithms", value: disallowed}, {text: "FIPS evaluated", value: disallowed},
			{text: "Manufacturing Token", value: disallowed}, {text: "Enable forcing user PIN change", value: allowed},
			{text: "Enable portable masking key", value: allowed}, {text: "Enable partition groups", value: disallowed},
			{text: "Enable remote PED usage", value: ifPED}, {text: "HSM non-volatile storage space", value: theStorage},
			{text: "Enable unmasking", value: allowed}, {text: "Maximum number of partitions", value: thePartition},
			{text: "Enable Single Domain", value: disallowed}, {text: "Enable Unified PED Key", value: disallowed},
			{text: "Enable MofN", value: ifPED}, {text: "Enable small form factor backup/restore", value: disallowed},
			{text: "Enable Secure Trusted Channel", value: allowed}, {text: "Enable decommission on tamper", value: allowed},
			{text: "Enable partition re-initialize", value: disallowed}, {text: "Enable low level math acceleration", value: allowed},
			{text: "Enable Fast-Path", value: disallowed}, {text: "Allow Disabling Decommission", value: allowed},
			{text: "Enable Tunnel Slot", value: disallowed}, {text: "Enable Controlled Tamper Recovery", value: allowed},
		},
		changeable: []policyRow{
			{"Allow cloning", "On", 7, "Yes"}, {"Allow non-FIPS algorithms", ifNotFIPS, 12, "Yes"},
			{"SO can reset partition PIN", "Off", 15, "Yes"}, {"Allow network replication", "On", 16, "No"},
			{"Force user PIN change after set/reset", "On", 21, "No"}, {"Allow offboard storage", "On", 22, "Yes"},
			{"Allow unmasking", "On", 30, "No"}, {"Current maximum number of partitions", thePartition, 33, "No"},
			{"Allow Secure Trusted Channel", "On", 39, "No"}, {"Decommission on tamper", "Off", 40, "Yes"},
			{"Allow low level math acceleration", "On", 43, "No"}, {"Disable Decommission", "Off", 46, "Yes"},
			{"Do Controlled Tamper Recovery", ifControlled, 48, "No"},
		},
	},
}

func (s *state) policyValue(r policyRow) any {
	switch r.value {
	case ifPassword:
		return choose(s.spec.ped, disallowed, allowed)
	case ifPED:
		return choose(s.spec.ped, allowed, disallowed)
	case ifPEDOn:
		return choose(s.spec.ped, "On", "Off")
	case ifNotFIPS:
		return choose(s.spec.fips, "Off", "On")
	case ifControlled:
		return "On"
	case theStorage:
		return s.storageBytes
	case thePartition:
		return s.maxPartitions
	}
	return r.value
}

func policies(s *state, _ params) (string, error) {
	const column = 41
	set := policySets[s.model.card]
	var p page
	p.line("")
	p.field(13, "HSM Label:", s.label)
	p.field(13, "Serial #:", s.spec.serial)
	p.field(13, "Firmware:", s.firmware)
	p.line("\n   The following capabilities describe this HSM, and cannot be altered\n   except via firmware or capability updates.\n")
	p.field(column, "Description", "Value")
	p.field(column, "===========", "=====")
	for _, r := range set.capabilities {
		p.field(column, r.text, s.policyValue(r))
	}
	p.line("\n   The following policies are set due to current configuration of\n   this HSM and cannot be altered directly by the user.\n")
	p.field(column, "Description", "Value")
	p.field(column, "===========", "=====")
	p.field(column, choose(s.spec.ped, "PED-based authentication", "PIN-based authentication"), "True")
	if !s.modern() {
		p.field(column, "Store MTK split externally", "False")
	}
	p.line("\n   The following policies describe the current configuration of\n   this HSM and may %s changed by the HSM Administrator.\n", choose(s.modern(), "be", "by"))
	p.line("   Changing policies marked \"destructive\" will zeroize (erase\n   completely) the entire HSM.\n")
	row := "   %-41s%-13v%-10v%s"
	p.line(row, "Description", "Value", "Code", "Destructive")
	p.line(row, "===========", "=====", "====", "===========")
	for _, r := range set.changeable {
		p.line(row, r.text, s.policyValue(r), r.code, r.destructive)
	}
	return p.String(), nil
}

// cardLicenses are the capability licenses of a K7 card.
var cardLicenses = [][2]string{
	{"621000153-000", "K7 base configuration"},
	{"621010185-003", "Key backup via cloning protocol"},
	{"621000046-002", "Maximum 100 partitions"},
	{"621000135-002", "Enable allow decommissioning"},
	{"621000021-002", "Performance level 15"},
}

func licenses(s *state, _ params) (string, error) {
	var p page
	if s.modern() {
		p.line("\n\n\n   HSM CAPABILITY LICENSES")
		p.line("   License ID          Description")
		p.line("   ================    ======================================")
		for _, l := range cardLicenses {
			p.line("      %-16s %s", l[0], l[1])
		}
		return p.String(), nil
	}
	p.line("\nHSM UPGRADE LICENSES")
	p.line("License ID Destructive  Description")
	p.line("========== ===========  ===========")
	p.line("No HSM Upgrade licenses found\n")
	p.line("PARTITION LICENSES")
	p.line("License ID  Total  Avail  Description")
	p.line("==========  ====== ====== ===========")
	p.line("0,   0      %-6d %-6d %s", s.maxPartitions, s.maxPartitions-len(s.partitions),
		"Generic or Secure Authentication & Access Control configuration")
	return p.String(), nil
}
