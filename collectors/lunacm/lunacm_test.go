package lunacm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
)

func TestMain(m *testing.M) { collectortest.Main(m) }

const twoCards = `
appliances:
  - {name: pci72, model: "7.2", authentication: ped, card: true, serial: 532018}
  - {name: pci62, model: "6.2", card: true, serial: 150022, partitions: [{name: codesign, objects: 9}]}
  - {name: net72, model: "7.2"}
`

var quick = poll.Intervals{poll.Fast: time.Second, poll.Slow: 2 * time.Second, poll.Hourly: 3 * time.Second}

func TestCards(t *testing.T) {
	t.Parallel()
	e := collectortest.StartEstate(t, collectortest.WriteNew(t, "cards.yaml", twoCards, 0o644))
	e.Fault(t, "pci72", "temperature", "51")
	e.Fault(t, "pci72", "partition-deactivate", "payments")
	c := &Cards{Host: "host", Name: "card", Path: e.LunaCM(t), Intervals: quick}
	s := collectortest.WatchCollector(t, c, func(s *hsm.Snapshot) bool {
		for _, name := range []string{"card-532018", "card-150022"} {
			d := collectortest.DeviceOf(s, name)
			if d.Show.IsZero() || d.Monitor.IsZero() || d.Partitions.IsZero() || d.Policies.IsZero() || d.Partitions.Value[0].Policies == nil {
				return false
			}
		}
		return !collectortest.DeviceOf(s, "card-532018").Tamper.IsZero()
	})
	for _, d := range s.Devices {
		for name, source := range d.Sources {
			if source.Failure != hsm.None || len(source.Unread) > 0 {
				t.Errorf("%s: %s: %s %q", d.Name, name, source.Error, source.Unread)
			}
		}
	}
	new, old := collectortest.DeviceOf(s, "card-532018"), collectortest.DeviceOf(s, "card-150022")
	if len(s.Devices) != 3 || new.Kind != hsm.CardHSM || collectortest.DeviceOf(s, "host").Kind != hsm.HostMachine {
		t.Errorf("%d devices, the card is a %q", len(s.Devices), new.Kind)
	}
	v := new.Show.Value
	if v.Serial != "532018" || v.Status != "L3 Device" || v.Environment == nil || v.Environment.TemperatureCelsius.Value != 51 || !hsm.Is(v.PartitionsCreated, 3) {
		t.Errorf("card of 7.2: %+v", v)
	}
	for i, want := range []bool{true, false, true} {
		p := new.Partitions.Value[i]
		if !hsm.Is(p.Activated, want) || len(p.Roles) != 1 || !hsm.Is(p.Roles[0].LoginAttemptsLeft, 10) {
			t.Errorf("partition %+v", p)
		}
	}
	if v := old.Show.Value; v.Serial != "150022" || v.Status != "OK" || v.Environment != nil {
		t.Errorf("card of 6.2: %+v", v)
	}
	if p := old.Partitions.Value; len(p) != 1 || p[0].Label.Value != "codesign" || !hsm.Is(p[0].ObjectCount, 9) || p[0].Activated.Known {
		t.Errorf("partitions of the old card: %+v", p)
	}
	if _, asked := old.Sources["hsm tampershow"]; asked {
		t.Error("a K6 was asked for tampers")
	}
}

// TestACardThatLosesItsSlot, for example by a tamper, is reported. The others, whose
// slot numbers change by that, are read as before.
func TestACardThatLosesItsSlot(t *testing.T) {
	t.Parallel()
	e := collectortest.StartEstate(t, collectortest.WriteNew(t, "cards.yaml", twoCards, 0o644))
	c := &Cards{Host: "host", Name: "card", Path: e.LunaCM(t), Intervals: quick}
	tampered := false
	var before time.Time
	s := collectortest.WatchCollector(t, c, func(s *hsm.Snapshot) bool {
		gone, other := collectortest.DeviceOf(s, "card-532018"), collectortest.DeviceOf(s, "card-150022")
		if !tampered && !gone.Show.IsZero() && !other.Show.IsZero() {
			e.Fault(t, "pci72", "tamper", "chassis")
			tampered, before = true, time.Now()
		}
		return gone.Sources["hsm showinfo"].Failure == hsm.Unreachable && other.Show.At.After(before.Add(time.Second))
	})
	if s := collectortest.DeviceOf(s, "card-532018").Sources["hsm showinfo"]; !strings.Contains(s.Error, "HSM 532018 has no slot") {
		t.Error(s.Error)
	}
	if v := collectortest.DeviceOf(s, "card-150022").Show.Value; v.Serial != "150022" {
		t.Errorf("read from another HSM: %+v", v)
	}
}

// TestStatesOfACard checks what follows from each HSM Status, which LunaSH states by
// itself.
func TestStatesOfACard(t *testing.T) {
	t.Parallel()
	e := collectortest.StartEstate(t, collectortest.WriteNew(t, "cards.yaml", strings.Replace(twoCards, "150022", "150023", 1), 0o644))
	r := &card{lunacm: &Program{Path: e.LunaCM(t)}, serial: "532018"}
	p := &poll.Poller{Device: "a", Kind: hsm.CardHSM, Commands: commands[:1], Runner: r}
	for _, x := range []struct {
		event               string
		status              hsm.Status
		zeroized, transport bool
	}{
		{"load 3", "L3 Device", false, false},
		{"stm on", "L3 Device, Transport Mode", false, true},
		{"zeroize", "L3 Device, Transport Mode, zeroized", true, true},
		{"stm off", "L3 Device, Zeroized", true, false},
	} {
		e.Fault(t, "pci72", strings.Fields(x.event)...)
		snap := &hsm.Snapshot{}
		p.Capture(t.Context(), func(_, _ string) {}, func(o hsm.Observation) { snap = snap.With(o) })
		if s := snap.Devices[0].Sources["hsm showinfo"]; s.Failure != hsm.None {
			t.Fatalf("%s: %s", x.event, s.Error)
		}
		v := snap.Devices[0].Show.Value
		if v.Status != x.status || v.Zeroized.Value != x.zeroized || v.SecureTransportMode.Value != x.transport {
			t.Errorf("%s: %q, zeroized %v, transport mode %v", x.event, v.Status, v.Zeroized, v.SecureTransportMode)
		}
	}
}

func TestAHungLunaCMIsKilled(t *testing.T) {
	t.Parallel()
	e := collectortest.StartEstate(t, collectortest.WriteNew(t, "cards.yaml", twoCards, 0o644))
	r := &card{lunacm: &Program{Path: e.LunaCM(t)}, serial: "532018"}
	if _, err := r.Run(t.Context(), "hsm showinfo"); err != nil {
		t.Fatal(err)
	}
	e.Fault(t, "pci72", "hang")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := r.Run(ctx, "hsm showinfo"); collectors.FailureOf(err) != hsm.Timeout || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v", err)
	}
	e.Fault(t, "pci72", "heal")
	if _, err := r.Run(t.Context(), "hsm showinfo"); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// TestChildrenOfAHungLunaCM are killed with it. While it cannot be killed, no other is
// started.
func TestChildrenOfAHungLunaCM(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := "#!/bin/sh\nsleep 600 &\necho $! >" + dir + "/new\nmv " + dir + "/new " + dir + "/child\nwait\n"
	path := collectortest.WriteNew(t, "lunacm", script, 0o755)
	var killed []int
	l := &Program{Path: path, kill: func(pid int) { killed = append(killed, pid) }}
	run := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Ask(ctx, "slot list")
		return err
	}
	first, second := run(), run()
	if collectors.FailureOf(first) != hsm.Timeout || collectors.FailureOf(second) != hsm.Timeout || len(killed) != 1 || !strings.Contains(second.Error(), "still waits in the driver") {
		t.Errorf("%v; %v; killed %v", first, second, killed)
	}
	text, err := os.ReadFile(dir + "/child")
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || syscall.Kill(child, 0) != nil {
		t.Fatalf("no child %d: %v", child, err)
	}
	l.kill = nil
	l.end(killed[0])
	<-l.stuck
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(child, 0) == nil && !zombie(child); {
		if time.Now().After(deadline) {
			t.Fatal("its child still runs")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if third := run(); collectors.FailureOf(third) != hsm.Timeout || strings.Contains(third.Error(), "still waits") {
		t.Errorf("when it has ended: %v", third)
	}
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// TestLunaCMOutput runs programs whose output is complete, incomplete or unexpected.
func TestLunaCMOutput(t *testing.T) {
	t.Parallel()
	slots := "lunacm:>\\n  Slot Id -> 3\\n  Label -> a\\n  Serial Number -> 532018\\n  Model -> Luna K7\\n  Slot Description -> Admin Token Slot\\n  HSM Status -> OK\\n\\nCommand Result : No Error\\n\\n"
	set := "lunacm:>\\n Current Slot Id: 3\\n\\nCommand Result : No Error\\n\\n"
	for _, x := range []struct {
		name, output string
		want         hsm.Failure
		text         string
	}{
		{"nothing", "", hsm.Incomplete, `"slot list"`},
		{"no slots", "lunacm:>\\n Current Slot Id: None\\n\\nCommand Result : No Error\\n", hsm.Unreachable, "has no slot"},
		{"an answer", slots + set + "lunacm:> hsm showinfo\\n  HSM Label -> a\\n\\nCommand Result : No Error\\n\\nlunacm:>lunacm:>", hsm.None, ""},
		{"dies before the answer", slots + set + "lunacm:>", hsm.Incomplete, `"hsm showinfo"`},
		{"dies in the answer", slots + set + "lunacm:>\\n  HSM Label -> a\\n", hsm.Incomplete, `"hsm showinfo"`},
		{"has no such slot", slots + "lunacm:>\\n Error: no.\\n\\nCommand Result : 0x3 (CKR_SLOT_ID_INVALID)\\n" + slots, hsm.Command, "CKR_SLOT_ID_INVALID"},
		{"moves the slot", strings.Replace(slots, "Id -> 3", "Id -> '$(($$ % 9000))'", 1) + set + slots, hsm.Command, "keep changing"},
	} {
		path := collectortest.WriteNew(t, "lunacm", "#!/bin/sh\ncat >/dev/null\nprintf 'LunaCM v7\\n\\n"+x.output+"'\nexit 3\n", 0o755)
		r := &card{lunacm: &Program{Path: path}, serial: "532018"}
		text, err := r.Run(t.Context(), "hsm showinfo")
		if collectors.FailureOf(err) != x.want || err != nil && !strings.Contains(err.Error(), x.text) {
			t.Errorf("%s: %v", x.name, err)
		}
		if err == nil && string(text) != "  HSM Label -> a\n\nCommand Result : No Error\n\n" {
			t.Errorf("%s: %q", x.name, text)
		}
	}
	_, err := (&Program{Path: "/nonexistent/lunacm"}).Ask(t.Context(), "slot list")
	if collectors.FailureOf(err) != hsm.Unreachable || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "lunacm.path") {
		t.Errorf("%v", err)
	}
}

// TestLunaCMGetsNothingElse checks that it gets only commands that change nothing.
func TestLunaCMGetsNothingElse(t *testing.T) {
	for _, line := range []string{
		"slot list", "slot set -slot 0", "slot set -slot 9999", "hsm showinfo", "role show -name co", "hagroup listgroups", "", "exit",
	} {
		if err := Allowed(line); err != nil {
			t.Error(err)
		}
	}
	touched := filepath.Join(t.TempDir(), "ran")
	l := &Program{Path: collectortest.WriteNew(t, "lunacm", "#!/bin/sh\ntouch "+touched+"\n", 0o755)}
	for _, line := range []string{
		"hsm login", "hsm zeroize", "hsm showinfo\nhsm zeroize", "hsm showinfo ", " hsm showinfo", "hsm showinfo -x", "HSM SHOWINFO",
		"slot set -slot -1", "slot set -slot 10000", "slot set -slot 1\nhsm init", "slot set -slot 0x1", "slot set -slot", "role login -name co",
		"role show -name so", "hagroup listgroups -password x", "hsm tamperclear", "stm recover", "password", "proceed", "exit\n", "\n", "clientconfig restart",
	} {
		if Allowed(line) == nil {
			t.Errorf("%q would be sent", line)
		}
		if _, err := l.Ask(t.Context(), line); collectors.FailureOf(err) != hsm.Command {
			t.Errorf("%q: %v", line, err)
		}
		if _, err := (&card{lunacm: l, serial: "1", at: new(cardSlots)}).Run(t.Context(), line); collectors.FailureOf(err) != hsm.Command {
			t.Errorf("%q: %v", line, err)
		}
	}
	if _, err := os.Stat(touched); err == nil {
		t.Error("lunacm was started")
	}
	for _, c := range commands {
		if err := Allowed(c.Name); err != nil {
			t.Error(err)
		}
	}
}
