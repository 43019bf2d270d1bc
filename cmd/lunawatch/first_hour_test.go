package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/agent/setup"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/internal/check"
)

// asShown are what differs from run to run and from host to host, and what the document
// has in its place.
var asShown = []struct{ is, shown string }{
	{`\(\d+\.\d s\)`, "(0.4 s)"},
	{`\d+s ago in \d+\.\d s`, "12s ago in 0.9 s"},
	{`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:?\d\d`, "2026-03-01 12:00:00 +01:00"},
	{`MD5:[0-9a-f:]+`, "MD5:0f:1c:66:8a:3d:27:b9:52:e1:70:44:9b:d8:2e:5a:c3"},
	{`(?m)^(  (Luna client|its appliances|LunaCM|HSM cards|logs of appliances) +)\S.*$`, "${1}none found"},
	{`(?m)^(  snmpd's AgentX +)\S.*$`, "${1}/var/agentx/master"},
	{`may write there, \d+ MB are free`, "may write there, 18211 MB are free"},
	{`(?m)^\S+ +(this host: clock: )it is .*? (\(0\.4 s\)).*$`, "OK       ${1}it is synchronized ${2}"},
	{`\d+ OK, \d+ warnings?, 0 failed`, "6 OK, 1 warning, 0 failed"},
	{`and \S+ may read them`, "and lunawatch may read them"},
	{`(?m)^ok     luna-a  \d+s +-      3\.\d{3} V  \d+ C  \d+ % +\? +7\.2\.0     Luna K7  -$`, "ok     luna-a  0s   -      3.081 V  36 C  0 %   ?       7.2.0     Luna K7  -"},
	{`(?m)^(STATE  NAME    AGE)  +(SINCE.*)$`, "${1}  ${2}"},
	{`confirmed  \d+ms +`, "confirmed  10ms   "},
	{`: \S+ may write there`, ": lunawatch may write there"},
}

// A session is what is typed and printed, as docs/first-hour.md shows it.
type session struct {
	t      *testing.T
	places *strings.Replacer // of this test, as the document has them
	text   map[string]string // by command line, as shown
}

// shown returns a text as the document has it.
func (s session) shown(text string) string {
	text = s.places.Replace(text)
	for _, x := range asShown {
		text = regexp.MustCompile(x.is).ReplaceAllString(text, x.shown)
	}
	return text
}

// run runs a command line that the document has, with further flags for this test.
func (s session) run(line string, further ...string) {
	s.t.Helper()
	var out bytes.Buffer
	if code := run(s.t.Context(), append(strings.Fields(strings.TrimPrefix(line, "lunawatch ")), further...), stdio{strings.NewReader(""), &out, &out}); code != exitOK {
		s.t.Errorf("%s: exit code %d:\n%s", line, code, &out)
	}
	s.text[line] = s.shown(out.String())
}

// TestFirstHour does what docs/first-hour.md says, with a simulated appliance and a
// receiver of this test, and holds what is printed there to what the program prints.
// With -update it rewrites that.
func TestFirstHour(t *testing.T) {
	scenario := filepath.Join(t.TempDir(), "scenario.yaml")
	check.Must(t, os.WriteFile(scenario, []byte("appliances:\n- {name: luna-a, model: \"7.2\", serial: 532018}\n"), 0o600))
	if conn, err := net.ListenPacket("udp", "0.0.0.0:"+setup.ListenPort); err != nil {
		t.Skipf("SKIPPED: the document has a host on which nothing listens there: %v", err)
	} else {
		conn.Close()
	}
	sim := collectortest.StartEstate(t, scenario)
	a := sim.Appliance(t, "luna-a")
	hook := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(hook.Close)
	dir, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	file, ca := filepath.Join(dir, "lunawatch.yaml"), filepath.Join(dir, "ca.pem")
	check.Must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw}), 0o600))
	s := session{t: t, text: make(map[string]string), places: strings.NewReplacer(
		" -config.file "+file, "", file, defaultConfig, dir+"/control.sock", "/run/lunawatch/control.sock", dir, "/var/lib/lunawatch", sim.PasswordFile, "/etc/lunawatch/monitor.password",
		a.SSHAddress, "192.0.2.10:22", a.Fingerprint, "SHA256:Dh9Yl1iRmOGTGVuxqVRUPlGnwnYzK3sMk0WfTPXvqYQ", "host 127.0.0.1", "host 192.0.2.9", hook.URL, "https://hooks.example.net",
	)}

	tty := openTerminal(t)
	ended := make(chan int, 1)
	go func() {
		ended <- run(t.Context(), []string{"init", "-hsm", "luna-a=" + a.SSHAddress, "-out", file, "-password-file", sim.PasswordFile, "-state-directory", dir}, stdio{tty.slave, tty, tty})
	}()
	const question = "Do they agree? (yes or no) "
	_, err = io.WriteString(tty.keys, "yes\n")
	check.Must(t, err)
	if code := <-ended; code != exitOK {
		t.Fatalf("init: exit code %d:\n%s", code, tty)
	}
	s.text["lunawatch init -hsm luna-a=192.0.2.10"] = s.shown(strings.Replace(tty.String(), question, question+"yes\n", 1))

	doc := mustRead(t, "../../docs/first-hour.md")
	receivers := regexp.MustCompile("(?s)```yaml\n(receivers:.*?)```").FindStringSubmatch(doc)
	if receivers == nil {
		t.Fatal("docs/first-hour.md has no receiver")
	}
	here := strings.NewReplacer("https://hooks.example.net", hook.URL, "/lunawatch}", "/lunawatch, ca_file: "+ca+"}").Replace(receivers[1])
	check.Must(t, os.WriteFile(file, []byte(mustRead(t, file)+here), 0o640))
	s.doctor(file)

	c, err := config.Read(file)
	check.Must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	no, none := false, ""
	c.SNMP.Enabled, c.Host.Enabled, c.Syslog.UDP = false, false, ""
	watching := agent.New(c, agent.Web{Flags: &web.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}, WebSystemdSocket: &no, WebConfigFile: &none}, TelemetryPath: "/metrics"}, slog.New(slog.DiscardHandler))
	go func() { stopped <- watching.Run(ctx) }()
	t.Cleanup(func() { cancel(); check.Must(t, <-stopped) })
	for end := time.Now().Add(testTimeout); ; time.Sleep(20 * time.Millisecond) {
		snap, err := agent.NewClient(c.ControlSocket).Snapshot(ctx)
		if err == nil && len(snap.HSMs()) == 1 && !snap.HSMs()[0].Certificate.IsZero() {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the agent reads nothing: %v", err)
		}
	}
	s.run("lunawatch status -all", "-control.socket", c.ControlSocket)
	s.run("lunawatch alarms test", "-control.socket", c.ControlSocket, "-by", "anna")
	s.hold("../../docs/first-hour.md", doc)
}

// doctor runs that, without what depends on this host.
func (s session) doctor(file string) {
	s.t.Helper()
	var out strings.Builder
	run(s.t.Context(), []string{"doctor", "-config.file", file, "-web.listen-address", "127.0.0.1:0"}, stdio{strings.NewReader(""), &out, &out})
	var kept []string
	for line := range strings.Lines(strings.ReplaceAll(out.String(), "127.0.0.1:0", agent.DefaultListenAddress)) {
		if !strings.Contains(line, "snmpd's AgentX") && !strings.Contains(line, "forwarded logs") {
			kept = append(kept, line)
		}
	}
	s.text["lunawatch doctor"] = s.shown(strings.Join(kept, ""))
}

// hold compares the blocks of a document that begin with "$ COMMAND" with what the
// commands print.
func (s session) hold(file, doc string) {
	s.t.Helper()
	next := doc
	for line, text := range s.text {
		block := regexp.MustCompile("(?s)```console\n\\$ " + regexp.QuoteMeta(line) + "\n.*?```")
		if !block.MatchString(doc) {
			s.t.Errorf("%s does not show %s", file, line)
		}
		next = block.ReplaceAllLiteralString(next, fmt.Sprintf("```console\n$ %s\n%s```", line, text))
	}
	check.Golden(s.t, filepath.Join("..", file), []byte(next)) // from testdata
}
