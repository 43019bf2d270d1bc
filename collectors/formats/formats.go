// Package formats lists every format of the packages below collectors, so that
// "lunawatch parse", golden files and fuzzing cover all of them. It parses
// nothing itself.
package formats

import (
	"cmp"
	"slices"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/ha"
	"github.com/lunawatch/lunawatch/collectors/rest"
	"github.com/lunawatch/lunawatch/collectors/shell"
	"github.com/lunawatch/lunawatch/collectors/status"
	"github.com/lunawatch/lunawatch/collectors/syslog"
)

// formats are all formats, sorted by name.
var formats = slices.SortedFunc(slices.Values(slices.Concat(textFormats, rest.Formats())), func(a, b answer.Format) int {
	return cmp.Compare(a.Name, b.Name)
})

// textFormats are the formats of commands, logs and configuration files.
var textFormats = []answer.Format{
	ha.ConfigFormat,
	ha.GroupsFormat,
	ha.LogFormat,
	ha.VTLFormat,
	shell.CardEnvShow,
	shell.CardMonitor,
	shell.CardShowInfo,
	shell.CardTamperShow,
	shell.ClientList,
	shell.HSMDisplayLicenses,
	shell.HSMInformationMonitor,
	shell.HSMInformationShow,
	shell.HSMShow,
	shell.HSMShowPolicies,
	shell.HSMTamperShow,
	shell.NTLSCertificateShow,
	shell.NTLSInformationShow,
	shell.PartitionList,
	shell.PartitionShow,
	shell.PartitionShowInfo,
	shell.PartitionShowPolicies,
	shell.RoleShow,
	shell.SlotList,
	status.CPU,
	status.Disk,
	status.Mem,
	status.Sensors,
	status.Sysstat,
	shell.STMShow,
	syslog.AuditFormat,
	syslog.Format,
}

// All returns a copy of the list of all formats, sorted by name.
func All() []answer.Format { return slices.Clone(formats) }

// Named returns the format with that name.
func Named(name string) (answer.Format, bool) {
	i, ok := slices.BinarySearchFunc(formats, name, func(f answer.Format, name string) int { return cmp.Compare(f.Name, name) })
	if !ok {
		return answer.Format{}, false
	}
	return formats[i], true
}
