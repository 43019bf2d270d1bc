package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Metrics says which metrics are served.
type Metrics struct {
	AllAgents bool     `yaml:"all_agents"`                                 // in a cluster, also those of HSMs that other agents read
	Exclude   []string `yaml:"exclude" names:"policy role threshold info"` // groups of [exporters.Groups] that are left out
}

// Validate returns an error for each group that does not exist.
func (m Metrics) Validate() error {
	var errs []error
	for i, name := range m.Exclude {
		if !slices.Contains(exporters.Groups(), name) {
			errs = append(errs, setting.Faultf(fmt.Sprintf("exclude[%d]", i), "%q is no group of metrics; they are %s", name, strings.Join(exporters.Groups(), ", ")))
		}
	}
	return errors.Join(errs...)
}
