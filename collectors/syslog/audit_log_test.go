package syslog

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/hsm"
)

func TestAuditRecord(t *testing.T) {
	for line, want := range map[string]hsm.AuditRecord{
		"12,26/11/21 02:00:00,S/N 484233 session 3 operation LUNA_LOGIN returned LUNA_RET_UM_PIN_INCORRECT(0x00300107)": {Serial: "484233", Event: "LUNA_LOGIN", Result: "LUNA_RET_UM_PIN_INCORRECT"},
		"S/N 484233 LUNA_LOGIN RC_OK(0x00000000) (using PIN (entry=LUNA_ENTRY_DATA_AREA))":                              {Serial: "484233", Event: "LUNA_LOGIN", Result: "RC_OK"},
		"head^484233 LUNA_ZEROIZE_HSM CKR_OK":  {Event: "LUNA_ZEROIZE_HSM", Result: "CKR_OK"},
		"LUNA_RET_LOG_FULL before LUNA_LOGOUT": {Event: "LUNA_LOGOUT", Result: "LUNA_RET_LOG_FULL"},
		"MY_LUNA_LOGIN and luna_login":         {},
		"":                                     {},
	} {
		want.Text = line
		if diff := cmp.Diff(want, ParseAuditRecord(line)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
	l := ParseLine("2026 Nov 21 02:00:00 luna-a local3 info oamp[7]: S/N 484233 LUNA_LOGIN RC_OK")
	if l.Audit == nil || l.Audit.Event != "LUNA_LOGIN" || l.Host != "luna-a" {
		t.Errorf("from syslog: %+v", l)
	}
	if l := ParseLine("2026 Nov 21 02:00:00 luna-a local5 info NTLS[7]: LUNA_LOGIN"); l.Audit != nil {
		t.Errorf("of another facility: %+v", l.Audit)
	}
}
