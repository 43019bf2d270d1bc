package snmp

import (
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

func TestVendorTrap(t *testing.T) {
	place := &alarms.LogPlace{Host: "luna-a", File: "messages", Time: "2026 Mar  1 12:00:00", Process: "ipmievd[61]"}
	logged := alarms.Evidence{At: alarmstest.At(0), Log: place}
	polled := alarms.Evidence{At: alarmstest.At(0), Text: "polled"}
	for _, x := range []struct {
		name, group, address string
		kind                 alarms.Kind
		evidence             []alarms.Evidence
		number, reference    string
	}{
		{"a line", "appliance-fan", "192.0.2.7:22", alarms.Raised, []alarms.Evidence{logged}, "2", "[luna-a:192.0.2.7 / messages / 2026 Mar  1 12:00:00 / ipmievd[61] / 1]"},
		{"its end", "power-supply", "192.0.2.7:22", alarms.Cleared, []alarms.Evidence{logged}, "3", "[luna-a:192.0.2.7 / messages / 2026 Mar  1 12:00:00 / ipmievd[61] / 0]"},
		{"worse", "motherboard", "192.0.2.7:22", alarms.Updated, []alarms.Evidence{logged}, "4", "[luna-a:192.0.2.7 / messages / 2026 Mar  1 12:00:00 / ipmievd[61] / 1]"},
		{"the newest evidence counts", "disk", "192.0.2.7:22", alarms.Cleared, []alarms.Evidence{logged, polled}, "5", "[a:192.0.2.7 / lunawatch / 2026 Mar  1 12:00:09 / disk / 0]"},
		{"a poll", "ntls", "192.0.2.7", alarms.Raised, []alarms.Evidence{polled}, "6", "[a:192.0.2.7 / lunawatch / 2026 Mar  1 12:00:09 / ntls / 1]"},
		{"IPv6", "stm", "[2001:db8::7]:22", alarms.Raised, []alarms.Evidence{logged}, "7", "[luna-a:2001:db8::7 / messages / 2026 Mar  1 12:00:00 / ipmievd[61] / 1]"},
		{"no address, no evidence, no such group", "x", "", alarms.Raised, nil, "7", "[a: / lunawatch / 2026 Mar  1 12:00:09 / x / 1]"},
	} {
		a := alarms.Alarm{Key: alarms.Key{Device: "a", Group: x.group}, Evidence: x.evidence}
		oid, object, reference := VendorTrap(alarms.Notification{Change: alarms.Change{Kind: x.kind, Alarm: a}, Address: x.address, At: alarmstest.At(9)})
		if oid.String() != "1.3.6.1.4.1.23629.1.5.2.2."+x.number || object.String() != "1.3.6.1.4.1.23629.1.5.2.2.1" || reference != x.reference {
			t.Errorf("%s: %s, %s, %s", x.name, oid, object, reference)
		}
	}
}

func TestVendorTrapFits(t *testing.T) {
	long := strings.Repeat("x\u20ac\n", 400)
	a := alarms.Alarm{Key: alarms.Key{Device: long, Group: "stm"}, Evidence: []alarms.Evidence{{Log: &alarms.LogPlace{Host: long, File: long, Time: long, Process: long}}}}
	_, _, reference := VendorTrap(alarms.Notification{Change: alarms.Change{Kind: alarms.Cleared, Alarm: a}, Address: long})
	if len(reference) > 256 || !strings.HasSuffix(reference, " / 0]") || strings.Count(reference, " / ") != 4 {
		t.Errorf("%d characters: %q", len(reference), reference)
	}
	for _, c := range []byte(reference) {
		if c < ' ' || c > '~' {
			t.Fatalf("%q is not printable", reference)
		}
	}
}

// TestAgentXWithoutSnmpd gives an error, so that the notification waits.
func TestAgentXWithoutSnmpd(t *testing.T) {
	session := agentx.New(agentx.Config{Socket: t.TempDir() + "/none", Timeout: time.Second})
	n := alarms.Notification{Change: alarms.Change{Kind: alarms.Raised, Alarm: alarms.Alarm{Key: alarms.Key{Device: "a", Group: "stm"}}}}
	if err := (AgentX{Session: session}).Notify(t.Context(), n); err == nil {
		t.Error("delivered to nobody")
	}
}

// TestCategories: every group goes to one that has the same trap.
func TestCategories(t *testing.T) {
	for _, g := range alarms.Groups() {
		n := alarms.Notification{Change: alarms.Change{Kind: alarms.Raised, Alarm: alarms.Alarm{Key: alarms.Key{Device: "a", Group: g.Name}}}}
		want, _, _ := VendorTrap(n)
		if trapNumbers[g.Trap] == 0 {
			t.Errorf("%s: trap %q has no number", g.Name, g.Trap)
		}
		limited := notify.Policy{Level: notify.LevelCategory}.Limit(n)
		if got, _, _ := VendorTrap(limited); got.Compare(want) != 0 {
			t.Errorf("%s: trap %s, want %s", g.Name, got, want)
		}
		if m := (notify.Words{}).Message(limited); m.Title == "" || strings.Contains(m.Action, g.Action) {
			t.Errorf("%s: %+v", g.Name, m)
		}
	}
	traps := make(map[alarms.Trap]string)
	for _, g := range alarms.Groups() {
		if g.Category != "" && traps[g.Trap] != "" {
			t.Errorf("%s: both %s and %s are shown for it", g.Trap, traps[g.Trap], g.Name)
		}
		if g.Category != "" {
			traps[g.Trap] = g.Name
		}
	}
	if len(traps) != len(trapNumbers) {
		t.Errorf("groups are shown for %v only", traps)
	}
}
