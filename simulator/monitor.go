package simulator

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/internal/wait"
)

const (
	monitorTop  = "-------------------|---------------------------------|---------------------------------\n"
	monitorRule = "-------------------|-----------------|---------------|-----------------|---------------\n"
)

const monitorHeader = monitorTop +
	"                   |       HSM Command Counts        |        HSM Utilization (%%)\n" +
	" HSM Uptime (Secs) |-----------------|---------------|-----------------|---------------\n" +
	"                   | Since HSM Reset | Last %3[1]d Secs | Since HSM Reset | Last %3[1]d Secs\n" + monitorRule

// monitor runs hsm information monitor, which prints a row after each interval.
func monitor(ctx context.Context, a *appliance, p params, w io.Writer) error {
	const words = "hsm information monitor"
	if _, save := p["-save"]; save {
		return failed(words, codeUnsupported, "The simulation writes no files.")
	}
	interval, err := inRange(words, p, "-interval", 5, 5, 999)
	if err != nil {
		return err
	}
	rounds, err := inRange(words, p, "-rounds", 1, 1, 65535)
	if err != nil {
		return err
	}
	if serial, given := p["-serial"]; given && serial != fmt.Sprint(a.spec.serial) {
		return failed(words, codeNotInList, "Specified HSM does not exist.")
	}
	last, err := a.sample(words)
	if err != nil {
		return err
	}
	first := last
	_, header := p["-noheader"]
	if !header {
		fmt.Fprintf(w, "\n"+monitorHeader, interval)
	}
	for range rounds {
		if !wait.Sleep(ctx, time.Duration(interval)*a.second) {
			return ctx.Err()
		}
		next, err := a.sample(words)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, monitorRow(last, next)); err != nil {
			return err
		}
		last = next
	}
	_, err = io.WriteString(w, monitorFooter(a.spec.model, first, last))
	return err
}

func inRange(words string, p params, name string, normal, low, high int) (int, error) {
	text, given := p[name]
	if !given {
		return normal, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, failed(words, codeDataInvalid, fmt.Sprintf("The value of '%s' must be in the range %d to %d.", name, low, high))
	}
	return n, nil
}

// A sample is the counters of the card at one time.
type sample struct {
	now, reset     time.Time
	commands, busy float64
}

func (a *appliance) sample(words string) (m sample, err error) {
	a.do(func(s *state) {
		if !s.answers() {
			err = failed(words, codeDevice, "Unable to communicate with HSM.")
		}
		m = sample{s.now, s.hsmReset, s.commands, s.busySeconds}
	})
	return m, err
}

// percent is the utilization between two samples.
func percent(from, to sample) float64 {
	d := to.now.Sub(from.now).Seconds()
	if d <= 0 {
		return 0
	}
	return min(100, 100*max(0, to.busy-from.busy)/d)
}

func sinceReset(m sample) sample { return sample{now: m.reset} }

func monitorRow(last, m sample) string {
	return fmt.Sprintf("%18s | %15s | %13s | %15.2f | %13.2f\n",
		thousands(int64(m.now.Sub(m.reset).Seconds())), thousands(int64(m.commands)),
		thousands(max(0, int64(m.commands)-int64(last.commands))), percent(sinceReset(m), m), percent(last, m))
}

func monitorFooter(m *model, first, last sample) string {
	reset := last.reset.Format("Mon Jan _2 15:04:05 2006")
	text := monitorRule + fmt.Sprintf("\n    Average HSM Utilization In This Period  :  %.2f%%\n", percent(first, last))
	if !m.modern() {
		return text + fmt.Sprintf("    HSM Last Reset (+/-5 Secs Error Margin) :  %s\n", reset)
	}
	up := last.now.Sub(last.reset)
	clock := time.Time{}.Add(up % day).Format("15:04:05")
	return text + fmt.Sprintf("\n    HSM Last Reset       :  %s\n    HSM Has Been Up For  :  %d day(s), %s\n", reset, up/day, clock)
}

// thousands returns n with a comma between groups of three digits.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
