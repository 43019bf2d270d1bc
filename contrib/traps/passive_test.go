package traps

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

const passiveScript = "../icinga/lunawatch-passive"

// A passive is the script with a state of its own, and a file in place of Icinga's pipe.
type passive struct {
	t           *testing.T
	state, pipe string
}

func newPassive(t *testing.T) passive {
	t.Helper()
	needsPerl(t)
	dir := t.TempDir()
	p := passive{t, filepath.Join(dir, "state"), filepath.Join(dir, "pipe")}
	check.Must(t, os.WriteFile(p.pipe, nil, 0o600))
	return p
}

var stamps = regexp.MustCompile(`(?m)^\[\d+\] PROCESS_SERVICE_CHECK_RESULT;`)

// note returns what Icinga is told of one notification, without times, and the exit code.
func (p passive) note(input string) (string, int) {
	p.t.Helper()
	check.Must(p.t, os.Truncate(p.pipe, 0))
	cmd := exec.CommandContext(p.t.Context(), passiveScript, "-state", p.state, "-pipe", p.pipe)
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	told, err := os.ReadFile(p.pipe)
	check.Must(p.t, err)
	return stamps.ReplaceAllString(string(told), "") + stderr.String(), cmd.ProcessState.ExitCode()
}

// alarm is a notification of an alarm, as snmptrapd prints it with -On.
func alarm(number, key, device, severity, text string) string {
	const entry = ".1.3.6.1.4.1.8072.9999.9999.5862.1.2.1."
	return input("192.0.2.1", ".1.3.6.1.4.1.8072.9999.9999.5862.0."+number, 1, 1) +
		entry + "2.7 \"" + key + "\"\n" + entry + "3.7 \"" + device + "\"\n" + entry + "11.7 " + severity + "\n" + entry + "14.7 \"" + text + "\"\n"
}

// TestPassive tells one story: each notification, and what Icinga is told of it. An HSM
// is OK again only when all that was told of it has cleared.
func TestPassive(t *testing.T) {
	p := newPassive(t)
	for i, x := range []struct{ input, want string }{
		{alarm("1", "luna-a/battery", "luna-a", "6", "the battery is at 2.7 V"), "luna-a;luna traps;1;LUNA WARNING - 1 alarm: the battery is at 2.7 V\n"},
		{alarm("1", "luna-a/temp", "luna-a", "critical", "80 C; |hot"), "luna-a;luna traps;2;LUNA CRITICAL - 2 alarms: 80 C, /hot\n"},
		{alarm("2", "luna-a/battery", "luna-a", "4", "2.4 V"), "luna-a;luna traps;2;LUNA CRITICAL - 2 alarms: "},
		{alarm("1", "luna-b/x", "luna-b", "2", "who knows"), "luna-b;luna traps;3;LUNA UNKNOWN - 1 alarm: who knows\n"},
		{alarm("3", "luna-a/temp", "luna-a", "1", "70 C"), "luna-a;luna traps;2;LUNA CRITICAL - 1 alarm: 2.4 V\n"},
		{alarm("4", "luna-a/battery", "luna-a", "4", "2.4 V"), "luna-a;luna traps;2;LUNA CRITICAL - 1 alarm: 2.4 V\n"},
		{alarm("3", "luna-a/battery", "luna-a", "cleared", "3 V"), "luna-a;luna traps;0;LUNA OK - no alarm of those that were told stands\n"},
		{alarm("3", "luna-a/battery", "luna-a", "cleared", "3 V"), "luna-a;luna traps;0;LUNA OK - no alarm of those that were told stands\n"},
		{input("192.0.2.1", oidHeartbeat, 9, 9), "luna-a;luna traps;0;LUNA OK - no alarm of those that were told stands\nluna-b;luna traps;3;LUNA UNKNOWN - 1 alarm: who knows\n"},
		{input("192.0.2.1", oidStarted, 10, 10), "luna-a;luna traps;0;LUNA OK - no alarm of those that were told stands\nluna-b;luna traps;3;LUNA UNKNOWN - 1 alarm: who knows\n"},
		{alarm("1", "6C C3 A9 ", "luna-c", "5", "37 37 2E 35 20 C2 B0 43 "), "luna-c;luna traps;1;LUNA WARNING - 1 alarm: 77.5 °C\n"},
	} {
		if got, code := p.note(x.input); code != 0 || !strings.HasPrefix(got, x.want) {
			t.Errorf("%d: exit code %d, %q; want %q", i, code, got, x.want)
		}
	}
}

// TestPassiveHostile: a notification names no path, no other service and no command.
func TestPassiveHostile(t *testing.T) {
	p := newPassive(t)
	mark := filepath.Join(t.TempDir(), "run")
	for name, in := range map[string]string{
		"empty": "", "garbage": "x\x00y", "vendor": "h\np\n.1.3.6.1.6.3.1.1.4.1.0 .1.3.6.1.4.1.23629.1.5.2.2.7\n",
		"no key": alarm("1", "", "luna-a", "3", "x"), "a host with ;": alarm("1", "k", "luna-a;luna;0", "3", "x"), "a path": alarm("1", "k", "../"+mark, "3", "x"),
		"a command": alarm("1", "k", "$(touch "+mark+")", "3", "x"),
	} {
		if got, code := p.note(in); code != 1 || strings.Contains(got, ";") && name != "a host with ;" || strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "lunawatch-passive: ") {
			t.Errorf("%s: %d, %q", name, code, got)
		}
	}
	got, code := p.note(alarm("1", "a\tb`touch "+mark+"`", "luna-a", "3", "x`touch "+mark+"` $(touch "+mark+")\x1b[2J"))
	if code != 0 || strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\x1b\t") {
		t.Errorf("%d, %q", code, got)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("something of a notification was run")
	}
	check.Must(t, os.WriteFile(p.state, []byte("damaged"), 0o600))
	if got, code := p.note(input("192.0.2.1", oidHeartbeat, 1, 1)); code != 1 || !strings.Contains(got, "is not a state") {
		t.Errorf("a damaged state: %d, %q", code, got)
	}
}
