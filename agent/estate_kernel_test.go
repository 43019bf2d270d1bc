package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestKernelStory: what the driver says of the only card raises an alarm of the
// card, and what it says of an unknown one, of the host.
func TestKernelStory(t *testing.T) {
	t.Parallel()
	e := startHost(t)
	const card = "client-532018"
	e.until(t, "the kernel log is followed", func() bool {
		s, ok := e.agent.sources("client")[kernelSource]
		return ok && s.Failure == hsm.None
	})
	e.until(t, "the card is read", e.read(card))
	kernel, err := os.OpenFile(filepath.Join(e.dir, "kern.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check.Must(t, err)
	defer kernel.Close()
	find := func(device, group, object string) (found alarms.Alarm) {
		all, err := e.agent.watch.History(100) // the next poll may have cleared it
		check.Must(t, err)
		for _, a := range e.agent.watch.Active() {
			all = append(all, a.Alarm)
		}
		for _, a := range all {
			if a.Device == device && a.Group == group && a.Object == object {
				found = a
			}
		}
		return found
	}
	for _, x := range []struct{ line, device, group, object, code string }{
		{"k7pf0: [HSM] ALM2003: Battery low voltage warning", card, "battery", "", "2003"},
		{"k7pf0: [HSM] ALM2007: HSM zeroized", card, "zeroize", "", "2007"},
		{"k7pf1: ALM0014: Low Battery", "client", "battery", "k7pf1", "0014"},
	} {
		_, err := fmt.Fprintf(kernel, "Mar  1 12:00:00 client kernel: %s\n", x.line)
		check.Must(t, err)
		e.until(t, x.line, func() bool { return slices.Contains(find(x.device, x.group, x.object).Codes, x.code) })
	}
	if critical, other := e.agent.watch.Events(card); critical != 1 || other != 1 {
		t.Errorf("%d critical and %d other events of the card", critical, other)
	}
	if !strings.Contains(get(t, "http://"+e.web+"/metrics"), `luna_source_success{device="client",source="kernel log"} 1`) {
		t.Error("/metrics does not show that the kernel log is read")
	}
}

// TestCardOf maps instances of the driver to devices.
func TestCardOf(t *testing.T) {
	for _, x := range []struct {
		what   string
		known  []string // cards
		mapped map[string]string
		want   map[string]string
	}{
		{"no card", nil, nil, map[string]string{"k7pf0": "host"}},
		{"one", []string{"532018"}, nil, map[string]string{"k7pf0": "host-532018", "viper0": "host-532018", "k7pf1": "host"}},
		{"two", []string{"532018", "532019"}, nil, map[string]string{"k7pf0": "host", "k7pf1": "host"}},
		{"two and a map", []string{"532018", "532019"}, map[string]string{"k7pf1": "532018"}, map[string]string{"k7pf0": "host", "k7pf1": "host-532018"}},
		{"one and a map", []string{"532018"}, map[string]string{"k7pf1": "532018"}, map[string]string{"k7pf0": "host", "k7pf1": "host-532018"}},
	} {
		a := &Agent{store: hsm.NewStore()}
		a.site.Store(newSite(config.Default()))
		a.config().Host.Name, a.config().LunaCM.Name, a.config().LunaCM.KernelCards = "host", "host", x.mapped
		for _, serial := range x.known {
			a.store.Expect(hsm.CardHSM, "host-"+serial)
		}
		for driver, want := range x.want {
			if got := a.cardOf(driver); got != want {
				t.Errorf("%s: %s is %s, want %s", x.what, driver, got, want)
			}
		}
	}
}
