package near

import "testing"

func TestName(t *testing.T) {
	all := []string{"status", "alarms list", "alarms silence", "alarms silences", "battery", "temp-warn", "luna-a", "luna-b", "é"}
	for what, want := range map[string]string{
		"statsu":         "status", // two letters change places
		"stat":           "",       // two are missing, and a third of four is one
		"sttus":          "status",
		"alarm list":     "alarms list",
		"alarms silense": "alarms silence",
		"batery":         "battery",
		"BATTERY":        "battery", // case is no distance
		"temp_wran":      "temp-warn",
		"luna-c":         "luna-a", // the first of the equally near
		"x":              "é",      // at least 1, in letters and not in bytes
		"nothing":        "",
		"":               "",
	} {
		if got := Name(what, all); got != want {
			t.Errorf("%q: %q, want %q", what, got, want)
		}
	}
	if got := Name("a", nil); got != "" {
		t.Errorf("of none: %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "", 3}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abcd", "badc", 2}, {"kitten", "sitting", 3}, {"ca", "abc", 3},
	} {
		if got := distance([]rune(x.a), []rune(x.b)); got != x.want {
			t.Errorf("%q, %q: %d, want %d", x.a, x.b, got, x.want)
		}
	}
}
