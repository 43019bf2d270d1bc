package page

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/exporters/page/chart"
	"github.com/lunawatch/lunawatch/hsm"
)

// A section is a table of one part of a device, with its age.
type section struct {
	ID, Title, Source string
	Read              stamp
	Stale             bool
	Columns           []string
	Numbers           []string // columns that are right-aligned
	Rows              [][]string
	Empty             string // said in place of no rows
	Folded            bool
}

func tableOf[T any](id, title string, s hsm.Section[T], now time.Time, columns ...string) section {
	return section{ID: id, Title: title, Source: s.Source, Read: stampOf(s.At, now), Stale: !s.Fresh(now), Columns: columns, Empty: "none"}
}

// Number reports whether the column of a place is right-aligned.
func (s section) Number(column int) bool { return slices.Contains(s.Numbers, s.Columns[column]) }

// A devicePage is what the page of one device has beside its parts.
type devicePage struct {
	Name, ChartURL string
	Charts         []chart.Chart
	Zone           *time.Location
	History        bool // there is one
}

func (s *Site) deviceView(name string, m *moment) (view, bool) {
	i := slices.IndexFunc(m.estate.Rows, func(r glance.Row) bool { return r.Name == name })
	if i < 0 {
		return view{}, false
	}
	d := m.snapshot.Device(name)
	t := tileOf(m.estate.Rows[i], d, s.Thresholds(), m.now)
	if s.Days != nil {
		t.Days = chart.MonthOf(s.Days(name, m.now), m.now)
	}
	data := devicePage{Name: name, ChartURL: t.Href + "/chart.json", Zone: m.now.Location(), History: s.Series != nil}
	of := func(a alarms.Active) bool { return a.Device == name }
	v := view{Title: name, Nav: "estate", Template: "page-hsm", Parts: []part{
		{ID: "state", Group: "state", Template: "hsm-state", Data: t},
		{ID: "active", Group: "alarms", Template: "alarms", Data: m.alarms.list(of, mostListed, m.now)},
		{ID: "past", Group: "past", Template: "past", Data: m.alarms.history(func(a alarms.Alarm) bool { return a.Device == name }, mostListed, m.now)},
	}}
	if d != nil {
		v.Parts = append(v.Parts, part{ID: "lines", Group: "lines", Template: "lines", Data: m.alarms.lines(name, m.now)})
		if s.Series != nil {
			data.Charts = s.charts(d, m.now)
		}
		for _, x := range sections(d, m.now) {
			v.Parts = append(v.Parts, part{ID: "section-" + x.ID, Group: "sections", Template: "section", Data: x})
		}
	}
	v.Data = data
	return v, true
}

// alarmsView is the page of all alarms.
func alarmsView(f filter, m *moment) view {
	take := func(a alarms.Alarm) bool {
		return f.matches(a.Device, a.Text, a.Group, a.Object, severityWord(a.Severity)) && (f.State == "" || severityWord(a.Severity) == f.State)
	}
	return view{Title: "Alarms", Nav: "alarms", Template: "page-alarms", Data: f, Parts: []part{
		{ID: "active", Group: "alarms", Template: "alarms", Data: m.alarms.list(func(a alarms.Active) bool { return take(a.Alarm) }, keptCleared, m.now)},
		{ID: "silences", Group: "silences", Template: "silences", Data: m.alarms.silences(m.now)},
		{ID: "past", Group: "past", Template: "past", Data: m.alarms.history(take, keptCleared, m.now)},
	}}
}

// oneAlarm is the page of an alarm.
func oneAlarm(name string, m *moment) (view, bool) {
	number, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		return view{}, false
	}
	p, found := m.alarms.one(number, m.now)
	if !found {
		return view{}, false
	}
	return view{Title: fmt.Sprintf("Alarm %d", number), Nav: "alarms", Template: "page-alarm", Data: p, Parts: []part{{ID: "alarm", Group: "alarm", Template: "alarm", Data: p}}}, true
}

// sections returns the tables of a device: those that were ever read, and its sources.
func sections(d *hsm.Device, now time.Time) []section {
	all := []section{sourcesSection(d, now)}
	if len(d.Disagreements) > 0 {
		all = append(all, disagreements(d, now))
	}
	if len(d.Probes) > 0 {
		all = append(all, probesSection(d, now))
	}
	for _, s := range []section{
		showSection(d, now), partitionsSection(d, now), rolesSection(d, now), clientsSection(d, now), sensorsSection(d, now), environmentSection(d, now),
		servicesSection(d, now), diskSection(d, now), licencesSection(d, now), policiesSection(d, now),
	} {
		if s.Read.Machine != "" {
			all = append(all, s)
		}
	}
	return all
}

func sourcesSection(d *hsm.Device, now time.Time) section {
	s := section{ID: "sources", Title: "Sources", Columns: []string{"Source", "State", "Last answer", "Took", "Error"}, Numbers: []string{"Took"}, Empty: "nothing has been asked yet"}
	for _, name := range slices.Sorted(maps.Keys(d.Sources)) {
		x := d.Sources[name]
		state := "answers"
		if x.Failure != hsm.None {
			state = fmt.Sprintf("FAILS: %s, %s in a row", x.Failure, counted(x.Failures, "attempt", "attempts"))
		}
		s.Rows = append(s.Rows, []string{name, state, stampOf(x.Success, now).Clock, fmt.Sprintf("%.2f s", x.Took.Seconds()), x.Error})
	}
	return s
}

func disagreements(d *hsm.Device, now time.Time) section {
	s := section{ID: "disagreements", Title: "Sources disagree", Columns: []string{"What", "One says", "The other says", "Since"}, Empty: "on nothing"}
	for _, x := range d.Disagreements {
		if x.Fresh(now) {
			s.Rows = append(s.Rows, []string{x.What, x.Stated[0].Source + ": " + x.Stated[0].Value, x.Stated[1].Source + ": " + x.Stated[1].Value, stampOf(x.Since, now).Clock})
		}
	}
	return s
}

// probesSection has the test programs of the site, and how each ended last.
func probesSection(d *hsm.Device, now time.Time) section {
	s := section{ID: "probes", Title: "Probes", Columns: []string{"Probe", "Partition", "Result", "Took", "Ran", "Says"}, Numbers: []string{"Took"}}
	for _, p := range d.Probes {
		result, took := "works", fmt.Sprintf("%.2f s", p.Took.Seconds())
		switch {
		case p.At.IsZero():
			result, took = "has not run yet", unknown
		case !p.Fresh(now):
			result = unknown + ": too old"
		case !p.Worked:
			result = fmt.Sprintf("FAILS, %d in a row", p.Failures)
		}
		s.Rows = append(s.Rows, []string{p.Name, p.Partition, result, took, stampOf(p.At, now).Clock, p.Text})
	}
	return s
}

func showSection(d *hsm.Device, now time.Time) section {
	s, v := tableOf("show", "HSM", d.Show, now, "What", "Value"), d.Show.Value
	s.Rows = [][]string{
		{"Label", labelled(v.Label)}, {"Serial number", stated(v.Serial)}, {"Model", stated(v.Model)}, {"Part number", stated(v.PartNumber)},
		{"Firmware", stated(v.Firmware)}, {"Appliance software", stated(v.SoftwareVersion)}, {"Status", stated(string(v.Status))},
		{"Tamper", stated(string(v.Tamper))}, {"Zeroized", yes(v.Zeroized)}, {"Authentication", stated(string(v.Authentication))},
		{"SO login attempts left", number(v.SOLoginAttemptsLeft)}, {"FIPS mode", yes(v.FIPS)}, {"Secure transport mode", yes(v.SecureTransportMode)},
		{"Storage used", bytesOf(v.Storage.Used) + " of " + bytesOf(v.Storage.Total)}, {"NTLS", ntlsText(d, now)},
		{"NTLS certificate until", certificateUntil(d)},
	}
	return s
}

func certificateUntil(d *hsm.Device) string {
	if until := d.Certificate.Value.NotAfter; until.Known {
		return until.Value.Format(time.DateOnly)
	}
	return unknown
}

func partitionsSection(d *hsm.Device, now time.Time) section {
	s := tableOf("partitions", "Partitions", d.Partitions, now, "Name", "Label", "Serial", "Activated", "Objects", "Storage used")
	s.Numbers = []string{"Objects", "Storage used"}
	for _, p := range d.Partitions.Value {
		s.Rows = append(s.Rows, []string{stated(p.Name), labelled(p.Label), stated(p.Serial), yes(p.Activated), number(p.ObjectCount), bytesOf(p.Storage.Used) + " of " + bytesOf(p.Storage.Total)})
	}
	return s
}

func rolesSection(d *hsm.Device, now time.Time) section {
	s := tableOf("roles", "Roles", d.Partitions, now, "Partition", "Role", "Initialized", "Activated", "Locked out", "Attempts left")
	s.Numbers = []string{"Attempts left"}
	s.Folded = true
	for _, p := range d.Partitions.Value {
		for _, r := range p.Roles {
			s.Rows = append(s.Rows, []string{stated(p.Name), r.Name, yes(r.Initialized), yes(r.Activated), yes(r.LockedOut), number(r.LoginAttemptsLeft)})
		}
	}
	return s
}

func clientsSection(d *hsm.Device, now time.Time) section {
	s := tableOf("clients", "Clients", d.Clients, now, "Name", "Address", "Partitions")
	for _, c := range d.Clients.Value {
		partitions := unknown
		if c.Partitions != nil {
			partitions = strings.Join(c.Partitions, ", ")
		}
		s.Rows = append(s.Rows, []string{c.Name, stated(c.Address), partitions})
	}
	return s
}

func sensorsSection(d *hsm.Device, now time.Time) section {
	s, v := tableOf("sensors", "Sensors of the appliance", d.Sensors, now, "Sensor", "Reading", "Status"), d.Sensors.Value
	s.Numbers = []string{"Reading"}
	s.Folded = true
	for _, f := range slices.Concat(v.PowerSupplies, v.Fans) {
		s.Rows = append(s.Rows, []string{f.Name, said(f.RPM, "%.0f RPM"), f.Status})
	}
	for _, x := range v.Sensors {
		s.Rows = append(s.Rows, []string{x.Name, strings.TrimSpace(said(x.Reading, "%g") + " " + x.Unit), x.Status})
	}
	return s
}

func environmentSection(d *hsm.Device, now time.Time) section {
	s := tableOf("environment", "Environment of the card", d.Show, now, "What", "Value", "Threshold")
	s.Numbers = []string{"Value", "Threshold"}
	e := d.Show.Value.Environment
	if e == nil {
		return section{}
	}
	s.Rows = [][]string{
		{"Battery", said(e.BatteryVolts, "%.3f V"), said(e.BatteryWarning, "%.3f V")},
		{"Temperature", said(e.TemperatureCelsius, "%.0f °C"), said(e.TemperatureWarning, "%.0f °C")},
	}
	for _, f := range e.Fans {
		s.Rows = append(s.Rows, []string{f.Name, f.Status, ""})
	}
	return s
}

func servicesSection(d *hsm.Device, now time.Time) section {
	s := tableOf("services", "Services", d.Services, now, "Service", "Status", "Starts with the appliance")
	s.Folded = true
	for _, x := range d.Services.Value {
		s.Rows = append(s.Rows, []string{x.Name, stated(x.Status), yes(x.OnBoot)})
	}
	return s
}

func diskSection(d *hsm.Device, now time.Time) section {
	s := tableOf("disk", "Disk of the appliance", d.Disk, now, "Mounted at", "Used", "Size")
	s.Numbers = []string{"Used", "Size"}
	for _, f := range d.Disk.Value.Filesystems {
		s.Rows = append(s.Rows, []string{f.Mount, fmt.Sprintf("%.0f %%", 100*f.UsedRatio), bytesOf(hsm.Some(f.Total))})
	}
	return s
}

func licencesSection(d *hsm.Device, now time.Time) section {
	s := tableOf("licences", "Licences", d.Licenses, now, "Licence", "Number")
	s.Folded = true
	for _, l := range d.Licenses.Value {
		s.Rows = append(s.Rows, []string{l.Description, l.ID})
	}
	return s
}

func policiesSection(d *hsm.Device, now time.Time) section {
	s := tableOf("policies", "Policies", d.Policies, now, "Code", "Policy", "Value")
	s.Numbers = []string{"Code"}
	s.Folded = true
	for _, p := range d.Policies.Value.Policies {
		s.Rows = append(s.Rows, []string{number(p.ID), p.Description, p.Value})
	}
	return s
}

// charts returns the charts of a device, in their order.
func (s *Site) charts(d *hsm.Device, now time.Time) (list []chart.Chart) {
	if s.Series == nil || s.Measures == nil {
		return nil
	}
	for _, m := range s.Measures(d.Name) {
		if x, known := s.Series(d.Name, m, now); known {
			list = append(list, chart.Of(m, x, d, s.Thresholds()))
		}
	}
	slices.SortStableFunc(list, chart.Chart.Compare)
	return list
}

// marksOf returns the alarms of a device in the time that charts show.
func marksOf(name string, a AlarmState, now time.Time) (list []chart.Mark) {
	from := now.Add(-history.Span)
	for _, x := range a.Active {
		if x.Device == name {
			list = append(list, chart.Mark{Of: x.Key, At: x.Since().Unix(), Word: severityWord(x.Severity), Text: x.Text})
		}
	}
	for _, x := range a.Cleared {
		if x.Device == name && x.Cleared.After(from) {
			list = append(list, chart.Mark{Of: x.Key, At: x.Since().Unix(), Until: x.Cleared.Unix(), Word: severityWord(x.Severity), Text: x.Text})
		}
	}
	return list
}
