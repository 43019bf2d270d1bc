package checkmk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

func TestMain(m *testing.M) { collectortest.Main(m) }

// patience bounds a wait for a condition; no test's result depends on it.
const patience = time.Minute

// A site is three simulated appliances, an agent that watches them, and snmpd.
type site struct {
	collectortest.Estate
	snmpd *netsnmp.Agent
}

// startSite brings everything up; it ends with the test.
func startSite(t *testing.T) site {
	t.Helper()
	dir, err := os.MkdirTemp("", "lw") // the path of a socket is short
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	ctx, cancel := context.WithCancel(context.Background())
	s := site{Estate: collectortest.StartEstate(t, "")}
	check.Must(t, os.Mkdir(filepath.Join(dir, "snmpd"), 0o700))
	s.snmpd, err = netsnmp.StartAgent(ctx, filepath.Join(dir, "snmpd"), netsnmp.Config{Lines: []string{"view everything included .1"}})
	if errors.Is(err, netsnmp.ErrMissing) && os.Getenv("CI") != "true" {
		cancel()
		t.Skipf("SKIPPED: %v: apt-get install snmpd", err)
	}
	check.Must(t, err)
	var text strings.Builder
	fmt.Fprintf(&text, "state_directory: %s/state\ncontrol_socket: %s/control\nsnmp: {agentXSocket: %s}\nintervals: {fast: 1s, slow: 2s, hourly: 3s}\nhsms:\n", dir, dir, s.snmpd.Socket)
	for _, a := range s.Appliances {
		fmt.Fprintf(&text, "- {name: %s, address: %q, password_file: %s, known_hosts_file: %s, logs: [%s]}\n", a.Name, a.SSHAddress, s.PasswordFile, s.KnownHosts, a.Syslog)
	}
	c, err := config.Parse([]byte(text.String()))
	check.Must(t, err)
	no, none := false, ""
	on := &web.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}, WebSystemdSocket: &no, WebConfigFile: &none}
	a := agent.New(c, agent.Web{Flags: on, TelemetryPath: "/metrics"}, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.snmpd.Stop()
	})
	return s
}

// walk returns what Checkmk would read: numbers as digits, object identifiers with a leading dot.
func (s site) walk(t *testing.T) walk {
	t.Helper()
	host, port, _ := strings.Cut(s.snmpd.Address, ":")
	number, err := strconv.ParseUint(port, 10, 16)
	check.Must(t, err)
	client := &gosnmp.GoSNMP{Target: host, Port: uint16(number), Community: "public", Version: gosnmp.Version2c, Timeout: 10 * time.Second, Retries: 1, MaxOids: gosnmp.MaxOids, Context: t.Context()}
	check.Must(t, client.Connect())
	defer client.Conn.Close()
	values := make(walk)
	for _, subtree := range []string{".1.3.6.1.2.1.1", ".1.3.6.1.2.1.47", ".1.3.6.1.2.1.99", ".1.3.6.1.4.1"} {
		check.Must(t, client.BulkWalk(subtree, func(v gosnmp.SnmpPDU) error {
			switch x := v.Value.(type) {
			case []byte:
				values[v.Name] = x
			default:
				values[v.Name] = fmt.Append(nil, x)
			}
			return nil
		}))
	}
	return values
}

// until walks until the services hold a condition, and returns the next walk: of the one
// that did, the beginning may be older than the end.
func (s site) until(t *testing.T, what string, holds func(map[string]service) bool) walk {
	t.Helper()
	var last map[string]service
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		w := s.walk(t)
		if last = run(t, api(t), ours, step{walk: w}).Steps[0]; holds(last) {
			return s.walk(t)
		}
	}
	t.Fatalf("not within %s: %s\n%s", patience, what, listed(last))
	return nil
}

// listed are those of services that are not OK, as text.
func listed(services map[string]service) string {
	var b strings.Builder
	for name, s := range services {
		if s.State != ok {
			fmt.Fprintf(&b, "%d %s: %s\n", s.State, name, s.Summary)
		}
	}
	return b.String()
}

// of returns the cell of a row whose index is one text.
func (w walk) of(t *testing.T, column, row string) string {
	t.Helper()
	return string(w[instance(t, column, row)])
}

// TestRealWalk: the services of three HSMs that an agent reads, as snmpd serves them; then two of them are away.
func TestRealWalk(t *testing.T) {
	s := startSite(t)
	all := s.until(t, "all are read", func(services map[string]service) bool {
		for _, name := range []string{"luna54", "luna62", "luna72"} {
			if services["HSM Partition "+name+" payments"].Check == "" || services["HSM Sensor "+name+" board Inlet"].Check == "" || services["HSM "+name].Metrics["lunawatch_uptime"] == 0 {
				return false
			}
		}
		return true
	})
	for _, away := range []string{"luna62", "luna72"} {
		check.Must(t, s.Inject(away, simulator.Event{Name: "gone"}))
	}
	two := s.until(t, "two are away, and what was read of them is too old", func(services map[string]service) bool {
		return services["HSM luna62"].State == critical && services["HSM luna72"].State == critical &&
			services["HSM luna72 Battery"].Check+services["HSM Partition luna72 payments"].Check+services["HSM Partition luna62 payments"].Check == "" && services["HSM Sensor luna72 card Fan 1"].Check == ""
	})
	safenetHolds(t, all, two)
	entityHolds(t, all, two)
	got := run(t, api(t), ours, step{walk: all}, step{walk: two})
	before, after := got.Steps[0], got.Steps[1]
	for name, x := range before {
		if x.State != ok {
			t.Errorf("%s is %d with nothing wrong: %s", name, x.State, x.Summary)
		}
		for metric := range x.Metrics {
			if !slices.Contains(got.Metrics, metric) {
				t.Errorf("%s has %s, which has no unit", name, metric)
			}
		}
	}
	for metric, column := range map[string]string{"lunawatch_battery": "lunaHsmBattery", "lunawatch_temperature": "lunaHsmTemperature"} {
		milli, err := strconv.ParseFloat(all.of(t, column, "luna72"), 64)
		check.Must(t, err)
		if x := before["HSM luna72"+strings.TrimPrefix(column, "lunaHsm")]; x.Check != "" {
			t.Errorf("%s has no space", column)
		}
		if x := before["HSM luna72 "+strings.TrimPrefix(column, "lunaHsm")]; x.Metrics[metric] != milli/1000 {
			t.Errorf("%s is %v, and the walk has %v", metric, x.Metrics[metric], milli)
		}
	}
	if x, there := before["HSM luna54 Battery"]; there {
		t.Errorf("a K6 has no battery, and there is %v", x)
	}
	if fans := before["HSM Sensor luna72 board Fan1A"].Metrics; fans["lunawatch_sensor_rpm"] < 1000 {
		t.Errorf("a fan of the board: %v", fans)
	}
	for name, want := range map[string]int{
		"HSM luna54": ok, "HSM Partition luna54 payments": ok, "Lunawatch Sources luna54": ok, "HSM luna54 Alarms": ok, "Lunawatch": ok,
		"HSM luna62": critical, "HSM luna62 Alarms": critical, "Lunawatch Sources luna62": warning, "HSM Partition luna62 payments": unknown,
		"HSM luna72": critical, "HSM luna72 Alarms": critical, "Lunawatch Sources luna72": warning, "HSM Partition luna72 payments": unknown,
		"HSM luna72 Battery": unknown, "HSM luna72 Temperature": unknown, "HSM Sensor luna72 card Fan 1": unknown,
	} {
		x := after[name]
		if x.State != want || x.Check == "" {
			t.Errorf("%s is %d, want %d, with two away: %s", name, x.State, want, x.Summary)
		}
		if want == unknown && (len(x.Metrics) > 0 || !strings.Contains(x.Summary, "connection refused")) {
			t.Errorf("%s does not say why: %q %v", name, x.Summary, x.Metrics)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d services, and %d with two away", len(before), len(after))
	}
	if metrics := after["Lunawatch"].Metrics; metrics["lunawatch_hsms_ok"] != 1 || metrics["lunawatch_hsms_critical"] != 2 {
		t.Errorf("Lunawatch counts %v", metrics)
	}
}
