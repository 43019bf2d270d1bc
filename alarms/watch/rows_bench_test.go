package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/modules"
)

// BenchmarkAlarmTables is what SNMP costs after one of many alarms has changed.
func BenchmarkAlarmTables(b *testing.B) {
	for _, n := range []int{100, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newEstate(b, hsm.NewStore())
			finding := func(i int, text string) alarms.Finding {
				return alarms.Finding{Key: alarms.Key{Device: fmt.Sprint("hsm", i%50), Group: "sensor", Object: fmt.Sprint(i)}, Condition: alarms.Bad,
					Severity: alarms.Minor, Text: text, Evidence: alarms.Evidence{At: time.Now(), Text: text}}
			}
			var list []alarms.Finding
			for i := range n {
				list = append(list, finding(i, "one"))
			}
			check.Must(b, w.Report(list))
			builder := modules.Tables().Builder()
			view := func() *mib.View {
				all, err := w.MIBAlarms()
				check.Must(b, err)
				v, err := builder.Build(mib.Source{Snapshot: &hsm.Snapshot{}, Now: time.Now(), Alarms: &all})
				check.Must(b, err)
				return v
			}
			b.ReportMetric(float64(view().Len()), "instances")
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				check.Must(b, w.Report([]alarms.Finding{finding(i%n, fmt.Sprint(i))}))
				b.StartTimer()
				view()
			}
		})
	}
}
