package managers

import (
	"slices"
	"strings"
	"testing"
)

// TestCompared: what a recorded walk and a real one must share.
func TestCompared(t *testing.T) {
	battery, threshold := oid("lunaHsmBattery")+".6.108", oid("lunaHsmBatteryThreshold")+".6.108"
	name := ".1.3.6.1.2.1.47.1.1.1.1.7.266004"
	walk := battery + " = INTEGER: 3081\n" + threshold + " = INTEGER: 2750\n" + name + ` = STRING: "luna72 Battery Voltage"` + "\n"
	for change, same := range map[[2]string]bool{
		{"3081", "3080"}: true, {"266004", "266014"}: true, // what is measured, and the number of a part
		{"INTEGER: 3081", "Gauge32: 3081"}: false, {"2750", "2751"}: false, {"Battery V", "V"}: false, {battery + " = INTEGER: 3081\n", ""}: false,
	} {
		if got := slices.Equal(compared(walk), compared(strings.Replace(walk, change[0], change[1], 1))); got != same {
			t.Errorf("%q for %q: the same: %t", change[1], change[0], got)
		}
	}
}
