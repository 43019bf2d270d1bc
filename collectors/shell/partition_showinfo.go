package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// partitionInfo is one or several partitions while they are parsed from LunaCM.
type partitionInfo struct {
	list    hsm.Partitions
	current *hsm.Partition // the block being read; nil: none yet
	storage bool           // the lines being read describe the partition's storage
	foreign bool           // the text describes an HSM or a slot
}

var partitionInfoSheet = answer.Sheet[partitionInfo]{
	Line: partitionInfoLine,
	Labels: answer.Labels[partitionInfo]{
		"partition label": func(p *partitionInfo, v string) bool {
			return answer.Known(&p.block(func(c *hsm.Partition) bool { return c.Label.Known }).Label, v, true)
		},
		"partition serial number":   partitionInfoSerial,
		"hsm serial number":         partitionInfoSerial,
		"partition status":          partitionInfoStatus,
		"hsm status":                partitionInfoStatus,
		"partition storage":         func(p *partitionInfo, _ string) bool { p.storage = true; return true },
		"user storage":              func(p *partitionInfo, _ string) bool { p.storage = true; return true },
		"hsm storage":               func(p *partitionInfo, _ string) bool { p.storage = false; return true },
		"total storage space":       partitionInfoAmount(func(c *hsm.Partition) *hsm.Opt[int64] { return &c.Storage.Total }),
		"used storage space":        partitionInfoAmount(func(c *hsm.Partition) *hsm.Opt[int64] { return &c.Storage.Used }),
		"free storage space":        partitionInfoAmount(func(c *hsm.Partition) *hsm.Opt[int64] { return &c.Storage.Free }),
		"object count":              partitionInfoAmount(func(c *hsm.Partition) *hsm.Opt[int64] { return &c.ObjectCount }),
		"partition manufacturer":    nil,
		"partition model":           nil,
		"hsm part number":           nil,
		"token flags":               nil,
		"user flags":                nil,
		"rpv initialized":           nil,
		"slot id":                   nil,
		"tunnel slot id":            nil,
		"session state":             nil,
		"role status":               nil,
		"user status":               nil,
		"partition ouid":            nil,
		"user ouid":                 nil,
		"overhead":                  nil,
		"firmware version":          nil,
		"rollback firmware version": nil,
		"allowed partitions":        nil,
		"number of partitions":      nil,
		"license count":             nil,

		// Of "hsm showinfo" of 5.x and of "slot list".
		"hsm label":         notAPartition,
		"hsm manufacturer":  notAPartition,
		"hsm configuration": notAPartition,
		"slot description":  notAPartition,
		"so status":         notAPartition,
		"so failed logins":  notAPartition,
		"so storage":        notAPartition,
	},
	Other: failedLogins,
}

// PartitionShowInfo is the format of the state of the partition in LunaCM's slot.
var PartitionShowInfo = answer.Each("lunacm-partition-showinfo", "partition showinfo, partition si", ParsePartitionInfo, joinPartitions)

// ParsePartitionInfo reads LunaCM "partition showinfo" of the current slot,
// before and since firmware 6.22, and the admin partition of "hsm showinfo".
func ParsePartitionInfo(lines []string, unread func(string)) hsm.Fact {
	var p partitionInfo
	partitionInfoSheet.Read(unglued(partitionInfoSheet, lines), &p, unread)
	p.finish()
	if p.list == nil || p.foreign {
		return nil
	}
	return p.list
}

// joinPartitions joins the partitions of several answers.
func joinPartitions(facts []hsm.Fact) hsm.Fact {
	var all hsm.Partitions
	for _, f := range facts {
		all = append(all, f.(hsm.Partitions)...)
	}
	return unique(all)
}

// block returns the partition that a line belongs to: the current one, or a new one
// if that has already what the line states.
func (p *partitionInfo) block(has func(*hsm.Partition) bool) *hsm.Partition {
	if p.current == nil || has(p.current) {
		p.finish()
		p.current = new(hsm.Partition)
	}
	return p.current
}

// finish ends the current block, and drops one without a serial number.
func (p *partitionInfo) finish() {
	if p.current != nil && p.current.Serial != "" {
		p.list = append(p.list, *p.current)
	}
	p.current, p.storage = nil, false
}

func partitionInfoSerial(p *partitionInfo, v string) bool {
	var n string
	if !answer.Serial(&n, v) {
		return false
	}
	p.block(func(c *hsm.Partition) bool { return c.Serial != "" }).Serial = n
	return true
}

func partitionInfoStatus(p *partitionInfo, v string) bool {
	if p.current == nil || !answer.State((*string)(&p.current.Status), v) {
		return false
	}
	if hsm.Is(p.current.Status.Zeroized(), true) {
		p.current.Zeroized = hsm.Some(true)
	}
	return true
}

// partitionInfoAmount returns a setter of a number of the current partition. It
// ignores values of other storage.
func partitionInfoAmount(field func(*hsm.Partition) *hsm.Opt[int64]) func(*partitionInfo, string) bool {
	return func(p *partitionInfo, v string) bool {
		var n hsm.Opt[int64]
		if !answer.Whole(&n, v) {
			return false
		}
		if p.storage && p.current != nil {
			*field(p.current) = n
		}
		return true
	}
}

func notAPartition(p *partitionInfo, _ string) bool {
	p.foreign = true
	return true
}

// failedLogins returns the setter of "crypto officer failed logins", for any role.
func failedLogins(name string) func(*partitionInfo, string) bool {
	who, ok := strings.CutSuffix(name, " failed logins")
	if !ok {
		return nil
	}
	return func(p *partitionInfo, v string) bool {
		var n hsm.Opt[int64]
		if p.current == nil || !answer.Whole(&n, v) {
			return false
		}
		role(p.current, who).FailedLogins = n
		return true
	}
}

func partitionInfoLine(_ *partitionInfo, line string) bool {
	text := strings.TrimSpace(answer.Clip(line, 200))
	return isFlag(text) || isLicense(text) || strings.Contains(strings.ToLower(text), "in fips 140")
}
