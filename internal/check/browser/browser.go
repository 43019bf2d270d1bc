// Package browser runs Chromium for tests of pages.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lunawatch/lunawatch/internal/check"
)

// Start starts a Chromium of its own, that ends with the test. Without one the test is
// skipped, unless CI is true.
func Start(tb testing.TB, further ...chromedp.ExecAllocatorOption) context.Context {
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
	allocated, stop := chromedp.NewExecAllocator(tb.Context(), append(options, further...)...)
	ctx, end := chromedp.NewContext(allocated)
	check.Must(tb, chromedp.Do(ctx))
	bounded, timeout := context.WithTimeout(ctx, 5*time.Minute)
	tb.Cleanup(func() { timeout(); end(); stop() })
	return bounded
}

// Until waits for an expression of JavaScript to be true. It asks again where the page has
// just been replaced by another.
func Until(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		ctx, stop := context.WithTimeout(ctx, 40*time.Second)
		defer stop()
		for {
			ok, err := chromedp.Evaluate[bool]("!!("+expression+")")(ctx, t)
			if ok {
				return nil
			}
			if _, over := chromedp.Sleep(20*time.Millisecond)(ctx, t); over != nil {
				return fmt.Errorf("never true: %s: %w", expression, errors.Join(err, over))
			}
		}
	})
}
