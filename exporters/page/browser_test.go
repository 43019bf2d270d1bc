package page

import (
	"context"
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/lunawatch/lunawatch/internal/check"
)

var pictures = flag.String("pictures", "", "directory into which TestPictures writes what a browser shows")

// browser starts a Chromium of its own, that ends with the test. Without one the test is
// skipped, unless CI is true.
func browser(tb testing.TB) context.Context {
	tb.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal("chromium is not there: apt-get install chromium")
		}
		tb.Skip("SKIPPED: chromium is not there")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(tb.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	allocated, stop := chromedp.NewExecAllocator(tb.Context(), options...)
	ctx, end := chromedp.NewContext(allocated)
	check.Must(tb, chromedp.Do(ctx))
	bounded, timeout := context.WithTimeout(ctx, 2*time.Minute)
	tb.Cleanup(func() { timeout(); end(); stop() })
	return bounded
}

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
	return until(`document.getElementById("live").textContent === "live" && (!document.getElementById("charts") || document.querySelector(".uplot"))`)
}

// until waits for an expression of JavaScript to be true.
func until(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Poll[bool]("!!("+expression+")")(ctx, t)
		return err
	})
}

// A picture is one page as somebody sees it.
type picture struct {
	name, path    string
	estate        func(time.Time) *pretence
	width, height int64
	colours       string
}

var pictureList = []picture{
	{"estate", "/", small, 1440, 900, "light"},
	{"estate-dark", "/", small, 1440, 900, "dark"},
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
}

// TestPictures writes pictures of the pages: go test ./exporters/page -run TestPictures -pictures DIRECTORY
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("SKIPPED: -pictures names no directory")
	}
	ctx := browser(t)
	for _, p := range pictureList {
		url := p.estate(time.Now()).serve(t)
		check.Must(t, chromedp.Do(ctx, seen(p.width, p.height, p.colours), chromedp.Navigate(url+p.path), whole()))
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		check.Must(t, err)
		check.Must(t, os.WriteFile(filepath.Join(*pictures, p.name+".png"), png, 0o644)) //nolint:gosec // for everybody to see
	}
}
