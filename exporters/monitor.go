package exporters

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
)

// The utilization table has the columns of LunaSH 7, so that what reads those
// reads this.
const (
	monitorTop  = "-------------------|---------------------------------|---------------------------------\n"
	monitorRule = "-------------------|-----------------|---------------|-----------------|---------------\n"
)

// MonitorHeader heads the utilization table of an interval in seconds.
func MonitorHeader(interval int) string {
	return fmt.Sprintf("\n"+monitorTop+
		"                   |       HSM Command Counts        |        HSM Utilization (%%)\n"+
		" HSM Uptime (Secs) |-----------------|---------------|-----------------|---------------\n"+
		"                   | Since HSM Reset | Last %3[1]d Secs | Since HSM Reset | Last %3[1]d Secs\n"+
		monitorRule, interval)
}

// MonitorRow is one row of the utilization table.
func MonitorRow(s hsm.Sample) string {
	return fmt.Sprintf("%18s | %15s | %13s | %15.2f | %13.2f\n",
		grouped(s.UptimeSeconds), grouped(s.Commands), grouped(s.CommandsInterval), 100*s.Utilization, 100*s.UtilizationInt)
}

// MonitorFooter ends the utilization table of samples, oldest first. reset is
// in the appliance's own time.
func MonitorFooter(samples []hsm.Sample, reset hsm.Opt[hsm.LocalTime]) string {
	var sum float64
	for _, s := range samples {
		sum += s.UtilizationInt
	}
	text := monitorRule + fmt.Sprintf("\n    Average HSM Utilization In This Period  :  %.2f%%\n\n", 100*sum/float64(len(samples)))
	if reset.Known {
		text += "    HSM Last Reset       :  " + reset.Value.Format("Mon Jan _2 15:04:05 2006") + "\n"
	}
	up := samples[len(samples)-1].UptimeSeconds
	return text + fmt.Sprintf("    HSM Has Been Up For  :  %d day(s), %02d:%02d:%02d\n\n", up/86400, up/3600%24, up/60%60, up%60)
}

// MonitorCSVHeader heads what [MonitorCSV] prints: seconds, counts and ratios.
const MonitorCSVHeader = "uptime_seconds,commands,commands_interval,utilization_ratio,utilization_interval_ratio\n"

// MonitorCSV is one sample as a line of CSV.
func MonitorCSV(s hsm.Sample) string {
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
