package rules

import (
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/expect"
	"github.com/lunawatch/lunawatch/hsm"
)

func TestInventory(t *testing.T) {
	want := expect.Device{Serial: "1234", Firmware: "7.2.0", Partitions: []string{"app", "1002"}, Activated: []string{"pay"}, Members: map[string][]string{"g": {"11", "12"}}}
	s := DefaultThresholds()
	s.Expected = map[string]expect.Device{"a": want}
	emitted := func(r Rule, d *hsm.Device) (list []string) {
		d.Name = "a"
		r.Evaluate(Poll{Device: d, Now: alarmstest.At(10), Thresholds: s}, func(o Result) {
			if !o.All {
				list = append(list, map[alarms.Condition]string{alarms.Good: "good ", alarms.Between: "between ", alarms.Bad: "bad "}[o.Condition]+o.Object)
			}
		})
		return list
	}
	alarmstest.Same(t, "as it should be", []string{"good serial", "good firmware"}, emitted(inventory, show(hsm.Show{Serial: "1234", Firmware: "7.2.0"})))
	alarmstest.Same(t, "another one", []string{"bad serial", "between firmware"}, emitted(inventory, show(hsm.Show{Serial: "1235"})))
	alarmstest.Same(t, "not read", nil, emitted(inventory, &hsm.Device{}))
	partitions := func(list ...hsm.Partition) *hsm.Device { return &hsm.Device{Partitions: alarmstest.Read(list)} }
	alarmstest.Same(t, "partitions", []string{"good pay", "good app", "good 1002"}, emitted(inventoryPartitions,
		partitions(hsm.Partition{Name: "app"}, hsm.Partition{Serial: "1002"}, hsm.Partition{Label: hsm.Some("pay"), Activated: hsm.Some(true)})))
	alarmstest.Same(t, "partitions that are wrong", []string{"bad pay", "bad app", "good 1002"}, emitted(inventoryPartitions,
		partitions(hsm.Partition{Serial: "1002"}, hsm.Partition{Name: "pay", Activated: hsm.Some(false)})))
	alarmstest.Same(t, "activation not stated", []string{"between pay", "bad app", "bad 1002"}, emitted(inventoryPartitions, partitions(hsm.Partition{Name: "pay"})))
	g := hsm.HAGroupState{Label: "g", Members: []hsm.HAMemberState{{Serial: "11"}}}
	alarmstest.Same(t, "members", []string{"good g/11", "bad g/12"}, emitted(inventoryMembers, ha(g)))
	alarmstest.Same(t, "no group", []string{"bad g/11", "bad g/12"}, emitted(inventoryMembers, ha()))
}

// TestDeactivatedOnce: a partition that is expected to be activated is one
// alarm, not two.
func TestDeactivatedOnce(t *testing.T) {
	limits := DefaultThresholds()
	limits.Expected = map[string]expect.Device{"a": {Activated: []string{"pay"}}}
	watchLooks(t, limits,
		look{0, partitionsOf(activated("1", true)), nil},
		look{60, partitionsOf(activated("1", false)), []string{"raised major a/inventory-partition/pay"}},
	)
}
