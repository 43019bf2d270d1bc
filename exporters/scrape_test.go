package exporters

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// hostile are values that names and labels may have.
var hostile = []string{"", "plain", `"quoted"`, `back\slash`, `\`, "two\nlines", "\r\t\x00", "half \xff of", "\xff\xfe", "naïve 鍵", `",other="x`, "} 1\nluna_x 2", "# HELP"}

// TestSeriesAsTheLibraryWritesThem: labels and numbers are escaped and written
// byte for byte as the reference library does.
func TestSeriesAsTheLibraryWritesThem(t *testing.T) {
	numbers := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, -2.5, 42, 324096, 999999, 1e6, 1254481516011, 1 << 53, 1<<53 + 2, 1e20, 1e21, 1e-4, 1e-5, 1.7e308, 5e-324,
		math.NaN(), math.Inf(1), math.Inf(-1), math.MaxUint64,
	}
	f := newFamily(metric{name: "luna_x", kind: gauge, help: "Two\nlines and a \\.", labels: []string{"zone", "area"}})
	desc := prometheus.NewDesc(f.name, f.help, []string{"device", "zone", "area"}, nil)
	var library constants
	e := newEncoder()
	e.text = append(e.text, f.header...)
	i := 0
	for _, device := range hostile {
		e.family, e.device = &f, device
		clear(e.seen)
		for _, zone := range hostile {
			area := strconv.Itoa(i)
			value := numbers[i%len(numbers)]
			i++
			e.add(value, zone, area)
			library = append(library, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, validUTF8(device), validUTF8(zone), area))
		}
	}
	registry := prometheus.NewRegistry()
	check.Must(t, registry.Register(library))
	want, err := gathered(registry)
	check.Must(t, err)
	if diff := cmp.Diff(sortedLines(want), sortedLines(e.text)); diff != "" {
		t.Errorf("the library's (-), ours (+):\n%s", diff)
	}
}

// constants is a collector of metrics.
type constants []prometheus.Metric

func (c constants) Describe(out chan<- *prometheus.Desc) { out <- c[0].Desc() }
func (c constants) Collect(out chan<- prometheus.Metric) {
	for _, m := range c {
		out <- m
	}
}

func sortedLines(text []byte) []string {
	return slices.Sorted(strings.Lines(string(text)))
}

// TestExpositionAsTheLibraryWritesIt: what the reference library reads of the
// whole exposition, it writes again byte for byte.
func TestExpositionAsTheLibraryWritesIt(t *testing.T) {
	e := newEstate(t, 3, 3)
	var clients hsm.Clients
	var partitions hsm.Partitions
	for i, name := range hostile {
		clients = append(clients, hsm.Client{Name: name, Address: fmt.Sprint(i)}, hsm.Client{Name: name, Address: fmt.Sprint(i)}) // each twice
		partitions = append(partitions, hsm.Partition{Serial: fmt.Sprint(i), Name: name, Label: hsm.Some(name)})
	}
	e.apply("hsm0001", "hostile", clients, partitions)
	text := e.text(t, NewPrometheus(e.store, e.clock))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	check.Must(t, err)
	var again bytes.Buffer
	for _, m := range metrics {
		if f := families[m.name]; f != nil {
			_, err := expfmt.MetricFamilyToText(&again, f)
			check.Must(t, err)
		}
	}
	if diff := cmp.Diff(strings.Split(again.String(), "\n"), strings.Split(string(text), "\n")); diff != "" {
		t.Errorf("the library's (-), ours (+):\n%s", diff)
	}
	names := make(map[string]int)
	for _, m := range families["luna_ntls_client_info"].Metric {
		for _, l := range m.Label {
			if l.GetName() == "client" {
				names[l.GetValue()]++
			}
		}
	}
	for _, name := range hostile {
		if names[validUTF8(name)] != 1 {
			t.Errorf("%d clients %q, want 1", names[validUTF8(name)], name)
		}
	}
}

// apply reports facts of a device.
func (e *estate) apply(device, source string, facts ...hsm.Fact) {
	e.now = e.now.Add(time.Microsecond)
	e.store.Apply(hsm.Observation{Device: device, Source: source, At: e.now, MaxAge: time.Hour, Facts: facts})
}

func (e *estate) clock() time.Time { return e.now }

// text is what p answers to a client that takes no gzip.
func (e *estate) text(t testing.TB, p *Prometheus) []byte {
	t.Helper()
	w := get(e.web(p), "/metrics", "")
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.Bytes()
}

func (e *estate) web(p *Prometheus) http.Handler {
	pages := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	return Web(e.store, pages, p, prometheus.NewRegistry(), "/metrics")
}

// get asks for a path as a client that accepts an encoding.
func get(h http.Handler, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestKeptIsCurrent: whatever is observed, in whatever order, and whatever
// expires, what is kept between scrapes shows the same as what is made anew.
func TestKeptIsCurrent(t *testing.T) {
	e := newEstate(t, blockDevices+3, 1)
	kept := NewPrometheus(e.store, e.clock)
	environment := func(c float64) *hsm.Environment {
		return &hsm.Environment{TemperatureCelsius: hsm.Some(c)}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for step := range 60 {
		device := e.names[random.IntN(len(e.names))]
		all := slices.Concat(fast, slow)
		action := random.IntN(10)
		switch action {
		case 0: // parts of sections, by other commands
			e.apply(device, "hsm envshow", hsm.CardEnvironment{Environment: environment(float64(step))})
		case 1:
			e.apply(device, "stm show", hsm.Transport{SecureTransportMode: hsm.Some(step%2 == 0)})
		case 2:
			e.apply(device, "partition showpolicies", hsm.PartitionPolicies{Serial: "1254481516011"})
		case 3:
			e.store.Apply(hsm.Observation{Device: device, Source: all[random.IntN(len(all))], At: e.now, Failure: hsm.Timeout, Err: errors.New("no answer")})
		case 4:
			e.store.Apply(hsm.Observation{Device: device, Source: all[random.IntN(len(all))], At: e.now, Absent: true})
		case 5:
			e.now = e.now.Add(time.Duration(random.IntN(20)) * time.Minute) // some expire
		case 6:
			e.store.Apply(hsm.Observation{Device: fmt.Sprintf("a%03d", random.IntN(70)), Kind: hsm.CardHSM, Source: "slot list", At: e.now, MaxAge: time.Hour, Facts: []hsm.Fact{e.facts["hsm-show"]}})
		default:
			e.poll(device, all[random.IntN(len(all))])
		}
		got, want := e.text(t, kept), NewPrometheus(e.store, e.clock).of(e.store.Latest().Devices)
		if !bytes.Equal(got, want) {
			t.Fatalf("step %d, action %d on %s: anew (-), kept (+):\n%s", step, action, device, cmp.Diff(sortedLines(want), sortedLines(got)))
		}
	}
}

// TestOnlyWhatChangedIsMadeAnew: a scrape after one section of one device was read
// makes the blocks of its families, of those about sources, and of those that
// change with time, for the devices beside it.
func TestOnlyWhatChangedIsMadeAnew(t *testing.T) {
	e := newEstate(t, 2*blockDevices, 2)
	p := NewPrometheus(e.store, e.clock)
	made := func() (names []string) {
		before := make(map[*block]bool)
		for _, family := range p.kept {
			for _, b := range family {
				before[b] = true
			}
		}
		p.blocks()
		for i, family := range p.kept {
			for j, b := range family {
				if !before[b] {
					names = append(names, fmt.Sprintf("%s %d", p.families[i].name, j))
				}
			}
		}
		return names
	}
	if n := len(made()); n != 2*len(metrics) {
		t.Errorf("the first scrape made %d blocks of %d families and twice %d devices", n, len(metrics), blockDevices)
	}
	if names := made(); names != nil {
		t.Errorf("nothing was read and no time passed, yet anew: %q", names)
	}
	e.now = e.now.Add(time.Second)
	byTime := []string{"luna_data_age_seconds 0", "luna_data_age_seconds 1", "luna_data_stale 0", "luna_data_stale 1", "luna_source_disagreement 0", "luna_source_disagreement 1"}
	if diff := cmp.Diff(byTime, made()); diff != "" {
		t.Errorf("by time alone, anew:\n%s", diff)
	}
	e.poll(e.names[blockDevices+7], "ntls-information-show")
	for _, name := range made() {
		ofDevice := strings.HasPrefix(name, "luna_source_") || strings.HasPrefix(name, "luna_ntls_") || strings.HasPrefix(name, "luna_hsm_") || name == "luna_appliance_info 1"
		if !slices.Contains(byTime, name) && !(ofDevice && strings.HasSuffix(name, " 1")) {
			t.Errorf("NTLS of a device of block 1 was read, yet anew: %s", name)
		}
		if strings.HasPrefix(name, "luna_hsm_policy") || strings.HasPrefix(name, "luna_ntls_client") || strings.HasPrefix(name, "luna_hsm_operation") {
			t.Errorf("another section, yet anew: %s", name)
		}
	}
}

// TestGzip: what a client of gzip gets is one member, which others than we can
// read, and has the same text.
func TestGzip(t *testing.T) {
	e := newEstate(t, 70, 20)
	web := e.web(NewPrometheus(e.store, e.clock))
	want := get(web, "/metrics", "").Body.Bytes()
	w := get(web, "/metrics", "gzip")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) || w.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("headers %v of %d bytes", w.Header(), w.Body.Len())
	}
	body := bytes.NewReader(w.Body.Bytes())
	r, err := gzip.NewReader(body)
	check.Must(t, err)
	r.Multistream(false)
	got, err := io.ReadAll(r)
	check.Must(t, err)
	if !bytes.Equal(got, want) || body.Len() != 0 {
		t.Errorf("%d bytes of text, want %d; %d bytes after the member", len(got), len(want), body.Len())
	}
	for _, command := range [][]string{{"gzip", "-t"}, {"gzip", "-dc"}} {
		path, err := exec.LookPath(command[0])
		if err != nil {
			t.Errorf("%s is not here: %v", command[0], err)
			continue
		}
		c := exec.CommandContext(t.Context(), path, command[1:]...)
		c.Stdin = bytes.NewReader(w.Body.Bytes())
		out, err := c.Output()
		if err != nil || command[1] == "-dc" && !bytes.Equal(out, want) {
			t.Errorf("%q: %v, %d bytes", command, err, len(out))
		}
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		skip(t, "curl is not installed; it has not read the answer")
	}
	server := httptest.NewServer(web)
	defer server.Close()
	out, err := exec.CommandContext(t.Context(), curl, "--silent", "--show-error", "--fail", "--noproxy", "*", "--compressed", server.URL+"/metrics").Output()
	if err != nil || !bytes.Equal(out, want) {
		t.Errorf("curl --compressed: %v, %d bytes, want %d", err, len(out), len(want))
	}
}

// TestEncodingAsAsked: an answer is in gzip exactly if the client takes that.
func TestEncodingAsAsked(t *testing.T) {
	e := newEstate(t, 1, 1)
	web := e.web(NewPrometheus(e.store, e.clock))
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "deflate, gzip": true, "gzip;q=0.5, br": true, "gzip; q=0": false, "gzip;q=0.000": false,
		"identity": false, "br": false, "xgzip": false, "gzip;q=x": false,
	} {
		w := get(web, "/metrics", accept)
		if kind := w.Header().Get("Content-Type"); kind != "text/plain; version=0.0.4; charset=utf-8" {
			t.Errorf("Content-Type %s", kind)
		}
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want || got != bytes.HasPrefix(w.Body.Bytes(), gzipHeader[:2]) {
			t.Errorf("Accept-Encoding %q: gzip %v, want %v", accept, got, want)
		}
	}
}

// TestNothingButOthers: an exposition of no device is valid, in both encodings.
func TestNothingButOthers(t *testing.T) {
	store := hsm.NewStore()
	web := Web(store, nil, NewPrometheus(store, time.Now), prometheus.NewRegistry(), "/metrics")
	if w := get(web, "/metrics", ""); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	r, err := gzip.NewReader(get(web, "/metrics", "gzip").Body)
	check.Must(t, err)
	if text, err := io.ReadAll(r); err != nil || len(text) != 0 {
		t.Errorf("%q %v", text, err)
	}
}

// TestScrapesAtOnce: scrapes at the same time, while devices are polled, are
// each whole, and what each says of one device is of one time.
func TestScrapesAtOnce(t *testing.T) {
	e := newEstate(t, 2*blockDevices, 2)
	p := NewPrometheus(e.store, func() time.Time { return time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC) })
	web := e.web(p)
	var scrapers sync.WaitGroup
	for i := range 4 {
		scrapers.Go(func() {
			for range 2 {
				w := get(web, "/metrics", []string{"gzip", "identity"}[i%2])
				var r io.Reader = w.Body
				if i%2 == 0 {
					member, err := gzip.NewReader(w.Body)
					if err != nil {
						t.Errorf("gzip: %v", err)
						return
					}
					r = member
				}
				parser := expfmt.NewTextParser(model.UTF8Validation)
				families, err := parser.TextToMetricFamilies(r)
				if err != nil {
					t.Errorf("a scrape is not whole: %v", err)
					return
				}
				if n := len(families["luna_partition_objects"].GetMetric()); n != 4*blockDevices {
					t.Errorf("%d partitions, want %d", n, 4*blockDevices)
				}
			}
		})
	}
	for i := range 50 {
		e.poll(e.names[i%len(e.names)], fast...)
	}
	scrapers.Wait()
}
