package monitor

import (
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestMonitorTable is the vendor's table of version 7 to the column.
func TestMonitorTable(t *testing.T) {
	samples := []hsm.Sample{
		{UptimeSeconds: 7, Commands: 12, CommandsInterval: 1, Utilization: 0, UtilizationInt: 1},
		{UptimeSeconds: 1234567, Commands: 98765432109, CommandsInterval: 1042, Utilization: 0.0103, UtilizationInt: 0.0146},
	}
	got := header(6)
	for _, s := range samples {
		got += row(s)
	}
	got += footer(samples, hsm.Some(hsm.LocalTime{Time: time.Date(2026, 7, 4, 14, 43, 21, 0, time.UTC)}))
	want := `
-------------------|---------------------------------|---------------------------------
                   |       HSM Command Counts        |        HSM Utilization (%)
 HSM Uptime (Secs) |-----------------|---------------|-----------------|---------------
                   | Since HSM Reset | Last   6 Secs | Since HSM Reset | Last   6 Secs
-------------------|-----------------|---------------|-----------------|---------------
                 7 |              12 |             1 |            0.00 |        100.00
         1,234,567 |  98,765,432,109 |         1,042 |            1.03 |          1.46
-------------------|-----------------|---------------|-----------------|---------------

    Average HSM Utilization In This Period  :  50.73%

    HSM Last Reset       :  Sat Jul  4 14:43:21 2026
    HSM Has Been Up For  :  14 day(s), 06:56:07

`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMonitorCSV(t *testing.T) {
	got := csvLine(hsm.Sample{UptimeSeconds: 5, Commands: 7, CommandsInterval: 2, Utilization: 0.5, UtilizationInt: 0.25})
	if want := "5,7,2,0.5,0.25\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestMonitorBars: a bar is beside the row that it is of, and there is none of what is not
// known; without -plot the table is the vendor's.
func TestMonitorBars(t *testing.T) {
	measured := func(ratio float64, known bool) hsm.Monitor {
		return hsm.Monitor{IntervalSeconds: hsm.Opt[int64]{Value: 5, Known: known}, Samples: []hsm.Sample{{UptimeSeconds: 60, UtilizationInt: ratio}}}
	}
	rounds := func(yield func(hsm.Monitor, error) bool) {
		_ = yield(measured(0.5, true), nil) && yield(measured(0, true), nil) && yield(measured(0, false), nil)
	}
	for _, x := range []struct {
		view Table
		want string
	}{
		{Table{NoHeader: true, Bars: 10}, " 50.00 █████\n 0.00 █\n 0.00 ?\n"},
		{Table{NoHeader: true, Bars: 10, Plain: true}, " 50.00 #####\n 0.00 #\n 0.00 ?\n"},
		{Table{NoHeader: true}, " 50.00\n 0.00\n 0.00\n"},
	} {
		var b strings.Builder
		if err := x.view.Print(&b, rounds); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for line := range strings.Lines(b.String()) {
			if fields := strings.Split(line, " | "); len(fields) == 5 {
				got.WriteString(" " + strings.TrimLeft(fields[4], " "))
			}
		}
		if got.String() != x.want {
			t.Errorf("%+v:\n%s", x.view, &b)
		}
	}
}
