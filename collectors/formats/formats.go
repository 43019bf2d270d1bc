package formats

import (
	"cmp"
	"slices"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/ha"
	"github.com/lunawatch/lunawatch/collectors/rest"
	"github.com/lunawatch/lunawatch/collectors/shell"
	"github.com/lunawatch/lunawatch/collectors/syslog"
)

// Formats lists every Format, by name.
var Formats = slices.SortedFunc(slices.Values(slices.Concat(textFormats, rest.Formats)), func(a, b answer.Format) int { return cmp.Compare(a.Name, b.Name) })

// textFormats are what is written for people.
var textFormats = []answer.Format{
	ha.ConfigFormat,
	shell.ClientList,
	syslog.AuditFormat,
	ha.LogFormat,
	shell.HSMDisplayLicenses,
	shell.HSMInformationMonitor,
	shell.HSMInformationShow,
	shell.HSMShow,
	shell.HSMShowPolicies,
	shell.HSMTamperShow,
	ha.GroupsFormat,
	shell.CardEnvShow,
	shell.CardMonitor,
	shell.CardShowInfo,
	shell.CardTamperShow,
	shell.PartitionShowInfo,
	shell.RoleShow,
	shell.SlotList,
	shell.STMShow,
	shell.NTLSCertificateShow,
	shell.NTLSInformationShow,
	shell.PartitionList,
	shell.PartitionShow,
	shell.PartitionShowPolicies,
	shell.StatusDisk,
	shell.StatusSensors,
	shell.StatusSysstat,
	syslog.Format,
	ha.VTLFormat,
}

// FindFormat returns the Format of that name.
func FindFormat(name string) (answer.Format, bool) {
	i := slices.IndexFunc(Formats, func(f answer.Format) bool { return f.Name == name })
	if i < 0 {
		return answer.Format{}, false
	}
	return Formats[i], true
}
