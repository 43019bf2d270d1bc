package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

// printed is a block of a document that is what a command prints: here, or on the demo
// estate.
var printed = regexp.MustCompile("(?m)^<!-- printed( on the demo estate)?: lunawatch ([^\n]+) -->\n\n((?:(?:    [^\n]*)?\n)+)")

// An output is such a block.
type output struct {
	document string
	args     []string
	text     string
}

// outputs returns the blocks of all documents that are printed here, or on the estate.
func outputs(t *testing.T, onEstate bool) (all []output) {
	for name, text := range check.Documents(t, "../..") {
		for _, m := range printed.FindAllStringSubmatch(text, -1) {
			if (m[1] != "") != onEstate {
				continue
			}
			var args []string
			for _, word := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(m[2], -1) {
				args = append(args, strings.Trim(word, `"`))
			}
			block := strings.TrimRight(m[3], "\n")
			all = append(all, output{name, args, regexp.MustCompile(`(?m)^    `).ReplaceAllString(block, "")})
		}
	}
	if len(all) == 0 {
		t.Error("no document shows what a command prints")
	}
	return all
}

// TestPrinted runs commands that need no agent, and wants what the documents show.
func TestPrinted(t *testing.T) {
	for _, o := range outputs(t, false) {
		var out strings.Builder
		if code := run(t.Context(), o.args, stdio{strings.NewReader(""), &out, &out}); code != exitOK {
			t.Errorf("%s: lunawatch %s: exit code %d", o.document, strings.Join(o.args, " "), code)
		}
		if diff := cmp.Diff(o.text, strings.TrimRight(out.String(), "\n")); diff != "" {
			t.Errorf("%s: lunawatch %s (-document +printed):\n%s", o.document, strings.Join(o.args, " "), diff)
		}
	}
}

// varying is what differs from one run to the next: times, ages, counts, loads.
var varying = []struct {
	words *regexp.Regexp
	as    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`\(\d[\dhms]*\) +\d+`), "(AGE) COUNT"},
	{regexp.MustCompile(`\b(age|battery|utilization|storage)=[\d.]+`), "$1=VALUE"},
	{regexp.MustCompile(`\b(?:\d+[hms])+\b`), "AGE"},
	{regexp.MustCompile(`\b\d\d:\d\d\b`), "HH:MM"},
	{regexp.MustCompile(`\b\d+ %`), "LOAD"},
	{regexp.MustCompile(`\b\d\.\d{3} V`), "VOLTS"},
	{regexp.MustCompile(`(?m) +$`), ""},
	{regexp.MustCompile(` {2,}`), " "},
}

func withoutVarying(text string) string {
	for _, v := range varying {
		text = v.words.ReplaceAllString(text, v.as)
	}
	return strings.TrimSpace(text)
}

// TestPrintedOnTheDemoEstate watches the demo's three appliances, with a card that warms
// up and then a power supply that fails, and wants what the documents show.
func TestPrintedOnTheDemoEstate(t *testing.T) {
	dir, err := os.MkdirTemp("", "lw") // the path of a socket is short
	check.Must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	sim, err := simulator.New(simulator.Config{ListenAddress: "127.0.0.1:0", StateDir: filepath.Join(dir, "sim"), MonitorSecond: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	check.Must(t, err)
	go func() { ended <- sim.Run(ctx) }()
	var agent *exec.Cmd
	t.Cleanup(func() {
		cancel()
		if agent != nil {
			_ = agent.Wait() // ended by ctx
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	file := filepath.Join(dir, "lunawatch.yaml")
	check.Must(t, os.WriteFile(file, []byte(demoConfiguration(dir, <-sim.Ready())), 0o600))
	agent = exec.CommandContext(ctx, "lunawatch", "agent", "-config.file", file, "-web.listen-address", "127.0.0.1:0")
	check.Must(t, agent.Start())

	for _, fault := range []struct{ appliance, event, value, alarm string }{
		{"luna72", "temperature", "78", "luna72/temp-warn"}, {"luna62", "psu-fail", "2", "luna62/power-supply/PSU2"},
	} {
		check.Must(t, simulator.InjectInto(ctx, filepath.Join(dir, "sim"), fault.appliance, simulator.Event{Name: fault.event, Args: []string{fault.value}}))
		until(t, dir, []string{"alarms", "show", fault.alarm}, func(out string) string {
			if strings.Contains(out, "Evidence") {
				return ""
			}
			return out
		})
	}
	for _, o := range outputs(t, true) {
		until(t, dir, o.args, func(out string) string {
			if diff := cmp.Diff(withoutVarying(o.text), withoutVarying(out)); diff != "" {
				return fmt.Sprintf("%s: lunawatch %s (-document +printed):\n%s\n%s", o.document, strings.Join(o.args, " "), diff, out)
			}
			return ""
		})
	}
}

// demoConfiguration is that of the demo, for an agent that reads often.
func demoConfiguration(dir string, ready simulator.Ready) string {
	var b strings.Builder
	fmt.Fprintf(&b, "state_directory: %s/state\ncontrol_socket: %s/control\nsnmp: {enabled: false}\nhost: {name: monitor}\nintervals: {fast: 1s, slow: 2s, hourly: 3s}\nhsms:\n", dir, dir)
	for _, a := range ready.Appliances {
		fmt.Fprintf(&b, "- {name: %s, address: %q, password_file: %s, known_hosts_file: %s, logs: [%s]}\n", a.Name, a.SSHAddress, ready.PasswordFile, ready.KnownHosts, a.Syslog)
	}
	return b.String()
}

// until asks the agent in dir again and again, until nothing is wrong with the answer.
func until(t *testing.T, dir string, args []string, wrong func(out string) string) {
	t.Helper()
	last := ""
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var out strings.Builder
		run(t.Context(), append(slices.Clip(args), "-control.socket", filepath.Join(dir, "control")), stdio{strings.NewReader(""), &out, &out})
		if last = wrong(out.String()); last == "" {
			return
		}
	}
	t.Error(last)
}
