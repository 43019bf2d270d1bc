package rules

import (
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/expect"
	"github.com/lunawatch/lunawatch/hsm"
)

// firmwareOf is what hsm show states of a unit.
func firmwareOf(serial, firmware string) func(int, *hsm.Device) {
	return showOf(hsm.Show{Serial: serial, Firmware: firmware})
}

// policiesOf is what a source states of two policies that can be set, and of one that cannot.
func policiesOf(source, fips, pin string) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		d.Policies = alarmstest.ReadAt(second, hsm.Policies{Policies: []hsm.Policy{
			{Description: "PIN-based authentication", Value: "True"},
			{ID: hsm.Some[int64](12), Description: "Allow non-FIPS algorithms", Value: fips, Destructive: hsm.Some(true)},
			{ID: hsm.Some[int64](25), Description: "Minimum pin length", Value: pin, Destructive: hsm.Some(false)},
		}})
		d.Policies.Source = source
	}
}

// TestChanged: other firmware and another value of a policy are an alarm each, which ends
// by itself; nothing is compared with what another source or another unit has stated, and
// what expect.firmware judges is no second alarm.
func TestChanged(t *testing.T) {
	expecting := func(firmware string) Thresholds {
		limits := DefaultThresholds()
		limits.Expected = map[string]expect.Device{"a": {Firmware: firmware}}
		return limits
	}
	const cli, rest = "hsm showpolicies", "rest policies"
	stories := map[string]struct {
		limits Thresholds
		looks  []look
	}{
		"firmware": {DefaultThresholds(), []look{
			{0, firmwareOf("70001", "7.4.0"), nil},
			{60, firmwareOf("70001", ""), nil},
			{120, firmwareOf("70001", "7.7.1"), []string{"raised warning a/hsm-changed/firmware"}},
			{180, firmwareOf("70001", "7.7.1"), nil},
			{90_000, firmwareOf("70001", "7.7.1"), []string{"cleared warning a/hsm-changed/firmware"}},
			{90_060, firmwareOf("70001", "7.4.0"), []string{"raised warning a/hsm-changed/firmware"}},
		}},
		"firmware of another unit": {DefaultThresholds(), []look{
			{0, firmwareOf("70001", "7.4.0"), nil},
			{60, firmwareOf("70002", "7.7.1"), []string{"raised major a/unit-replaced"}},
			{120, firmwareOf("70002", "7.7.1"), nil},
		}},
		"firmware that is not the expected one": {expecting("7.4.0"), []look{
			{0, firmwareOf("70001", "7.4.0"), nil},
			{60, firmwareOf("70001", "7.7.1"), []string{"raised major a/inventory/firmware"}},
		}},
		"firmware that becomes the expected one": {expecting("7.7.1"), []look{
			{0, firmwareOf("70001", "7.4.0"), []string{"raised major a/inventory/firmware"}},
			{60, firmwareOf("70001", "7.7.1"), []string{"raised warning a/hsm-changed/firmware", "cleared major a/inventory/firmware"}},
		}},
		"policies": {DefaultThresholds(), []look{
			{0, policiesOf(cli, "On", "8"), nil},
			{60, policiesOf(cli, "On", "9"), []string{"raised warning a/hsm-changed/policy 25"}},
			{120, policiesOf(cli, "Off", "9"), []string{"raised warning a/hsm-changed/policy 12"}},
			{180, policiesOf(cli, "off", "9"), nil},
		}},
		"policies by another source": {DefaultThresholds(), []look{
			{0, policiesOf(cli, "On", "8"), nil},
			{60, policiesOf(rest, "True", "8"), nil},
			{120, policiesOf(cli, "Off", "8"), []string{"raised warning a/hsm-changed/policy 12"}},
			{180, policiesOf(rest, "False", "8"), nil},
		}},
	}
	for name, s := range stories {
		t.Run(name, func(t *testing.T) { watchLooks(t, s.limits, s.looks...) })
	}
}

// TestChangedSays: what was before, and what is now.
func TestChangedSays(t *testing.T) {
	state := watchLooks(t, DefaultThresholds(),
		look{0, firmwareOf("70001", "7.4.0"), nil}, look{10, policiesOf("x", "On", "8"), nil},
		look{60, firmwareOf("70001", "7.7.1"), []string{"raised warning a/hsm-changed/firmware"}},
		look{120, policiesOf("x", "On", "9"), []string{"raised warning a/hsm-changed/policy 25"}})
	for object, want := range map[string]string{
		"firmware":  "firmware is 7.7.1, before 7.4.0",
		"policy 25": "policy 25 (Minimum pin length) is 9, before 8",
	} {
		if got := state.Active[alarms.Key{Device: "a", Group: "hsm-changed", Object: object}].Text; got != want {
			t.Errorf("%s: %q, want %q", object, got, want)
		}
	}
}
