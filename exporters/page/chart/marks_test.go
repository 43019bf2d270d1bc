package chart

import (
	"slices"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
)

// TestMarks: a chart is marked with the alarms of its quantity and with what changes the
// state of the HSM, and with no others.
func TestMarks(t *testing.T) {
	forecast := func(object string) alarms.Key { return alarms.Key{Group: "forecast", Object: object} }
	of := func(group string) alarms.Key { return alarms.Key{Group: group} }
	for _, test := range []struct {
		alarm  alarms.Key
		charts []string
	}{
		{of("battery"), []string{"battery_volts"}},
		{forecast("battery"), []string{"battery_volts"}},
		{forecast("hsm-storage"), []string{"storage_ratio"}},
		{forecast("log-disk"), nil},
		{of("fan"), []string{"temperature_celsius"}},
		{of("error-ratio"), []string{"errors_per_second"}},
		{of("comm"), []string{"answer_seconds"}},
		{of("ntls-certificate"), nil},
		{of("unreachable"), []string{"utilization_ratio", "operations_per_second", "errors_per_second", "temperature_celsius", "battery_volts", "storage_ratio", "answer_seconds", "probe_seconds", "probe_failed_ratio", "another"}},
		{of("probe-failed"), []string{"probe_seconds", "probe_failed_ratio"}},
	} {
		var got []string
		for _, d := range append(slices.Clone(drawings), DrawingOf("another")) {
			if d.Shows(test.alarm) {
				got = append(got, d.Name)
			}
		}
		if !slices.Equal(got, test.charts) {
			t.Errorf("%s is on the charts %v, want %v", test.alarm, got, test.charts)
		}
	}
}

// TestMarkedGroups: the groups of the table are those that there are.
func TestMarkedGroups(t *testing.T) {
	all := slices.Clone(stateChanges)
	for _, d := range drawings {
		all = append(all, d.groups...)
	}
	for _, name := range all {
		if !slices.ContainsFunc(alarms.Groups(), func(g alarms.Group) bool { return g.Name == name }) {
			t.Errorf("there is no group %q", name)
		}
	}
}
