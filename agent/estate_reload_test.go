package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
	"golang.org/x/sync/errgroup"
)

// TestReload changes the configuration of an agent that runs: what has not changed keeps
// its session, its age and its alarms, and what is wrong changes nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "receivers:\n- {name: noc, snmp: {address: $TRAPD, version: 2c, form: lunawatch, community_file: $DIR/community}}\n")
	file := filepath.Join(e.dir, "lunawatch.yaml")
	write := func(text string) { check.Must(t, os.WriteFile(file, []byte(text), 0o600)) }
	e.agent.Load = func() (config.Config, error) {
		c, err := config.Read(file)
		c.Alarms.NotifyInterval, c.Alarms.StormAlarms, c.Alarms.FlapCount = 0, 0, 0
		return c, err
	}
	noc := fmt.Sprintf("receivers:\n- {name: noc, snmp: {address: %s, version: 2c, form: lunawatch, community_file: %s/community}}\n", e.trapd.Address, e.dir)
	all := e.config() + noc
	names := func() (list []string) {
		for _, d := range e.agent.store.Latest().HSMs() {
			list = append(list, d.Name)
		}
		return list
	}
	three, label := names(), make(map[string]string)
	for _, d := range e.agent.store.Latest().HSMs() {
		label[d.Name] = d.Show.Value.Label.Value
	}
	other, first, last := three[0], three[1], three[2]
	for _, name := range []string{first, last} {
		e.inject(t, name, "certificate 5")
		e.until(t, name+" has an alarm", func() bool { return e.active(name, "ntls-certificate") })
	}
	number := func(device string) (n uint64) {
		for _, a := range e.agent.watch.Active() {
			if a.Device == device && a.Group == "ntls-certificate" {
				n = a.Number
			}
		}
		return n
	}
	logins := func() int64 {
		counts, err := simulator.CountsOf(t.Context(), filepath.Join(e.dir, "sim"))
		check.Must(t, err)
		return counts.Logins
	}
	before, alarm := logins(), number(first)
	read := e.agent.store.Latest().Device(first).Show.Asked()

	for _, x := range []struct{ what, old, next, says string }{
		{"no YAML", "hsms:", "hsms: {", file + ":"},
		{"a name that cannot be", "name: " + first, "name: " + first + "/x", file + ":"},
		{"another state", "/state\n", "/elsewhere\n", "state_directory"},
		{"a file that is missing", "/community}", "/no-such}", "/no-such"},
	} {
		write(strings.Replace(all, x.old, x.next, 1))
		if err := e.client.Reload(t.Context(), true); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", x.what, err)
		}
		if !slices.Equal(names(), three) || !e.active("lunawatch", "configuration") {
			t.Errorf("%s: watches %v, and the alarm about it is %v", x.what, names(), e.active("lunawatch", "configuration"))
		}
	}
	others := strings.NewReplacer("name: "+first, "name: x", "name: "+other, "name: y", "name: "+last, "name: z").Replace(all)
	write(others)
	if err := e.client.Reload(t.Context(), false); err == nil || !strings.Contains(err.Error(), "none of the HSMs") {
		t.Errorf("all others: %v", err)
	}

	// One leaves.
	lines := strings.SplitAfter(all, "\n")
	write(strings.Join(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.HasPrefix(l, "- {name: "+last+",") }), ""))
	check.Must(t, e.client.Reload(t.Context(), false))
	e.until(t, "its alarm ends", func() bool { return !e.active(last, "ntls-certificate") && !e.active("lunawatch", "configuration") })
	e.until(t, "the receiver knows that", func() bool {
		return slices.ContainsFunc(e.trapd.Lines(), func(l string) bool {
			return strings.Contains(l, last+"/ntls-certificate") && strings.Contains(l, " cleared ")
		})
	})
	history, err := e.agent.watch.History(10)
	if err != nil || !slices.ContainsFunc(history, func(a alarms.Alarm) bool {
		return a.Device == last && a.Group == "ntls-certificate" && a.LastEvidence().Text == "removed from the configuration"
	}) {
		t.Errorf("%v, %v", history, err)
	}
	if got := names(); slices.Contains(got, last) || len(got) != 2 {
		t.Errorf("watches %v", got)
	}
	e.until(t, "SNMP does not show it", func() bool {
		walk := e.snmp(t, "snmpwalk", "-On", subtreeHSM)
		return strings.Contains(walk, label[first]) && !strings.Contains(walk, label[last])
	})
	if got := e.agent.store.Latest().Device(first).Show.Asked(); got.Before(read) || number(first) != alarm {
		t.Errorf("%s was read at %s, before %s; alarm %d, before %d", first, got, read, number(first), alarm)
	}

	// It comes back, and another receiver with it.
	write(all + "- {name: again, snmp: {address: " + e.trapd.Address + ", version: 2c, form: vendor, community_file: " + e.dir + "/community}}\n")
	check.Must(t, e.client.Reload(t.Context(), false))
	e.until(t, "it is read, and has its alarm", func() bool { return e.active(last, "ntls-certificate") })
	e.until(t, "the new receiver was notified of all", func() bool { return e.agent.watch.Deliveries()["again"].Delivered >= 2 })
	if after := logins(); after != before+1 {
		t.Errorf("%d logins: others lost their sessions, too", after-before)
	}

	answer, err := http.Post("http://"+e.web+"/-/reload", "", nil)
	check.Must(t, err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("a reload over HTTP: %s", answer.Status)
	}

	write(others)
	check.Must(t, e.client.Reload(t.Context(), true))
	e.until(t, "all others are read", func() bool {
		return e.active("x", "ntls-certificate") && e.active("z", "ntls-certificate") && !e.active(first, "ntls-certificate")
	})
}

// TestRefusedReloadEndsAtStart: an agent that starts again has what its file says, so
// that nothing is left of a reload that was refused.
func TestRefusedReloadEndsAtStart(t *testing.T) {
	dir := t.TempDir()
	for _, refused := range []bool{true, false} {
		a := New(config.Default(), Web{Lifecycle: true}, slog.New(slog.DiscardHandler))
		j, err := journal.Open(dir)
		check.Must(t, err)
		a.watch.Journal = j
		check.Must(t, a.watch.Open())
		if refused {
			if err := a.Reload(false); err == nil || !strings.Contains(err.Error(), "still starting") {
				t.Errorf("a reload before it runs: %v", err)
			}
			a.tasks.begin(t.Context(), new(errgroup.Group), nil)
			a.Load = func() (config.Config, error) { return config.Config{}, errors.New("line 7: no such key") }
			w := httptest.NewRecorder()
			a.reloadOverWeb(w, nil)
			if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "line 7") {
				t.Errorf("a wrong file: %d %s", w.Code, w.Body)
			}
		} else {
			check.Must(t, a.reportConfiguration())
		}
		if got := len(a.watch.Active()); got != map[bool]int{true: 1}[refused] {
			t.Errorf("refused %v: %d alarms", refused, got)
		}
		j.Close()
	}
}
