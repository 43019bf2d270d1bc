// Package monitor prints measured utilization as LunaSH 7 does, as CSV and as JSON.
package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/exporters/plot"
	"github.com/lunawatch/lunawatch/hsm"
)

// Rounds are measured one after the other; an error ends them.
type Rounds = iter.Seq2[hsm.Monitor, error]

// A Table prints the vendor's table, each row as it comes.
type Table struct {
	NoHeader bool
	Interval int  // seconds
	Bars     int  // letters of a bar of 100 %; 0: none is drawn
	Plain    bool // bars are of ASCII
}

// minBar is how many letters a bar of 100 % has at least, and where there is no terminal.
const minBar = 20

// BarWidth returns the letters for bars beside the table on a terminal of so many letters;
// 0: it is none.
func BarWidth(terminal int) int {
	table := len(row(hsm.Sample{})) // and a blank in place of the line end
	return max(minBar, terminal-table-1)
}

// Print prints rounds until they end.
func (t Table) Print(w io.Writer, rounds Rounds) error {
	var samples []hsm.Sample
	var reset hsm.Opt[hsm.LocalTime]
	for m, err := range rounds {
		if err != nil {
			return err
		}
		if len(samples) == 0 && !t.NoHeader {
			io.WriteString(w, header(t.Interval))
		}
		for _, s := range m.Samples {
			if _, err := io.WriteString(w, t.row(s, m.IntervalSeconds.Known)); err != nil {
				return err
			}
		}
		samples, reset = append(samples, m.Samples...), m.LastReset
	}
	if len(samples) == 0 {
		return errors.New("the HSM gave no sample")
	}
	_, err := io.WriteString(w, footer(samples, reset))
	return err
}

// row is a row of the table, and the bar of its last interval; "?" if that is not known.
func (t Table) row(s hsm.Sample, known bool) string {
	text, bar := row(s), "?"
	if t.Bars == 0 {
		return text
	}
	if known {
		bar = plot.Bar(s.UtilizationInt, t.Bars, t.Plain)
	}
	return strings.TrimSuffix(text, "\n") + " " + bar + "\n"
}

// A CSV prints a line for each sample.
type CSV struct{ NoHeader bool }

// Print prints rounds until they end.
func (c CSV) Print(w io.Writer, rounds Rounds) error {
	if !c.NoHeader {
		io.WriteString(w, csvHeader)
	}
	for m, err := range rounds {
		if err != nil {
			return err
		}
		for _, s := range m.Samples {
			if _, err := io.WriteString(w, csvLine(s)); err != nil {
				return err
			}
		}
	}
	return nil
}

// JSON prints a line for each round.
func JSON(w io.Writer, rounds Rounds) error {
	for m, err := range rounds {
		if err != nil {
			return err
		}
		if err := json.NewEncoder(w).Encode(m); err != nil {
			return err
		}
	}
	return nil
}

// The utilization table has the columns of LunaSH 7, so that what reads those
// reads this.
const (
	tableTop  = "-------------------|---------------------------------|---------------------------------\n"
	tableRule = "-------------------|-----------------|---------------|-----------------|---------------\n"
)

// header heads the utilization table of an interval in seconds.
func header(interval int) string {
	return fmt.Sprintf("\n"+tableTop+
		"                   |       HSM Command Counts        |        HSM Utilization (%%)\n"+
		" HSM Uptime (Secs) |-----------------|---------------|-----------------|---------------\n"+
		"                   | Since HSM Reset | Last %3[1]d Secs | Since HSM Reset | Last %3[1]d Secs\n"+
		tableRule, interval)
}

// row is one row of the utilization table.
func row(s hsm.Sample) string {
	return fmt.Sprintf("%18s | %15s | %13s | %15.2f | %13.2f\n",
		grouped(s.UptimeSeconds), grouped(s.Commands), grouped(s.CommandsInterval), 100*s.Utilization, 100*s.UtilizationInt)
}

// footer ends the utilization table of samples, oldest first. reset is
// in the appliance's own time.
func footer(samples []hsm.Sample, reset hsm.Opt[hsm.LocalTime]) string {
	var sum float64
	for _, s := range samples {
		sum += s.UtilizationInt
	}
	text := tableRule + fmt.Sprintf("\n    Average HSM Utilization In This Period  :  %.2f%%\n\n", 100*sum/float64(len(samples)))
	if reset.Known {
		text += "    HSM Last Reset       :  " + reset.Value.Format("Mon Jan _2 15:04:05 2006") + "\n"
	}
	up := samples[len(samples)-1].UptimeSeconds
	return text + fmt.Sprintf("    HSM Has Been Up For  :  %d day(s), %02d:%02d:%02d\n\n", up/86400, up/3600%24, up/60%60, up%60)
}

// csvHeader heads what csvLine prints: seconds, counts and ratios.
const csvHeader = "uptime_seconds,commands,commands_interval,utilization_ratio,utilization_interval_ratio\n"

// csvLine is one sample as a line of CSV.
func csvLine(s hsm.Sample) string {
	return fmt.Sprintf("%d,%d,%d,%g,%g\n", s.UptimeSeconds, s.Commands, s.CommandsInterval, s.Utilization, s.UtilizationInt)
}

// grouped prints n with a comma between groups of three digits.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
