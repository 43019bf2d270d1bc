package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A row is a line of the table.
type row struct {
	key, title string
	digits     int
}

// rows are the lines of the table, by their keys in the JSON, which end in their units.
var rows = []row{
	{"first_read_seconds", "every HSM was read after, s", 1},
	{"cpu_ms_per_hsm_minute", "CPU per HSM and minute, scrapes not counted, ms", 1},
	{"cpu_with_scrapes_ms_per_hsm_minute", "CPU per HSM and minute, with scrapes, ms", 1},
	{"rss_mb", "RSS, MB", 0},
	{"rss_anon_mb", "of it anonymous, MB", 0},
	{"rss_peak_mb", "its peak, MB", 0},
	{"lateness_p50_seconds", "poll lateness p50, s", 2},
	{"lateness_p99_seconds", "poll lateness p99, s", 2},
	{"lateness_reads", "of reads", 0},
	{"oldest_value_seconds", "age of the oldest value, s", 1},
	{"scrape_seconds", "/metrics, s", 3},
	{"scrape_cpu_seconds", "its CPU, s", 3},
	{"scrape_mb", "its size, MB", 2},
	{"scrape_gzip_seconds", "/metrics with gzip, s", 3},
	{"scrape_gzip_cpu_seconds", "its CPU, s", 3},
	{"scrape_gzip_mb", "its size, MB", 2},
	{"walk_seconds", "full bulkwalk (-Cr50), s", 2},
	{"walk_cpu_seconds", "its CPU, s", 2},
	{"walk_varbinds", "its varbinds", 0},
	{"goroutines", "goroutines", 0},
	{"descriptors", "open files", 0},
	{"connections", "SSH connections", 0},
	{"logins", "SSH logins since the start", 0},
	{"commands_per_hsm_minute", "LunaSH commands per HSM and minute", 2},
	{"sources_failing", "sources that fail at the end", 0},
}

// underLoad are the lines of the table with -lines.
var underLoad = []row{
	{"log_lines_per_second", "log lines a second", 0},
	{"trap_p50_ms", "from a line to its trap p50, ms", 2},
	{"trap_p99_ms", "from a line to its trap p99, ms", 2},
	{"traps", "of traps", 0},
	{"traps_missing", "lines without a trap", 0},
}

// A result is one measurement.
type result struct {
	Size    int     `json:"hsms"`
	Side    string  `json:"side"` // before or now
	Figures figures `json:"figures"`
	Error   string  `json:"error,omitempty"` // why it ended early
}

// table returns the results in Markdown: a column for each size and side, with the medians
// of what was measured several times.
func table(results []result) string {
	type column struct {
		size int
		side string
	}
	var columns []column
	measured := make(map[column][]figures)
	for _, r := range results {
		c := column{r.Size, r.Side}
		if measured[c] == nil {
			columns = append(columns, c)
		}
		measured[c] = append(measured[c], r.Figures)
	}
	slices.SortFunc(columns, func(a, b column) int {
		if a.size != b.size {
			return a.size - b.size
		}
		return strings.Compare(a.side, b.side)
	})
	var b strings.Builder
	b.WriteString("| HSMs |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %d, %s |", c.size, c.side)
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(columns)) + "\n")
	all := rows
	if slices.ContainsFunc(results, func(r result) bool { return r.Figures["log_lines_per_second"] > 0 }) {
		all = slices.Concat(rows, underLoad)
	}
	for _, row := range all {
		b.WriteString("| " + row.title + " |")
		for _, c := range columns {
			b.WriteString(" " + cell(measured[c], row.key, row.digits) + " |")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// cell returns the median of a figure, or "unknown".
func cell(all []figures, key string, digits int) string {
	var values []float64
	for _, f := range all {
		if v, known := f[key]; known {
			values = append(values, v)
		}
	}
	v, known := quantile(values, 0.5)
	if !known {
		return "unknown"
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
