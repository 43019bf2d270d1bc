package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
)

func TestAuditRules(t *testing.T) {
	for text, want := range map[string][]string{
		"S/N 484233 LUNA_ZEROIZE_HSM returned RC_OK(0x00000000)":               {"bad critical audit-event/LUNA_ZEROIZE_HSM ages"},
		"S/N 484233 LUNA_ZEROIZE_HSM returned LUNA_RET_UM_USER_NOT_LOGGED_IN":  {"bad major audit-change/LUNA_ZEROIZE_HSM"},
		"S/N 484233 LUNA_CREATE_AUDIT_CONTAINER":                               {"bad critical audit-event/LUNA_CREATE_AUDIT_CONTAINER ages"},
		"S/N 484233 LUNA_LOGIN returned RC_OK(0x00000000)":                     nil,
		"S/N 484233 LUNA_LOGIN":                                                nil,
		"S/N 484233 LUNA_LOGIN returned LUNA_RET_UM_PIN_INCORRECT(0x00300107)": {"bad warning failed-login ages"},
		"S/N 484233 something new":                                             nil,

		// Audit Log Categories and HSM Events.
		"S/N 484233 LUNA_ZEROIZE returned LUNA_RET_UM_USER_NOT_LOGGED_IN(0x00300102)":                       {"bad major audit-change/LUNA_ZEROIZE"},
		"S/N 484233 LUNA_MTK_ZEROIZE returned RC_OK(0x00000000)":                                            {"bad critical audit-event/LUNA_MTK_ZEROIZE"},
		"S/N 484233 LUNA_INIT_TOKEN returned RC_OK(0x00000000)":                                             {"bad critical audit-event/LUNA_INIT_TOKEN"},
		"S/N 484233 LUNA_DELETE_CONTAINER returned RC_OK(0x00000000) container=20":                          {"bad critical audit-change/LUNA_DELETE_CONTAINER 484233020"},
		"S/N 484233 LUNA_DELETE_CONTAINER_WITH_HANDLE returned RC_OK(0x00000000)":                           {"bad critical audit-change/LUNA_DELETE_CONTAINER_WITH_HANDLE"},
		"S/N 484233 LUNA_DELETE_CONTAINER returned LUNA_RET_UM_USER_NOT_LOGGED_IN(0x00300102)":              nil,
		"S/N 484233 LUNA_SET_DESTRUCTIVE_HSM_POLICY returned RC_OK(0x00000000)":                             {"bad critical audit-change/LUNA_SET_DESTRUCTIVE_HSM_POLICY"},
		"S/N 484233 LUNA_SET_DESTRUCTIVE_HSM_POLICY":                                                        {"bad critical audit-change/LUNA_SET_DESTRUCTIVE_HSM_POLICY"},
		"S/N 484233 LUNA_FW_ROLLBACK returned RC_OK(0x00000000)":                                            {"bad critical audit-change/LUNA_FW_ROLLBACK"},
		"S/N 484233 LUNA_LOG_SET_CONFIG returned RC_OK(0x00000000)":                                         {"bad major audit-change/LUNA_LOG_SET_CONFIG"},
		"S/N 484233 LUNA_LOGIN returned LUNA_RET_SO_LOGIN_FAILURE_THRESHOLD(0x0030000F)":                    {"bad critical zeroize"},
		"S/N 484233 LUNA_LOGIN returned LUNA_RET_AUDIT_LOGIN_FAILURE_THRESHOLD(0x80000D0A)":                 {"bad minor failed-login"},
		"S/N 484233 LUNA_ENCRYPT returned LUNA_RET_LOG_FULL(0x80000D03)":                                    {"bad major audit-log"},
		"S/N 484233 LUNA_LOG_EXTERNAL returned RC_OK(0x0) LUNA_ZEROIZE returned RC_OK RTC: tamper 2 signal": nil,

		// What happens every day.
		"S/N 484233 LUNA_LOG_SET_TIME returned RC_OK(0x00000000)":     nil,
		"S/N 484233 LUNA_LOG_GET_CONFIG returned RC_OK(0x00000000)":   nil,
		"S/N 484233 LUNA_OPEN_SESSION returned RC_OK(0x00000000)":     nil,
		"S/N 484233 LUNA_CREATE_CONTAINER returned RC_OK(0x00000000)": nil,
		"S/N 484233 LUNA_SET_HSM_POLICY returned RC_OK(0x00000000)":   nil,
		"S/N 484233 LUNA_SELF_TEST returned RC_OK(0x00000000)":        nil,
		"S/N 484233 LUNA_DESTROY_OBJECT returned RC_OK(0x00000000)":   nil,
	} {
		l := Line{LogLine: syslog.AuditLine(text), Device: "a", At: alarmstest.At(0)}
		for i := range want {
			if want[i] != "bad critical zeroize" && !strings.HasSuffix(want[i], " ages") {
				want[i] += " ages"
			}
		}
		alarmstest.Same(t, text, want, described(l))
		syslogged := line(alarmstest.Stamp + "local3 info  oamp[7]: 5,26/03/01 12:00:00," + text)
		alarmstest.Same(t, "by syslog: "+text, want, described(syslogged))
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

// TestAuditTime has the time of a record be its own, in the order of day,
// month and year that does not put it into the future.
func TestAuditTime(t *testing.T) {
	for stamp, want := range map[string]string{
		"26/02/28 11:00:00": "2026-02-28T11:00:00Z", // not 28 February 2026 by luck only: 2028 is to come
		"28/02/26 11:00:00": "2026-02-28T11:00:00Z",
		"02/28/26 11:00:00": "2026-02-28T11:00:00Z",
		"01/03/26 11:00:00": "2026-03-01T11:00:00Z",
		"26/13/40 11:00:00": "0001-01-01T00:00:00Z",
	} {
		l := Line{LogLine: syslog.AuditLine("7," + stamp + ",S/N 484233 LUNA_ZEROIZE returned RC_OK(0x00000000)"), Device: "a", At: alarmstest.At(0)}
		if got := LineTime(l).Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", stamp, got, want)
		}
		place := evaluateLine(l, DefaultThresholds())[0].Evidence.Log.Time
		if wantPlace := alarms.LogTime(LineTime(l)); !LineTime(l).IsZero() && place != wantPlace || LineTime(l).IsZero() && place != stamp {
			t.Errorf("%s: evidence of %s", stamp, place)
		}
	}
	l := line(alarmstest.Stamp + "local3 info  oamp[7]: 7,12/12/17 16:14:14,S/N 484233 LUNA_LOGOUT")
	if got := LineTime(l); !got.Equal(l.Time.Value) {
		t.Errorf("by syslog: %s", got)
	}
}
