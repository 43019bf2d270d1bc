package exporters

import (
	"fmt"

	"github.com/lunawatch/lunawatch/hsm"
)

// dash stands for what is unknown.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func percent(ratio float64) string { return fmt.Sprintf("%.2f %%", 100*ratio) }

func measure(o hsm.Opt[float64], format string) string {
	if !o.Known {
		return "-"
	}
	return fmt.Sprintf(format, o.Value)
}
