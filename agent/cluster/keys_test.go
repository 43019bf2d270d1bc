package cluster

import "testing"

func TestKeys(t *testing.T) {
	for key, want := range map[string]place{
		"lunawatch/members/lw1":          {memberKey, 0, "lw1"},
		"lunawatch/owners/007":           {ownerKey, 7, ""},
		"lunawatch/moves/255":            {moveKey, 255, ""},
		"lunawatch/drain/lw2":            {drainKey, 0, "lw2"},
		"lunawatch/state/012/alarm/a/b":  {stateKey, 12, "alarm/a/b"},
		"lunawatch/state/all/silence/17": {stateKey, everybody, "silence/17"},
	} {
		if got, ok := parse("lunawatch/", key); !ok || got != want {
			t.Errorf("%s: %+v, %v", key, got, ok)
		}
		if got := want.key("lunawatch/"); got != key {
			t.Errorf("%+v: %s, want %s", want, got, key)
		}
	}
	for _, other := range []string{"", "lunawatch/", "other/members/lw1", "lunawatch/members/", "lunawatch/owners/256", "lunawatch/owners/7", "lunawatch/owners/-01", "lunawatch/state/x", "lunawatch/state/900/x", "lunawatch/later/x"} {
		if got, ok := parse("lunawatch/", other); ok {
			t.Errorf("%q is %+v", other, got)
		}
	}
}
