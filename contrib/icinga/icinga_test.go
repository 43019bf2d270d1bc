package icinga

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

// patience bounds a wait for a condition; no test's result depends on it.
const patience = 2 * time.Minute

// icinga2 returns where Icinga 2 is; without it the test is skipped.
func icinga2(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("icinga2")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/icinga2")
	}
	if err != nil {
		t.Skip("NOT TESTED with a real Icinga 2: apt-get install --no-install-recommends icinga2-bin")
	}
	return path
}

// An instance is an Icinga 2 with all its files in a directory of its own.
type instance struct{ program, dir, conf string }

// newInstance writes a configuration that has ours, and more.
func newInstance(t *testing.T, ours, more string) instance {
	t.Helper()
	i := instance{program: icinga2(t), dir: t.TempDir()}
	i.conf = filepath.Join(i.dir, "icinga2.conf")
	for _, sub := range []string{"data", "run", "log", "spool", "cache"} {
		check.Must(t, os.Mkdir(filepath.Join(i.dir, sub), 0o700))
	}
	file := filepath.Join(i.dir, "lunawatch.conf")
	check.Must(t, os.WriteFile(file, []byte(ours), 0o600))
	text := "const PluginDir = \"/usr/lib/nagios/plugins\"\ninclude <itl>\ninclude <plugins>\nobject IcingaApplication \"app\" {}\nobject CheckerComponent \"checker\" {}\n" +
		"object Endpoint NodeName {}\nobject Zone \"here\" { endpoints = [ NodeName ] }\ninclude \"" + file + "\"\n" + more
	check.Must(t, os.WriteFile(i.conf, []byte(text), 0o600))
	return i
}

// command is one of Icinga's daemon, as the user of the test and in its directory.
func (i instance) command(ctx context.Context, args ...string) *exec.Cmd {
	line := append([]string{"daemon", "-c", i.conf, "-D", "NodeName=test"}, args...)
	for name, sub := range map[string]string{"DataDir": "data", "InitRunDir": "run", "LogDir": "log", "SpoolDir": "spool", "CacheDir": "cache"} {
		line = append(line, "-D", name+"="+filepath.Join(i.dir, sub))
	}
	user, group := os.Geteuid(), os.Getegid()
	if user == 0 {
		line = append(line, "-D", "Configuration.RunAsUser=root", "-D", "Configuration.RunAsGroup=root")
	}
	cmd := exec.CommandContext(ctx, i.program, line...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("ICINGA2_UID=%d", user), fmt.Sprintf("ICINGA2_GID=%d", group))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

func ours(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("lunawatch.conf")
	check.Must(t, err)
	return string(text)
}

// TestAccepted: Icinga 2 accepts the file as it ships, and makes the services.
func TestAccepted(t *testing.T) {
	i := newInstance(t, ours(t), `
object Endpoint "monitor1" { host = "192.0.2.1" }
object Zone "there" { endpoints = [ "monitor1" ]; parent = "here" }
object Host "luna72" { zone = "here"; check_command = "dummy"; vars.lunawatch_hsm = "luna72"; vars.lunawatch_warning = [ "temperature=60" ] }
object Host "luna62" { zone = "here"; check_command = "dummy"; vars.lunawatch_hsm = "luna62"; vars.lunawatch_endpoint = "monitor1" }
object Host "monitor1" { zone = "here"; check_command = "dummy"; vars.lunawatch = true }
object Service "by ssh" { import "lunawatch"; host_name = "monitor1"; check_command = "lunawatch-by-ssh"; vars.by_ssh_address = "192.0.2.1" }
`)
	cmd := i.command(t.Context(), "-C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "Instantiated 4 Services") || strings.Contains(string(out), "critical/config") {
		t.Errorf("%s", out)
	}
}

// TestRealResult: Icinga 2 runs lunawatch check against an agent that watches simulated
// HSMs. One that is away is CRITICAL with our words and performance data, and OK again
// when it is back. Then it takes a passive result. It takes half a minute.
func TestRealResult(t *testing.T) {
	if os.Getenv("LUNAWATCH_ICINGA_TEST") == "" {
		t.Skip("SKIPPED: LUNAWATCH_ICINGA_TEST=1 runs it")
	}
	icinga2(t)
	e := startEstate(t)
	i := newInstance(t, strings.NewReplacer("check_interval = 1m", "check_interval = 1s", "retry_interval = 30s", "retry_interval = 1s").Replace(ours(t)), fmt.Sprintf(`
object PerfdataWriter "results" {
  rotation_interval = 1s
  host_perfdata_path = LogDir + "/host"
  service_perfdata_path = LogDir + "/service"
  host_temp_path = LogDir + "/host-new"
  service_temp_path = LogDir + "/service-new"
  service_format_template = "$service.state$\t$service.output$\t$service.perfdata$"
}
object Host "luna72" {
  check_command = "dummy"
  vars.lunawatch_hsm = "luna72"
  vars.lunawatch_program = %q
  vars.lunawatch_socket = %q
  vars.lunawatch_warning = [ "temperature=90" ]
}
object ExternalCommandListener "command" { command_path = LogDir + "/pipe" }
`, e.lunawatch, e.socket)+readme(t, "object Service"))
	ctx, stop := context.WithCancel(t.Context())
	daemon := i.command(ctx)
	log, err := os.Create(filepath.Join(i.dir, "output"))
	check.Must(t, err)
	daemon.Stdout, daemon.Stderr = log, log
	check.Must(t, daemon.Start())
	t.Cleanup(func() {
		stop()
		daemon.Wait()
		log.Close()
	})
	until := func(want string) (output, data string) {
		t.Helper()
		last := ""
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			for _, line := range i.results(t) {
				fields := strings.Split(line, "\t")
				if last = line; len(fields) == 3 && fields[0] == want {
					t.Logf("%s", line)
					return fields[1], fields[2]
				}
			}
		}
		text, _ := os.ReadFile(log.Name())
		t.Fatalf("never %s; last: %q\n%s", want, last, text)
		return "", ""
	}
	e.hasArguments(t)
	output, data := until("OK")
	if !strings.HasPrefix(output, "LUNA OK - luna72") {
		t.Errorf("OK says %q", output)
	}
	measures(t, data, "age=s", "alarms=", "battery=", "temperature=", "storage=%", "so_logins_left=")
	if !strings.Contains(data, "temperature=36;90") {
		t.Errorf("the limit of the host is not in %s", data)
	}
	e.inject(t, "luna72", "gone")
	output, data = until("CRITICAL")
	if !strings.HasPrefix(output, "LUNA CRITICAL - luna72: ") {
		t.Errorf("CRITICAL says %q", output)
	}
	measures(t, data, "alarms=")
	e.inject(t, "luna72", "heal")
	until("OK")
	const trap = "manager\nUDP: [192.0.2.1]:40000->[192.0.2.2]:162\n.1.3.6.1.6.3.1.1.4.1.0 .1.3.6.1.4.1.8072.9999.9999.5862.0.1\n.1.3.6.1.4.1.8072.9999.9999.5862.1.2.1.2.7 \"luna72/battery\"\n" +
		".1.3.6.1.4.1.8072.9999.9999.5862.1.2.1.3.7 \"luna72\"\n.1.3.6.1.4.1.8072.9999.9999.5862.1.2.1.11.7 6\n.1.3.6.1.4.1.8072.9999.9999.5862.1.2.1.14.7 \"the battery is at 2.7 V\"\n"
	passive := exec.CommandContext(t.Context(), "./lunawatch-passive", "-state", filepath.Join(i.dir, "passive"), "-pipe", filepath.Join(i.dir, "log", "pipe"))
	passive.Stdin = strings.NewReader(trap)
	if out, err := passive.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if output, _ = until("WARNING"); strings.TrimSpace(output) != "LUNA WARNING - 1 alarm: the battery is at 2.7 V" {
		t.Errorf("the passive result says %q", output)
	}
}

// readme returns the indented block of contrib/README.md that begins with a text.
func readme(t *testing.T, begins string) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	check.Must(t, err)
	_, rest, found := strings.Cut(string(text), "\n    "+begins)
	block, _, _ := strings.Cut(rest, "\n\n")
	if !found {
		t.Fatalf("contrib/README.md has no block that begins with %q", begins)
	}
	return begins + block
}

// results returns what the PerfdataWriter has written since the last call.
func (i instance) results(t *testing.T) (lines []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(i.dir, "log", "service.*"))
	check.Must(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		check.Must(t, err)
		check.Must(t, os.Remove(file))
		lines = append(lines, strings.Split(strings.TrimSpace(string(text)), "\n")...)
	}
	return lines
}

// perfdata is one value of the Monitoring Plugins' performance data.
var perfdata = regexp.MustCompile(`^([a-z_]+)=-?[0-9.]+(s|%)?(;[-0-9.:~@]*){0,4}$`)

// measures requires names of measures with their units, and that Icinga parsed all.
func measures(t *testing.T, data string, names ...string) {
	t.Helper()
	have := make(map[string]bool)
	for word := range strings.FieldsSeq(data) {
		m := perfdata.FindStringSubmatch(word)
		if m == nil {
			t.Fatalf("%q is no performance data: %s", word, data)
		}
		have[m[1]+"="+m[2]] = true
	}
	for _, name := range names {
		if !have[name] {
			t.Errorf("no %s in %s", name, data)
		}
	}
}

// An estate is simulated appliances, and an agent that watches them, as processes.
type estate struct{ lunawatch, lunasim, dir, socket string }

func startEstate(t *testing.T) estate {
	t.Helper()
	dir, err := os.MkdirTemp("", "lw") // the path of a socket is short
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	e := estate{filepath.Join(dir, "lunawatch"), filepath.Join(dir, "lunasim"), filepath.Join(dir, "sim"), filepath.Join(dir, "control")}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "../../cmd/lunawatch", "../../cmd/lunasim")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	check.Must(t, os.Mkdir(e.dir, 0o700))
	var ready simulator.Ready
	line := start(t, "stdout", e.lunasim, "-state-dir", e.dir)
	check.Must(t, json.Unmarshal([]byte(line), &ready))
	var conf strings.Builder
	fmt.Fprintf(&conf, "state_directory: %s/state\ncontrol_socket: %s\nsnmp: {enabled: false}\nintervals: {fast: 1s, slow: 2s, hourly: 3s}\nhsms:\n", dir, e.socket)
	for _, a := range ready.Appliances {
		fmt.Fprintf(&conf, "- {name: %s, address: %q, password_file: %s, known_hosts_file: %s, logs: [%s]}\n", a.Name, a.SSHAddress, ready.PasswordFile, ready.KnownHosts, a.Syslog)
	}
	file := filepath.Join(dir, "lunawatch.yaml")
	check.Must(t, os.WriteFile(file, []byte(conf.String()), 0o600))
	start(t, "stderr", e.lunawatch, "agent", "-config.file", file, "-web.listen-address", "127.0.0.1:0")
	return e
}

// start runs a program until the test ends, and returns its first line.
func start(t *testing.T, stream, name string, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	pipe, err := cmd.StdoutPipe()
	check.Must(t, err)
	if stream == "stderr" {
		pipe, err = cmd.StderrPipe()
		check.Must(t, err)
	}
	check.Must(t, cmd.Start())
	r := bufio.NewReader(pipe)
	line, err := r.ReadString('\n')
	check.Must(t, err)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(io.Discard, r)
	}()
	t.Cleanup(func() {
		stop()
		<-drained
		cmd.Wait()
	})
	return line
}

// hasArguments requires that both commands have an argument for each flag of lunawatch check.
func (e estate) hasArguments(t *testing.T) {
	t.Helper()
	help, err := exec.CommandContext(t.Context(), e.lunawatch, "check", "-help").CombinedOutput()
	check.Must(t, err)
	flags := regexp.MustCompile(`(?m)^  -([\w.]+) [A-Z=]+$`).FindAllStringSubmatch(string(help), -1)
	if len(flags) < 4 {
		t.Errorf("%d flags in %s", len(flags), help)
	}
	for _, flag := range flags {
		if strings.Count(ours(t), `"-`+flag[1]+`" =`) != 2 {
			t.Errorf("no argument for -%s in both commands", flag[1])
		}
	}
}

func (e estate) inject(t *testing.T, appliance, event string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), e.lunasim, "inject", "-state-dir", e.dir, "-appliance", appliance, event).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", appliance, event, err, out)
	}
}
