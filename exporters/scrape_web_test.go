package exporters

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestDeviceParameter: who asks for devices gets the series of these only, and
// who asks for one that is not there gets none.
func TestDeviceParameter(t *testing.T) {
	e := newEstate(t, 3, 2)
	e.store.Expect(hsm.NetworkHSM, `odd "name"&`)
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "of_the_agent", Help: "Its own."}, func() float64 { return 1 }))
	web := Web(e.store, nil, NewPrometheus(e.store, e.clock), registry, "/metrics")
	all := sortedLines(get(web, "/metrics", "").Body.Bytes())
	of := func(devices ...string) (lines []string) {
		for _, line := range all {
			for _, d := range devices {
				if strings.Contains(line, `device="`+d+`"`) {
					lines = append(lines, line)
				}
			}
		}
		return lines
	}
	for query, want := range map[string][]string{
		"device=hsm0001":                                of("hsm0001"),
		"device=hsm0002&device=hsm0000":                 of("hsm0000", "hsm0002"),
		"device=hsm0001&device=hsm0001":                 of("hsm0001"),
		"device=" + url.QueryEscape(`odd "name"&`):      nil, // it was never asked
		"device=lunawatch":                              {"of_the_agent 1\n"},
		"device=hsm0001&device=lunawatch&other=ignored": append(of("hsm0001"), "of_the_agent 1\n"),
	} {
		w := get(web, "/metrics?"+query, "")
		got := slices.DeleteFunc(sortedLines(w.Body.Bytes()), func(line string) bool { return strings.HasPrefix(line, "#") })
		slices.Sort(want)
		if diff := cmp.Diff(want, got); w.Code != http.StatusOK || diff != "" {
			t.Errorf("%s: %d\n%s", query, w.Code, diff)
		}
		if problem := ungrouped(w.Body.String()); problem != "" {
			t.Errorf("%s: %s", query, problem)
		}
	}
	for _, query := range []string{"device=hsm9", "device=", "device=hsm0001&device=hsm9", "device=HSM0001"} {
		if w := get(web, "/metrics?"+query, "gzip"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "/sd lists all") || strings.Contains(w.Body.String(), "luna_") {
			t.Errorf("%s: %d %.200s", query, w.Code, w.Body)
		}
	}
}

// ungrouped returns the first line that is not with the others of its family.
func ungrouped(text string) string {
	family := ""
	seen := make(map[string]bool)
	for line := range strings.Lines(text) {
		name, comment := strings.CutPrefix(line, "# HELP ")
		if comment {
			family, _, _ = strings.Cut(name, " ")
			if seen[family] {
				return "twice: " + line
			}
			seen[family] = true
		}
		if !strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# "), "HELP "), "TYPE "), family) {
			return "among " + family + ": " + line
		}
	}
	return ""
}

// TestFamiliesAreTogether: each family has HELP and TYPE once, and all its series
// after them, and families are sorted by name.
func TestFamiliesAreTogether(t *testing.T) {
	e := newEstate(t, 2*blockDevices, 1)
	text := string(e.text(t, NewPrometheus(e.store, e.clock)))
	if problem := ungrouped(text); problem != "" {
		t.Error(problem)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^# HELP (\S+)`).FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	if !slices.IsSorted(names) || len(names) < 50 {
		t.Errorf("%d families: %q", len(names), names)
	}
}

// TestDiscovery: the answer of /sd is what Prometheus decodes, and leads to the
// metrics of each device.
func TestDiscovery(t *testing.T) {
	e := newEstate(t, 2, 1)
	web := e.web(NewPrometheus(e.store, e.clock))
	for _, secure := range []bool{false, true} {
		r := httptest.NewRequest(http.MethodGet, "/sd", nil)
		r.Host = "mon1.example.net:9477"
		if secure {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		web.ServeHTTP(w, r)
		if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || kind != "application/json" {
			t.Errorf("%d %s", w.Code, kind)
		}
		var got []struct {
			Targets []string          `json:"targets"`
			Labels  map[string]string `json:"labels"`
		}
		d := json.NewDecoder(w.Body)
		d.DisallowUnknownFields()
		check.Must(t, d.Decode(&got))
		if len(got) != 2 {
			t.Fatalf("%d target groups of 2 HSMs", len(got))
		}
		for i, group := range got {
			want := map[string]string{"__param_device": e.names[i], "device": e.names[i], "__metrics_path__": "/metrics"}
			if secure {
				want["__scheme__"] = "https"
			}
			if diff := cmp.Diff(want, group.Labels); diff != "" || !slices.Equal(group.Targets, []string{"mon1.example.net:9477"}) {
				t.Errorf("targets %q, labels\n%s", group.Targets, diff)
			}
			path := group.Labels["__metrics_path__"] + "?device=" + url.QueryEscape(group.Labels["__param_device"])
			if text := get(web, path, "").Body.String(); !strings.Contains(text, `luna_hsm_info{device="`+e.names[i]+`"`) {
				t.Errorf("%s has not the HSM's metrics: %.100s", path, text)
			}
		}
	}
	empty := hsm.NewStore()
	none := Web(empty, nil, NewPrometheus(empty, time.Now), prometheus.NewRegistry(), "/sd")
	if w := get(none, "/sd", ""); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("metrics under /sd: %d %q", w.Code, w.Body)
	}
	if w := get(Web(empty, nil, NewPrometheus(empty, time.Now), prometheus.NewRegistry(), "/metrics"), "/sd", ""); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("no device: %q", w.Body)
	}
	r := httptest.NewRequest(http.MethodGet, "/sd", nil)
	r.Host = ""
	w := httptest.NewRecorder()
	if web.ServeHTTP(w, r); w.Code != http.StatusBadRequest {
		t.Errorf("without Host: %d %s", w.Code, w.Body)
	}
}

// TestScrapeConfiguration: Prometheus takes the configuration that docs/prometheus.md and
// docs/metrics.md show.
func TestScrapeConfiguration(t *testing.T) {
	promtool, missing := exec.LookPath("promtool")
	for _, name := range []string{"docs/prometheus.md", "docs/metrics.md"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		check.Must(t, err)
		block := regexp.MustCompile("(?s)```yaml\n(scrape_configs:.*?)```").FindSubmatch(text)
		if block == nil {
			t.Errorf("%s shows no scrape_configs", name)
			continue
		}
		for _, want := range []string{"http_sd_configs", "/sd", "honor_labels: true", "params: {device: [lunawatch]}"} {
			if !bytes.Contains(block[1], []byte(want)) {
				t.Errorf("%s has no %s:\n%s", name, want, block[1])
			}
		}
		if missing != nil {
			continue
		}
		file := filepath.Join(t.TempDir(), "prometheus.yml")
		check.Must(t, os.WriteFile(file, block[1], 0o600))
		if out, err := exec.CommandContext(t.Context(), promtool, "check", "config", file).CombinedOutput(); err != nil {
			t.Errorf("%s: promtool: %v\n%s", name, err, out)
		}
		for _, rules := range regexp.MustCompile("(?s)```yaml\n(groups:.*?)```").FindAllSubmatch(text, -1) {
			check.Must(t, os.WriteFile(file, rules[1], 0o600))
			if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput(); err != nil {
				t.Errorf("%s: promtool: %v\n%s", name, err, out)
			}
		}
	}
	if missing != nil {
		skip(t, "promtool (package prometheus) is not installed; nothing has checked the scrape_configs of docs/prometheus.md and docs/metrics.md")
	}
}

// skip ends a test that lacks a program, which CI has.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip("SKIPPED: " + why)
}

// TestExclude: an excluded group is in no answer, and nothing else is missing.
func TestExclude(t *testing.T) {
	e := newEstate(t, 1, 2)
	every := sortedLines(e.text(t, NewPrometheus(e.store, e.clock)))
	group := make(map[string]string)
	for _, m := range metrics {
		group[m.name] = string(m.group)
	}
	nameOf := regexp.MustCompile(`^(?:# (?:HELP|TYPE) )?(\w+)`)
	for _, excluded := range [][]string{{"policy"}, {"role"}, {"threshold"}, {"info"}, Groups(), {""}} {
		p := NewPrometheus(e.store, e.clock, excluded...)
		want := slices.DeleteFunc(slices.Clone(every), func(line string) bool {
			g := group[nameOf.FindStringSubmatch(line)[1]]
			return g != "" && slices.Contains(excluded, g)
		})
		if len(want) == len(every) && excluded[0] != "" {
			t.Errorf("the group %q has no series", excluded)
		}
		if diff := cmp.Diff(want, sortedLines(e.text(t, p))); diff != "" {
			t.Errorf("without %q:\n%s", excluded, diff)
		}
		if diff := cmp.Diff(want, sortedLines(p.of(e.store.Latest().Devices))); diff != "" {
			t.Errorf("of devices, without %q:\n%s", excluded, diff)
		}
	}
	for _, m := range metrics {
		if m.group != basic && !slices.Contains(Groups(), string(m.group)) {
			t.Errorf("%s has the group %q, which Groups lacks", m.name, m.group)
		}
	}
}

// TestClientThatDoesNotRead: while a scraper reads nothing, other scrapes, polls
// and the page go on; its answer ends with the server's time limit.
func TestClientThatDoesNotRead(t *testing.T) {
	for _, encoding := range []string{"identity", "gzip"} {
		synctest.Test(t, func(t *testing.T) {
			e := newEstate(t, 2*blockDevices, 2)
			p := NewPrometheus(e.store, e.clock)
			web := e.web(p)
			client, conn := net.Pipe()
			var stalled sync.WaitGroup
			stalled.Add(1)
			server := &http.Server{WriteTimeout: 2 * time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer stalled.Done()
				web.ServeHTTP(w, r)
			})}
			listener := &oneConn{conns: make(chan net.Conn, 1)}
			listener.conns <- conn
			go server.Serve(listener)
			_, err := io.WriteString(client, "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: "+encoding+"\r\n\r\n")
			check.Must(t, err)
			synctest.Wait() // the handler waits for its client, in a write

			if !p.mu.TryLock() {
				t.Fatal("a lock is held while the client does not read")
			}
			p.mu.Unlock()
			e.poll(e.names[0], fast...)
			for _, path := range []string{"/metrics", "/metrics?device=hsm0000", "/", "/sd", "/-/ready"} {
				if w := get(web, path, "gzip"); w.Code != http.StatusOK {
					t.Errorf("%s: %d", path, w.Code)
				}
			}
			if temperature := "luna_hsm_temperature_celsius"; !strings.Contains(string(e.text(t, p)), temperature) {
				t.Errorf("another scrape has no %s", temperature)
			}
			start := time.Now()
			stalled.Wait()
			if took := time.Since(start); took != server.WriteTimeout {
				t.Errorf("the answer ended after %v, want %v", took, server.WriteTimeout)
			}
			client.Close()
			check.Must(t, server.Close())
		})
	}
}

// oneConn is a listener of connections that are there.
type oneConn struct {
	conns chan net.Conn
	once  sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c, open := <-l.conns; open {
		return c, nil
	}
	return nil, errors.New("closed")
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.conns) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// TestSlowClient: an answer is of the time of its scrape, however slowly it is
// read, and whatever is made anew meanwhile.
func TestSlowClient(t *testing.T) {
	e := newEstate(t, 3, 20)
	p := NewPrometheus(e.store, e.clock)
	want := e.text(t, p)
	blocks := p.blocks()
	body, size := inflated(blocks)
	slow := bufio.NewReaderSize(body, 16)
	var got []byte
	for i := 0; ; i++ {
		c, err := slow.ReadByte()
		if err != nil {
			break
		}
		if got = append(got, c); i%20_000 == 0 {
			e.poll(e.names[i%3], fast...)
			p.blocks()
		}
	}
	if !bytes.Equal(got, want) || size != int64(len(want)) {
		t.Errorf("%d bytes, announced as %d, want %d of the time of the scrape", len(got), size, len(want))
	}
}
