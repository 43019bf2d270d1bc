package formats

import (
	"testing"

	"github.com/lunawatch/lunawatch/collectors/collectortest"
)

// TestPartsOfStatus has every source that prints the status of an HSM or of a
// partition state what its parts mean, and nothing by a part that is unknown.
func TestPartsOfStatus(t *testing.T) {
	for _, x := range []struct{ format, text, want string }{
		{"hsm-show", "HSM Label: x\nHSM Status -> L3 Device, Zeroized\nHSM Admin login attempts left: 3 before HSM zeroization!\n", `. {"zeroized":true,"hsm_status":"L3 Device, Zeroized"}`},
		{"hsm-show", "HSM Label: x\nHSM Status: Hardware Tamper\nHSM Tamper State: No tamper(s)\n", `. {"tamper":"detected"}`},
		{"hsm-show", "HSM Label: x\nHSM Status: Transport Mode, zeroized\nSecure Transport Mode: No\n", `. {"secure_transport_mode":true,"zeroized":true}`},
		{"lunacm-partition-showinfo", "Partition Label ->\nPartition Serial Number -> 70001\nPartition Status -> L3 Device, Decommissioned\n", `partitions.0 {"zeroized":true,"status":"L3 Device, Decommissioned"}`},
		{"lunacm-partition-showinfo", "Partition Label -> x\nPartition Serial Number -> 70001\nPartition Status -> L3 Device, not zeroized\n", `partitions.0 {"zeroized":null}`},
		{"rest-hsm", `{"firmwareVersion":"7.4.0","state":"zeroized"}`, `. {"zeroized":true}`},
		{"rest-hsm", `{"firmwareVersion":"7.4.0","state":"Hardware Tamper, Zeroized","zeroized":false}`, `. {"zeroized":true,"tamper":"detected"}`},
		{"rest-hsm", `{"firmwareVersion":"7.4.0","state":"transport mode"}`, `. {"secure_transport_mode":true}`},
		{"rest-hsm", `{"firmwareVersion":"7.4.0","state":"asleep"}`, `. {"zeroized":null,"hsm_status":"asleep"}`},
	} {
		f, ok := Named(x.format)
		if !ok {
			t.Fatalf("no format %s", x.format)
		}
		fact, _, err := f.Parse(x.text)
		if err == nil {
			err = collectortest.Match(fact, x.want)
		}
		if err != nil {
			t.Errorf("%s: %q: %v", x.format, x.text, err)
		}
	}
}
