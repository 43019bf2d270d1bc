package agent

import (
	"iter"

	dto "github.com/prometheus/client_model/go"
)

// families returns what /metrics has, in parts: of the agent itself, then of the devices.
func (a *Agent) families() iter.Seq2[[]*dto.MetricFamily, error] {
	return func(yield func([]*dto.MetricFamily, error) bool) {
		own, err := a.metrics.Gather()
		if !yield(own, err) || err != nil {
			return
		}
		for families, err := range a.devices.Parts() {
			if !yield(families, err) {
				return
			}
		}
	}
}
