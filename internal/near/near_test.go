package near

import "testing"

func TestName(t *testing.T) {
	all := []string{"battery", "ha-member", "hsm-silent", "unreachable", "fan", "fans", "fat"}
	for what, want := range map[string]string{
		"batery":      "battery", // left out
		"batteryy":    "battery", // inserted
		"bettery":     "battery", // replaced
		"abttery":     "battery", // exchanged
		"ha-memebrs":  "ha-member",
		"unreacheble": "unreachable",
		"fan":         "fan",
		"fam":         "fan", // and not fans
		"fn":          "",    // a third of two letters is none
		"nothing":     "",
		"":            "",
		"battéry":     "battery", // by letters, not bytes
		"éat":         "fat",
	} {
		if got := Name(what, all); got != want {
			t.Errorf("%q is near %q, want %q", what, got, want)
		}
	}
	if got := Name("fan", nil); got != "" {
		t.Errorf("%q of none", got)
	}
}

// TestDistance has the same both ways.
func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abcd", "badc", 2}, {"ca", "abc", 3}} {
		if ab, ba := distance([]rune(c.a), []rune(c.b)), distance([]rune(c.b), []rune(c.a)); ab != c.want || ba != c.want {
			t.Errorf("%q, %q: %d and %d, want %d", c.a, c.b, ab, ba, c.want)
		}
	}
}
