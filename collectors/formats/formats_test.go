package formats

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

var update = flag.Bool("update", false, "rewrite golden files")

// A fixture is one capture under testdata: <version>/<format>.txt, or
// odd/<format>.<what is odd>.txt.
type fixture struct {
	path, format, text string
}

func fixtures(t testing.TB) []fixture {
	paths, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	var all []fixture
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		format, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(p), ".txt"), ".")
		all = append(all, fixture{p, format, string(b)})
	}
	return all
}

// anyLine reports whether the format takes any line as part of its answer.
func (f fixture) anyLine() bool {
	switch f.format {
	case "syslog", "ha-log", "hsm-tamper-show", "lunacm-hsm-tampershow":
		return true
	}
	return false
}

// json reports whether the capture is JSON rather than text.
func (f fixture) json() bool { return strings.HasPrefix(f.format, "rest-") }

// parsed is the content of a golden file.
type parsed struct {
	Fact   hsm.Fact `json:"fact"`
	Unread []string `json:"unread,omitempty"`
	Err    string   `json:"error,omitempty"`
}

func (f fixture) parse(t testing.TB, text string) parsed {
	t.Helper()
	format, ok := Named(f.format)
	if !ok {
		t.Fatalf("%s: no format %q", f.path, f.format)
	}
	fact, unread, err := format.Parse(text)
	p := parsed{Fact: fact, Unread: unread}
	if err != nil {
		p.Err = err.Error()
	}
	return p
}

// TestGolden compares every fixture with its golden file.
func TestGolden(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range fixtures(t) {
		seen[f.format] = true
		got, err := json.MarshalIndent(f.parse(t, f.text), "", "  ")
		if err != nil {
			t.Fatalf("%s: %v", f.path, err)
		}
		got = append(got, '\n')
		golden := strings.TrimSuffix(f.path, ".txt") + ".json"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs from its golden file; run with -update and read the diff\n%s", f.path, got)
		}
	}
	for _, f := range formats {
		if !seen[f.Name] {
			t.Errorf("no fixture of %s", f.Name)
		}
	}
}

// TestLayoutDoesNotMatter makes the changes that terminals, editors and document
// tools make, and expects the same values.
func TestLayoutDoesNotMatter(t *testing.T) {
	changes := map[string]func(string) string{
		"LF":           func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") },
		"CR LF":        func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n") },
		"CR CR LF":     func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\r\n") },
		"byte order":   func(s string) string { return "\ufeff" + s },
		"blank lines":  func(s string) string { return strings.ReplaceAll(s, "\n", "\n\n") },
		"indent":       func(s string) string { return "   " + strings.ReplaceAll(s, "\n", "\n   ") },
		"TAB indent":   func(s string) string { return "\t" + strings.ReplaceAll(s, "\n", "\n\t") },
		"TAB columns":  func(s string) string { return regexp.MustCompile(`  +`).ReplaceAllString(s, "\t") },
		"NBSP":         func(s string) string { return strings.ReplaceAll(s, "  ", "\u00a0 ") },
		"Latin-1 NBSP": func(s string) string { return strings.ReplaceAll(s, "  ", "\xa0 ") },
		"colour":       func(s string) string { return strings.ReplaceAll(s, "\n", "\x1b[0m\n\x1b[1;32m") },
		"title":        func(s string) string { return "\x1b]0;vault\a" + s },
		"before":       func(s string) string { return "Last login: today\nLuna Command Line Shell\n\n" + s },
		"after":        func(s string) string { return s + "\n[vault-a] lunash:>exit\n" },
	}
	for _, f := range fixtures(t) {
		want := f.parse(t, f.text).Fact
		for name, change := range changes {
			if f.json() && !slices.Contains([]string{"LF", "CR LF", "CR CR LF", "byte order", "blank lines", "indent", "TAB indent"}, name) {
				continue // REST answers do not pass through a terminal
			}
			if name == "TAB columns" && (strings.Contains(f.path, "wrapped") || strings.HasSuffix(f.path, "7.2/syslog.txt")) {
				continue // columns show which lines belong together; messages have such blanks, and are kept
			}
			if name == "before" && f.anyLine() {
				continue // lines before the answer could be part of it
			}
			if got := f.parse(t, change(f.text)).Fact; !reflect.DeepEqual(got, want) {
				t.Errorf("%s with %s:\n got %+v\nwant %+v", f.path, name, got, want)
			}
		}
	}
}

// TestTruncatedNeverLies cuts every fixture at every byte. What remains may state
// fewer values, but no other ones, and is not complete.
func TestTruncatedNeverLies(t *testing.T) {
	step := 1
	if collectortest.RaceDetector {
		step = 7
	}
	for _, f := range fixtures(t) {
		if strings.Contains(f.path, "transcript") || f.format == "client-list" && strings.Count(f.text, "Command Result") > 1 {
			continue // its first answer is complete and different
		}
		full := collectortest.PlainJSON(t, f.parse(t, f.text).Fact)
		body, _, _ := strings.Cut(f.text, "Command Result")
		for i := 0; i < len(body); i += step {
			if _, complete, _ := answer.Split(f.text[:i]).Last(); complete {
				t.Fatalf("%s: complete after %d of %d bytes", f.path, i, len(f.text))
			}
			part := f.parse(t, f.text[:i])
			if err := collectortest.Contradiction(collectortest.PlainJSON(t, part.Fact), full); part.Fact != nil && err != "" {
				t.Fatalf("%s: %d of %d bytes, after %q: %s", f.path, i, len(body), answer.Clip(f.text[max(0, i-40):i], 60), err)
			}
		}
	}
}

func TestResultLine(t *testing.T) {
	const ok, bad, none = "ok", "bad", "none"
	for _, c := range []struct{ line, want, code, name string }{
		{"Command Result : 0 (Success)", ok, "", ""},
		{"Command Result: 0 (Success)", ok, "", ""},
		{"Command Result: : 0 (Success)", ok, "", ""},
		{"Command Result : 0   (Success)", ok, "", ""},
		{"Command Result : 0(Success)", ok, "", ""},
		{"Command Result : 0 (success)", ok, "", ""},
		{"Command result : 0 (Success)", ok, "", ""},
		{"Command result : (0) success", ok, "", ""},
		{"Command Result : (Success)", ok, "", ""},
		{"Command Result : Success\n", ok, "", ""},
		{"Command result: Success!", ok, "", ""},
		{"Command Result : No Error", ok, "", ""},
		{"   Command Result : 0 (Success)   ", ok, "", ""},
		{"Command Result : 0 (Success)\x1b[0m\r\n[vault-a] lunash:>", ok, "", ""},
		{"Command Result : 65535 (Luna Shell execution)", bad, "65535", "Luna Shell execution"},
		{"Command Result : 65535 (Luna Shell Execution)", bad, "65535", "Luna Shell Execution"},
		{"Command Result : 0xb (User Cancelled Operation)", bad, "0xb", "User Cancelled Operation"},
		{"Command Result : 0xa0 (CKR_PIN_INCORRECT)", bad, "0xa0", "CKR_PIN_INCORRECT"},
		{"Command Result : 0x1 (Unknown command)", bad, "0x1", "Unknown command"},
		{"Command Result : C0000105  (RC_FUNCTION_NOT_SUPPORTED)", bad, "C0000105", "RC_FUNCTION_NOT_SUPPORTED"},
		{"Command Result : 80000532 (LUNA_RET_MTK_STATE_INVALID)", bad, "80000532", "LUNA_RET_MTK_STATE_INVALID"},
		{"Command Result : 0 (Success)[vault-a] lunash:>", ok, "", ""},
		{"Command Result : 65535 (Luna Shell execution)[vault-a] lunash:>", bad, "65535", "Luna Shell execution"},
		{"Command Result : 65535\n", bad, "65535", ""},
		{"Command Result : Not a word of success\n", bad, "", "Not a word of success"},
		{"Command Result : 0 (Succ", none, "", ""},
		{"Command Result : 6", none, "", ""},
		{"Command Result : 0", none, "", ""},
		{"Command Result : Success", none, "", ""},
		{"Command Result :\n", none, "", ""},
		{"Command Resu", none, "", ""},
		{"Update Result : 0 (Success)\n", none, "", ""},
		{"the Command Result : 0 (Success)\n", none, "", ""},
		{"", none, "", ""},
	} {
		body, complete, err := answer.Split("[vault-a] lunash:>hsm show\r\nHSM Label:  x\r\n\r\n" + c.line).Last()
		var failed *answer.CommandError
		got := ok
		switch {
		case !complete:
			got = none
		case errors.As(err, &failed):
			got = bad
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s (%v)", c.line, got, c.want, err)
		}
		if got == bad && (failed.Code != c.code || failed.Name != c.name || failed.Command != "hsm show") {
			t.Errorf("%q: %+v", c.line, failed)
		}
		if !strings.HasPrefix(body, "HSM Label:  x\n") {
			t.Errorf("%q: body %q", c.line, body)
		}
	}
}

func TestCommandErrorTexts(t *testing.T) {
	text := "[v] lunash:>client show -c x\n\n\nError:  'client show' failed. (C000040A : RC_OBJECT_NOT_IN_LIST)\n\n" +
		"Error:  Specified client does not exist.\n\n\nCommand Result : 65535 (Luna Shell execution)\n[v] lunash:>"
	_, complete, err := answer.Split(text).Last()
	var failed *answer.CommandError
	if !complete || !errors.As(err, &failed) {
		t.Fatalf("%v, %v", complete, err)
	}
	want := []string{"Error: 'client show' failed. (C000040A : RC_OBJECT_NOT_IN_LIST)", "Error: Specified client does not exist."}
	if !reflect.DeepEqual(failed.Texts, want) {
		t.Errorf("got %q", failed.Texts)
	}
	f, _ := Named("client-list")
	if fact, unread, err := f.Parse(text); fact != nil || !errors.As(err, &failed) || len(unread) > 0 {
		t.Errorf("%v, %q, %v", fact, unread, err)
	}
}

func TestNothingRecognised(t *testing.T) {
	for _, f := range formats {
		for _, text := range []string{"", "\n", "garbage\n", "Command Result : 0 (Success)\n", "lunash:>\n", "\x00\xff\xfe\n"} {
			if fact, _, err := f.Parse(text); fact != nil || !errors.Is(err, answer.ErrUnrecognised) {
				t.Errorf("%s of %q: %v, %v", f.Name, text, fact, err)
			}
		}
	}
}

// TestUnreadIsBounded also checks that parsers take linear time: each text repeats
// a piece that could make one search the same text again and again.
func TestUnreadIsBounded(t *testing.T) {
	size := 64 << 10
	if collectortest.RaceDetector {
		size = 4 << 10
	}
	for _, piece := range []string{
		"x\n", "x: y\n", "a\t", "  a", "|", ":", ": ", "\"a\",", "\n", "lunash:>", "lunash:>hsm show\n", "\x1b]", "\x1b[", "(", ", ",
		"Partition: 1, Name: x\n", "Partition Name: x\n", "ClientID: x\nPartitions: \"y\"\n", "1: a : b\n", "1 2 3 4 5 6\n",
		"Slot Id -> 1\n", "Label -> a Serial Number -> 1 ", "->", "-> ", "Token Flags ->\n", "lunacm:>a: b\n",
		"HA Group Label: x\nHA Group Number: 1\nGroup Members: 1,\n2\n", "1 2 x alive\n", "State of role 'x':\n",
		"a={b=c;", "[a]\nb=c\n", "VirtualToken = {\nVirtualToken00Label=a\n", "Server00=\n", "{", "x =\n", "a = b,\n",
		"Wed Oct  4 16:29:21 2017 : [1] HA group: 1 x\n",
		"Error: x\n", "Command Result : 1 (x)\n", "Foo Locked Out: no\n", "Partitions:\"a\"\n\"b\"\n", "2026 Feb  1 00:00:00 h kern info k: ALM", "HSM Label:\n",
	} {
		text := strings.Repeat(piece, size/len(piece))
		for _, f := range formats {
			start := time.Now()
			_, unread, _ := f.Parse("ClientID: c\nPartition Name: p\nPartition Policies\n" + text)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s of %d bytes of %q took %s", f.Name, size, piece, took)
			}
			if len(unread) > answer.MaxUnread+2 {
				t.Errorf("%s of %q: %d unread", f.Name, piece, len(unread))
			}
		}
	}
}

// FuzzFormats gives each text to every parser, so that its executions count for
// each. It requires: no panic, a Fact or an error, a Fact that marshals, few
// unread lines, and the same result again for the same text.
func FuzzFormats(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add(x.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 64<<10 {
			t.Skip()
		}
		for _, format := range formats {
			fact, unread, err := format.Parse(text)
			if fact == nil && err == nil {
				t.Errorf("%s: no fact and no error", format.Name)
			}
			if fact != nil {
				if _, err := json.Marshal(fact); err != nil {
					t.Errorf("%s: %v", format.Name, err)
				}
				if again, _, _ := format.Parse(text); !reflect.DeepEqual(fact, again) {
					t.Errorf("%s: %+v, and again %+v", format.Name, fact, again)
				}
			}
			if len(unread) > answer.MaxUnread+2 {
				t.Errorf("%s: %d unread", format.Name, len(unread))
			}
		}
		if _, complete, err := answer.Split(text).Last(); err != nil && !complete && !strings.Contains(strings.ToLower(text), "error") {
			t.Errorf("failed without a word: %v", err)
		}
	})
}

func FuzzLogLine(f *testing.F) {
	for _, x := range fixtures(f) {
		if x.format == "syslog" {
			for line := range strings.Lines(x.text) {
				f.Add(line)
			}
		}
	}
	f.Fuzz(func(t *testing.T, line string) {
		l := syslog.ParseLine(line)
		if _, err := json.Marshal(l); err != nil {
			t.Error(err)
		}
		if l.Alarm != nil && (len(l.Alarm.Code) != 4 || !strings.Contains(answer.Clean(line), "ALM")) {
			t.Errorf("alarm %+v", l.Alarm)
		}
	})
}

// TestBrokenLines reads labels and values on separate lines, as on an old page,
// with an empty value among them.
func TestBrokenLines(t *testing.T) {
	f, _ := Named("hsm-show")
	fact, unread, err := f.Parse("HSM Label:\n\nthe label\nSerial #:\n\n4711\nHSM Model:\nLuna K7\nFirmware:\n\n7.0.3\n")
	want := hsm.Show{Label: hsm.Some("the label"), Serial: "4711", Model: "Luna K7", Firmware: "7.0.3"}
	if !reflect.DeepEqual(fact, want) || len(unread) > 0 || err != nil {
		t.Errorf("got %+v, %q, %v", fact, unread, err)
	}
}

// TestAFailureAmongSeveral uses the answers of the other commands.
func TestAFailureAmongSeveral(t *testing.T) {
	f, _ := Named("client-list")
	fact, unread, err := f.Parse("registered client 1: a\n\nCommand Result : 0 (Success)\n\n" +
		"ClientID: b\nError:  'client show' failed. (C000040A : RC_OBJECT_NOT_IN_LIST)\n\nCommand Result : 65535 (Luna Shell execution)\n")
	var failed *answer.CommandError
	if !reflect.DeepEqual(fact, hsm.Clients{{Name: "a"}}) || len(unread) > 0 || !errors.As(err, &failed) {
		t.Errorf("got %+v, %q, %v", fact, unread, err)
	}
}

// TestPageNoise inserts remains of page headers and footers between the lines.
func TestPageNoise(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.anyLine() || f.json() || strings.Contains(f.path, "5.4/partition-show.") {
			continue // any line could be part of the answer
		}
		want := f.parse(t, f.text).Fact
		for _, noise := range []string{"   12   LunaSH Commands", "Copyright 2001-2018 Example, Inc.", "\f", "Product Guide"} {
			if got := f.parse(t, strings.ReplaceAll(f.text, "\n", "\n"+noise+"\n")).Fact; !reflect.DeepEqual(got, want) {
				t.Errorf("%s with %q:\n got %+v\nwant %+v", f.path, noise, got, want)
			}
		}
	}
}

// TestLargeAnswerIsBounded: 4 MB of what a hostile device could answer stay a few MB.
func TestLargeAnswerIsBounded(t *testing.T) {
	const size, most = 4 << 20, 24 << 20
	for _, c := range []struct{ format, first, piece string }{
		{"syslog", "<6>Feb  1 11:06:55 host kernel: k7pf0: [HSM] ALM2001: x\n", "of no form\n"},
		{"ha-log", "Wed Oct  4 16:29:21 2017 : [17469] HA group: 11234840370164 has dropped member: 1234924189183\n", "of no form\n"},
		{"lunacm-slot-list", "", "Slot Id -> 1 Label -> x\n"},
	} {
		text := c.first + strings.Repeat(c.piece, (size-len(c.first))/len(c.piece))
		format, _ := Named(c.format)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		fact, _, _ := format.Parse(text)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > most {
			t.Errorf("%s keeps %d MB", c.format, kept>>20)
		}
		runtime.KeepAlive(fact)
	}
}

// TestTooManyValues: a JSON answer of many small values, each of which costs much more
// in memory than in the text, is refused early.
func TestTooManyValues(t *testing.T) {
	format, _ := Named("rest-hsm")
	if _, _, err := format.Parse(`{"a":[` + strings.Repeat(`{"b":1},`, 100_000) + `]}`); err == nil || !strings.Contains(err.Error(), "more than 50000 values") {
		t.Error(err)
	}
}
