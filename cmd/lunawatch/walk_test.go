package main

import (
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/agent"
)

// TestWalkFrom: what snmpwalk takes as a starting point, walk takes.
func TestWalkFrom(t *testing.T) {
	all := []agent.Instance{
		{OID: "1.3.6.1.2.1.118.1.2.2.1.2.1", Name: "alarmActiveX.1"},
		{OID: "1.3.6.1.4.1.12383.3.1.1.1.0", Name: "hsmOperationRequests.0"},
		{OID: "1.3.6.1.4.1.23629.1.5.2.1.1.1.1.49", Name: "hsmSerialNumber.1.49"},
		{OID: "1.3.6.1.4.1.23629.1.5.2.1.1.1.2.49", Name: "hsmLabel.1.49"},
		{OID: "1.3.6.1.4.1.23629.1.5.2.1.1.1.21.49", Name: "hsmFake.1.49"},
	}
	for from, want := range map[string]string{
		"":                                "alarmActiveX.1 hsmOperationRequests.0 hsmSerialNumber.1.49 hsmLabel.1.49 hsmFake.1.49",
		"hsmLabel":                        "hsmLabel.1.49",
		"SAFENET-HSM-MIB::hsmLabel":       "hsmLabel.1.49",
		"hsmLabel.1.49":                   "hsmLabel.1.49",
		"hsmLabel.1.4":                    "",
		".1.3.6.1.4.1.12383":              "hsmOperationRequests.0",
		"1.3.6.1.4.1.23629.1.5.2.1.1.1.2": "hsmLabel.1.49", // and not .21
		"1.3.6.1.4.1.1":                   "",
		"alarmActiveTable":                "alarmActiveX.1",
	} {
		taken, err := under(from)
		var got []string
		for _, i := range all {
			if err == nil && taken(i) {
				got = append(got, i.Name)
			}
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v", from, got, err)
		}
	}
	for from, want := range map[string]string{
		"hsmLable": `no object is named "hsmLable"; did you mean "hsmLabel"?`,
		"hsmTabl":  `did you mean "hsmTable"?`,
		"nothing":  `no object is named "nothing"; lunawatch mibs writes the modules`,
		"1.3.x":    `"1.3.x" is no OID`,
	} {
		if _, err := under(from); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", from, err)
		}
	}
}
