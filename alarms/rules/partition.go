package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/memory"
	"github.com/lunawatch/lunawatch/hsm"
)

// ofPartitions evaluates every partition.
func ofPartitions(group string, evaluate func(p Poll, x hsm.Partition) Result) Rule {
	return Rule{group, func(p Poll, emit func(Result)) {
		list, ok := ofUnit(p, p.Partitions)
		if !ok {
			return
		}
		at := p.Partitions.Asked()
		for _, x := range list {
			r := evaluate(p, x)
			r.At = at
			emit(r.on(memory.PartitionID(x)))
		}
		emit(allOf(p.Partitions))
	}}
}

// here returns good and bad Results of a partition, whose time is set later.
func here(condition alarms.Condition, severity alarms.Severity, x hsm.Partition, format string, args ...any) Result {
	return Result{Condition: condition, Severity: severity, Text: fmt.Sprintf("partition %s: ", partitionName(x)) + fmt.Sprintf(format, args...)}
}

func partitionName(x hsm.Partition) string {
	if x.Name != "" {
		return x.Name
	}
	if x.Label.Value != "" {
		return x.Label.Value
	}
	return x.Serial
}

// deactivated warns of a partition that was activated and is not any more. One
// that is expected to be activated has a rule of its own, inventoryPartitions.
var deactivated = ofPartitions("partition-deactivated", func(p Poll, x hsm.Partition) Result {
	expected := slices.ContainsFunc(p.Expected[p.Name].Activated, func(name string) bool { return name == x.Serial || name == x.Name || name == x.Label.Value })
	switch {
	case hsm.Is(x.Activated, true):
		return here(alarms.Good, 0, x, "it is activated")
	case x.Activated.Known && !expected && slices.Contains(p.Memory.Activated, memory.PartitionID(x)):
		return here(alarms.Bad, alarms.Major, x, "it was activated and is not any more")
	}
	return Result{Condition: alarms.Between}
})

// roleLocked warns of a role that nobody can log in to.
var roleLocked = ofPartitions("role-locked", func(_ Poll, x hsm.Partition) Result {
	var locked []string
	stated := false
	for _, r := range x.Roles {
		stated = stated || r.LockedOut.Known || r.LoginAttemptsLeft.Known
		if hsm.Is(r.LockedOut, true) || hsm.Is(r.LoginAttemptsLeft, 0) && !hsm.Is(r.Initialized, false) {
			locked = append(locked, r.Name)
		}
	}
	open := func(r hsm.Role) bool {
		return hsm.Is(r.Initialized, false) || hsm.Is(r.LockedOut, false) || r.LoginAttemptsLeft.Known
	}
	switch {
	case len(locked) > 0:
		return here(alarms.Bad, alarms.Major, x, "%s locked out", strings.Join(locked, ", "))
	case stated && !slices.ContainsFunc(x.Roles, func(r hsm.Role) bool { return !open(r) }):
		return here(alarms.Good, 0, x, "no role is locked out")
	}
	return Result{Condition: alarms.Between}
})

// partitionZeroized warns of a partition that has lost its keys. One that was
// never initialized has none to lose.
var partitionZeroized = ofPartitions("partition-zeroized", func(p Poll, x hsm.Partition) Result {
	lost := hsm.Is(x.Zeroized, true) || hsm.Is(x.Status.Zeroized(), true)
	switch {
	case lost && (wasInitialized(x) || slices.Contains(p.Memory.Initialized, memory.PartitionID(x))):
		return here(alarms.Bad, alarms.Critical, x, "its keys are gone; %s", cmp.Or(string(x.Status), "zeroized"))
	case !lost && (x.Status.Good() || x.Status == "" && hsm.Is(x.Zeroized, false)):
		return here(alarms.Good, 0, x, "it is not zeroized")
	}
	return Result{Condition: alarms.Between}
})

// partitionStatus warns of a status that is not good, but for what
// partitionZeroized covers.
var partitionStatus = ofPartitions("partition-status", func(_ Poll, x hsm.Partition) Result {
	worst, advice := worstPart(x.Status, hsm.PartZeroized, hsm.PartDecommissioned)
	switch {
	case worst > alarms.None:
		return here(alarms.Bad, worst, x, "status %s%s", x.Status, advice)
	case x.Status.Good():
		return here(alarms.Good, 0, x, "status %s", x.Status)
	}
	return Result{Condition: alarms.Between}
})

// wasInitialized reports whether a partition has what one that was never
// initialized has not.
func wasInitialized(x hsm.Partition) bool {
	return x.Label.Value != "" || x.ObjectCount.Value > 0 ||
		slices.ContainsFunc(x.Roles, func(r hsm.Role) bool { return !hsm.Is(r.Initialized, false) })
}
