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

// TestUnknownNTLS: a status of NTLS in another word is unknown, not missing.
func TestUnknownNTLS(t *testing.T) {
	for text, want := range map[string]string{
		`{"operationalStatus":"up","connectedClients":1}`:     `. {"status":"up"}`,
		`{"operationalStatus":"dozing","connectedClients":1}`: `. {"status":"unknown"}`,
		`{"connectedClients":1}`:                              `. {"status":null}`,
	} {
		f, _ := Named("rest-ntls")
		fact, _, err := f.Parse(text)
		if err == nil {
			err = collectortest.Match(fact, want)
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestLockedRoles: a role that is locked out has no attempts left, however that
// is written; a word that is not known is unread, not taken for a number.
func TestLockedRoles(t *testing.T) {
	head := "Partition Name: pay\nPartition SN: 70001001\n"
	for _, x := range []struct {
		format, text, want string
		unread             int
	}{
		{"partition-show", head + "Partition Owner Locked Out: yes\nPartition Owner Login Attempts Left: None - Owner is Locked Out\n", `partitions.0.roles.0 {"locked_out":true,"login_attempts_left":0}`, 0},
		{"partition-show", head + "Crypto-User Login Attempts Left: None - Crypto User is Locked Out!\n", `partitions.0.roles.0 {"locked_out":null,"login_attempts_left":0}`, 0},
		{"partition-show", head + "Crypto Officer   Login Attempts Left: none\n", `partitions.0.roles.0 {"login_attempts_left":0}`, 0},
		{"partition-show", head + "Crypto Officer   Locked Out: no\nCrypto Officer   Login Attempts Left: plenty\n", `partitions.0.roles.0 {"locked_out":false,"login_attempts_left":null}`, 1},
		{"partition-show", head + "Crypto Officer   Locked Out: for a while\nPartition Object Count: 1\n", `partitions.0 {"object_count":1}`, 1},
		{"lunacm-role-show", "State of role 'Crypto Officer':\nLocked out.\nFailed login attempts before lockout: None\n", `roles.0 {"locked_out":true,"login_attempts_left":0}`, 0},
	} {
		f, ok := Named(x.format)
		if !ok {
			t.Fatalf("no format %s", x.format)
		}
		fact, unread, err := f.Parse(x.text)
		if err == nil {
			err = collectortest.Match(fact, x.want)
		}
		if err != nil || len(unread) != x.unread {
			t.Errorf("%s: %q: %v; unread %q", x.format, x.text, err, unread)
		}
	}
}
