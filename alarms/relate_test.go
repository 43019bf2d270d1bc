package alarms_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

func TestCauses(t *testing.T) {
	active := make(map[alarms.Key]alarms.Alarm)
	add := func(device, group, object string, s alarms.Severity, second int) alarms.Key {
		k := alarms.Key{Device: device, Group: group, Object: object}
		active[k] = alarms.Alarm{Key: k, Severity: s, Raised: alarmstest.At(second)}
		return k
	}
	tamper := add("a", "hard-ht", "", alarms.Critical, 1000)
	locked := add("a", "lock", "", alarms.Critical, 1010)
	partition := add("a", "activation", "", alarms.Major, 1020)
	add("a", "ntls", "", alarms.Critical, 100) // long before
	ntls := add("b", "ntls", "", alarms.Critical, 1000)
	dead := add("b", "unreachable", "", alarms.Major, 1000) // milder than ntls
	stale := add("b", "data-stale", "show", alarms.Warning, 1000)
	child := add("c", "unreachable", "", alarms.Major, 1000)
	add("d", "unreachable", "", alarms.Major, 1000)
	other := add("e", "hard", "k7pf1", alarms.Critical, 0)
	add("e", "lock", "", alarms.Critical, 10) // another card
	same := add("e", "lock", "k7pf1", alarms.Critical, 10)
	soft := add("f", "soft-t", "", alarms.Critical, 950) // it got worse
	hard := add("f", "hard-ht", "", alarms.Critical, 1000)
	want := map[alarms.Key]alarms.Key{soft: hard, locked: tamper, partition: tamper, stale: dead, child: dead, same: other}
	got := make(map[alarms.Key]alarms.Key)
	for k, a := range active {
		if cause, ok := alarms.CauseOf(a, &alarms.Overlay[alarms.Alarm]{Base: active}, func(device string) string { return map[string]string{"c": "b"}[device] }); ok {
			got[k] = cause
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_ = ntls
}

// TestConsequences holds causes together: known groups, and no circles.
func TestConsequences(t *testing.T) {
	known := func(name string) bool {
		return slices.ContainsFunc(alarms.Groups(), func(g alarms.Group) bool { return g.Name == name })
	}
	by := make(map[string][]string)
	for _, g := range alarms.Groups() {
		for _, name := range slices.Concat(g.Causes, g.ParentCauses) {
			if !known(name) {
				t.Errorf("%s: %q is not a group", g.Name, name)
			}
		}
		if by[g.Name] != nil {
			t.Errorf("%s is listed twice", g.Name)
		}
		by[g.Name] = g.Causes
	}
	var walk func(name string, path []string)
	walk = func(name string, path []string) {
		if slices.Contains(path, name) {
			t.Errorf("%s explains itself: %v", name, path)
			return
		}
		for _, cause := range by[name] {
			walk(cause, append(slices.Clip(path), name))
		}
	}
	for name := range by {
		walk(name, nil)
	}
}

// TestEveryGroupIsClassified needs X.733's terms for each group.
func TestEveryGroupIsClassified(t *testing.T) {
	for _, g := range alarms.Groups() {
		if g.Type == "" || g.Type == "other" && g.Name != "test" && g.Name != "fwupd" || g.Cause == "" {
			t.Errorf("%s: %s, %s", g.Name, g.Type, g.Cause)
		}
	}
}
