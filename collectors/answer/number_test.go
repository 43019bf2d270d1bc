package answer

import (
	"testing"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestWhole: a number may have a remark behind it, and blanks or commas between its
// thousands; what may be a part of another number is refused.
func TestWhole(t *testing.T) {
	for _, c := range []struct {
		text string
		want hsm.Opt[int64]
	}{
		{"10", hsm.Some[int64](10)},
		{"10 before HSM zeroization!", hsm.Some[int64](10)},
		{"2,097,152", hsm.Some[int64](2097152)},
		{"2 097 152", hsm.Some[int64](2097152)},
		{"2\u00a0097\u00a0152", hsm.Some[int64](2097152)},
		{"2\u202f097\u202f152 bytes", hsm.Some[int64](2097152)},
		{"2'097'152", hsm.Some[int64](2097152)},
		{"160 sec (default)", hsm.Some[int64](160)},
		{"2 097 15", hsm.Opt[int64]{}},
		{"2 0971", hsm.Opt[int64]{}},
		{"2097 152", hsm.Opt[int64]{}},
		{"2,097 152", hsm.Opt[int64]{}},
		{"2.097.152", hsm.Opt[int64]{}},
		{"", hsm.Opt[int64]{}},
		{"Unknown", hsm.Opt[int64]{}},
	} {
		var got hsm.Opt[int64]
		if ok := Whole(&got, Clean(c.text)); ok != c.want.Known || got != c.want {
			t.Errorf("%q: %+v, want %+v", c.text, got, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	for text, want := range map[string]uint64{"3 591": 3591, "12,041,170,000": 12041170000, "7": 7} {
		if got, ok := Count(text); !ok || got != want {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"3 59", "3 5910", "35 910 1", "3  591", "-1", "1 000,000"} {
		if got, ok := Count(text); ok {
			t.Errorf("%q: %d", text, got)
		}
	}
}
