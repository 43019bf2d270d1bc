package page

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
)

// everyPage is the path of each page of the small estate.
var everyPage = []string{"/", "/?sort=name", "/hsms/luna-c", "/hsms/app1", "/ha", "/alarms", "/alarms/1", "/alarms/2", "/agent"}

// wants fails for each text that a page lacks.
func wants(t *testing.T, e *pretence, path string, texts ...string) {
	t.Helper()
	code, text := e.get(t, path)
	if code != http.StatusOK {
		t.Errorf("%s: %d", path, code)
	}
	text = html.UnescapeString(text)
	for _, want := range texts {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q", path, want)
		}
	}
}

// TestPages: each page answers its questions, without a script.
func TestPages(t *testing.T) {
	e := small(noon)
	wants(t, e, "/", "HSM is zeroized", "Initialize the HSM", "notified: noc (waiting), pager", "acknowledged by bea: unit comes Monday", "nobody has acknowledged it",
		"2.71 V", "limit 2.75 V", "3 of 3 active", "up, 5 clients", "firmware 7.4.2", "serial 518842", "attempt 3 of 10", `id="alarm-2"`, `title="2026-03-04 12:31:07 +01:00">12:31:07<`)
	wants(t, e, "/hsms/luna-c", "Battery", "2.710 V", "Crypto Officer", "192.0.2.11", "K7 base configuration", "Allow non-FIPS algorithms", "SO login attempts left",
		`class="curve"`, "As a table, by the hour", "Answer time of commands", "app2", unknown)
	wants(t, e, "/ha", "pay-hsm", "recovering, attempt 3 of 10", "standby", "lost by process [4711]", "CKR_DEVICE_ERROR", "since when is unknown", "to a fresh process: unknown", "members are lost")
	wants(t, e, "/alarms", "HSM is zeroized", "No silences.", "No alarm has cleared yet.")
	wants(t, e, "/alarms/2", "ALM2003: hsm zeroized", "luna-b, messages, kernel", "What clears it", "waiting", "connection refused", "delivered")
	wants(t, e, "/agent", "v1.2.3", "2026-03-02 10:42", "connection refused", "22 of 22 answer")
	for _, path := range []string{"/nothing", "/hsms/", "/hsms/luna-x", "/alarms/99", "/alarms/x", "/ha/x", "/hsms/%zz"} {
		if strings.Contains(path, "%zz") {
			continue
		}
		if code, text := e.get(t, path); code != http.StatusNotFound || !strings.Contains(text, "There is no such page") {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// TestNobodyIsNotified: an estate without receivers, alarms and HSMs says so.
func TestNobodyIsNotified(t *testing.T) {
	e := newPretence(noon)
	e.alarms = AlarmState{Trouble: "disk full"}
	wants(t, e, "/", "No active alarms.", "nobody is notified of alarms", "The state cannot be stored: disk full", "No HSM is watched yet")
	wants(t, e, "/agent", "IN MEMORY ONLY: disk full")
	e.site.Cluster = func() [][][]string { return [][][]string{{{"Agent", "Shards"}, {"lw<1>", "200"}}} }
	wants(t, e, "/agent", `<th scope="col">Shards</th>`, "<td>lw<1></td><td>200</td>")
	wants(t, e, "/ha", "No HA group is watched")
}

// TestMarks: what operators did, and what holds for an alarm, is beside it.
func TestMarks(t *testing.T) {
	e := small(noon)
	a := &e.alarms.Active[0]
	a.Ack = &alarms.Ack{By: "<anna>", Comment: "looking", At: noon}
	a.Silence = &alarms.Silence{ID: 3, Author: "bob", Reason: "moving it", From: noon.Add(-time.Hour), Until: noon.Add(time.Hour)}
	a.RelatedTo = &alarms.Key{Device: "luna-c", Group: "battery"}
	a.Flapping = true
	e.alarms.Silences = []alarms.Silence{*a.Silence, {ID: 4, Author: "eve", Reason: "window", From: noon.Add(time.Hour), Until: noon.Add(2 * time.Hour), Match: alarms.Match{HSMs: []string{"luna-a"}, Severity: alarms.Minor}}}
	wants(t, e, "/", "acknowledged by <anna>: looking", "Silenced until 2026-03-04 13:42:07 +01:00 by bob: moving it (silence 3)", "Caused by luna-c/battery", "Flapping")
	wants(t, e, "/alarms", "HSM luna-a, minor or milder", "to come", "in force", "everything")
	wants(t, e, "/alarms/2", "Covered by silence 3 of bob until 13:42:07: moving it", `Suppressed by <a href="/alarms/1">luna-c/battery</a>`)
	wants(t, e, "/alarms/1", `Explains <a href="/alarms/2">luna-b/zeroize</a>`)
}

// TestNoSensor: an HSM without sensors has no limits for what they would say.
func TestNoSensor(t *testing.T) {
	e := small(noon)
	show := e.store.Latest().Device("luna-a").Show.Value
	show.Environment = nil
	e.read("luna-a", "hsm show", show)
	_, text := e.get(t, "/?q=luna-a")
	if strings.Contains(text, "limit 75 °C") || strings.Contains(text, "limit 2.75 V") || !strings.Contains(text, "limit 90 %") || strings.Count(text, unknown+"</dd>") != 2 {
		t.Errorf("limits of no sensor, or no %q:\n%s", unknown, text)
	}
}

// TestClearedAlarm: an alarm that has cleared has a page, and is in the lists of its HSM
// and of all.
func TestClearedAlarm(t *testing.T) {
	e := small(noon)
	e.alarms.Cleared = []alarms.Alarm{{Key: alarms.Key{Device: "luna-a", Group: "fan"}, Number: 9, Severity: alarms.Minor, Text: "fan 2 has failed", Raised: noon.Add(-3 * time.Hour), Cleared: noon.Add(-2 * time.Hour),
		Ack: &alarms.Ack{By: "bea", Comment: "swapped"}}}
	for _, path := range []string{"/alarms", "/hsms/luna-a", "/alarms/9"} {
		wants(t, e, path, "fan 2 has failed", "bea: swapped", "10:42:07")
	}
	wants(t, e, "/hsms/luna-b", "No alarm has cleared yet.")
	wants(t, e, "/hsms/luna-a/chart.json", `"word":"minor","text":"fan 2 has failed"`, `"limit":75`)
}

// TestUnknownIsSaid: what is stale or was never read is neither well nor zero nor empty.
func TestUnknownIsSaid(t *testing.T) {
	e := small(noon)
	e.alarms.Active = nil
	e.at = noon.Add(time.Hour)
	_, text := e.get(t, "/")
	for _, gone := range []string{"2.71 V", "3 of 3 active", "up, 5 clients", `class="tile w-well"`} {
		if strings.Contains(text, gone) {
			t.Errorf("stale, yet %q", gone)
		}
	}
	if n := strings.Count(text, `class="tile w-unknown"`); n != 4 {
		t.Errorf("%d tiles are unknown", n)
	}
	wants(t, e, "/", unknown, `fill="url(#hatch)"`)
	wants(t, e, "/hsms/luna-c", "STALE: hsm show")
	wants(t, e, "/ha", "not read since")
	e.store.Expect(hsm.NetworkHSM, "new")
	wants(t, e, "/hsms/new", "nothing has been asked yet", "nothing read yet")
}

// TestFailure: a source that fails says why, on the page of its HSM and of the agent; so
// do services and sources that disagree.
func TestFailure(t *testing.T) {
	e := small(noon)
	e.fails("luna-a", "hsm show", "<i>refused</i>")
	e.read("luna-a", "rest services", hsm.Services{{Name: "ntp", Status: "stopped", OnBoot: hsm.Some(true)}})
	wants(t, e, "/hsms/luna-a", "FAILS: unreachable, 1 attempt in a row", "port refused: <i>refused</i>", "ntp</td><td>stopped")
	wants(t, e, "/agent", "port refused: <i>refused</i>", "of 23 answer")
	for minute := range 3 {
		for _, source := range []string{"hsm show", "rest hsm"} {
			e.store.Apply(hsm.Observation{Device: "luna-b", Source: source, At: noon.Add(time.Duration(minute) * time.Second), MaxAge: time.Hour, Facts: []hsm.Fact{hsm.Show{Serial: source}}})
		}
	}
	wants(t, e, "/hsms/luna-b", "Sources disagree", "rest hsm: rest hsm")
}

// TestProbesOfHSM: the page of an HSM has how its test programs ended, unknown where one
// has not run or ran too long ago.
func TestProbesOfHSM(t *testing.T) {
	e := small(noon)
	if _, text := e.get(t, "/hsms/luna-c"); strings.Contains(text, "Probes") {
		t.Error("an HSM without probes has a table of them")
	}
	probes := hsm.Probes{{Name: "new"}}
	for _, p := range []hsm.Probe{{Name: "fails", Failures: 3, Text: "<no key>"}, {Name: "old", Worked: true}, {Name: "sign", Partition: "pay0", Worked: true, Text: "signed"}} {
		p.At, p.Took, p.MaxAge = noon.Add(-2*time.Minute), 340*time.Millisecond, 5*time.Minute
		if p.Name == "old" {
			p.MaxAge = time.Minute
		}
		probes = append(probes, p)
	}
	e.store.Apply(hsm.Observation{Device: "luna-c", At: noon, Facts: []hsm.Fact{probes}})
	want := "Probe Partition Result Took Ran Says new has not run yet unknown never fails FAILS, 3 in a row 0.34 s 12:40:07 <no key> " +
		"old unknown: too old 0.34 s 12:40:07 sign pay0 works 0.34 s 12:40:07 signed"
	if diff := cmp.Diff(want, between(t, e, "/hsms/luna-c", `aria-label="Probes">`, "</table>")); diff != "" {
		t.Error(diff)
	}
}

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>` + "\u202e'`{{.}}"

// evil is an estate in which everything that somebody else says is hostile.
func evil() *pretence {
	e := small(noon)
	show := e.store.Latest().Device("luna-c").Show.Value
	show.Label, show.Model, show.Firmware, show.Serial, show.Status = hsm.Some(hostile), hostile, hostile, hostile, hsm.Status(hostile)
	e.read("luna-c", "hsm show", show)
	e.read("luna-c", hostile, hsm.Partitions{{Name: hostile, Label: hsm.Some(hostile), Serial: hostile, Roles: []hsm.Role{{Name: hostile}}}})
	e.read("luna-c", "client list", hsm.Clients{{Name: hostile, Address: hostile, Partitions: []string{hostile}}})
	e.fails("luna-c", "rest", hostile)
	e.store.Expect(hsm.NetworkHSM, hostile)
	e.fails(hostile, hostile, hostile)
	for i := range e.alarms.Active {
		a := &e.alarms.Active[i]
		a.Text, a.Ack, a.Object = hostile, &alarms.Ack{By: hostile, Comment: hostile}, hostile
		a.Codes = []string{hostile}
		a.Evidence = []alarms.Evidence{{At: noon, Text: hostile, Log: &alarms.LogPlace{Host: hostile, File: hostile, Process: hostile}}}
		a.Silence = &alarms.Silence{ID: 1, Author: hostile, Reason: hostile, Until: noon.Add(time.Hour)}
	}
	d := e.alarms.Deliveries["noc"]
	d.Error = hostile
	e.alarms.Deliveries["noc"] = d
	e.days["luna-c"] = "critical"
	return e
}

var (
	scripted = regexp.MustCompile(`(?i)<script(?: src="/assets/page\.[0-9a-f]+\.js" defer>|[^>]*>)|<img|\son[a-z]+=[^a-z]|\sstyle=|javascript:`)
	loads    = regexp.MustCompile(`(?:src|href|action)="([^"]*)"`)
)

// TestHostile: nothing that an HSM, a log or an operator says becomes markup, and every
// page has the one script of its own, no style but the one that the policy names, and
// nothing from elsewhere.
func TestHostile(t *testing.T) {
	e := evil()
	for _, path := range append(everyPage, "/hsms/"+"%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%3Cimg%20src=x%20onerror=alert%282%29%3E%E2%80%AE%27%60%7B%7B.%7D%7D", "/?q=%22%3E%3Cscript%3E", "/nothing%3Cscript%3E") {
		w := httptest.NewRecorder()
		e.site.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		text := w.Body.String()
		tags := text
		for _, quoted := range regexp.MustCompile(`"[^"]*"|>[^<]*<`).FindAllString(text, -1) {
			if !strings.Contains(quoted, "/assets/") {
				tags = strings.Replace(tags, quoted, quoted[:1]+quoted[len(quoted)-1:], 1)
			}
		}
		for _, found := range scripted.FindAllString(tags, -1) {
			if !strings.HasSuffix(found, `.js" defer>`) {
				t.Errorf("%s: %q", path, found)
			}
		}
		for _, to := range loads.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(to[1], "/") && !strings.HasPrefix(to[1], "#") || strings.HasPrefix(to[1], "//") {
				t.Errorf("%s leads to %q", path, to[1])
			}
		}
		if styles := strings.Count(tags, "<style"); styles != 1 || !strings.Contains(text, string(sheet)) {
			t.Errorf("%s has %d styles", path, styles)
		}
		if got := w.Header().Get("Content-Security-Policy"); got != policy {
			t.Errorf("%s: %q", path, got)
		}
	}
	wants(t, e, "/hsms/luna-c", hostile)
}

// TestFilter: the query of the URL selects and orders.
func TestFilter(t *testing.T) {
	e := large(noon, 40)
	name := regexp.MustCompile(`<h3><a href="/hsms/([^"]*)">`)
	for query, want := range map[string]string{
		"?q=luna-01&sort=name": "luna-010 luna-011 luna-012 luna-013 luna-014 luna-015 luna-016 luna-017 luna-018 luna-019",
		"?q=LUNA-01":           "luna-017 luna-010 luna-011 luna-012 luna-013 luna-014 luna-015 luna-016 luna-018 luna-019",
		"?state=major":         "luna-017",
		"?q=518857":            "luna-017",
		"?q=port+refused":      "luna-123",
		"?q=none":              "",
		"?state=unknown":       "luna-new",
	} {
		_, text := e.get(t, "/"+query)
		var got []string
		for _, m := range name.FindAllStringSubmatch(text, -1) {
			got = append(got, m[1])
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
		if !strings.Contains(text, "show all") && !strings.Contains(text, "Show all") {
			t.Errorf("%s: no way back", query)
		}
	}
}

// TestSizes: few HSMs have large tiles with charts, many have small ones.
func TestSizes(t *testing.T) {
	for n, want := range map[int]string{3: "large", 20: "middle", 300: "dense"} {
		_, text := large(noon, n).get(t, "/")
		if !strings.Contains(text, `class="tiles `+want+`"`) {
			t.Errorf("%d HSMs: not %s", n, want)
		}
		if got := strings.Contains(text, `class="spark"`); got != (want != "dense") {
			t.Errorf("%d HSMs: curves %v", n, got)
		}
	}
}

// TestMetricsPath: the metrics can have no path of a page, nor one below.
func TestMetricsPath(t *testing.T) {
	for _, path := range append(everyPage, "/live", "/assets/x") {
		path, _, _ = strings.Cut(path, "?")
		if exporters.ValidPath(path) == nil {
			t.Errorf("the metrics can be at %s", path)
		}
	}
}

// TestAssets: what a page loads is there, can be kept for ever, and is deflated.
func TestAssets(t *testing.T) {
	if len(assets) != 5 {
		t.Errorf("%d assets", len(assets))
	}
	for url, a := range assets {
		r := httptest.NewRequest(http.MethodGet, "/assets/"+url, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		small(noon).site.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusOK || len(a.text) < 100 || w.Body.Len() >= len(a.text) || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || assetPath(a.file) != "/assets/"+url {
			t.Errorf("%s: %d, %d of %d bytes, %v", url, w.Code, w.Body.Len(), len(a.text), w.Header())
		}
	}
}

// TestWeight: the first load of the estate is below 150 kB, with 300 HSMs, too.
func TestWeight(t *testing.T) {
	for _, n := range []int{3, 300} {
		h := large(noon, n).site.Handler()
		load := func(path string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Accept-Encoding", "gzip")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		total := load("/").Body.Len()
		parts := fmt.Sprintf("page %d", total)
		for _, file := range []string{"page.js", "icon.svg"} {
			size := load(assetPath(file)).Body.Len()
			total, parts = total+size, parts+fmt.Sprintf(", %s %d", file, size)
		}
		t.Logf("%d HSMs: %d bytes (%s)", n, total, parts)
		if total >= 150_000 {
			t.Errorf("%d HSMs: %d bytes", n, total)
		}
	}
}
