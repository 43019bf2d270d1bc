package hsm

import (
	"slices"
	"testing"
)

func TestStatusParts(t *testing.T) {
	for status, want := range map[Status][]StatusPart{
		"":                                nil,
		"  ":                              nil,
		"OK":                              {PartOK},
		"L3 Device,Zeroized":              {PartL3Device, PartZeroized},
		"L3  device , HARDWARE  tamper":   {PartL3Device, PartTampered},
		"HSM Tamper, Decommissioned":      {PartTampered, PartDecommissioned},
		"Transport Mode, zeroized":        {PartTransport, PartZeroized},
		"N/A - HA Group":                  {PartNone},
		"L3 Device,":                      {PartL3Device, PartUnknown},
		"L4 Device":                       {PartUnknown},
		"L3 Device, not zeroized":         {PartL3Device, PartUnknown},
		"Hardware Tamper; Decommissioned": {PartTampered, PartDecommissioned},
		"HSM tampered for good":           {PartTampered},
		"No tamper":                       {PartUnknown},
	} {
		if got := status.Parts(); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", status, got, want)
		}
	}
}

// TestWithStatus: a status makes worse what else is stated, never better.
func TestWithStatus(t *testing.T) {
	for _, x := range []struct {
		in, want Show
	}{
		{Show{Status: "OK"}, Show{Zeroized: Some(false)}},
		{Show{Status: "L3 Device"}, Show{}},
		{Show{Status: "OK, Asleep"}, Show{}},
		{Show{Status: "OK", Zeroized: Some(true), Tamper: TamperDetected}, Show{Zeroized: Some(true), Tamper: TamperDetected}},
		{Show{Status: "L3 Device, Zeroized", Zeroized: Some(false)}, Show{Zeroized: Some(true)}},
		{Show{Status: "L3 Device, Decommissioned"}, Show{Zeroized: Some(true)}},
		{Show{Status: "L3 Device, Hardware Tamper", Tamper: TamperNone}, Show{Tamper: TamperDetected}},
		{Show{Status: "Transport Mode, zeroized", SecureTransportMode: Some(false)}, Show{SecureTransportMode: Some(true), Zeroized: Some(true)}},
	} {
		got := x.in.WithStatus()
		if got.Zeroized != x.want.Zeroized || got.Tamper != x.want.Tamper || got.SecureTransportMode != x.want.SecureTransportMode {
			t.Errorf("%q: zeroized %v, tamper %q, transport %v", x.in.Status, got.Zeroized, got.Tamper, got.SecureTransportMode)
		}
	}
}
