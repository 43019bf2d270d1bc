package page

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

var tag = regexp.MustCompile(`<[^>]*>`)

// between returns what lies between two texts of a page, without markup.
func between(t *testing.T, e *pretence, path, from, to string) string {
	t.Helper()
	_, text := e.get(t, path)
	_, text, found := strings.Cut(text, from)
	if !found {
		t.Fatalf("%s has no %q", path, from)
	}
	text, _, _ = strings.Cut(text, to)
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(text, " "))), " ")
}

func logged(at time.Time, text string, place alarms.LogPlace) alarms.Evidence {
	return alarms.Evidence{At: at, Text: text, Log: &place}
}

// TestLines: the page of an HSM has the newest lines of logs that alarms are kept by,
// what each did, and where it was; what was polled is none.
func TestLines(t *testing.T) {
	e := small(noon)
	messages := alarms.LogPlace{Host: "luna-c", File: "messages", Process: "kernel"}
	a := e.raise("luna-c", "fan", "fan 2 has failed", alarms.Minor, time.Hour)
	a.Evidence = []alarms.Evidence{logged(noon.Add(-time.Hour), "ALM0016: fan", messages), logged(noon.Add(-time.Minute), "ALM0016: fan again", alarms.LogPlace{Host: "luna-c", File: "syslog", Peer: "192.0.2.66 (udp)", Untrusted: true})}
	e.alarms.Cleared = []alarms.Alarm{{Key: alarms.Key{Device: "luna-c", Group: "ntls"}, Number: 9, Text: "NTLS is down", Cleared: noon.Add(-2 * time.Minute), Evidence: []alarms.Evidence{
		{At: noon.Add(-20 * time.Minute), Text: "polled"}, logged(noon.Add(-10*time.Minute), "NTLS stopped", messages), logged(noon.Add(-2*time.Minute), "NTLS started", messages)}},
		{Key: alarms.Key{Device: "luna-a", Group: "fan"}, Number: 10, Text: "of another", Cleared: noon, Evidence: []alarms.Evidence{logged(noon, "not of luna-c", messages)}}}
	want := "12:41:07 counted fan 2 has failed ALM0016: fan again luna-c, syslog, from 192.0.2.66 (udp), anybody could have sent it " +
		"12:40:07 cleared NTLS is down NTLS started luna-c, messages, kernel " +
		"12:32:07 counted NTLS is down NTLS stopped luna-c, messages, kernel " +
		"11:42:07 raised fan 2 has failed ALM0016: fan luna-c, messages, kernel"
	if diff := cmp.Diff(want, between(t, e, "/hsms/luna-c", `aria-label="Lines of logs"><table><thead><tr><th scope="col">Time</th><th scope="col">Did</th><th scope="col">Alarm</th><th scope="col">Line</th><th scope="col">Where</th></tr></thead>`, "</table>")); diff != "" {
		t.Error(diff)
	}
	wants(t, e, "/alarms/4", "luna-c, messages, kernel", "anybody could have sent it")
	wants(t, e, "/hsms/luna-a", "not of luna-c")
	e.alarms.Cleared = nil
	wants(t, e, "/hsms/luna-a", "No alarm that is kept came of a line of a log.")
}

// TestLinesAreBounded: of many lines the newest are shown.
func TestLinesAreBounded(t *testing.T) {
	var s AlarmState
	for i := range 200 {
		s.Cleared = append(s.Cleared, alarms.Alarm{Key: alarms.Key{Device: "a"}, Evidence: []alarms.Evidence{logged(noon.Add(time.Duration(i*37%200)*time.Second), "x", alarms.LogPlace{})}})
	}
	list := s.lines("a", noon)
	if len(list) != mostLines || list[0].At != stampOf(noon.Add(199*time.Second), noon) || list[mostLines-1].At != stampOf(noon.Add((200-mostLines)*time.Second), noon) {
		t.Errorf("%d lines, %v to %v", len(list), list[0].At, list[len(list)-1].At)
	}
}

// TestNumbersAreRight: columns of numbers are right-aligned, with their heads; names and
// serial numbers are not.
func TestNumbersAreRight(t *testing.T) {
	e := small(noon)
	e.read("luna-c", "status disk", hsm.Disk{Filesystems: []hsm.Filesystem{{Mount: "/var", UsedRatio: .4, Total: 1000}}})
	wants(t, e, "/hsms/luna-c", `<th scope="col">Serial</th>`, `<td>120000200</td>`, `<th scope="col" class="n">Objects</th>`, `<td class="n">120</td>`, `<td class="n">20 KiB of 318 KiB</td>`,
		`<td class="n">2.710 V</td>`, `<th scope="col" class="n">Took</th>`, `<td class="n">0.34 s</td>`, `<td class="n">40 %</td>`, `<td>/var</td>`)
}

// TestLastKnown: an HSM of which nothing is known now shows what was known last, and how
// old that is; one that was never read says so, once.
func TestLastKnown(t *testing.T) {
	e := small(noon)
	e.at = noon.Add(3 * time.Hour)
	for path, tile := range map[string]string{"/?q=luna-b": `<p class="what">`, "/hsms/luna-b": `<p class="lead">`} {
		text := between(t, e, path, tile, "</p>")
		if want := "last known 12:42:07 : Luna K7 · firmware 7.8.4 · serial 518841"; !strings.Contains(text, want) || strings.Contains(text, "firmware unknown") {
			t.Errorf("%s: %q", path, text)
		}
	}
	e.store.Expect(hsm.NetworkHSM, "new")
	for path, tile := range map[string]string{"/?q=new": `<p class="what">`, "/hsms/new": `<p class="lead">`} {
		if text := between(t, e, path, tile, "</p>"); !strings.HasSuffix(text, "nothing read yet") || strings.Contains(text, "firmware") {
			t.Errorf("%s: %q", path, text)
		}
	}
	dense := large(noon, 40)
	dense.at = noon.Add(3 * time.Hour)
	if text := between(t, dense, "/?q=luna-0", `<p class="what">`, "</p>"); text != "last known 12:42:07 : Luna K7 7.4.2" {
		t.Errorf("dense: %q", text)
	}
}

// TestTileExpires: a tile that was made is made anew when what it shows becomes stale,
// although its HSM, its word and its reason are as they were.
func TestTileExpires(t *testing.T) {
	e := small(noon)
	wants(t, e, "/?q=luna-b", "limit 75 °C", "39 °C")
	e.at = noon.Add(10 * time.Minute)
	if _, text := e.get(t, "/?q=luna-b"); strings.Contains(text, "39 °C") {
		t.Error("39 °C is ten minutes old, and may be believed for two")
	}
}
