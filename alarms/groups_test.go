package alarms

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/hsm"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// clearingPolls are polls that can clear an alarm that came from a log.
var clearingPolls = []struct {
	name string
	d    hsm.Device
}{
	{"nothing", hsm.Device{}},
	{"status OK", hsm.Device{Show: read(hsm.Show{Status: "OK"})}},
	{"status bad", hsm.Device{Show: read(hsm.Show{Status: "HSM halted"})}},
	{"no tamper in hsm show", hsm.Device{Show: read(hsm.Show{Status: "HSM halted", Tamper: hsm.TamperNone})}},
	{"no tamper in hsm tamper show", hsm.Device{Tamper: read(hsm.Tamper{State: hsm.TamperNone})}},
	{"policy 48 off", hsm.Device{Show: read(hsm.Show{Status: "OK"}),
		Policies: read(hsm.Policies{Policies: []hsm.Policy{{ID: hsm.Some[int64](48), Value: "Off"}}})}},
	{"initialized", hsm.Device{Show: read(hsm.Show{Status: "HSM halted", Zeroized: hsm.Some(false), Label: hsm.Some("x")})}},
	{"all activated", hsm.Device{Partitions: read([]hsm.Partition{{Serial: "1", Activated: hsm.Some(true)}})}},
	{"one not activated", hsm.Device{Partitions: read([]hsm.Partition{{Serial: "1", Activated: hsm.Some(true)}, {Serial: "2", Activated: hsm.Some(false)}})}},
	{"restarted", hsm.Device{Show: read(hsm.Show{Status: "OK"}), Monitor: read(hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: 60}}})}},
	{"free storage", hsm.Device{Show: read(hsm.Show{Status: "HSM halted", Storage: storage(1)})}},
}

// TestGroups holds all that is known of each group against a golden file.
func TestGroups(t *testing.T) {
	var b strings.Builder
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-14s %s\n", name, value)
		}
	}
	names := []string{"no-such-group"}
	for _, g := range slices.Backward(Groups()) {
		names = slices.Insert(names, 0, g.Name)
	}
	for _, name := range names {
		g := GroupNamed(name)
		raised := func(code string) Alarm {
			return Eval(NewState(), []Judgement{{Key: Key{Device: "a", Group: name}, Verdict: Bad, Severity: Major, Code: code}}, Damping{}, at(0))[0].Alarm
		}
		plain := raised("")
		row := MIBRow(Alarm{Key: Key{Device: "a", Group: name, Object: "x"}})
		fmt.Fprintf(&b, "%s\n", g.Name)
		fact("number", fmt.Sprint(row.Model))
		fact("title", g.Title)
		fact("trap", string(g.Trap))
		fact("action", g.Action)
		fact("type", plain.Type)
		fact("cause", plain.Cause)
		for _, c := range Catalogue() {
			if c.Group == name {
				a := raised(c.Code)
				fact("ALM"+c.Code, a.Type+" "+a.Cause)
			}
		}
		fact("causes", strings.Join(g.causes, " "))
		fact("parent causes", strings.Join(g.parentCauses, " "))
		if g.tamper != 0 {
			fact("tamper", "yes")
		}
		if row.Partition != "" {
			fact("object", "partition")
		}
		fact("ends by", EndsBy(name))
		for _, p := range clearingPolls {
			key := Key{Device: "a", Group: name}
			p.d.Name = "a"
			for _, j := range ended(p.d, []Key{key}, at(10)) {
				fact("cleared by", fmt.Sprintf("%s, as of %d s", p.name, j.Evidence.At.Unix()-at(0).Unix()))
			}
		}
		limited := Policy{Level: LevelCategory}.Limit(Notification{Change: Change{Raised, Alarm{Key: Key{Device: "a", Group: name}}}})
		fact("category", limited.Change.Alarm.Group+", "+limited.Change.Alarm.Text+", "+NewMessage(limited).Title)
	}
	path := filepath.Join("testdata", "groups.txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestGroupsAreTheirs: who changes what Groups and Catalogue return changes
// nothing here.
func TestGroupsAreTheirs(t *testing.T) {
	Groups()[0], Catalogue()[0] = Group{}, Code{}
	if Groups()[0].Name == "" || Catalogue()[0].Code == "" {
		t.Error("a caller's copy is the table itself")
	}
}
