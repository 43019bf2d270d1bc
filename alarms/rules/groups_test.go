package rules

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/hsm"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// clearingPolls are polls that can clear an alarm that came from a log.
var clearingPolls = []struct {
	name string
	d    *hsm.Device
}{
	{"nothing", &hsm.Device{}},
	{"status OK", &hsm.Device{Show: alarmstest.Read(hsm.Show{Status: "OK"})}},
	{"status bad", &hsm.Device{Show: alarmstest.Read(hsm.Show{Status: "Transport Mode"})}},
	{"no tamper in hsm show", &hsm.Device{Show: alarmstest.Read(hsm.Show{Status: "Transport Mode", Tamper: hsm.TamperNone})}},
	{"no tamper in hsm tamper show", &hsm.Device{Tamper: alarmstest.Read(hsm.Tamper{State: hsm.TamperNone})}},
	{"policy 48 off", &hsm.Device{Show: alarmstest.Read(hsm.Show{Status: "OK"}),
		Policies: alarmstest.Read(hsm.Policies{Policies: []hsm.Policy{{ID: hsm.Some[int64](48), Value: "Off"}}})}},
	{"initialized", &hsm.Device{Show: alarmstest.Read(hsm.Show{Status: "Transport Mode", Zeroized: hsm.Some(false), Label: hsm.Some("x")})}},
	{"all activated", &hsm.Device{Partitions: alarmstest.Read([]hsm.Partition{{Serial: "1", Activated: hsm.Some(true)}})}},
	{"one not activated", &hsm.Device{Partitions: alarmstest.Read([]hsm.Partition{{Serial: "1", Activated: hsm.Some(true)}, {Serial: "2", Activated: hsm.Some(false)}})}},
	{"restarted", &hsm.Device{Show: alarmstest.Read(hsm.Show{Status: "OK"}), Monitor: alarmstest.Read(hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: 60}}})}},
	{"free storage", &hsm.Device{Show: alarmstest.Read(hsm.Show{Status: "Transport Mode", Storage: storage(1)})}},
	{"free storage, a partition over its size", &hsm.Device{Show: alarmstest.Read(hsm.Show{Status: "Transport Mode", Storage: storage(1)}), Partitions: alarmstest.Read([]hsm.Partition{{Serial: "1", Storage: storage(1100)}})}},
	{"free storage, in partitions too", &hsm.Device{Show: alarmstest.Read(hsm.Show{Status: "Transport Mode", Storage: storage(1)}), Partitions: alarmstest.Read([]hsm.Partition{{Serial: "1", Storage: storage(2)}})}},
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
	for _, g := range slices.Backward(alarms.Groups()) {
		names = slices.Insert(names, 0, g.Name)
	}
	for _, name := range names {
		g := alarms.GroupNamed(name)
		raised := func(code string) alarms.Alarm {
			return alarms.Eval(alarms.NewState(), []alarms.Finding{{Key: alarms.Key{Device: "a", Group: name}, Condition: alarms.Bad, Severity: alarms.Major, Code: code}}, alarms.Damping{}, alarmstest.At(0))[0].Alarm
		}
		plain := raised("")
		row := snmp.MIBRow(alarms.Alarm{Key: alarms.Key{Device: "a", Group: name, Object: "x"}})
		fmt.Fprintf(&b, "%s\n", g.Name)
		fact("number", fmt.Sprint(row.Model))
		fact("title", g.Title)
		fact("trap", string(g.Trap))
		fact("action", g.Action)
		fact("type", plain.Type)
		fact("cause", plain.Cause)
		for _, c := range alarms.Catalogue() {
			if c.Group == name {
				a := raised(c.Code)
				fact("ALM"+c.Code, a.Type+" "+a.Cause)
			}
		}
		fact("causes", strings.Join(g.Causes, " "))
		fact("parent causes", strings.Join(g.ParentCauses, " "))
		if g.Tamper != 0 {
			fact("tamper", "yes")
		}
		if row.Partition != "" {
			fact("object", "partition")
		}
		fact("ends by", HowCleared(name))
		for _, p := range clearingPolls {
			key := alarms.Key{Device: "a", Group: name}
			p.d.Name = "a"
			for _, f := range clearedByPolls(p.d, []alarms.Key{key}, alarmstest.At(10)) {
				fact("cleared by", fmt.Sprintf("%s, as of %d s", p.name, f.Evidence.At.Unix()-alarmstest.At(0).Unix()))
			}
		}
		limited := notify.Policy{Level: notify.LevelCategory}.Limit(alarms.Notification{Change: alarms.Change{Kind: alarms.Raised, Alarm: alarms.Alarm{Key: alarms.Key{Device: "a", Group: name}}}})
		fact("category", limited.Change.Alarm.Group+", "+limited.Change.Alarm.Text+", "+notify.Words{}.Message(limited).Title)
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

// TestGroupsAreCopies: changing what Groups and Catalogue return changes
// nothing here.
func TestGroupsAreCopies(t *testing.T) {
	alarms.Groups()[0], alarms.Catalogue()[0] = alarms.Group{}, alarms.Code{}
	if alarms.Groups()[0].Name == "" || alarms.Catalogue()[0].Code == "" {
		t.Error("a caller's copy is the table itself")
	}
}
