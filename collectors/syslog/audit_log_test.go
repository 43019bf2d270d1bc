package syslog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/hsm"
)

func TestAuditRecord(t *testing.T) {
	refused := hsm.AuditRecord{Sequence: hsm.Some[int64](12), Stamp: "26/11/21 02:00:00", Serial: "484233", Event: "LUNA_LOGIN", Result: "LUNA_RET_UM_PIN_INCORRECT"}
	for line, want := range map[string]hsm.AuditRecord{
		"12,26/11/21 02:00:00,S/N 484233 session 3 operation LUNA_LOGIN returned LUNA_RET_UM_PIN_INCORRECT(0x00300107)": refused,
		"S/N 484233 LUNA_LOGIN RC_OK(0x00000000) (using PIN (entry=LUNA_ENTRY_DATA_AREA))":                              {Serial: "484233", Event: "LUNA_LOGIN", Result: "RC_OK"},
		"head^484233 LUNA_ZEROIZE_HSM CKR_OK":  {Event: "LUNA_ZEROIZE_HSM", Result: "CKR_OK"},
		"LUNA_RET_LOG_FULL before LUNA_LOGOUT": {Event: "LUNA_LOGOUT", Result: "LUNA_RET_LOG_FULL"},
		"MY_LUNA_LOGIN and luna_login":         {},
		"":                                     {},
		"S/N 484233 LUNA_LOG_EXTERNAL returned RC_OK(0x00000000) LUNA_ZEROIZE returned RC_OK container=3": {Serial: "484233", Event: "LUNA_LOG_EXTERNAL"},
		"S/N 484233 'LUNA_ZEROIZE returned RC_OK' LUNA_LOG_EXTERNAL":                                      {Serial: "484233", Event: "LUNA_LOG_EXTERNAL"},
		// No order gives a date.
		"7,26/13/21 02:00:00,S/N 484233 LUNA_LOGOUT": {Sequence: hsm.Some[int64](7), Stamp: "26/13/21 02:00:00", Serial: "484233", Event: "LUNA_LOGOUT"},
	} {
		want.Text = line
		if diff := cmp.Diff(want, ParseAuditRecord(line)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
	for line, want := range map[string]hsm.AuditRecord{
		// Only one order gives a date.
		"9,25/12/31 23:59:59,S/N 484233 LUNA_LOGOUT returned RC_OK(0x00000000)": {Sequence: hsm.Some[int64](9), Stamp: "25/12/31 23:59:59", Serial: "484233", Event: "LUNA_LOGOUT", Result: "RC_OK"},
		"10,26/02/30 23:59:59,S/N 484233 LUNA_LOGOUT":                           {Sequence: hsm.Some[int64](10), Stamp: "26/02/30 23:59:59", Time: hsm.Some(time.Date(2030, time.February, 26, 23, 59, 59, 0, time.UTC)), Serial: "484233", Event: "LUNA_LOGOUT"},
		"11,31/01/32 23:59:59,S/N 484233 session 1 Access 7:2 SO container operation LUNA_CREATE_CONTAINER returned RC_OK(0x00000000) container=20 (using PIN (entry=LUNA_ENTRY_DATA_AREA))": {
			Sequence: hsm.Some[int64](11), Stamp: "31/01/32 23:59:59", Time: hsm.Some(time.Date(2032, time.January, 31, 23, 59, 59, 0, time.UTC)), Serial: "484233",
			Event: "LUNA_CREATE_CONTAINER", Result: "RC_OK", Partition: "484233020"},
	} {
		want.Text = line
		if diff := cmp.Diff(want, ParseAuditRecord(line)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
	hmac, raw := strings.Repeat("0a", 32), strings.Repeat("00ff", 24)
	refused.Previous, refused.Text = hmac, "12,26/11/21 02:00:00,S/N 484233 LUNA_LOGIN, again, returned LUNA_RET_UM_PIN_INCORRECT(0x00300107)"
	message := "S/N 484233 LUNA_LOGIN, again, returned LUNA_RET_UM_PIN_INCORRECT(0x00300107)"
	for _, line := range []string{
		fmt.Sprintf("%10d,26/11/21 02:00:00,%-256s,%s,%s\n", 12, message, hmac, raw), // the documented offsets
		fmt.Sprintf("%-10d,26/11/21 02:00:00,%-256s,%s,%-96s\n", 12, message, hmac, raw[:40]),
		fmt.Sprintf("12,26/11/21 02:00:00,%s,%s,%s", message, hmac, raw),
		fmt.Sprintf("12,26/11/21 02:00:00,%s,%s,", message, hmac),
	} {
		for head, host := range map[string]string{"": "", "2026 Nov 21 02:00:01 luna-a local3 info oamp[7]: ": "luna-a", "<158>Nov 21 02:00:01 luna-a oamp[7]: ": "luna-a"} {
			l := AuditLine(head + line)
			if diff := cmp.Diff(refused, *l.Audit); diff != "" || l.Host != host {
				t.Errorf("%q: host %q (-want +got):\n%s", head+line, l.Host, diff)
			}
		}
	}
	zeros := ParseAuditRecord(fmt.Sprintf("%010d,26/11/21 02:00:00,%-256s,%s,%s", 12, message, hmac, raw))
	if zeros.Sequence != hsm.Some[int64](12) || zeros.Previous != hmac {
		t.Errorf("with zeros: %+v", zeros)
	}
	l := ParseLine("2026 Nov 21 02:00:00 luna-a local3 info oamp[7]: S/N 484233 LUNA_LOGIN RC_OK")
	if l.Audit == nil || l.Audit.Event != "LUNA_LOGIN" || l.Host != "luna-a" {
		t.Errorf("from syslog: %+v", l)
	}
	if l := ParseLine("2026 Nov 21 02:00:00 luna-a local5 info NTLS[7]: LUNA_LOGIN"); l.Audit != nil {
		t.Errorf("of another facility: %+v", l.Audit)
	}
}
