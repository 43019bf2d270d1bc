package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/crypto/bcrypt"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/check/browser"
)

// does runs a script on the page.
func does(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool]("(() => {"+script+"; return true})()")(ctx, t)
		return err
	})
}

// TestClickPath: anna logs in to the page of an agent that runs, acknowledges an alarm in
// two clicks, silences it, and what she did is in lunawatch alarms list. She asks by a name
// over plain HTTP, where browsers say only by Origin from which page a form is.
func TestClickPath(t *testing.T) {
	ctx, dir := browser.Start(t, chromedp.Flag("host-resolver-rules", "MAP mon1.example.net 127.0.0.1")), captured(t)
	file := filepath.Join(dir, "captured/good/hsm-show.txt")
	text, err := os.ReadFile(file)
	check.Must(t, err)
	check.Must(t, os.WriteFile(file, bytes.ReplaceAll(text, []byte("3.072"), []byte("2.502")), 0o600))
	config, err := os.ReadFile(filepath.Join(dir, "agent.yaml"))
	check.Must(t, err)
	check.Must(t, os.WriteFile(filepath.Join(dir, "agent.yaml"), append(config, "\nweb: {operators: [anna]}\nweb_hosts: [mon1.example.net]\n"...), 0o600))
	hash, err := bcrypt.GenerateFromPassword([]byte("hunter2"), bcrypt.MinCost)
	check.Must(t, err)
	check.Must(t, os.WriteFile(filepath.Join(dir, "web.yml"), fmt.Appendf(nil, "basic_auth_users: {anna: %s}\n", hash), 0o600))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	address := free.Addr().String()
	free.Close()
	watching(t, dir, "-web.listen-address", address, "-web.config.file", "web.yml")
	list := func() string {
		cmd := exec.Command("lunawatch", "alarms", "list", "-hsm", "good", "-control.socket", "control")
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	for end := time.Now().Add(30 * time.Second); !strings.Contains(list(), "battery"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no alarm: %s", list())
		}
	}
	_, port, _ := net.SplitHostPort(address)
	check.Must(t, chromedp.Do(ctx,
		chromedp.Navigate("http://anna:hunter2@mon1.example.net:"+port+"/alarms"), browser.Until(`document.querySelector("footer").textContent.includes("Acting as anna (web, 127.0.0.1)")`),
		does(`[...document.querySelectorAll(".alarm")].find((a) => a.textContent.includes("battery") || a.textContent.includes("Battery")).querySelector("a[href$='#acknowledge']").click()`),
		browser.Until(`document.querySelector("#acknowledge")?.checkVisibility() && document.getElementById("live").textContent === "live"`),
		does(`document.querySelector("#acknowledge").value = "on my way"; document.querySelector("#d-ack button").click()`),
		browser.Until(`document.querySelector(".did")?.textContent.includes("you have acknowledged it") && document.querySelector("#part-alarm").textContent.includes("Acknowledged by anna (web, 127.0.0.1): on my way")`),
	))
	if got := list(); !strings.Contains(got, "anna (web, 127.0.0.1)") || !strings.Contains(got, "on my way") {
		t.Errorf("lunawatch alarms list has not who acknowledged it:\n%s", got)
	}
	check.Must(t, chromedp.Do(ctx,
		does(`document.querySelector("#d-silence summary").click(); document.querySelector("#silence-for").value = "72h0m0s"; document.querySelector("#d-silence button").click()`),
		browser.Until(`document.querySelector("#part-preview")?.textContent.includes("1 active now")`),
		does(`document.querySelector("#reason").value = "new battery"; document.querySelector("form[method=post] button").click()`),
		browser.Until(`document.querySelector("[name=confirm_wide]:invalid")`), // it is long: that is asked for
		does(`document.querySelector("[name=confirm_wide]").click(); document.querySelector("form[method=post] button").click()`),
		browser.Until(`location.search === "?done=silenced" && document.querySelector("#part-silences").textContent.includes("new battery")`),
	))
	if got := list(); !strings.Contains(got, "new battery") || !strings.Contains(strings.ToLower(got), "silence") {
		t.Errorf("lunawatch alarms list has no silence:\n%s", got)
	}
	check.Must(t, chromedp.Do(ctx,
		does(`document.querySelector("#part-silences summary").click(); document.querySelector("#part-silences form button").click()`),
		browser.Until(`location.search === "?done=unsilenced" && document.querySelector("#part-silences").textContent.includes("No silences.")`),
	))
}
