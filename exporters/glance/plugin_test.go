package glance

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

func only(e Estate, name string) Estate {
	for _, r := range e.Rows {
		if r.Name == name {
			e.Rows = []Row{r}
		}
	}
	return e
}

func limits(t *testing.T, list ...string) Limits {
	t.Helper()
	l := Limits{}
	for _, s := range list {
		if err := l.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

const values = "age=12s;;;0 alarms=%;;;0 battery=3.072;2.75:;2.5:;0 temperature=41;~:75;~:80 utilization=12.3%;~:90;;0;100 storage=25%;~:90;;0;100"

// TestNagios: what a plugin prints of one device, and its exit code.
func TestNagios(t *testing.T) {
	for _, x := range []struct {
		name              string
		warning, critical Limits
		state             State
		want              string
	}{
		{"a", nil, nil, OK, "LUNA OK - a: no alarm is active | " + strings.Replace(values, "%", "0", 1)},
		{"b", nil, nil, Warning, "LUNA WARNING - b: (acknowledged) card at 76 C (+1) | " + strings.Replace(values, "%", "2", 1)},
		{"c", nil, nil, Critical, "LUNA CRITICAL - c: HSM zeroized?[2J | " + strings.Replace(values, "%", "1", 1)},
		{"dead", nil, nil, Unknown, "LUNA UNKNOWN - dead: hsm show: no answer: dial: i/o timeout | age=3600s;;;0 alarms=1;;;0"},
		{"new", nil, nil, Unknown, "LUNA UNKNOWN - new: not read | alarms=0;;;0"},
		{"partly", nil, nil, Unknown, "LUNA UNKNOWN - partly: stale: sensors | age=60s"}, // stale is never ok
		{"bare", nil, nil, OK, "LUNA OK - bare: no alarm is active | age=1s;;;0 alarms=0;;;0"},
		{"bare", limits(t, "battery=2.8:"), nil, Unknown, "LUNA UNKNOWN - bare: battery is not known |"},
		{"a", limits(t, "temperature=40"), nil, Warning, "LUNA WARNING - a: temperature is 41 | age=12s;;;0 alarms=0;;;0 battery=3.072;2.75:;2.5:;0 temperature=41;40 "},
		{"a", limits(t, "temperature=30"), limits(t, "temperature=40", "utilization=@10:20"), Critical, "LUNA CRITICAL - a: temperature is 41; utilization is 12.3% |"},
		{"a", limits(t, "battery=3:"), limits(t, "battery=2.8:"), OK, "LUNA OK - a: no alarm is active | age=12s;;;0 alarms=0;;;0 battery=3.072;3:;2.8:;0 "},
	} {
		var b strings.Builder
		c := Check{Rules: rules.DefaultThresholds(), Warning: x.warning, Critical: x.critical}
		state := c.Nagios(&b, only(estate(), x.name))
		if state != x.state || !strings.HasPrefix(b.String(), x.want) || strings.Count(b.String(), "\n") != 1 {
			t.Errorf("%s: %s\n%swant %s\n%s", x.name, state, &b, x.state, x.want)
		}
	}
}

// TestNagiosOfAll: the first line has the worst, the others all that are not well.
func TestNagiosOfAll(t *testing.T) {
	var b strings.Builder
	state := Check{Rules: rules.DefaultThresholds()}.Nagios(&b, estate())
	want := `LUNA CRITICAL - 3 of 9 are ok; c: HSM zeroized?[2J | devices=9;;;0 ok=3;;;0 warning=1;;;0 critical=2;;;0 unknown=3;;;0
CRITICAL c: HSM zeroized?[2J
CRITICAL lunawatch: noc takes nothing
UNKNOWN dead: hsm show: no answer: dial: i/o timeout
UNKNOWN new: not read
UNKNOWN partly: stale: sensors
WARNING b: (acknowledged) card at 76 C (+1)
`
	if diff := cmp.Diff(want, b.String()); diff != "" || state != Critical {
		t.Errorf("%s: %s", state, diff)
	}
	b.Reset()
	if state := (Check{}).Nagios(&b, Of(&hsm.Snapshot{}, nil, noon)); state != Unknown || !strings.HasPrefix(b.String(), "LUNA UNKNOWN - no HSM is watched |") {
		t.Errorf("of none: %s, %s", state, &b)
	}
}

var perfdatum = regexp.MustCompile(`^[a-z_]+=-?[0-9.]+(s|%|)(;[-0-9.~:@]*){0,4}$`)

// TestTenantNames: what a tenant chose to be in a text ends neither the text of a plugin
// nor its line, and adds no performance data.
func TestTenantNames(t *testing.T) {
	name := "p|a=9999 \n0 Luna_other - fine\x1b[2J"
	s := &hsm.Snapshot{Devices: []*hsm.Device{network("a", time.Second)}}
	e := Of(s, []alarms.Active{alarm("a", "partition-storage", alarms.Minor, name+" is full", time.Minute)}, noon)
	var nagios, checkmk strings.Builder
	c := Check{Rules: rules.DefaultThresholds()}
	c.Nagios(&nagios, e)
	c.Checkmk(&checkmk, e)
	_, data, _ := strings.Cut(strings.TrimSuffix(nagios.String(), "\n"), " | ")
	for d := range strings.FieldsSeq(data) {
		if !perfdatum.MatchString(d) {
			t.Errorf("%q is no performance data", d)
		}
	}
	for format, text := range map[string]string{"nagios": nagios.String(), "checkmk": checkmk.String()} {
		if strings.Count(text, "\n") != 1 || !strings.Contains(text, "p/a=9999 ?0 Luna_other - fine?[2J is full") {
			t.Errorf("%s: %q", format, text)
		}
	}
}

func TestCheckmk(t *testing.T) {
	var b strings.Builder
	e := estate()
	e.Rows = e.Rows[:3]
	e.Rows[1].Name = `my "hsm"`
	Check{Rules: rules.DefaultThresholds(), Warning: limits(t, "temperature=10:60")}.Checkmk(&b, e)
	want := `2 Luna_c age=12;;;0|alarms=1;;;0|battery=3.072;;;0|temperature=41;10:60|utilization=12.3;90;;0;100|storage=25;90;;0;100 HSM zeroized?[2J
2 Luna_my__hsm_ alarms=1;;;0 noc takes nothing
3 Luna_dead age=3600;;;0|alarms=1;;;0 hsm show: no answer: dial: i/o timeout; temperature is not known
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestParseRange(t *testing.T) {
	for _, x := range []struct {
		text   string
		raises []float64
		not    []float64
	}{
		{"10", []float64{-1, 10.5}, []float64{0, 5, 10}},
		{"10:", []float64{9.9}, []float64{10, 1e9}},
		{"~:10", []float64{10.1}, []float64{-1e9, 10}},
		{"10:20", []float64{9, 21}, []float64{10, 15, 20}},
		{"@10:20", []float64{10, 15, 20}, []float64{9, 21}},
		{"2.75:", []float64{2.7}, []float64{2.75}},
	} {
		r, err := ParseRange(x.text)
		if err != nil || r.String() != x.text {
			t.Errorf("%s: %q, %v", x.text, r, err)
		}
		for _, v := range x.raises {
			if !r.raises(v) {
				t.Errorf("%s does not raise at %v", x.text, v)
			}
		}
		for _, v := range x.not {
			if r.raises(v) {
				t.Errorf("%s raises at %v", x.text, v)
			}
		}
	}
	for _, bad := range []string{"", "x", "20:10", "1:2:3", "NaN", "@", "5%", "~", ":x"} {
		if r, err := ParseRange(bad); err == nil {
			t.Errorf("%q is %+v", bad, r)
		}
	}
	for text, want := range map[string]string{"batery=3": `did you mean "battery"?`, "volume=3": "there are: age, alarms", "battery": "is no MEASURE=RANGE", "battery=low": "is not a range"} {
		if err := (Limits{}).Set(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
