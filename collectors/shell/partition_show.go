package shell

import (
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// partitionsRead are partitions while they are parsed.
type partitionsRead struct {
	list    hsm.Partitions
	current *hsm.Partition // the block being read; nil: none yet
	details bool           // current has more than its name and serial number
	none    bool           // the device states that there are none
}

var partitionSheet = answer.Sheet[partitionsRead]{
	Line: partitionLine,
	Labels: answer.Labels[partitionsRead]{
		"partition name": func(p *partitionsRead, v string) bool {
			if v == "" {
				return false
			}
			p.block(func(c *hsm.Partition) bool { return c.Name != "" }).Name = v
			return true
		},
		"partition sn": func(p *partitionsRead, v string) bool {
			return v != "" && answer.Serial(&p.block(func(c *hsm.Partition) bool { return c.Serial != "" }).Serial, v)
		},
		"partition label":               ofPartition(func(c *hsm.Partition, v string) bool { return answer.Known(&c.Label, v, true) }),
		"activated":                     ofPartition(func(c *hsm.Partition, v string) bool { return answer.Boolean(&c.Activated, v) }),
		"auto activation":               nil,
		"legacy domain has been set":    nil,
		"partition storage information": ofPartition(partitionStorage),
		"partition object count":        ofPartition(func(c *hsm.Partition, v string) bool { return answer.Whole(&c.ObjectCount, v) }),
		"storage":                       nil,
	},
	Other: partitionRole,
}

// PartitionList is the format of the partitions of an HSM in "partition list".
var PartitionList = answer.Latest("partition-list", "partition list, partition show", parsePartitions)

// PartitionShow is the format of the partitions of an HSM in "partition show".
var PartitionShow = answer.Latest("partition-show", "partition show, partition list", parsePartitions)

// parsePartitions reads LunaSH "partition show" and "partition list". The
// former has one block for each partition, whose roles differ: Partition Owner
// and Crypto User in 5.x, Partition SO, Crypto Officer and Crypto User later.
func parsePartitions(lines []string, unread func(string)) hsm.Fact {
	var p partitionsRead
	partitionSheet.Read(lines, &p, unread)
	p.finish()
	if p.list == nil && p.none {
		return hsm.Partitions{}
	}
	if p.list == nil {
		return nil
	}
	return unique(p.list)
}

// unique returns all without repetitions; of several with the same serial number,
// the last. It reuses the memory of all.
func unique(all hsm.Partitions) hsm.Partitions {
	at := make(map[string]int, len(all))
	list := all[:0]
	for _, p := range all {
		id := p.Serial + "\n" + p.Name
		if p.Serial != "" {
			id = p.Serial
		}
		if i, dup := at[id]; dup {
			list[i] = p
			continue
		}
		at[id] = len(list)
		list = append(list, p)
	}
	return list
}

// block returns the partition that a name or serial number belongs to: the
// current one, or a new one if that has it already or has details, which follow it.
func (p *partitionsRead) block(has func(*hsm.Partition) bool) *hsm.Partition {
	if p.current == nil || p.details || has(p.current) {
		p.finish()
		p.current = new(hsm.Partition)
	}
	return p.current
}

// finish ends the current block, and drops one without a name and serial number.
func (p *partitionsRead) finish() {
	if c := p.current; c != nil && (c.Name != "" || c.Serial != "") {
		p.list = append(p.list, *c)
	}
	p.current, p.details = nil, false
}

// ofPartition returns a setter of a detail of the current partition.
func ofPartition(set func(*hsm.Partition, string) bool) func(*partitionsRead, string) bool {
	return func(p *partitionsRead, v string) bool {
		if p.current == nil || !set(p.current, v) {
			return false
		}
		p.details = true
		return true
	}
}

func partitionLine(p *partitionsRead, line string) bool {
	low := strings.ToLower(answer.Collapse(answer.Clip(line, 200)))
	switch {
	case strings.HasPrefix(low, "there are no partitions"):
		p.none = true
		return true
	case low == "storage (bytes)", strings.HasPrefix(low, "partition name objects"):
		return true
	case low != "" && low[0] >= '0' && low[0] <= '9':
		return p.row(line)
	}
	name, ok := strings.CutSuffix(strings.TrimSuffix(answer.Collapse(answer.Clip(line, 200)), "."), " is not initialized")
	return ok && ofPartition(func(c *hsm.Partition, _ string) bool {
		role(c, name).Initialized = hsm.Some(false)
		return true
	})(p, "")
}

// row reads a row of "partition list" from the right: serial number, name (which
// can have blanks), objects, and total, used and free bytes.
func (p *partitionsRead) row(line string) bool {
	rest, numbers, ok := rowNumbers(line)
	var row hsm.Partition
	if !ok || !answer.Serial(&row.Serial, rest) {
		return false
	}
	row.Name = strings.TrimSpace(strings.TrimPrefix(rest, row.Serial))
	answer.Whole(&row.ObjectCount, numbers[0])
	answer.Whole(&row.Storage.Total, numbers[1])
	answer.Whole(&row.Storage.Used, numbers[2])
	answer.Whole(&row.Storage.Free, numbers[3])
	p.finish()
	p.list = append(p.list, row)
	return true
}

// rowNumbers cuts the last four numbers off a row. A blank may be between two
// numbers or within one; where it could be either, there are none.
func rowNumbers(line string) (rest string, numbers [4]string, ok bool) {
	cols := answer.Columns(line)
	at := max(0, len(cols)-len(numbers))
	grouped := slices.ContainsFunc(cols[at:], func(col string) bool {
		_, whole := answer.Count(col)
		return whole && strings.Contains(col, " ")
	})
	if grouped {
		copy(numbers[:], cols[at:])
		rest = strings.Join(cols[:at], "  ")
	} else {
		rest = strings.TrimSpace(line)
		for i := len(numbers) - 1; i >= 0; i-- {
			rest, numbers[i] = answer.CutLast(rest)
		}
	}
	for _, n := range numbers {
		if n == "" || strings.Trim(n, "0123456789,' ") != "" || len(n) > 1 && n[0] == '0' {
			return "", numbers, false
		}
	}
	return rest, numbers, true
}

// partitionStorage reads "Total=324096, Used=1232, Free=322864".
func partitionStorage(c *hsm.Partition, v string) bool {
	ok := false
	for part := range strings.SplitSeq(v, ", ") {
		name, number, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch strings.ToLower(name) {
		case "total":
			ok = answer.Whole(&c.Storage.Total, number) || ok
		case "used":
			ok = answer.Whole(&c.Storage.Used, number) || ok
		case "free":
			ok = answer.Whole(&c.Storage.Free, number) || ok
		}
	}
	return ok
}

// roleLabels are the setters of labels that begin with the name of a role, by the
// words behind it.
var roleLabels = answer.Labels[hsm.Role]{
	"pin to be changed":        func(r *hsm.Role, v string) bool { return answer.Boolean(&r.PINToBeChanged, v) },
	"challenge to be changed":  func(r *hsm.Role, v string) bool { return answer.Boolean(&r.ChallengeToBeChanged, v) },
	"challenged to be changed": func(r *hsm.Role, v string) bool { return answer.Boolean(&r.ChallengeToBeChanged, v) },
	"locked out":               func(r *hsm.Role, v string) bool { return answer.Boolean(&r.LockedOut, v) },
	"login attempts left":      attemptsLeft,
	"is initialized":           func(r *hsm.Role, v string) bool { return answer.Boolean(&r.Initialized, v) },
	"is activated":             func(r *hsm.Role, v string) bool { return answer.Boolean(&r.Activated, v) },
}

// attemptsLeft reads "10", "10 before Owner is Locked Out" and "None - Owner is
// Locked Out", which is 0.
func attemptsLeft(r *hsm.Role, v string) bool {
	if strings.EqualFold(strings.TrimRight(answer.FirstField(v), ".!,-"), "none") {
		r.LoginAttemptsLeft = hsm.Some[int64](0)
		return true
	}
	return answer.Whole(&r.LoginAttemptsLeft, v)
}

// partitionRole returns the setter of a label that begins with a role.
func partitionRole(name string) func(*partitionsRead, string) bool {
	if strings.HasSuffix(name, " zeroized") {
		return ofPartition(func(c *hsm.Partition, v string) bool { return answer.Boolean(&c.Zeroized, v) })
	}
	for label, set := range roleLabels {
		if who, ok := strings.CutSuffix(name, " "+label); ok && who != "" {
			return ofPartition(func(c *hsm.Partition, v string) bool { return setRole(c, who, set, v) })
		}
	}
	return nil
}

func setRole(c *hsm.Partition, who string, set func(*hsm.Role, string) bool, v string) bool {
	var r hsm.Role
	if !set(&r, v) {
		return false
	}
	set(role(c, who), v)
	if r.Activated.Known && strings.EqualFold(who, "crypto officer") {
		c.Activated = r.Activated // 6.x states it for the role that is activated
	}
	return true
}

// role returns the role of c with that name, and adds a new one.
func role(c *hsm.Partition, who string) *hsm.Role {
	name := roleName(who)
	for i := range c.Roles {
		if c.Roles[i].Name == name {
			return &c.Roles[i]
		}
	}
	if len(c.Roles) == maxRoles {
		return &c.Roles[maxRoles-1]
	}
	c.Roles = append(c.Roles, hsm.Role{Name: name})
	return &c.Roles[len(c.Roles)-1]
}

// maxRoles bounds the roles of a partition; devices have four.
const maxRoles = 16

// roleName returns the name of a role in the spelling of [hsm.Role]: "Crypto User".
func roleName(who string) string {
	words := strings.Fields(strings.ReplaceAll(strings.ToLower(who), "-", " "))
	for i, w := range words {
		if w == "so" || w == "co" || w == "cu" {
			words[i] = strings.ToUpper(w)
			continue
		}
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}
