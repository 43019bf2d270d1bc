package exporters

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// The texts look like LunaSH: the labels and columns that operators know. What
// no source stated is a dash, and every section says when it was read.

// TimeLayout is how texts state a time: on the reader's clock, with its zone.
const TimeLayout = "2006-01-02 15:04:05 -07:00"

// ShowText prints the state of an HSM as hsm show does.
func ShowText(w io.Writer, d *hsm.Device, now time.Time) {
	s := d.Show.Value
	heading(w, d.Name+": "+readAt(d.Show, now))
	for _, x := range disagreements(d, now) {
		fmt.Fprintf(w, "   SOURCES DISAGREE on %s\n", disagreementText(x))
	}
	if p := d.Proven; !p.IsZero() {
		fmt.Fprintf(w, "   Worked for a client %s ago, by %s\n", now.Sub(p.At).Round(time.Second), Plain(p.By))
	}
	ProbesText(w, d.Probes, now)
	if d.Show.IsZero() {
		return
	}
	lines(w, "Appliance Details", [][2]string{{"Software Version", dash(s.SoftwareVersion)}})
	details := [][2]string{
		{"HSM Label", label(s.Label)},
		{"Serial #", dash(s.Serial)},
		{"Firmware", dash(s.Firmware)},
	}
	if s.RollbackFirmware != "" {
		details = append(details, [2]string{"Rollback Version", s.RollbackFirmware})
	}
	details = append(details, [][2]string{
		{"HSM Model", dash(s.Model)},
		{"HSM Part Number", dash(s.PartNumber)},
		{"Authentication Method", vendorWord(authWords, s.Authentication)},
		{"HSM Admin login status", choose(s.SOLoggedIn, "Logged In", "Not Logged In")},
		{"HSM Admin login attempts left", attemptsLeft(s)},
		{"RPV Initialized", vendorWord(rpvWords, s.RPV)},
		{"Audit Role Initialized", vendorWord(auditWords, s.AuditRole)},
		{"Remote Login Initialized", yes(s.RemoteLogin)},
		{"Manually Zeroized", yes(s.ManuallyZeroized)},
		{"Secure Transport Mode", yes(s.SecureTransportMode)},
		{"HSM Tamper State", vendorWord(tamperWords, s.Tamper)},
	}...)
	if s.Status != "" {
		details = append(details, [2]string{"HSM Status", string(s.Status)})
	}
	lines(w, "HSM Details", details)
	createdText(w, s)
	lines(w, "FIPS 140-2 Operation", nil)
	fmt.Fprintf(w, "   %s\n", choose(s.FIPS, "The HSM is in FIPS 140-2 approved operation mode.", "The HSM is NOT in FIPS 140-2 approved operation mode."))
	lines(w, "HSM Storage Information", [][2]string{
		{"Maximum HSM Storage Space (Bytes)", stated(s.Storage.Total)},
		{"Space In Use (Bytes)", stated(s.Storage.Used)},
		{"Free Space Left (Bytes)", stated(s.Storage.Free)},
	})
	if services := d.Services.Value; len(services) > 0 {
		var rows [][2]string
		for _, x := range services {
			rows = append(rows, [2]string{x.Name, dash(x.Status)})
		}
		lines(w, "Appliance Services: "+readAt(d.Services, now), rows)
	}
	if e := s.Environment; e != nil {
		var rows [][2]string
		for _, f := range e.Fans {
			rows = append(rows, [2]string{f.Name + " Status", f.Status})
		}
		lines(w, "Environmental Information on HSM", append(rows, [][2]string{
			{"Battery Voltage", measure(e.BatteryVolts, "%.3f V")},
			{"Battery Warning Threshold Voltage", measure(e.BatteryWarning, "%.3f V")},
		}...))
		if e.BatteryLow {
			fmt.Fprintln(w, "   WARNING: Battery Voltage below warning threshold!!")
		}
		values(w, [][2]string{
			{"System Temp", measure(e.TemperatureCelsius, "%.0f deg. C")},
			{"System Temp Warning Threshold", measure(e.TemperatureWarning, "%.0f deg. C")},
		})
		if e.TemperatureHigh {
			fmt.Fprintln(w, "   WARNING: System Temperature above warning threshold!!")
		}
	}
}

// The vendor's words for states.
var (
	authWords   = map[hsm.Authentication]string{hsm.AuthPassword: "Password", hsm.AuthPED: "PED keys"}
	rpvWords    = map[hsm.RPV]string{hsm.RPVInitialized: "Yes", hsm.RPVUninitialized: "No", hsm.RPVNotSupported: "Not Supported"}
	auditWords  = map[hsm.AuditRole]string{hsm.AuditYes: "Yes", hsm.AuditNo: "No", hsm.AuditNotSupported: "Not Supported"}
	tamperWords = map[hsm.TamperState]string{hsm.TamperNone: "No tamper(s)", hsm.TamperDetected: "Tamper(s) detected"}
)

// ProbesText prints a line for each test program of the site.
func ProbesText(w io.Writer, list []hsm.Probe, now time.Time) {
	for _, p := range list {
		how := "works"
		switch {
		case p.At.IsZero():
			fmt.Fprintf(w, "   Probe %s has not run yet\n", Plain(p.Name))
			continue
		case !p.Fresh(now):
			how = "is STALE"
		case !p.Worked:
			how = fmt.Sprintf("FAILS, %d in a row", p.Failures)
		}
		fmt.Fprintf(w, "   Probe %s %s, %s ago, in %s: %s\n", Plain(p.Name), how, now.Sub(p.At).Round(time.Second), p.Took.Round(time.Millisecond), dash(Plain(p.Text)))
	}
}

// vendorWord returns the vendor's word for a state, or else ours; "-": it is not known.
func vendorWord[T ~string](list map[T]string, state T) string {
	return dash(cmp.Or(list[state], string(state)))
}

// attemptsLeft says how many SO logins may fail, or that it is too late.
func attemptsLeft(s hsm.Show) string {
	switch left := s.SOLoginAttemptsLeft; {
	case hsm.Is(s.Zeroized, true): // old releases print a number even then
		return "HSM is zeroized!"
	case left.Known:
		return fmt.Sprintf("%d before HSM zeroization!", left.Value)
	}
	return "-"
}

// createdText prints the partitions that hsm show lists.
func createdText(w io.Writer, s hsm.Show) {
	lines(w, "Partitions created on HSM", nil)
	switch {
	case s.Partitions == nil:
		fmt.Fprintln(w, "   -")
	case len(s.Partitions) == 0:
		fmt.Fprintln(w, "   There are no partitions.")
	}
	for _, p := range s.Partitions {
		fmt.Fprintf(w, "   Partition: %20s, Name: %s\n", p.Serial, Plain(p.Name))
	}
	for _, x := range []struct {
		what  string
		count hsm.Opt[int64]
	}{{"allowed", s.PartitionsAllowed}, {"created", s.PartitionsCreated}} {
		if x.count.Known {
			values(w, [][2]string{{"Number of partitions " + x.what, fmt.Sprint(x.count.Value)}})
		}
	}
}

// InformationText prints the counters of an HSM as hsm information show does.
func InformationText(w io.Writer, d *hsm.Device, now time.Time) {
	heading(w, d.Name+": "+readAt(d.Information, now))
	if i := d.Information.Value; !d.Information.IsZero() {
		lines(w, "HSM Event Counters", [][2]string{
			{"Operation Requests", stated(i.OperationRequests)},
			{"Operation Errors", stated(i.OperationErrors)},
			{"Crypto Operation Requests", stated(i.CryptoRequests)},
			{"Crypto Operation Errors", stated(i.CryptoErrors)},
			{"Critical Events", stated(i.CriticalEvents)},
			{"Non-Critical Events", stated(i.NoncriticalEvents)},
		})
	}
}

// PartitionsText prints the partitions of an HSM as partition list does.
func PartitionsText(w io.Writer, d *hsm.Device, now time.Time) {
	heading(w, d.Name+": "+readAt(d.Partitions, now))
	switch {
	case d.Partitions.IsZero():
		return
	case len(d.Partitions.Value) == 0:
		fmt.Fprintln(w, "\n   There are no partitions.")
		return
	}
	fmt.Fprintln(w, "\n                                                      Storage (bytes)")
	fmt.Fprintln(w, "                                                ----------------------------")
	fmt.Fprintf(w, " %-20s %-20s %9s %7s %7s %7s  %s\n", "Partition", "Name", "Objects", "Total", "Used", "Free", "Activated")
	fmt.Fprintln(w, " "+strings.Repeat("=", 86))
	for _, p := range d.Partitions.Value {
		fmt.Fprintf(w, " %-20s %-20s %9s %7s %7s %7s  %s\n", p.Serial, Plain(p.Name), stated(p.ObjectCount),
			stated(p.Storage.Total), stated(p.Storage.Used), stated(p.Storage.Free), yes(p.Activated))
	}
}

func heading(w io.Writer, text string) { fmt.Fprintf(w, "\n%s\n", text) }

// readAt says when and from where a section was read.
func readAt[T any](s hsm.Section[T], now time.Time) string {
	switch {
	case s.IsZero():
		return "never read"
	case s.Fresh(now):
		return fmt.Sprintf("%s, %s ago", s.Source, now.Sub(s.At).Round(time.Second))
	}
	return fmt.Sprintf("STALE: %s was last read %s ago", s.Source, now.Sub(s.At).Round(time.Second))
}

func lines(w io.Writer, title string, rows [][2]string) {
	fmt.Fprintf(w, "\n   %s:\n   %s\n", title, strings.Repeat("=", len(title)+1))
	values(w, rows)
}

func values(w io.Writer, rows [][2]string) {
	for _, r := range rows {
		fmt.Fprintf(w, "   %-36s%s\n", r[0]+":", Plain(r[1]))
	}
}

// label tells an empty label from one that is not known.
func label(o hsm.Opt[string]) string {
	if o.Known && o.Value == "" {
		return "(none)"
	}
	return dash(o.Value)
}

// dash returns s, and a dash for what is unknown.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func measure(o hsm.Opt[float64], format string) string {
	if !o.Known {
		return "-"
	}
	return fmt.Sprintf(format, o.Value)
}

func stated[T any](o hsm.Opt[T]) string {
	if !o.Known {
		return "-"
	}
	return fmt.Sprint(o.Value)
}

func yes(o hsm.Opt[bool]) string { return choose(o, "Yes", "No") }

func choose(o hsm.Opt[bool], yes, no string) string {
	switch {
	case !o.Known:
		return "-"
	case o.Value:
		return yes
	}
	return no
}

// Counted returns n with its noun: 1 HSM, 3 HSMs.
func Counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
