package top

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))

func section[T any](ago time.Duration, source string, v T) hsm.Section[T] {
	return hsm.Section[T]{At: noon.Add(-ago), Source: source, MaxAge: 10 * time.Minute, Value: v}
}

func network(name string, ago time.Duration) *hsm.Device {
	return &hsm.Device{Name: name, Kind: hsm.NetworkHSM,
		Show: section(ago, "hsm show", hsm.Show{
			Serial: "53" + name, Model: "Luna K7", Firmware: "7.2.0", Storage: hsm.Storage{Total: hsm.Some[int64](100), Used: hsm.Some[int64](25)},
			Environment: &hsm.Environment{BatteryVolts: hsm.Some(3.072), TemperatureCelsius: hsm.Some(41.0)},
		}),
		Monitor: section(ago, "hsm information monitor", hsm.Monitor{IntervalSeconds: hsm.Some[int64](5), Samples: []hsm.Sample{{UtilizationInt: 0.123}}}),
		Partitions: section(ago, "partition show", []hsm.Partition{{Serial: "1254481516011", Name: "acquirer", Activated: hsm.Some(true),
			Storage: hsm.Storage{Total: hsm.Some[int64](4096), Used: hsm.Some[int64](1024), Free: hsm.Some[int64](3072)}}, {Serial: "1254481516012", Name: "evil\x1b[2J\u202e"}}),
		Sources: map[string]hsm.Source{"hsm show": {At: noon.Add(-ago), Success: noon.Add(-ago)}, "partition show": {At: noon.Add(-ago), Success: noon.Add(-ago)}},
	}
}

func alarm(number uint64, device, group, object string, s alarms.Severity, text string, ago time.Duration) alarms.Active {
	return alarms.Active{Alarm: alarms.Alarm{Key: alarms.Key{Device: device, Group: group, Object: object}, Number: number, Severity: s, Text: text,
		Raised: noon.Add(-ago), Last: noon, Count: 1, Evidence: []alarms.Evidence{{At: noon.Add(-ago), Text: text}}}}
}

// estate has an HSM that is well, one with alarms, one that is dead, one that is stale in
// a part, and HA groups.
func estate() Answer {
	dead := network("dead", time.Hour)
	dead.Sources = map[string]hsm.Source{"hsm show": {Failure: hsm.Unreachable, Error: "no answer: dial tcp 192.0.2.7:22: i/o timeout\x1b[31m", Success: noon.Add(-time.Hour)}}
	stale := network("stale", time.Minute)
	stale.Sensors = section(time.Hour, "status sensors", hsm.Sensors{})
	host := &hsm.Device{Name: "host", Kind: hsm.HostMachine, Host: section(2*time.Second, "host", hsm.Host{}), HA: section(2*time.Second, "ha", hsm.HA{
		Groups:       []hsm.HAGroupState{{Label: "pay", Serial: "1534", Alive: 1, Expected: 2, Members: []hsm.HAMemberState{{Serial: "1254481516011", Label: hsm.Some("acquirer\x1b[2J"), State: "alive"}}}},
		Certificates: []hsm.ClientCertificate{{Role: "client", Subject: "CN=app\x1b[2J", NotAfter: noon}}})}
	return Answer{
		Snapshot: &hsm.Snapshot{Devices: []*hsm.Device{network("a", 12*time.Second), network("b", 12*time.Second), dead, host, {Name: "new", Kind: hsm.NetworkHSM}, stale}},
		Active: []alarms.Active{
			alarm(7, "b", "zeroize", "", alarms.Critical, "HSM zeroized\x1b[2J", time.Minute),
			alarm(8, "b", "fan", "fan 1", alarms.Minor, "fan 1 failed", 26*time.Hour),
			alarm(9, "dead", "fan", "fan 2", alarms.Warning, "fan 2 is slow", time.Hour),
		},
	}
}

// shown is a model of a size that has the answer of the estate.
func shown(width, height int) Model {
	return after(New(Agent{}, Look{}, noon.Add(-time.Minute)), tea.WindowSizeMsg{Width: width, Height: height}, answered{estate(), nil, noon})
}

// after returns m after messages; what is to be done then is left out.
func after(m Model, messages ...tea.Msg) Model {
	for _, msg := range messages {
		next, _ := m.Update(msg)
		m = next.(Model)
	}
	return m
}

// keys are the messages of keys: each letter of a word, or a key in angle brackets.
func keys(typed string) (messages []tea.Msg) {
	special := map[string]rune{"<enter>": tea.KeyEnter, "<esc>": tea.KeyEscape, "<up>": tea.KeyUp, "<down>": tea.KeyDown, "<tab>": tea.KeyTab, "<end>": tea.KeyEnd, "<back>": tea.KeyBackspace}
	for _, k := range regexp.MustCompile(`<[a-z]+>|.`).FindAllString(typed, -1) {
		if code, ok := special[k]; ok {
			messages = append(messages, tea.KeyPressMsg{Code: code})
		} else {
			messages = append(messages, tea.KeyPressMsg{Code: []rune(k)[0], Text: k})
		}
	}
	return messages
}

// fits fails where a frame is not of its size, or has what could move the cursor.
func fits(t *testing.T, name string, m Model) {
	t.Helper()
	lines := strings.Split(m.Frame(), "\n")
	if len(lines) != m.height {
		t.Errorf("%s: %d lines on %d", name, len(lines), m.height)
	}
	for _, line := range lines {
		if n := lipgloss.Width(line); n > m.width {
			t.Errorf("%s: %d letters on %d: %s", name, n, m.width, line)
		}
		if !m.colour && strings.ContainsAny(line, "\x1b\r\t\u202e") {
			t.Errorf("%s: an HSM has written on the terminal: %q", name, line)
		}
	}
}

// away is when the agent has not answered for a minute.
var away = []tea.Msg{answered{Answer{}, errors.New("no agent answers on /run/control: connection refused"), noon.Add(time.Second)}, tick(noon.Add(time.Minute))}

// TestFrames holds every page at both sizes, on an estate with one HSM dead and one stale.
func TestFrames(t *testing.T) {
	for _, x := range []struct {
		name string
		do   []tea.Msg
	}{
		{"estate", nil},
		{"hsm", keys("<enter>")},
		{"hsm-dead", keys("j<enter>")},
		{"ha", keys("3")},
		{"alarms", keys("4")},
		{"alarm", keys("4j<enter>")},
		{"explain", keys("4e")},
		{"sources", keys("5")},
		{"raw", keys("5r")},
		{"keys", keys("?")},
		{"silence", keys("4js2h new fan<enter>")},
		{"away", away},
	} {
		for _, size := range [][2]int{{80, 24}, {200, 60}} {
			name := fmt.Sprintf("%s-%dx%d", x.name, size[0], size[1])
			m := shown(size[0], size[1])
			m.agent.Duration = time.ParseDuration
			m = after(m, x.do...)
			if x.name == "raw" {
				m = after(m, said{entry{device: "dead", source: "hsm show"}, []hsm.Answer{{Source: "hsm show", At: noon.Add(-time.Hour), Text: "HSM Label: \x1b[2Jred\r\nFirmware: 7.2.0\r\n"}}, nil})
			}
			fits(t, name, m)
			golden(t, name+".txt", m.Frame())
		}
	}
}

// golden compares a frame with a golden file, without the blanks at line ends.
func golden(t *testing.T, file, frame string) {
	t.Helper()
	var trimmed strings.Builder
	for line := range strings.SplitSeq(frame, "\n") {
		trimmed.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	check.Golden(t, file, []byte(trimmed.String()))
}

// TestKeys: what a line of typing leads to, by a text in the frame.
func TestKeys(t *testing.T) {
	for _, x := range []struct{ typed, want string }{
		{"", "[1 Estate]"},
		{"<tab>", "[2 HSM]"},
		{"<enter><esc>", "[1 Estate]"},
		{"4<enter><esc>", "[4 Alarms]"},
		{"j", ">  unknown   dead"},
		{"<down><down>k", ">  unknown   dead"},
		{"<end>", ">  ok        host"},
		{"<end><up>", ">  ok        a "},
		{"/dead", "/dead_"},
		{"/dead<enter>", "filter: dead"},
		{"/DEAX<back>D<enter>", "1-1 of 1"},
		{"/dead<enter><esc>", "1-6 of 6"},
		{"/dead<esc>", "1-6 of 6"},
		{"/none such", "[1 Estate]"},
		{"5<enter>", "[2 HSM]"},
		{"5<enter>", "dead, serial number 53dead"},
		{"e", "Explain b/zeroize"},
		{"<end>a", "there is no alarm here"},
		{"a", "Acknowledge b/zeroize: _"},
		{"a<enter>", "NOT DONE: a comment is needed"},
		{"aqq", "zeroize: qq_"},
		{"a", "Comment, for the next shift:"},
		{"s", "Silence b/zeroize: _"},
		{"s2h<enter>", "NOT DONE: a reason is needed"},
		{"ssoon x<enter>", "NOT DONE: \"soon\""},
		{"s25h x<enter>", "NOT DONE: 25h is not up to 24h0m0s"},
		{"s2h new fan<enter>", "Silence these? y and Enter: _"},
		{"s2h new fan<enter>n<enter>", "not silenced"},
		{"s2h new fan<enter><esc>", "not silenced"},
		{"x", "x does nothing; ? shows the keys"},
		{"?<esc>", "[1 Estate]"},
	} {
		m := shown(80, 24)
		m.agent.Duration = time.ParseDuration
		m = after(m, keys(x.typed)...)
		fits(t, x.typed, m)
		if !strings.Contains(m.Frame(), x.want) {
			t.Errorf("%q: no %q in\n%s", x.typed, x.want, m.Frame())
		}
	}
}

// TestLongNames: what is typed is seen, however long the name of the alarm is.
func TestLongNames(t *testing.T) {
	answer := estate()
	answer.Active[0].Object = strings.Repeat("partition ", 30)
	for _, typed := range []string{"aSEEN", "sSEEN", "a" + strings.Repeat("x", 150) + "SEEN"} {
		m := after(shown(60, 15), answered{answer, nil, noon})
		m = after(m, keys("<up>"+typed)...)
		fits(t, typed, m)
		if !strings.HasSuffix(m.Frame(), "SEEN_") {
			t.Errorf("%s:\n%s", typed, m.Frame())
		}
	}
}

// TestQuit: q and Ctrl-C end top, and q in a comment does not.
func TestQuit(t *testing.T) {
	quits := func(m Model, k tea.KeyPressMsg) bool {
		_, cmd := m.Update(k)
		if cmd == nil {
			return false
		}
		_, is := cmd().(tea.QuitMsg)
		return is
	}
	q, c := tea.KeyPressMsg{Code: 'q', Text: "q"}, tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
	asked := after(shown(80, 24), keys("a")...)
	if m := shown(80, 24); !quits(m, q) || !quits(m, c) || quits(asked, q) || !quits(asked, c) {
		t.Errorf("q %v, Ctrl-C %v; in a comment q %v, Ctrl-C %v", quits(m, q), quits(m, c), quits(asked, q), quits(asked, c))
	}
}

// TestActs: what reaches the agent, and what is said of it.
func TestActs(t *testing.T) {
	var got []string
	m := shown(80, 24)
	m.agent = Agent{
		Acknowledge: func(_ context.Context, alarm, comment string) error {
			got = append(got, "acknowledge "+alarm+": "+comment)
			return nil
		},
		Silence: func(_ context.Context, s alarms.Silence) (alarms.Silence, error) {
			got = append(got, fmt.Sprintf("silence %v for %s: %s", s.Match, s.Until.Sub(s.From), s.Reason))
			return s, errors.New("not you")
		},
		Answers: func(_ context.Context, device, source string) ([]hsm.Answer, error) {
			got = append(got, fmt.Sprintf("answers of %s %q", device, source))
			return nil, errors.New("no agent answers")
		},
		Duration: time.ParseDuration,
	}
	act := func(typed string) Model {
		m, messages := m, keys(typed)
		m = after(m, messages[:len(messages)-1]...)
		next, cmd := m.Update(messages[len(messages)-1])
		return after(next.(Model), cmd())
	}
	if frame := act("4ja on my way <enter>").Frame(); !strings.Contains(frame, "\nacknowledged b/fan/fan 1\n") {
		t.Error(frame)
	}
	if frame := act("4js2h new fan<enter>y<enter>").Frame(); !strings.Contains(frame, "\nNOT DONE: not you\n") {
		t.Error(frame)
	}
	for _, typed := range []string{"r", "5r", "4<enter>r"} {
		if frame := act(typed).Frame(); !strings.Contains(frame, "\nNOT DONE: no agent answers\n") {
			t.Error(frame)
		}
	}
	want := []string{"acknowledge 8: on my way", "silence {[b] [fan] [fan 1] [] none} for 2h0m0s: new fan",
		`answers of b ""`, `answers of dead "hsm show"`, `answers of b ""`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAway: while the agent does not answer, no page shows a value as that of now; when
// it is back, every page does.
func TestAway(t *testing.T) {
	hangs := []tea.Msg{tick(noon.Add(time.Second)), tick(noon.Add(5 * time.Second))}
	for name, gone := range map[string][]tea.Msg{"refuses": away, "hangs": hangs} {
		for page := range pages {
			m := after(after(shown(80, 24), gone...), keys(fmt.Sprint(page+1))...)
			lines := strings.Split(m.Frame(), "\n")
			if !strings.Contains(lines[0], "OLD, of 12:00:00 (") {
				t.Errorf("%s: page %d begins with %q", name, page, lines[0])
			}
			for i := range min(m.room(), m.sheet.n-m.at().top) {
				if line := lines[2+len(m.sheet.head)+i]; line[1] != 'o' {
					t.Errorf("%s: page %d shows as current: %q", name, page, line)
				}
			}
			m = after(m, answered{estate(), nil, m.now})
			if frame := m.Frame(); strings.Contains(frame, "OLD") || strings.Contains(frame, "\n o ") {
				t.Errorf("%s: page %d is still old:\n%s", name, page, frame)
			}
		}
	}
	m := after(New(Agent{}, Look{}, noon), tea.WindowSizeMsg{Width: 80, Height: 24}, away[0])
	if frame := m.Frame(); !strings.Contains(frame, "NOTHING IS KNOWN: no agent answers") {
		t.Errorf("before the first answer:\n%s", frame)
	}
}

// TestSizes: every page fits from the smallest terminal on, after a change of its size,
// in ASCII and in colours; smaller ones say so.
func TestSizes(t *testing.T) {
	for _, size := range [][2]int{{60, 15}, {61, 16}, {79, 23}, {132, 43}, {300, 100}} {
		for page := range pages {
			m := after(shown(200, 60), keys(fmt.Sprint(page+1)+"<end>")...)
			m = after(m, tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			fits(t, fmt.Sprint(size, page), m)
			plain := m.Frame()
			m.colour = true
			m = m.laidOut()
			fits(t, fmt.Sprint(size, page, " coloured"), m)
			if diff := cmp.Diff(plain, escapes.ReplaceAllString(m.Frame(), "")); diff != "" {
				t.Errorf("%v: colours move letters of page %d: %s", size, page, diff)
			}
			m.colour, m.plain = false, true
			if frame := m.laidOut().Frame(); strings.ContainsFunc(frame, func(r rune) bool { return r > '~' }) {
				t.Errorf("%v: page %d is not of ASCII:\n%s", size, page, frame)
			}
		}
	}
	if frame := shown(59, 20).Frame(); !strings.HasPrefix(frame, "59x20 is too small; 60x15 is needed") {
		t.Error(frame)
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestCursorStays: the cursor stays on its HSM when the order changes.
func TestCursorStays(t *testing.T) {
	m := after(shown(80, 24), keys("<end>")...)
	worse := estate()
	worse.Active = append(worse.Active, alarm(20, "host", "fan", "", alarms.Critical, "burns", 0))
	m = after(m, answered{worse, nil, noon})
	if e, _ := m.current(); e.device != "host" || m.at().index != 1 {
		t.Errorf("the cursor is on %s, line %d", e.device, m.at().index)
	}
}

// TestPlotsGrow: a chart has each reading once, none of what is not known, and a gap where
// nothing was read.
func TestPlotsGrow(t *testing.T) {
	m := shown(80, 24)
	for i := range 5 {
		d := network("a", time.Duration(-10*i)*time.Second)
		if i == 3 {
			d.Monitor.Value.IntervalSeconds = hsm.Opt[int64]{}
		}
		m = after(m, answered{Answer{Snapshot: &hsm.Snapshot{Devices: []*hsm.Device{d}}}, nil, noon.Add(time.Duration(10*i) * time.Second)})
		m = after(m, answered{Answer{Snapshot: &hsm.Snapshot{Devices: []*hsm.Device{d}}}, nil, noon.Add(time.Duration(10*i+1) * time.Second)})
	}
	var count []int
	for _, points := range m.values["a"] {
		count = append(count, len(points))
	}
	if diff := cmp.Diff([]int{5, 6, 6}, count); diff != "" {
		t.Errorf("points of %v: %s", drawn, diff)
	}
}

// thousand is an answer about 1,000 HSMs.
func thousand() Answer {
	s := &hsm.Snapshot{}
	var active []alarms.Active
	for i := range 1000 {
		name := fmt.Sprintf("hsm%03d", i)
		s.Devices = append(s.Devices, network(name, time.Second))
		if i%20 == 0 {
			active = append(active, alarm(uint64(i+1), name, "fan", "", alarms.Minor, "fan 1 failed", time.Hour))
		}
	}
	return Answer{s, active}
}

// TestThousand: of 1,000 HSMs the visible ones are drawn, and no others.
func TestThousand(t *testing.T) {
	for page := range pages {
		m := after(shown(80, 24), answered{thousand(), nil, noon})
		m = after(m, keys(fmt.Sprint(page+1)+"<end>")...)
		drawn := 0
		draw := m.sheet.draw
		m.sheet.draw = func(i int) string { drawn++; return draw(i) }
		fits(t, pages[page].name, m)
		if drawn > m.room() {
			t.Errorf("%s: %d lines are drawn on %d", pages[page].name, drawn, m.room())
		}
	}
}

func BenchmarkThousandAnswer(b *testing.B) {
	m, a := shown(80, 24), answered{thousand(), nil, noon}
	for b.Loop() {
		after(m, a)
	}
}

func BenchmarkThousandKey(b *testing.B) {
	m := after(shown(80, 24), answered{thousand(), nil, noon})
	for b.Loop() {
		m = after(m, keys("j")...)
		_ = m.Frame()
	}
}

// BenchmarkThousandJSON is what the control socket costs, at both of its ends.
func BenchmarkThousandJSON(b *testing.B) {
	a := thousand()
	for b.Loop() {
		text, err := json.Marshal(a.Snapshot)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(text)))
		if err := json.Unmarshal(text, new(hsm.Snapshot)); err != nil {
			b.Fatal(err)
		}
	}
}

// TestProbes: the sheet of an HSM has how the test programs of the site ended.
func TestProbes(t *testing.T) {
	answer := estate()
	answer.Snapshot.Devices[0].Probes = []hsm.Probe{{Name: "new"}, {Name: "sign\x1b[2J", At: noon.Add(-time.Minute), MaxAge: time.Hour, Took: 340 * time.Millisecond, Failures: 2, Text: "no key"}}
	m := after(New(Agent{}, Look{}, noon.Add(-time.Minute)), tea.WindowSizeMsg{Width: 100, Height: 60}, answered{answer, nil, noon})
	text := func(device string) (all string) {
		m.device = device
		for sheet, i := hsmSheet(m), 0; i < sheet.n; i++ {
			all += sheet.draw(i) + "\n"
		}
		return all
	}
	frame := text("a")
	for _, want := range []string{"Probes\n", "Probe new has not run yet", "FAILS, 2 in a row, 1m0s ago, in 340ms: no key"} {
		if !strings.Contains(frame, want) {
			t.Errorf("no %q in\n%s", want, frame)
		}
	}
	if other := text("b"); strings.Contains(other, "Probe") || strings.Contains(frame, "\x1b") {
		t.Errorf("an HSM without probes has some, or one writes on the terminal:\n%s", other)
	}
}
