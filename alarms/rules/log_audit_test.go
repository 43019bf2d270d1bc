package rules

import (
	"testing"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
)

func TestAuditRules(t *testing.T) {
	for text, want := range map[string][]string{
		"S/N 484233 LUNA_ZEROIZE_HSM returned RC_OK(0x00000000)":               {"bad critical audit-event/LUNA_ZEROIZE_HSM ages"},
		"S/N 484233 LUNA_ZEROIZE_HSM returned LUNA_RET_UM_USER_NOT_LOGGED_IN":  nil,
		"S/N 484233 LUNA_CREATE_AUDIT_CONTAINER":                               {"bad critical audit-event/LUNA_CREATE_AUDIT_CONTAINER ages"},
		"S/N 484233 LUNA_LOGIN returned RC_OK(0x00000000)":                     nil,
		"S/N 484233 LUNA_LOGIN":                                                nil,
		"S/N 484233 LUNA_LOGIN returned LUNA_RET_UM_PIN_INCORRECT(0x00300107)": {"bad warning failed-login ages"},
		"S/N 484233 something new":                                             nil,
	} {
		l := Line{LogLine: syslog.AuditLine(text), Device: "a", At: alarmstest.At(0)}
		alarmstest.Same(t, text, want, described(l))
	}
}

func TestAuditDisk(t *testing.T) {
	d := logs(0)
	d.Disk.Value.Filesystems[0].Mount = "/var/audit"
	d.Disk.Value.Filesystems[0].UsedRatio = 0.72
	alarmstest.Same(t, "a fifth left", []string{"bad minor /var/audit"}, emitted(auditDisk, d, alarmstest.At(1)))
	d.Disk.Value.Filesystems[0].UsedRatio = 0.9
	alarmstest.Same(t, "nearly full", []string{"bad major /var/audit"}, emitted(auditDisk, d, alarmstest.At(1)))
	d.Disk.Value.Filesystems[0].UsedRatio = 0.2
	alarmstest.Same(t, "room", []string{"good /var/audit"}, emitted(auditDisk, d, alarmstest.At(1)))
}
