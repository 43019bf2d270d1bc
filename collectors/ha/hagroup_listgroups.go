package ha

import (
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// groupsRead are HA groups while they are parsed.
type groupsRead struct {
	hsm.HAGroups
	found   bool                // has anything that is stored
	global  bool                // the settings of the host are complete
	current *hsm.HAGroup        // the block being read; nil: none yet
	standby []string            // members of the current group; nil: not stated
	partial bool                // the list of standby members continues
	more    func(v string) bool // reads the next line of a list; nil: no list continues
}

var groupsSheet = answer.Sheet[groupsRead]{
	Line: groupsLine,
	Labels: answer.Labels[groupsRead]{
		"ha auto recovery":            ofHost(func(h *groupsRead, v string) bool { return enabled(&h.AutoRecovery.Enabled, v) }),
		"ha recovery mode":            ofHost(func(h *groupsRead, v string) bool { return answer.Word(&h.AutoRecovery.Mode, v) }),
		"maximum auto recovery retry": ofHost(func(h *groupsRead, v string) bool { return retries(&h.AutoRecovery.MaxRetries, v) }),
		"auto recovery poll interval": ofHost(func(h *groupsRead, v string) bool { return answer.Whole(&h.AutoRecovery.Interval, v) }),
		"ha logging":                  ofHost(func(h *groupsRead, v string) bool { return enabled(&h.Logging, v) }),
		"ha log":                      ofHost(func(h *groupsRead, v string) bool { return enabled(&h.Logging, v) }),
		"ha log _file":                ofHost(logFile), // as printed
		"ha log file":                 ofHost(logFile),
		"log file":                    ofHost(logFile),
		"maximum ha log file length":  ofHost(func(h *groupsRead, v string) bool { return answer.Whole(&h.LogMaxBytes, v) }),
		"max file length":             ofHost(func(h *groupsRead, v string) bool { return answer.Whole(&h.LogMaxBytes, v) }),
		"only show ha slots": ofHost(func(h *groupsRead, v string) bool {
			h.global = true // this is the last setting
			return answer.Boolean(&h.HAOnly, v)
		}),
		"ha proxy": nil,

		"ha group label": func(h *groupsRead, v string) bool {
			if v == "" {
				return false
			}
			h.block(func(g *hsm.HAGroup) bool { return g.Label != "" }).Label = v
			return true
		},
		"ha group number": func(h *groupsRead, v string) bool {
			var n string
			if !answer.Serial(&n, v) {
				return false
			}
			h.block(func(g *hsm.HAGroup) bool { return g.Serial != "" }).Serial = n
			return true
		},
		"ha group slot id": ofGroup(groupSlot),
		"ha group slot #":  ofGroup(groupSlot),
		"synchronization":  ofGroup(func(h *groupsRead, v string) bool { return enabled(&h.current.Synchronization, v) }),
		"needs sync":       ofGroup(func(h *groupsRead, v string) bool { return answer.Boolean(&h.current.NeedsSync, v) }),
		"group members":    ofGroup(groupMembers),
		"standby members":  ofGroup(standbyMembers),
	},
}

// groupsCommands are the commands that print groups, or parts of them.
const groupsCommands = "hagroup listgroups, hagroup creategroup, hagroup addmember, hagroup removemember, hagroup halog, vtl haadmin"

// GroupsFormat is the format of the HA groups that a fresh process of a client
// sees.
var GroupsFormat = answer.Each("lunacm-hagroup-listgroups", groupsCommands, parseGroups, joinParsed)

// VTLFormat is the format of the HA groups in vtl, the tool of old clients.
var VTLFormat = answer.Each("vtl-haadmin-show", "vtl haAdmin show", parseGroups, joinParsed)

// parseGroups reads LunaCM "hagroup listgroups" of 5.4 to 7.x, the output of the
// commands that change a group, "hagroup halog -show", "vtl haAdmin show", and the
// state of a group by PKCS#11 return codes.
func parseGroups(lines []string, unread func(string)) hsm.Fact {
	var h groupsRead
	lines = answered(lines)
	if slices.ContainsFunc(lines, glued) { // where a value ends, and whose members follow, is anybody's guess
		for _, line := range lines {
			unread(line)
		}
		return nil
	}
	groupsSheet.Read(lines, &h, unread)
	h.finish()
	if !h.found {
		return nil
	}
	if h.Groups == nil && h.global {
		h.Groups = []hsm.HAGroup{}
	}
	return h.HAGroups
}

// maxName is more than a name can have, in bytes: what is longer and has a label
// within is several lines.
const maxName = 64

// glued reports whether a line has several labels, because line ends were lost.
func glued(line string) bool {
	head, tail, ok := answer.CutLabel(strings.TrimSpace(line))
	if _, known := groupsSheet.Labels[answer.Key(head)]; !ok || !known || len(strings.TrimSpace(tail)) <= maxName {
		return false
	}
	for head, tail, ok = answer.CutLabel(tail); ok; head, tail, ok = answer.CutLabel(tail) {
		if groupsSheet.LabelBefore(head) > 0 {
			return true
		}
	}
	return false
}

// joinParsed returns the last answer about groups, with the settings of the log
// that are only in others.
func joinParsed(facts []hsm.Fact) hsm.Fact {
	var last hsm.HAGroups
	for _, f := range facts {
		next := f.(hsm.HAGroups)
		if next.Groups == nil && !next.HAOnly.Known && last.Groups != nil {
			last, next = next, last
		}
		next.Logging = answer.FirstKnown(next.Logging, last.Logging)
		if next.LogFile == "" {
			next.LogFile = last.LogFile
		}
		if !next.LogMaxBytes.Known {
			next.LogMaxBytes = last.LogMaxBytes
		}
		last = next
	}
	return last
}

// passwordPrompt is where LunaCM waits for the password of the members.
const passwordPrompt = "enter the password:"

// answered removes prompts for the password from lines that go on with the answer,
// or, without a terminal, with further output.
func answered(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = line
		if rest, ok := answer.CutPrefixFold(strings.TrimLeft(line, " \t"), passwordPrompt); ok {
			out[i] = strings.TrimLeft(rest, "* \t")
		}
	}
	return out
}

// ofHost returns a setter of the host's settings.
func ofHost(set func(*groupsRead, string) bool) func(*groupsRead, string) bool {
	return func(h *groupsRead, v string) bool {
		ok := set(h, v)
		h.found = h.found || ok
		return ok
	}
}

// ofGroup returns a setter of the group whose block is being read.
func ofGroup(set func(*groupsRead, string) bool) func(*groupsRead, string) bool {
	return func(h *groupsRead, v string) bool {
		h.more = nil
		return h.current != nil && set(h, v)
	}
}

// block returns the group that a label or number belongs to: the current one, or a
// new one if that has it already.
func (h *groupsRead) block(has func(*hsm.HAGroup) bool) *hsm.HAGroup {
	if h.current == nil || has(h.current) {
		h.finish()
		h.current, h.found = new(hsm.HAGroup), true
	}
	h.more = nil
	return h.current
}

// finish ends the current block. It replaces an earlier one of the same group.
func (h *groupsRead) finish() {
	if h.current == nil {
		return
	}
	g := *h.current
	for _, serial := range h.standby {
		member(&g.Members, serial)
	}
	for i := range g.Members {
		m := &g.Members[i]
		switch {
		case m.Status == hsm.HAStandby:
			m.Standby = hsm.Some(true)
		case slices.Contains(h.standby, m.Serial):
			m.Standby = hsm.Some(true)
		case h.standby != nil && !h.partial:
			m.Standby = hsm.Some(false)
		}
	}
	h.current, h.standby, h.partial, h.more = nil, nil, false, nil
	for i := range h.Groups {
		if h.Groups[i].Serial == g.Serial && (g.Serial != "" || h.Groups[i].Label == g.Label) {
			h.Groups[i] = g
			return
		}
	}
	h.Groups = append(h.Groups, g)
}

// maxMembers bounds the members of a group; a client allows 32.
const maxMembers = 1000

// member returns the index of the member with that serial number, and adds a new
// one; -1 if there are maxMembers.
func member(all *[]hsm.HAMember, serial string) int {
	for i := range *all {
		if (*all)[i].Serial == serial {
			return i
		}
	}
	if len(*all) == maxMembers {
		return -1
	}
	*all = append(*all, hsm.HAMember{Serial: serial})
	return len(*all) - 1
}

// serials reads a list of serial numbers, or a part of it; "<none>" is an empty
// list.
func serials(v string) (list []string, ok bool) {
	list = []string{}
	if v == "" || strings.EqualFold(v, "<none>") || strings.EqualFold(v, "none") {
		return list, true
	}
	for _, field := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == ';' }) {
		var n string
		if !answer.Serial(&n, field) {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}

func groupMembers(h *groupsRead, v string) bool {
	list, ok := serials(v)
	if !ok || v == "" {
		return false
	}
	for _, serial := range list {
		member(&h.current.Members, serial)
	}
	h.continueList(v, groupMembers)
	return true
}

func standbyMembers(h *groupsRead, v string) bool {
	list, ok := serials(v)
	if !ok {
		return false
	}
	if len(h.standby)+len(list) > maxMembers {
		return false
	}
	if h.standby == nil {
		h.standby = []string{}
	}
	h.standby, h.partial = append(h.standby, list...), strings.HasSuffix(v, ",")
	h.continueList(v, standbyMembers)
	return true
}

// continueList has set read the next line if v ends within a list.
func (h *groupsRead) continueList(v string, set func(*groupsRead, string) bool) {
	h.more = nil
	if strings.HasSuffix(v, ",") {
		h.more = func(v string) bool { return set(h, v) }
	}
}

func groupSlot(h *groupsRead, v string) bool { return answer.Whole(&h.current.Slot, v) }

// enabled reads enabled and disabled.
func enabled(to *hsm.Opt[bool], v string) bool {
	switch strings.ToLower(strings.TrimRight(answer.FirstField(v), ".")) {
	case "enabled":
		*to = hsm.Some(true)
	case "disabled":
		*to = hsm.Some(false)
	default:
		return answer.Boolean(to, v)
	}
	return true
}

// retries reads a number of attempts: "500". Both "infinite" and "-1" are read as
// -1, unlimited.
func retries(to *hsm.Opt[int64], v string) bool {
	v = strings.ToLower(answer.FirstField(v))
	if v == "infinite" || v == "-1" {
		*to = hsm.Some[int64](-1)
		return true
	}
	return answer.Whole(to, v)
}

func logFile(h *groupsRead, v string) bool {
	if answer.NotKnown(v) {
		return false
	}
	h.LogFile = v
	return true
}

// groupsLine reads rows of members, and lists that continue.
func groupsLine(h *groupsRead, line string) bool {
	text := strings.TrimSpace(line)
	if text == "" {
		return false
	}
	low := strings.ToLower(answer.Collapse(answer.Clip(text, 200)))
	switch {
	case strings.HasPrefix(low, "slot # member s/n"), strings.HasPrefix(low, "if you would like to see sync"),
		strings.HasPrefix(low, "please enter the password"), strings.HasPrefix(low, "not available in ha only"),
		strings.HasPrefix(low, "=") && strings.Contains(low, "= ha g"):
		return true
	case strings.HasPrefix(low, "ha group ") && strings.HasSuffix(low, " status:"):
		return h.stateOf(strings.Fields(text)[2])
	case strings.HasPrefix(low, "hsm "):
		return h.state(strings.Fields(text))
	case h.more != nil && strings.Trim(text, "0123456789, \t") == "":
		return h.more(text)
	}
	return h.row(text)
}

// row reads slot, serial number, label and status of a member. A label can have
// blanks; slot and label are dashes if they are unknown.
func (h *groupsRead) row(text string) bool {
	slot := answer.FirstField(text)
	rest := strings.TrimSpace(text[len(slot):])
	sn := answer.FirstField(rest)
	rest = strings.TrimSpace(rest[len(sn):])
	if h.current == nil || rest == "" || !answer.IsDigits(sn) || !answer.IsDigits(slot) && strings.Trim(slot, "-") != "" {
		return false
	}
	name, status := answer.CutLast(rest)
	if cols := answer.Columns(text); len(cols) == 4 && cols[0] == slot && cols[1] == sn {
		name, status = cols[2], cols[3]
	}
	var n string
	if !answer.Serial(&n, sn) || !isStatus(status) {
		return false
	}
	i := member(&h.current.Members, n)
	if i < 0 {
		return false
	}
	m := &h.current.Members[i]
	answer.Whole(&m.Slot, slot)
	if strings.Trim(name, "-") != "" || name != "" && answer.IsDigits(slot) {
		m.Label = hsm.Some(strings.TrimSpace(name))
	}
	setStatus(m, status)
	return true
}

func isStatus(s string) bool {
	return s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z') && len(s) <= 64
}

// stateOf reads the number in "HA group 1599447001 status:", which begins a block.
func (h *groupsRead) stateOf(number string) bool {
	var n string
	if !answer.Serial(&n, number) {
		return false
	}
	h.block(func(g *hsm.HAGroup) bool { return g.Serial != n }).Serial = n
	return true
}

// state reads "HSM 599447001 - CKR_DEVICE_ERROR".
func (h *groupsRead) state(fields []string) bool {
	var n string
	if h.current == nil || len(fields) < 3 || !answer.Serial(&n, fields[1]) || !strings.HasPrefix(fields[len(fields)-1], "CKR_") {
		return false
	}
	i := member(&h.current.Members, n)
	if i >= 0 {
		setStatus(&h.current.Members[i], fields[len(fields)-1])
	}
	return i >= 0
}

// setStatus takes a status as a word of LunaCM or as a PKCS#11 return code:
// CKR_DEVICE_ERROR shortly after a member was lost, CKR_TOKEN_NOT_PRESENT later.
func setStatus(m *hsm.HAMember, v string) {
	switch {
	case v == "CKR_OK":
		m.Status, m.Code = hsm.HAAlive, v
	case strings.HasPrefix(v, "CKR_"):
		m.Status, m.Code = hsm.HADown, v
	default:
		m.Status = hsm.HAMemberStatus(strings.ToLower(answer.Collapse(v)))
	}
}
