package glance

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/near"
)

// A measure is a number of a device that a plugin reports, with the ranges in which it
// is well.
type measure struct {
	name, what        string
	way                      // from the source to the views; zero: it is read of no section
	unit              string // of performance data: s, %, or none
	min, max          string
	value             func(Row, Estate) hsm.Opt[float64]
	warning, critical func(rules.Thresholds, Row) Range // of the agent's rules
}

// none is the range of a measure that no rule judges.
func none(rules.Thresholds, Row) Range { return Range{} }

// measures are all there are, in the order of performance data.
var measures = []measure{
	{"age", "age of the newest value, in seconds", way{}, "s", "0", "", func(r Row, e Estate) hsm.Opt[float64] {
		return hsm.Opt[float64]{Value: math.Round(e.At.Sub(r.Newest).Seconds()), Known: !r.Newest.IsZero()}
	}, none, none},
	{"alarms", "active alarms", way{}, "", "0", "", func(r Row, _ Estate) hsm.Opt[float64] { return hsm.Some(float64(r.Alarms)) }, none, none},
	{"battery", "of the card, in volts", batteryWay, "", "0", "", func(r Row, _ Estate) hsm.Opt[float64] { return r.Battery },
		func(_ rules.Thresholds, r Row) Range { return atLeast(r.BatteryLow.Value) }, func(rules.Thresholds, Row) Range { return atLeast(rules.BatteryDepleted) }},
	{"temperature", "of the card, in degrees Celsius", temperatureWay, "", "", "", func(r Row, _ Estate) hsm.Opt[float64] { return r.Temperature },
		func(_ rules.Thresholds, r Row) Range { return atMost(r.TemperatureHigh.Value) }, func(rules.Thresholds, Row) Range { return atMost(rules.TemperatureStops) }},
	{"utilization", "of the HSM in the last interval, in percent", utilizationWay, "%", "0", "100", func(r Row, _ Estate) hsm.Opt[float64] { return percent(r.Utilization) },
		func(t rules.Thresholds, _ Row) Range { return ratio(t.UtilizationRatio) }, none},
	{"storage", "used part of the HSM's storage, in percent", storageWay, "%", "0", "100", func(r Row, _ Estate) hsm.Opt[float64] { return percent(r.Storage) },
		func(t rules.Thresholds, _ Row) Range { return ratio(t.StorageRatio) }, none},
	{"so_logins_left", "SO logins that may fail before the HSM erases itself", soLoginsWay, "", "0", "", func(r Row, _ Estate) hsm.Opt[float64] {
		return hsm.Opt[float64]{Value: float64(r.SOLogins.Value), Known: r.SOLogins.Known}
	}, soLogins, none},
}

func percent(o hsm.Opt[float64]) hsm.Opt[float64] {
	o.Value = math.Round(1e4*o.Value) / 100
	return o
}

// soLogins is the range from the attempts below which there is an alarm; 0: there is none.
func soLogins(t rules.Thresholds, _ Row) Range {
	if t.SOLoginAttempts == 0 {
		return Range{}
	}
	return atLeast(float64(t.SOLoginAttempts))
}

// ratio is the range up to a ratio in percent; 0: there is none.
func ratio(r float64) Range {
	if r == 0 {
		return Range{}
	}
	return atMost(100 * r)
}

// Measures returns the name of each measure, and what it is.
func Measures() (list [][2]string) {
	for _, m := range measures {
		list = append(list, [2]string{m.name, m.what})
	}
	return list
}

func measureNames() (names []string) {
	for _, m := range measures {
		names = append(names, m.name)
	}
	return names
}

// A Range is one of the Monitoring Plugins: a value outside it, or with @ inside it,
// raises. The zero Range raises nothing.
type Range struct {
	Low, High float64
	Inside    bool
	Set       bool
}

func atLeast(low float64) Range { return Range{Low: low, High: math.Inf(1), Set: true} }
func atMost(high float64) Range { return Range{Low: math.Inf(-1), High: high, Set: true} }

// ParseRange reads 10 (0 to 10), 10: (10 or more), ~:10 (10 or less), 10:20 and @10:20.
func ParseRange(s string) (Range, error) {
	text, inside := strings.CutPrefix(s, "@")
	low, high, both := strings.Cut(text, ":")
	if !both {
		low, high = "0", text
	}
	r := Range{Low: math.Inf(-1), High: math.Inf(1), Inside: inside, Set: true}
	var errs [2]error
	if low != "~" {
		r.Low, errs[0] = strconv.ParseFloat(cmp.Or(low, "0"), 64)
	}
	if high != "" || !both {
		r.High, errs[1] = strconv.ParseFloat(high, 64)
	}
	if errs[0] != nil || errs[1] != nil || !(r.Low <= r.High) {
		return Range{}, fmt.Errorf("%q is not a range such as 10, 10:, ~:10, 10:20 or @10:20", s)
	}
	return r, nil
}

// String returns r as the Monitoring Plugins write it; "" for the zero Range.
func (r Range) String() string {
	if !r.Set {
		return ""
	}
	text := map[bool]string{true: "@"}[r.Inside]
	switch {
	case math.IsInf(r.Low, -1):
		text += "~:"
	case r.Low != 0 || math.IsInf(r.High, 1):
		text += number(r.Low) + ":"
	}
	if math.IsInf(r.High, 1) {
		return text
	}
	return text + number(r.High)
}

// raises reports whether v is where it should not be.
func (r Range) raises(v float64) bool {
	return r.Set && (v >= r.Low && v <= r.High) == r.Inside
}

// number writes v without an exponent.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Limits are ranges by the name of a measure.
type Limits map[string]Range

// Set reads MEASURE=RANGE, for the flag package.
func (l Limits) Set(s string) error {
	name, text, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("%q is no MEASURE=RANGE such as battery=2.8: or temperature=60", s)
	}
	if !slices.Contains(measureNames(), name) {
		if meant := near.Name(name, measureNames()); meant != "" {
			return fmt.Errorf("%q is not a measure; did you mean %q?", name, meant)
		}
		return fmt.Errorf("%q is not a measure; there are: %s", name, strings.Join(measureNames(), ", "))
	}
	r, err := ParseRange(text)
	l[name] = r
	return err
}

// String returns l as it is typed.
func (l Limits) String() string {
	var parts []string
	for _, name := range measureNames() {
		if r := l[name]; r.Set {
			parts = append(parts, name+"="+r.String())
		}
	}
	return strings.Join(parts, " ")
}

// A Check is what a plugin judges devices by, beside their alarms.
type Check struct {
	Rules             rules.Thresholds // the agent's; they are reported, and their alarms judge
	Warning, Critical Limits           // own ones, which judge
}

// A verdict is what a plugin says of one device.
type verdict struct {
	row   Row
	state State
	text  string
	data  []datum
}

// A datum is one value of performance data.
type datum struct {
	measure
	read       string
	warn, crit Range
}

// judge returns what c says of a device. Stale data is unknown, never ok; so is a value
// that has a limit of its own and is not known.
func (c Check) judge(r Row, e Estate) verdict {
	v := verdict{row: r, state: r.State, text: r.reason()}
	var reasons []string
	if len(r.Stale) > 0 && v.state != Critical {
		v.state = Unknown
	}
	for _, m := range measures {
		own, ownCritical := c.Warning[m.name], c.Critical[m.name]
		o := m.value(r, e)
		state := OK
		switch {
		case !o.Known && r.isHSM() && (own.Set || ownCritical.Set):
			state = Unknown
			reasons = append(reasons, m.name+" is not known")
		case !o.Known:
		case ownCritical.raises(o.Value):
			state = Critical
		case own.raises(o.Value):
			state = Warning
		}
		if state == Critical || state == Warning {
			reasons = append(reasons, fmt.Sprintf("%s is %s%s", m.name, number(o.Value), m.unit))
		}
		v.state = worse(v.state, state)
		if o.Known {
			d := datum{measure: m, read: number(o.Value), warn: own, crit: ownCritical}
			if !own.Set && !ownCritical.Set {
				d.warn, d.crit = m.warning(c.Rules, v.row), m.critical(c.Rules, v.row)
			}
			v.data = append(v.data, d)
		}
	}
	if v.text != "" {
		reasons = append([]string{v.text}, reasons...)
	}
	v.text = clean(cmp.Or(strings.Join(reasons, "; "), "no alarm is active"))
	return v
}

// clean returns s without what ends the text of a plugin: |, newlines, and what
// terminals do not print.
func clean(s string) string { return strings.ReplaceAll(exporters.Plain(s), "|", "/") }

// Nagios prints the output of a plugin for all rows of e, and returns its exit code. The
// performance data of several devices are how many of them there are in each state.
func (c Check) Nagios(w io.Writer, e Estate) State {
	var all []verdict
	state := Unknown
	for i, r := range e.Rows {
		v := c.judge(r, e)
		if all = append(all, v); i == 0 {
			state = v.state
		}
		state = worse(state, v.state)
	}
	if len(all) == 1 {
		v := all[0]
		fmt.Fprintf(w, "LUNA %s - %s: %s | %s\n", strings.ToUpper(v.state.String()), clean(v.row.Name), v.text, v.perfdata())
		return v.state
	}
	slices.SortStableFunc(all, func(a, b verdict) int { return cmp.Compare(badness[b.state], badness[a.state]) })
	var count [4]int
	for _, v := range all {
		count[v.state]++
	}
	text := "no HSM is watched"
	if len(all) > 0 {
		text = fmt.Sprintf("%d of %d are ok", count[OK], len(all))
	}
	if len(all) > 0 && state != OK {
		text += fmt.Sprintf("; %s: %s", clean(all[0].row.Name), all[0].text)
	}
	fmt.Fprintf(w, "LUNA %s - %s | devices=%d;;;0 ok=%d;;;0 warning=%d;;;0 critical=%d;;;0 unknown=%d;;;0\n",
		strings.ToUpper(state.String()), text, len(all), count[OK], count[Warning], count[Critical], count[Unknown])
	for _, v := range all {
		if v.state != OK {
			fmt.Fprintf(w, "%s %s: %s\n", strings.ToUpper(v.state.String()), clean(v.row.Name), v.text)
		}
	}
	return state
}

func (v verdict) perfdata() string {
	var parts []string
	for _, d := range v.data {
		parts = append(parts, strings.TrimRight(fmt.Sprintf("%s=%s%s;%s;%s;%s;%s", d.name, d.read, d.unit, d.warn, d.crit, d.min, d.max), ";"))
	}
	return strings.Join(parts, " ")
}

// Checkmk prints a line of a local check of Checkmk for each row of e: a service with the
// name of the device. Checkmk takes no unit, and limits only where both ends or the upper
// one is set.
func (c Check) Checkmk(w io.Writer, e Estate) {
	for _, r := range e.Rows {
		v := c.judge(r, e)
		var parts []string
		for _, d := range v.data {
			parts = append(parts, strings.TrimRight(fmt.Sprintf("%s=%s;%s;%s;%s;%s", d.name, d.read, levels(d.warn), levels(d.crit), d.min, d.max), ";"))
		}
		service := strings.NewReplacer(`"`, "_", " ", "_").Replace("Luna_" + clean(r.Name))
		fmt.Fprintf(w, "%d %s %s %s\n", v.state, service, cmp.Or(strings.Join(parts, "|"), "-"), v.text)
	}
}

// NoAnswer prints why nothing is known.
func NoAnswer(w io.Writer, err error) { fmt.Fprintf(w, "LUNA UNKNOWN - %s\n", clean(err.Error())) }

// NoAnswerCheckmk is [NoAnswer] as a service of Checkmk: lunawatch itself.
func NoAnswerCheckmk(w io.Writer, err error) {
	fmt.Fprintf(w, "3 Luna_lunawatch - %s\n", clean(err.Error()))
}

// levels writes r as Checkmk reads levels; "": it has no form for it.
func levels(r Range) string {
	switch {
	case !r.Set || r.Inside || math.IsInf(r.High, 1):
		return ""
	case math.IsInf(r.Low, -1) || r.Low == 0:
		return number(r.High)
	}
	return number(r.Low) + ":" + number(r.High)
}
