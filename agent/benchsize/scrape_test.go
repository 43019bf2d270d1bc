package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParsePage(t *testing.T) {
	text := `# HELP luna_source_last_success_timestamp_seconds When the source was last read; absent if never.
luna_source_last_success_timestamp_seconds{device="hsm-0001",source="hsm show"} 1.795301234567e+09
luna_source_last_success_timestamp_seconds{device="hsm-0002",source="hsm show"} 1.795301240001e+09
luna_source_last_success_timestamp_seconds{device="hsm-0002",source="hsm showpolicies"} 1.795300000000e+09
luna_source_success{device="hsm-0001",source="hsm show"} 1
luna_source_success{device="hsm-0002",source="partition show"} 0
luna_data_age_seconds{device="hsm-0001",section="show"} 7.5
luna_data_age_seconds{device="hsm-0002",section="partitions"} 9.25
luna_data_age_seconds{device="hsm-0002",section="policies"} 4000
go_goroutines 4711
process_open_fds 1042
luna_hsm_info{device="hsm-0001",label="source=\"hsm show\" 5"} 1
`
	want := page{
		reads:  map[string]float64{"hsm-0001": 1795301234.567, "hsm-0002": 1795301240.001},
		single: map[string]float64{"go_goroutines": 4711, "process_open_fds": 1042},
		oldest: 9.25, failing: 1,
	}
	if diff := cmp.Diff(want, parsePage([]byte(text)), cmp.AllowUnexported(page{})); diff != "" {
		t.Error(diff)
	}
}
