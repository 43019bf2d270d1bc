package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestDocumentedBitsPerHour holds the table of covert channels in docs/receivers.md, for three
// HSMs, to what check-config prints.
func TestDocumentedBitsPerHour(t *testing.T) {
	text, err := os.ReadFile("../../docs/receivers.md")
	check.Must(t, err)
	for _, p := range []struct {
		level notify.Level
		least string
	}{{notify.LevelFull, "none"}, {notify.LevelCoded, "none"}, {notify.LevelCoded, "10m"}, {notify.LevelCategory, "none"}, {notify.LevelCategory, "1h"}} {
		least, _ := time.ParseDuration(p.least) // none: 0
		policy := notify.Policy{Level: p.level, MinInterval: least}
		bits, _ := policy.BitsPerHour(watch.DefaultSettings().NotifyInterval, devices(3))
		if row := fmt.Sprintf("| %s | %s | %.3g |\n", p.level, p.least, bits); !strings.Contains(string(text), row) {
			t.Errorf("docs/receivers.md does not have %s", row)
		}
	}
}

// TestSamplePorts: where a sample names the agent's own page, it has the port that the
// agent listens on without an address of its own.
func TestSamplePorts(t *testing.T) {
	_, port, err := net.SplitHostPort(agent.DefaultListenAddress)
	check.Must(t, err)
	files, err := filepath.Glob("../../examples/*.yaml")
	check.Must(t, err)
	found := 0
	for _, file := range append(files, "../../lunawatch.yaml") {
		text, err := os.ReadFile(file)
		check.Must(t, err)
		for _, m := range regexp.MustCompile(`(?:generator_url|external_url): *(\S+)`).FindAllStringSubmatch(string(text), -1) {
			found++
			if u, err := url.Parse(m[1]); err != nil || u.Port() != port {
				t.Errorf("%s has %s; the agent's port is %s", file, m[1], port)
			}
		}
	}
	if found < 2 {
		t.Errorf("%d URLs of the page in the samples", found)
	}
}

// TestWatched says what is watched besides HSMs.
func TestWatched(t *testing.T) {
	var c config.Config
	c.LunaCM.Enabled, c.HA.Enabled = true, true
	if got := watches(c); got != "0 HSMs, the cards of this host, the HA groups of this host" {
		t.Errorf("got %q", got)
	}
}
