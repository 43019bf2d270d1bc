package act

import (
	"maps"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
)

// TestSilenceOf: a name in a form selects that name only, also if it is a pattern, and a
// pattern what it matches.
func TestSilenceOf(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	alarm := func(device, group, object string) alarms.Alarm {
		return alarms.Alarm{Key: alarms.Key{Device: device, Group: group, Object: object}, Severity: alarms.Major}
	}
	one, other := alarm("a", "fan", `*?[x]\`), alarm("a", "fan", `1?[x]\`)
	hsm, kind := alarm("a", "battery", ""), alarm("b", "fan", "1")
	names := url.Values{"hsm": {"a"}, "group": {"fan"}, "object": {`*?[x]\`}}
	with := func(key, value string) url.Values {
		form := url.Values{key: {value}}
		maps.Copy(form, names)
		return form
	}
	for name, x := range map[string]struct {
		form url.Values
		want []bool // of one, other, hsm, kind
	}{
		"this one":    {names, []bool{true, false, false, false}},
		"all of it":   {with("of", "hsm"), []bool{true, true, true, false}},
		"this kind":   {with("of", "group"), []bool{true, true, false, true}},
		"patterns":    {url.Values{"hsms": {"a, c*"}, "groups": {"f*"}}, []bool{true, true, false, false}},
		"too severe":  {url.Values{"hsms": {"a"}, "severity": {"minor"}}, []bool{false, false, false, false}},
		"from then":   {url.Values{"hsms": {"a"}, "from": {"2026-03-02T22:00"}}, []bool{true, true, true, false}},
		"severe ones": {url.Values{"severity": {"major"}}, []bool{true, true, true, true}},
	} {
		x.form.Set("for", "4h0m0s")
		s, err := SilenceOf(x.form, "anna", now)
		var got []bool
		for _, a := range []alarms.Alarm{one, other, hsm, kind} {
			got = append(got, s.Covers(a))
		}
		if err != nil || !cmp.Equal(got, x.want) || s.Until.Sub(s.From) != 4*time.Hour || s.Author != "anna" {
			t.Errorf("%s: %v %v %+v", name, err, got, s)
		}
		if name == "from then" && s.From.Format(time.RFC3339) != "2026-03-02T22:00:00+01:00" {
			t.Errorf("begins %s", s.From)
		}
	}
	for _, form := range []url.Values{{}, {"for": {"5h"}}, {"for": {"-4h0m0s"}}, {"for": {"1h0m0s"}, "severity": {"bad"}}, {"for": {"1h0m0s"}, "from": {"soon"}}, {"for": {"1h0m0s"}, "every": {"year"}}} {
		if s, err := SilenceOf(form, "anna", now); err == nil {
			t.Errorf("%v: %+v", form, s)
		}
	}
}
