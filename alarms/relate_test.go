package alarms

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCauses(t *testing.T) {
	active := make(map[Key]Alarm)
	add := func(device, group, object string, s Severity, second int) Key {
		k := Key{Device: device, Group: group, Object: object}
		active[k] = Alarm{Key: k, Severity: s, Raised: at(second)}
		return k
	}
	tamper := add("a", "hard-ht", "", Critical, 1000)
	locked := add("a", "lock", "", Critical, 1010)
	partition := add("a", "activation", "", Major, 1020)
	add("a", "ntls", "", Critical, 100) // long before
	ntls := add("b", "ntls", "", Critical, 1000)
	dead := add("b", "unreachable", "", Major, 1000) // milder than ntls
	stale := add("b", "data-stale", "show", Warning, 1000)
	child := add("c", "unreachable", "", Major, 1000)
	add("d", "unreachable", "", Major, 1000)
	other := add("e", "hard", "k7pf1", Critical, 0)
	add("e", "lock", "", Critical, 10) // another card
	own := add("e", "lock", "k7pf1", Critical, 10)
	soft := add("f", "soft-t", "", Critical, 950) // it got worse
	hard := add("f", "hard-ht", "", Critical, 1000)
	want := map[Key]Key{soft: hard, locked: tamper, partition: tamper, stale: dead, child: dead, own: other}
	got := make(map[Key]Key)
	for k, a := range active {
		if cause, ok := causeOf(a, &overlay[Alarm]{base: active}, func(device string) string { return map[string]string{"c": "b"}[device] }); ok {
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
		return slices.ContainsFunc(Groups(), func(g Group) bool { return g.Name == name })
	}
	by := make(map[string][]string)
	for _, g := range Groups() {
		for _, name := range slices.Concat(g.causes, g.parentCauses) {
			if !known(name) {
				t.Errorf("%s: %q is no group", g.Name, name)
			}
		}
		if by[g.Name] != nil {
			t.Errorf("%s is there twice", g.Name)
		}
		by[g.Name] = g.causes
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
	for _, g := range Groups() {
		if g.Type == "" || g.Type == "other" && g.Name != "test" && g.Name != "fwupd" || g.Cause == "" {
			t.Errorf("%s: %s, %s", g.Name, g.Type, g.Cause)
		}
	}
}
