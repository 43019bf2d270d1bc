package agent

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

// startHost is the host of a Luna client, with a card in it: two appliances and
// an application that uses both as an HA group, and an agent that is configured
// of them by nobody.
func startHost(t *testing.T) *estate {
	t.Helper()
	dir, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	e := &estate{dir: dir, log: new(syncBuffer)}
	scenario := filepath.Join(dir, "scenario.yaml")
	check.Must(t, os.WriteFile(scenario, []byte(`
appliances:
  - {name: luna1, model: "7.2", serial: 600001}
  - {name: luna2, model: "7.2", authentication: ped, serial: 600002}
  - {name: card, model: "7.2", card: true, serial: 532018}
ha:
  - {label: pay, members: [luna1/payments, luna2/payments], attempts: 3, interval: 1s}
`), 0o644))
	sim, err := simulator.New(simulator.Config{ListenAddress: "127.0.0.1:0", StateDir: filepath.Join(dir, "sim"), Scenario: scenario, MonitorSecond: monitorSecond, RSAKeys: os.Getenv(simulatorKeys)})
	check.Must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- sim.Run(ctx) }()
	e.ready = <-sim.Ready()
	program, err := filepath.Abs(os.Args[0])
	check.Must(t, err)
	check.Must(t, os.Symlink(program, filepath.Join(dir, "sim", "lunacm")))
	c, err := config.Parse(fmt.Appendf(nil, `
state_directory: %[1]s/state
control_socket: %[1]s/control
snmp: {enabled: false}
intervals: {fast: 1s, slow: 1s, hourly: 5s}
host: {enabled: false, name: client}
lunacm: {enabled: true, path: %[1]s/sim/lunacm, kernel_log: %[1]s/kern.log}
ha: {enabled: true, client_config: %[1]s/sim/client/Chrystoki.conf}
alarms: {unreachable_after: 1, silent_after: 1}
`, dir))
	check.Must(t, err)
	e.run(ctx, t, c, ended)
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		os.RemoveAll(dir)
		if t.Failed() {
			t.Logf("log of the agent:\n%s", e.log)
		}
	})
	return e
}

// read returns whether a card was found and read.
func (e *estate) read(card string) func() bool {
	return func() bool {
		return slices.ContainsFunc(e.agent.store.Latest().Devices, func(d *hsm.Device) bool { return d.Name == card && d.Kind == hsm.CardHSM && !d.Show.IsZero() })
	}
}

// ha returns the only HA group.
func (e *estate) ha() hsm.HAGroupState {
	for _, d := range e.agent.store.Latest().Devices {
		if v, ok := d.HA.Get(time.Now()); ok && len(v.Groups) == 1 {
			return v.Groups[0]
		}
	}
	return hsm.HAGroupState{}
}

// haAlarms returns the groups of the active alarms on HA.
func (e *estate) haAlarms() string {
	var all []string
	for _, a := range e.agent.watch.Active() {
		if name, ok := strings.CutPrefix(a.Group, "ha-"); ok && a.Device == "client" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// TestHAStory: a member is cut off, recovery is tried three times and given
// up; the second is deactivated; the application is restarted; both are back.
func TestHAStory(t *testing.T) {
	t.Parallel()
	e := startHost(t)
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STEP\tGROUP AND MEMBERS\tMETRICS\tALARMS")
	const one, two = "1254600001012", "1254600002012"
	for _, step := range []struct {
		name   string
		events [][2]string
		state  string // of the members, and of the group
		alarms string
		shown  []string // by ha show
		metric []string // on /metrics, without the device
	}{
		{"all well", nil, "alive alive, redundancy 1", "",
			[]string{"2 of 2 alive, 0 standby, redundancy 1"},
			[]string{`luna_ha_group_redundancy{group="pay"} 1`, `luna_ha_member_state{group="pay",member="` + one + `",state="alive"} 1`}},
		{"a member cut off, and given up", [][2]string{{"luna1", "gone"}}, "exhausted alive, redundancy 0", "exhausted member redundancy",
			[]string{"1 of 2 alive, 0 standby, redundancy 0", "3 of 3", "CKR_DEVICE_ERROR"},
			[]string{`luna_ha_group_redundancy{group="pay"} 0`, `luna_ha_member_state{group="pay",member="` + one + `",state="exhausted"} 1`,
				`luna_ha_member_recovery_attempt{group="pay",member="` + one + `"} 3`, `luna_ha_member_lost_by_processes{group="pay",member="` + one + `"} 1`}},
		{"the second deactivated", [][2]string{{"luna2", "partition-deactivate payments"}}, "exhausted deactivated, offline", "exhausted member member offline redundancy",
			[]string{"0 of 2 alive, 0 standby, OFFLINE"},
			[]string{`luna_ha_group_offline{group="pay"} 1`, `luna_ha_member_state{group="pay",member="` + two + `",state="deactivated"} 1`}},
		{"the application restarted", [][2]string{{"", "application-restart"}}, "down excluded, offline", "member member offline redundancy",
			[]string{"OFFLINE", "excluded"},
			[]string{`luna_ha_member_state{group="pay",member="` + one + `",state="down"} 1`, `luna_ha_member_state{group="pay",member="` + two + `",state="excluded"} 1`}},
		{"both back", [][2]string{{"luna1", "heal"}, {"luna2", "partition-activate payments"}}, "alive alive, redundancy 1", "",
			[]string{"2 of 2 alive, 0 standby, redundancy 1"},
			[]string{`luna_ha_group_offline{group="pay"} 0`, `luna_ha_member_reachable{group="pay",member="` + one + `"} 1`,
				// The application never said that it has it back.
				`luna_ha_member_lost_by_processes{group="pay",member="` + one + `"} 1`}},
	} {
		for _, ev := range step.events {
			e.inject(t, ev[0], ev[1])
		}
		var state string
		e.until(t, step.name+": "+step.state+"; "+step.alarms, func() bool {
			g := e.ha()
			var members []string
			for _, m := range g.Members {
				members = append(members, string(m.State))
			}
			state = strings.Join(members, " ") + fmt.Sprintf(", redundancy %d", g.Redundancy.Value)
			if g.Offline {
				state = strings.Join(members, " ") + ", offline"
			}
			return state == step.state && e.haAlarms() == step.alarms
		})
		snap, err := e.client.Snapshot(t.Context())
		check.Must(t, err)
		var text bytes.Buffer
		for _, d := range snap.Devices {
			if !d.HA.IsZero() {
				exporters.HAText(&text, d, time.Now())
			}
		}
		for _, want := range step.shown {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: ha show lacks %q:\n%s", step.name, want, text.String())
			}
		}
		metrics := strings.ReplaceAll(get(t, "http://"+e.web+"/metrics"), `device="client",`, "")
		for _, want := range step.metric {
			if !strings.Contains(metrics, want+"\n") {
				t.Errorf("%s: /metrics lacks %s", step.name, want)
			}
		}
		series := haSeries(metrics)
		all := strings.Split(e.haAlarms(), " ")
		for i := range max(len(series), len(all)) {
			row := []string{"", "", "", ""}
			if i == 0 {
				row[0], row[1] = step.name, state
			}
			if i < len(series) {
				row[2] = series[i]
			}
			if i < len(all) {
				row[3] = all[i]
			}
			fmt.Fprintln(table, strings.Join(row, "\t"))
		}
		t.Logf("%s; lunawatch ha show:\n%s", step.name, text.String())
	}
	table.Flush()
	t.Logf("the story:\n%s", text.String())
}

// haSeries returns the series of the HA group that show its state.
func haSeries(metrics string) (list []string) {
	for line := range strings.Lines(metrics) {
		line = strings.TrimSpace(line)
		name, _, _ := strings.Cut(line, "{")
		switch name {
		case "luna_ha_group_members_alive", "luna_ha_group_redundancy", "luna_ha_group_offline", "luna_ha_member_recovery_attempt", "luna_ha_member_lost_by_processes", "luna_ha_member_reachable":
			list = append(list, line)
		case "luna_ha_member_state":
			if strings.HasSuffix(line, " 1") {
				list = append(list, line)
			}
		}
	}
	return list
}

// TestCardStory: a card in the host is found, and its tamper, its silence and
// its return are seen.
func TestCardStory(t *testing.T) {
	t.Parallel()
	e := startHost(t)
	const device = "client-532018"
	e.until(t, "the card is found and read", e.read(device))
	e.until(t, "it is in the chassis of the host", func() bool {
		list, err := e.client.Walk(t.Context())
		check.Must(t, err)
		at := make(map[string]string) // index by name
		values := make(map[string]string)
		for _, i := range list {
			values[i.Name] = i.Value
			if index, is := strings.CutPrefix(i.Name, "entPhysicalName."); is {
				at[i.Value] = index
			}
		}
		host, card, volts := at[`STRING: "client"`], at[`STRING: "`+device+` HSM"`], at[`STRING: "`+device+` Battery Voltage"`]
		return host != "" && values["entPhysicalContainedIn."+card] == "INTEGER: "+host && values["entPhySensorType."+volts] == "INTEGER: 4"
	})
	for _, x := range []struct{ event, group, mend string }{
		{"temperature 78", "temp-warn", "temperature 38"},
		{"battery 2.70", "battery", "battery 3.08"},
		{"stm on", "hsm-status", "stm off"},
		{"gone", "unreachable", "heal"},
	} {
		e.inject(t, "card", x.event)
		e.until(t, x.event, func() bool { return e.active(device, x.group) })
		e.inject(t, "card", x.mend)
		e.until(t, x.mend, func() bool { return !e.active(device, x.group) })
	}
}

// TestHAEvents: a loss that has ended in the same reading, or while the agent was
// down, is known to history and receivers; so is what nobody expects.
func TestHAEvents(t *testing.T) {
	t.Parallel()
	e := startHost(t)
	e.until(t, "the group is read", func() bool { return len(e.ha().Members) == 2 })
	g := e.ha()
	log := filepath.Join(e.dir, "sim", "client", "haErrorLog.txt")
	write := func(format string, args ...any) {
		f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		check.Must(t, err)
		now := time.Now().Format("Mon Jan _2 15:04:05 2006")
		_, err = fmt.Fprintf(f, strings.ReplaceAll(format, "NOW", now), args...)
		check.Must(t, err)
		check.Must(t, f.Close())
	}
	member := g.Members[0].Serial
	e.until(t, "the HA log is followed", func() bool {
		write("NOW : [4711] HA group: %s management thread started\n", g.Serial)
		at, err := e.agent.watch.Journal.Cursor(log)
		return err == nil && at != nil
	})
	write("NOW : [4711] HA group: %[1]s has dropped member: %[2]s\nNOW : [4711] HA group: %[1]s recovery attempt #1 succeeded for member: %[2]s\n", g.Serial, member)
	write("NOW : [4711] HA group: 1999999999999 has dropped member: %s\nNOW : [4711] HA subsystem detected removal of server : 192.0.2.9\nNOW : [4711] something new\n", member)
	cleared := func() bool {
		history, err := e.agent.watch.History(10)
		check.Must(t, err)
		return slices.ContainsFunc(history, func(a alarms.Alarm) bool { return a.Key.String() == "client/ha-member/"+g.Name()+"/"+member })
	}
	e.until(t, "the loss is in history", cleared)
	e.until(t, "surprises", func() bool { return strings.Count(e.haAlarms(), "log") == 3 })
}
