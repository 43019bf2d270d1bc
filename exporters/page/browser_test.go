package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/check/browser"
)

var pictures = flag.String("pictures", "", "directory into which TestPictures writes what a browser shows")

// serve serves the pages of e, live, until the test ends.
func (e *pretence) serve(tb testing.TB) string {
	tb.Helper()
	ctx, stop := context.WithCancel(tb.Context())
	ended := make(chan error)
	go func() { ended <- e.site.Run(ctx) }()
	server := httptest.NewServer(e.site.Handler())
	tb.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
		server.Close()
	})
	return server.URL
}

// seen sets the size and the colours of what a browser shows.
func seen(width, height int64, colours string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: colours}}})
		return err
	}))
}

// whole waits until a page is live, and its charts are drawn if it has any.
func whole() chromedp.Action[chromedp.Void] {
	return browser.Until(`document.getElementById("live").textContent === "live" && (!document.getElementById("charts") || document.querySelector(".uplot"))`)
}

// drawnCharts waits until the charts of a page are drawn, if it has any.
var drawnCharts = browser.Until(`!document.getElementById("charts") || document.querySelector(".uplot")`)

// A picture is one page as somebody sees it.
type picture struct {
	name, path    string
	estate        func(time.Time) *pretence
	width, height int64
	colours       string
}

var pictureList = []picture{
	{"estate", "/", small, 1280, 800, "light"},
	{"estate-dark", "/", small, 1280, 800, "dark"},
	{"estate-phone", "/", small, 390, 844, "light"},
	{"estate-300", "/", func(at time.Time) *pretence { return large(at, 300) }, 1440, 900, "light"},
	{"estate-300-phone", "/", func(at time.Time) *pretence { return large(at, 300) }, 390, 844, "dark"},
	{"hsm", "/hsms/luna-c", small, 1440, 1100, "light"},
	{"hsm-phone", "/hsms/luna-c", small, 390, 844, "dark"},
	{"hsm-dead", "/hsms/luna-123", func(at time.Time) *pretence { return large(at, 300) }, 1440, 900, "light"},
	{"ha", "/ha", small, 1440, 700, "light"},
	{"alarms", "/alarms", small, 1440, 700, "dark"},
	{"alarm", "/alarms/2", small, 1440, 800, "light"},
	{"agent", "/agent", small, 1440, 700, "light"},
	{"acknowledge", "/alarms/2#acknowledge", operated, 1280, 800, "light"},
	{"silence", "/silences/new?for=72h0m0s&hsms=luna-b", operated, 1280, 800, "dark"},
	{"silence-phone", "/alarms/2#silence-of", operated, 390, 844, "light"},
}

// operated is the small estate, on which whoever looks may act; a silence is in force.
func operated(at time.Time) *pretence {
	e := small(at)
	e.site.Who = func(*http.Request, string) (string, error) { return "anna (web, 192.0.2.7)", nil }
	e.alarms.Silences = []alarms.Silence{{ID: 3, Author: "bob", Reason: "moving it", From: at.Add(-time.Hour), Until: at.Add(time.Hour), Match: alarms.Match{HSMs: []string{"luna-a"}}}}
	e.alarms.Routes = map[string]notify.Route{"pager": {Only: alarms.Match{Severity: alarms.Critical}}, "noc": {}}
	e.site.tests.by, e.site.tests.at = "anna (web, 192.0.2.7)", at
	e.site.tests.results = []notify.TestResult{{Receiver: "noc", Result: "failed", Error: "connection refused"}, {Receiver: "pager", Result: "accepted", Took: 340 * time.Millisecond}}
	return e
}

// fewColours returns a picture in its 256 most frequent colours: a page has little more.
func fewColours(picture image.Image) *image.Paletted {
	box, counts := picture.Bounds(), make(map[color.RGBA]int)
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA) } //nolint:forcetypeassert // the model's
	for y := range box.Dy() {
		for x := range box.Dx() {
			counts[at(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int { return counts[b] - counts[a] })
	var palette color.Palette
	for _, c := range colours[:min(256, len(colours))] {
		palette = append(palette, c)
	}
	nearest := make(map[color.RGBA]uint8, len(colours))
	for _, c := range colours {
		nearest[c] = uint8(palette.Index(c)) //nolint:gosec // of 256
	}
	made := image.NewPaletted(box, palette)
	for y := range box.Dy() {
		for x := range box.Dx() {
			made.SetColorIndex(x, y, nearest[at(x, y)])
		}
	}
	return made
}

// TestPictures writes pictures of the pages: go test ./exporters/page -run TestPictures -pictures DIRECTORY
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("SKIPPED: -pictures names no directory")
	}
	ctx := browser.Start(t)
	for _, p := range pictureList {
		url := p.estate(time.Now()).serve(t)
		check.Must(t, chromedp.Do(ctx, seen(p.width, p.height, p.colours), chromedp.Navigate(url+p.path), whole()))
		shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		check.Must(t, err)
		picture, err := png.Decode(bytes.NewReader(shot))
		check.Must(t, err)
		var smaller bytes.Buffer // than the browser makes it
		check.Must(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&smaller, fewColours(picture)))
		check.Must(t, os.WriteFile(filepath.Join(*pictures, p.name+".png"), smaller.Bytes(), 0o644)) //nolint:gosec // for everybody to see
		if smaller.Len() >= 200_000 {
			t.Errorf("%s.png has %d bytes", p.name, smaller.Len())
		}
	}
}

// axe returns the checker of accessibility.
func axe(tb testing.TB) string {
	tb.Helper()
	f, err := os.Open("testdata/axe/axe.min.js.gz")
	check.Must(tb, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	check.Must(tb, err)
	text, err := io.ReadAll(z)
	check.Must(tb, err)
	return string(text)
}

// violations is what axe says of a page by WCAG 2, A and AA, a line each.
const violations = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then((r) =>
	r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.target.join(" ") + " " + n.failureSummary)))`

// TestAccessible: no page has a violation, light or dark, on a desk or on a phone.
func TestAccessible(t *testing.T) {
	ctx, checker := browser.Start(t), axe(t)
	urls := map[string]string{"": small(time.Now()).serve(t), "many ": large(time.Now(), 40).serve(t), "stale ": stale(time.Now()).serve(t), "acting ": operated(time.Now()).serve(t)}
	for _, page := range []struct{ of, path string }{{"", "/"}, {"", "/hsms/luna-c"}, {"", "/ha"}, {"", "/alarms"}, {"", "/alarms/2"}, {"", "/agent"}, {"", "/nothing"}, {"many ", "/"}, {"stale ", "/"}, {"stale ", "/hsms/luna-c"},
		{"acting ", "/alarms/2#acknowledge"}, {"acting ", "/alarms/2?done=acknowledged#clear"}, {"acting ", "/alarms/1#silence-of"}, {"acting ", "/alarms"}, {"acting ", "/agent"}, {"acting ", "/silences/new"}, {"acting ", "/silences/new?for=72h0m0s"}, {"acting ", "/silences/new?for=x"}} {
		for _, width := range []int64{1440, 390} {
			check.Must(t, chromedp.Do(ctx, seen(width, 900, "light"), chromedp.Navigate("about:blank"), chromedp.Navigate(urls[page.of]+page.path), drawnCharts))
			_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`for (const d of document.querySelectorAll(".acts details")) d.open = true; `+checker+"; true"))
			check.Must(t, err)
			for _, colours := range []string{"light", "dark"} {
				check.Must(t, chromedp.Do(ctx, seen(width, 900, colours)))
				list, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](violations, chromedp.EvalAwaitPromise))
				check.Must(t, err)
				for _, v := range list {
					t.Errorf("%s%s, %s, %d: %s", page.of, page.path, colours, width, v)
				}
			}
			wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
			check.Must(t, err)
			if wide {
				t.Errorf("%s%s, %d: the page is wider than the window", page.of, page.path, width)
			}
		}
	}
}

// stale is an estate of which nothing was read for an hour.
func stale(at time.Time) *pretence {
	e := small(at.Add(-time.Hour))
	e.at, e.alarms.Active = at, nil
	return e
}

// TestLiveInBrowser: a change is on the open page, where it was, with focus, what is
// unfolded, and scroll as they were.
func TestLiveInBrowser(t *testing.T) {
	ctx, e := browser.Start(t), small(time.Now())
	url := e.serve(t)
	check.Must(t, chromedp.Do(ctx, seen(1440, 500, "light"), chromedp.Navigate(url+"/hsms/luna-b"), whole()))
	run := func(script string) {
		t.Helper()
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script+"; true"))
		check.Must(t, err)
	}
	run(`window.link = document.querySelector("#part-active a.text"); link.focus({preventScroll: true}); document.querySelector("#part-section-policies details").open = true;
		window.section = document.querySelector("#part-section-policies"); scrollTo(0, 150)`)
	show := e.store.Latest().Device("luna-b").Show.Value
	environment := *show.Environment
	environment.TemperatureCelsius = hsm.Some(63.0)
	show.Environment = &environment
	e.read("luna-b", "hsm show", show)
	e.read("luna-b", "hsm showpolicies", hsm.Policies{Policies: []hsm.Policy{{Description: "Allow cloning", Value: "On"}, {Description: "<script>alert(1)</script>", Value: "On"}}})
	e.change(func(s *AlarmState) {
		s.Active[0].Text = "HSM is zeroized again"
		e.raise("luna-b", "temp-warn", "card at 63 C", alarms.Minor, time.Second)
	})
	check.Must(t, chromedp.Do(ctx, browser.Until(`document.querySelector("#part-state").textContent.includes("63 °C") && document.querySelector("#part-section-policies").textContent.includes("<script>alert(1)")
		&& document.querySelector("#part-active").textContent.includes("zeroized again") && document.querySelector("#part-active").textContent.includes("card at 63 C")`)))
	for _, holds := range []string{`document.activeElement === link && link.isConnected && link.textContent === "HSM is zeroized again"`, `section.isConnected && section.querySelector("details").open`, `scrollY === 150`} {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](holds))
		check.Must(t, err)
		if !ok {
			t.Errorf("does not hold: %s", holds)
		}
	}
}

// TestSilentAgent: an open page says that it is not live, and is up to date again when the
// agent is.
func TestSilentAgent(t *testing.T) {
	ctx, e := browser.Start(t), small(time.Now())
	running, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.site.Run(running) }()
	var handler atomic.Pointer[http.Handler]
	first := e.site.Handler()
	handler.Store(&first)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	defer server.Close()
	check.Must(t, chromedp.Do(ctx, seen(1440, 900, "light"), chromedp.Navigate(server.URL+"/"), whole()))
	stop()
	check.Must(t, <-ended)
	check.Must(t, chromedp.Do(ctx, browser.Until(`/^NOT LIVE since \d\d:\d\d:\d\d$/.test(document.getElementById("live").textContent)`)))
	again := &Site{ // as a restart of the agent
		Store: e.store, Alarms: e.state, Changed: e.changes, Thresholds: e.site.Thresholds, Own: e.site.Own, Started: e.site.Started, Metrics: "/metrics", Now: e.now,
	}
	e.add(5, "luna-d")
	running, stop = context.WithCancel(t.Context())
	go func() { ended <- again.Run(running) }()
	second := again.Handler()
	handler.Store(&second)
	check.Must(t, chromedp.Do(ctx, browser.Until(`document.getElementById("live").textContent === "live" && document.getElementById("hsm-luna-d") || document.getElementById("part-hsm-luna-d")`)))
	stop()
	check.Must(t, <-ended)
}

// TestCharts: the charts of an HSM are drawn by the script, each in place of its picture,
// and share one crosshair; one of which nothing was read says so.
func TestCharts(t *testing.T) {
	ctx, e := browser.Start(t), small(time.Now())
	series := e.site.Series
	e.site.Series = func(device string, m history.Measure, now time.Time) (history.Series, bool) {
		x, known := series(device, m, now)
		if m == "errors_per_second" {
			for i := range x.Median {
				x.Min[i], x.Median[i], x.Max[i] = math.NaN(), math.NaN(), math.NaN()
			}
		}
		return x, known
	}
	check.Must(t, chromedp.Do(ctx, seen(1440, 900, "light"), chromedp.Navigate(e.serve(t)+"/hsms/luna-c"), whole()))
	check.Must(t, chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool](`(() => { const over = document.querySelector("#chart-utilization_ratio .u-over"), box = over.getBoundingClientRect();
			over.dispatchEvent(new MouseEvent("mousemove", {clientX: box.left + box.width / 3, clientY: box.top + 20, bubbles: true})); return true })()`)(ctx, t)
		return err
	}), browser.Until(`document.querySelector("#chart-battery_volts .u-legend").textContent.includes("V")`)))
	for figure, want := range map[string]string{"utilization_ratio": "value %", "answer_seconds": "greatest least median s", "battery_volts": "value V", "errors_per_second": "Nothing was read in 24 hours."} {
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("#chart-`+figure+` .plot").innerText`))
		check.Must(t, err)
		for word := range strings.FieldsSeq(want) {
			if !strings.Contains(text, word) {
				t.Errorf("%s: no %q in %q", figure, word, text)
			}
		}
		if strings.Contains(text, "least") != strings.Contains(want, "least") {
			t.Errorf("%s: %q", figure, text)
		}
	}
}

// TestLinksOfNotifications: /#alarm-7 shows an active alarm on the page of the estate, and
// leads to the page of one that has cleared.
func TestLinksOfNotifications(t *testing.T) {
	ctx, e := browser.Start(t), small(time.Now())
	e.alarms.Cleared = []alarms.Alarm{{Key: alarms.Key{Device: "luna-a", Group: "fan"}, Number: 9, Severity: alarms.Minor, Text: "fan 2 has failed", Cleared: e.at}}
	url := e.serve(t)
	check.Must(t, chromedp.Do(ctx, seen(1440, 900, "light"), chromedp.Navigate(url+"/"+alarms.Anchor(2)), browser.Until(`document.querySelector(".alarm:target")?.textContent.includes("HSM is zeroized")`)))
	check.Must(t, chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(url+"/"+alarms.Anchor(9)), browser.Until(`location.pathname === "/alarms/9" && document.querySelector("h1").textContent === "fan 2 has failed"`)))
}

// TestStyled: the policy has the browser take the style that is in the page.
func TestStyled(t *testing.T) {
	ctx, url := browser.Start(t), small(time.Now()).serve(t)
	check.Must(t, chromedp.Do(ctx, chromedp.Navigate(url+"/"), whole()))
	if got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector("main")).maxWidth`)); err != nil || got != "2400px" {
		t.Errorf("main is %q wide, %v", got, err)
	}
}

// TestHostileInBrowser: no script of somebody else's runs, and none is refused: a browser
// that refuses one by the policy has found markup.
func TestHostileInBrowser(t *testing.T) {
	ctx, e := browser.Start(t), evil()
	e.site.Now = time.Now
	url := e.serve(t)
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`true`))
	check.Must(t, err)
	for _, path := range everyPage {
		check.Must(t, chromedp.Do(ctx, chromedp.Navigate(url+path), whole()))
		found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("img, script:not([src^='/assets/']), [onerror], [style]:not(.uplot *, .uplot)")].map((x) => x.outerHTML)`))
		check.Must(t, err)
		for _, x := range found {
			t.Errorf("%s: %s", path, x)
		}
	}
}

// BenchmarkFirstPaint is from the request for a page to the first paint of it, as the
// browser measures, with an empty cache; bytes are what went over the network until then.
// html is until the page was there, sheet until its style was, and floor a page of one
// word: what the browser itself takes on this machine.
//
//	go test ./exporters/page -run '^$' -bench FirstPaint -benchtime 20x
func BenchmarkFirstPaint(b *testing.B) {
	ctx := browser.Start(b)
	for _, x := range []struct {
		name, path string
		hsms       int
	}{{"floor", "/", 0}, {"estate/3", "/", 3}, {"estate/300", "/", 300}, {"hsm", "/hsms/luna-001", 3}} {
		b.Run(x.name, func(b *testing.B) {
			url, sums, paints := oneWord(b), [4]float64{}, []float64(nil)
			if x.hsms > 0 {
				url = large(time.Now(), x.hsms).serve(b)
			}
			for range b.N {
				check.Must(b, chromedp.Do(ctx, seen(1440, 900, "light"), uncached, chromedp.Navigate(url+x.path), browser.Until(`performance.getEntriesByName("first-contentful-paint").length && (!document.getElementById("charts") || document.querySelector(".uplot"))`)))
				figures, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`(() => { const [page] = performance.getEntriesByType("navigation"), sheet = performance.getEntriesByType("resource").find((e) => e.name.includes("/page."))
					return [performance.getEntriesByName("first-contentful-paint")[0].startTime, page.responseEnd, sheet ? sheet.responseEnd : 0, [page, ...performance.getEntriesByType("resource")].reduce((n, e) => n + (e.transferSize || 0), 0)] })()`))
				check.Must(b, err)
				for i := range sums {
					sums[i] += figures[i]
				}
				paints = append(paints, figures[0])
			}
			for i, unit := range []string{"ms-first-paint", "ms-html", "ms-sheet", "bytes"} {
				b.ReportMetric(sums[i]/float64(b.N), unit)
			}
			slices.Sort(paints)
			b.ReportMetric(paints[len(paints)/2], "ms-median")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// oneWord serves a page of one word until the benchmark ends.
func oneWord(b *testing.B) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>x</title>word")
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// uncached has the browser load everything anew.
var uncached = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	return err
})

// BenchmarkLiveLatency is from a value that is read to its being on the open page. The
// agent renders at most once a second, so that a change can wait for that long.
//
//	go test ./exporters/page -run '^$' -bench LiveLatency -benchtime 20x
func BenchmarkLiveLatency(b *testing.B) {
	ctx := browser.Start(b)
	for _, n := range []int{3, 300} {
		b.Run(fmt.Sprintf("hsms=%d", n), func(b *testing.B) {
			e := large(time.Now(), n)
			url := e.serve(b)
			check.Must(b, chromedp.Do(ctx, seen(1440, 900, "light"), chromedp.Navigate(url+"/"), whole()))
			show, worst := e.store.Latest().Device("luna-000").Show.Value, time.Duration(0)
			for i := range b.N {
				environment := *show.Environment
				environment.TemperatureCelsius = hsm.Some(float64(20 + i%50))
				show.Environment = &environment
				wait := time.Duration(i*137%1000) * time.Millisecond // so that changes fall anywhere in the second
				check.Must(b, chromedp.Do(ctx, chromedp.Sleep(wait)))
				begun := time.Now()
				e.read("luna-000", "hsm show", show)
				check.Must(b, chromedp.Do(ctx, browser.Until(fmt.Sprintf(`document.getElementById("part-hsm-luna-000").textContent.includes("%d °C")`, 20+i%50))))
				worst = max(worst, time.Since(begun))
				b.ReportMetric(float64(worst.Milliseconds()), "ms-worst")
			}
		})
	}
}

// TestPrint: on paper a page has the date, the time and the host of its agent, is dark on
// white though the screen is not, and nothing of it can be clicked. What is folded is there.
func TestPrint(t *testing.T) {
	ctx, url := browser.Start(t), operated(time.Now()).serve(t)
	for path, further := range map[string]string{
		"/":             `[...document.querySelectorAll(".bar form, .order, .meta a")].every((x) => x.offsetParent === null)`,
		"/hsms/luna-c":  `document.querySelector("#part-section-policies td").offsetHeight > 0 && document.querySelector("#chart-battery_volts .u-legend").offsetHeight === 0`,
		"/alarms/2":     `document.querySelector(".acts").offsetHeight === 0`,
		"/silences/new": `true`,
	} {
		check.Must(t, chromedp.Do(ctx, seen(800, 1100, "dark"), chromedp.Navigate(url+path), whole(), browser.Until(`!/[+-]\d\d:\d\d$/.test(document.getElementById("date").textContent)`), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
			return err
		})))
		for _, holds := range []string{
			`document.getElementById("printed")?.innerText.includes("` + notify.Hostname() + `")`,
			`/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /.test(document.getElementById("printed")?.innerText)`, // as the script says it
			`getComputedStyle(document.body).color === "rgb(27, 36, 48)"`,
			`getComputedStyle(document.documentElement).backgroundColor === "rgb(255, 255, 255)"`,
			`[...document.querySelectorAll("nav, footer, #clock, #live")].every((x) => x.offsetParent === null)`,
			further,
		} {
			ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](holds))
			check.Must(t, err)
			if !ok {
				t.Errorf("%s: does not hold: %s", path, holds)
			}
		}
	}
}
