package alarms

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
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
		l := Line{LogLine: syslog.AuditLine(text), Device: "a", At: at(0)}
		same(t, text, want, judged(l))
	}
}

// TestAuditIsCounted takes the larger of what alarms and audit log count: both
// tell of the same events.
func TestAuditIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, t.TempDir(), nil)
		defer a.stop()
		audit := func(texts ...string) {
			for _, text := range texts {
				a.must(a.Lines("a", "/audit", []hsm.LogLine{syslog.AuditLine(text)}, nil))
				pass(10 * time.Second)
			}
		}
		audit("S/N 1234 LUNA_ZEROIZE_HSM RC_OK", "S/N 1234 LUNA_LOGIN CKR_PIN_INCORRECT", "S/N 1234 LUNA_LOGIN CKR_PIN_INCORRECT", "S/N 1234 LUNA_LOGIN CKR_OK")
		if critical, other := a.Events("a"); critical != 1 || other != 0 || a.Counted("a").FailedLogins != 2 {
			t.Errorf("%d critical, %d other, %+v", critical, other, a.Counted("a"))
		}
		a.must(a.lines("1", "k7pf0: [HSM] ALM2007: HSM zeroized"))
		if critical, _ := a.Events("a"); critical != 1 {
			t.Errorf("the same event counts %d times", critical)
		}
	})
}

func TestAuditDisk(t *testing.T) {
	d := logs(0)
	d.Disk.Value.Filesystems[0].Mount = "/var/audit"
	d.Disk.Value.Filesystems[0].UsedRatio = 0.72
	same(t, "a fifth left", []string{"bad minor /var/audit"}, opinions(auditDisk, d, at(1)))
	d.Disk.Value.Filesystems[0].UsedRatio = 0.9
	same(t, "nearly full", []string{"bad major /var/audit"}, opinions(auditDisk, d, at(1)))
	d.Disk.Value.Filesystems[0].UsedRatio = 0.2
	same(t, "room", []string{"good /var/audit"}, opinions(auditDisk, d, at(1)))
}
