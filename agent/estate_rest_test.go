package agent

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

// withRESTOf adds the REST API of an appliance that has it.
func withRESTOf(e *estate, a simulator.ReadyAppliance) string {
	if a.RESTAddress == "" {
		return ""
	}
	return fmt.Sprintf(", rest: {address: %q, password_file: %s, certificate: %q}", a.RESTAddress, e.ready.PasswordFile, a.RESTFingerprint)
}

// TestRESTGoesOn takes LunaSH away from an appliance: its values stay fresh,
// and show that they come over REST; when LunaSH is back, they come from there.
func TestRESTGoesOn(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "", withRESTOf, func(*estate, simulator.ReadyAppliance) string {
		return ", intervals: {fast: 2s, slow: 3s, hourly: 4s}" // half a minute must pass, in which more polls show nothing
	})
	luna72 := func() *hsm.Device {
		for _, d := range e.agent.store.Latest().Devices {
			if d.Name == "luna72" {
				return d
			}
		}
		t.Fatal("no luna72")
		return &hsm.Device{}
	}
	source := func(rest bool) func() bool {
		return func() bool {
			d := luna72()
			for _, name := range []string{"show", "information", "monitor", "ntls", "partitions", "policies", "certificate", "tamper"} {
				a := d.Ages(time.Now())[name]
				if a.Stale || a.Source == "" || strings.HasPrefix(a.Source, "rest ") != rest {
					return false
				}
			}
			return true
		}
	}
	e.until(t, "both sources are read, and LunaSH counts", func() bool {
		return luna72().Sources["rest certificate"].Success != time.Time{} && source(false)()
	})
	if s := luna72().Services; !strings.HasPrefix(s.Source, "rest ") || len(s.Value) == 0 {
		t.Errorf("services, which only REST states: %+v", s)
	}
	label := luna72().Show.Value.Label.Value
	e.inject(t, "luna72", "gone ssh")
	e.until(t, "every section is fresh and read over REST", source(true))
	for name, want := range map[string]string{"hsm show": label, "rest hsm": "/api/lunasa/hsms/"} {
		said, err := e.client.Answers(t.Context(), "luna72", name)
		if err != nil || len(said) != 1 || said[0].Source != name || !strings.Contains(said[0].Text, want) {
			t.Errorf("the answer to %s: %v, %v", name, said, err)
		}
	}
	if all, _ := e.client.Answers(t.Context(), "luna72", ""); len(all) < 20 {
		t.Errorf("%d answers of all sources", len(all))
	}
	d := luna72()
	if d.Show.Value.Label.Value != label || d.Show.Value.Environment != nil || !d.Show.Value.Storage.Total.Known || len(d.Partitions.Value) != 3 {
		t.Errorf("%+v", d.Show.Value)
	}
	e.inject(t, "luna72", "stm on")
	e.until(t, "an alarm of what REST states", func() bool { return e.active("luna72", "stm") })
	e.inject(t, "luna72", "rest-expire")
	e.inject(t, "luna72", "heal")
	e.inject(t, "luna72", "stm off")
	e.until(t, "LunaSH counts again", source(false))
	e.until(t, "the alarm has cleared", func() bool { return !e.active("luna72", "stm") })
	if d := luna72().Disagreements; len(d) > 0 {
		t.Errorf("the sources disagree: %+v", d)
	}
	e.inject(t, "luna72", "gone rest")
	e.until(t, "an alarm of the source that fails beside LunaSH", func() bool { return e.active("luna72", "source-failing") })
	if e.active("luna72", "unreachable") || e.active("luna72", "data-stale") {
		t.Error("another alarm says the same")
	}
	e.inject(t, "luna72", "heal")
	e.until(t, "it works again", func() bool { return !e.active("luna72", "source-failing") })
	e.inject(t, "luna62", "wrong-password")
	e.until(t, "REST reports the refused password", func() bool {
		for _, d := range e.agent.store.Latest().Devices {
			if d.Name == "luna62" && d.Sources["rest hsm"].Failures >= 3 {
				return d.Sources["rest hsm"].Failure == hsm.Login
			}
		}
		return false
	})
	secure, err := os.ReadFile(e.dir + "/sim/luna62/secure")
	check.Must(t, err)
	if n := strings.Count(string(secure), "webserver: failed login") + strings.Count(string(secure), "Failed password"); n != 1 {
		t.Errorf("%d logins with a password that was refused, want one", n)
	}
	if n := len(regexp.MustCompile(`msg="source fails".*no more tries`).FindAllString(e.log.String(), -1)); n != 1 {
		t.Errorf("it is logged %d times, want once", n)
	}
	password, err := os.ReadFile(e.ready.PasswordFile)
	check.Must(t, err)
	if strings.Contains(e.log.String(), strings.TrimSpace(string(password))) {
		t.Error("the log holds the password")
	}
}
