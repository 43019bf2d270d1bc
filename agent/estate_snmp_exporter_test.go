package agent

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/lunawatch/lunawatch/contrib/object"
	"github.com/lunawatch/lunawatch/internal/check"
)

// moduleObjects are those of our modules and of the IETF's, by OID.
func moduleObjects(tb testing.TB) map[string]object.Object {
	tb.Helper()
	var texts []string
	for _, pattern := range []string{"../mibs/*.txt", "../mibs/base/*.txt"} {
		files, err := filepath.Glob(pattern)
		check.Must(tb, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			check.Must(tb, err)
			texts = append(texts, string(text))
		}
	}
	list, err := object.Read(texts)
	check.Must(tb, err)
	objects := make(map[string]object.Object)
	for _, o := range list {
		objects[o.OID] = o
	}
	return objects
}

// A series is a metric with the labels that its index and its value make, and no others.
type series string

func seriesOf(name string, labels map[string]string) series {
	s := name
	for _, l := range slices.Sorted(maps.Keys(labels)) {
		s += fmt.Sprintf(" %s=%q", l, labels[l])
	}
	return series(s)
}

// expected are the series that snmp_exporter has to make of what a walk has below some nodes.
func (e *estate) expected(tb testing.TB, objects map[string]object.Object, nodes []string) map[series]float64 {
	tb.Helper()
	all := make(map[series]float64)
	e.instances(tb, objects, nodes, func(o object.Object, labels map[string]string, value any) {
		maps.Copy(all, seriesOfObject(tb, o, labels, value))
	})
	return all
}

// instances walks some nodes.
func (e *estate) instances(tb testing.TB, objects map[string]object.Object, nodes []string, yield func(o object.Object, labels map[string]string, value any)) {
	tb.Helper()
	byName := make(map[string]object.Object)
	for _, o := range objects {
		byName[o.Name] = o
	}
	host, port, err := net.SplitHostPort(e.snmpd.Address)
	check.Must(tb, err)
	n, err := strconv.ParseUint(port, 10, 16)
	check.Must(tb, err)
	client := &gosnmp.GoSNMP{Target: host, Port: uint16(n), Community: "public", Version: gosnmp.Version2c, Timeout: 10 * time.Second, MaxOids: 60, MaxRepetitions: 50}
	check.Must(tb, client.Connect())
	defer client.Conn.Close()
	for _, node := range nodes {
		pdus, err := client.BulkWalkAll("." + node)
		check.Must(tb, err)
		for _, pdu := range pdus {
			ids := strings.Split(strings.TrimPrefix(pdu.Name, "."), ".")
			for i := len(ids) - 1; i > 0; i-- {
				if o, known := objects[strings.Join(ids[:i], ".")]; known {
					yield(o, indexLabels(tb, byName, o, ids[i:]), pdu.Value)
					break
				}
			}
		}
	}
}

// indexLabels are the labels of an instance.
func indexLabels(tb testing.TB, byName map[string]object.Object, o object.Object, ids []string) map[string]string {
	tb.Helper()
	labels := make(map[string]string)
	for _, name := range o.Index {
		switch index := byName[name]; {
		case strings.HasSuffix(index.Syntax, "String") || index.Syntax == "OCTET STRING":
			n, err := strconv.Atoi(ids[0])
			check.Must(tb, err)
			var text []byte
			for _, id := range ids[1 : 1+n] {
				b, err := strconv.ParseUint(id, 10, 8)
				check.Must(tb, err)
				text = append(text, byte(b))
			}
			labels[name], ids = string(text), ids[1+n:]
		default:
			labels[name], ids = ids[0], ids[1:]
		}
	}
	return labels
}

// numbers are enumerations that stay numbers, since they are labels of other values.
var numbers = []string{"hsmPolicyType", "hsmPartitionPolicyType", "entPhySensorType", "entPhySensorScale"}

// seriesOfObject are the series of one value.
func seriesOfObject(tb testing.TB, o object.Object, labels map[string]string, value any) map[series]float64 {
	tb.Helper()
	with := func(text string) series {
		own := maps.Clone(labels)
		own[o.Name] = text
		return seriesOf(o.Name, own)
	}
	octets, isText := value.([]byte)
	all := make(map[series]float64)
	switch {
	case o.Syntax == "RowPointer":
		pointer, _ := value.(string)
		all[with(strings.TrimPrefix(pointer, "."))] = 1
	case o.Bits:
		for _, l := range o.Labels {
			all[with(l.Name)] = 0
			if l.Value/8 < len(octets) && octets[l.Value/8]&(0x80>>(l.Value%8)) != 0 {
				all[with(l.Name)] = 1
			}
		}
	case slices.Contains(numbers, o.Name):
		all[seriesOf(o.Name, labels)] = float64(gosnmp.ToBigInt(value).Int64())
	case o.Labels != nil:
		for _, l := range o.Labels {
			all[with(l.Name)] = 0
			if int64(l.Value) == gosnmp.ToBigInt(value).Int64() {
				all[with(l.Name)] = 1
			}
		}
	case o.Syntax == "DateAndTime":
		zone := time.UTC
		if len(octets) == 11 {
			seconds := int(octets[9])*3600 + int(octets[10])*60
			if octets[8] == '-' {
				seconds = -seconds
			}
			zone = time.FixedZone("", seconds)
		}
		if len(octets) >= 8 {
			all[seriesOf(o.Name, labels)] = float64(time.Date(int(octets[0])<<8|int(octets[1]), time.Month(octets[2]), int(octets[3]), int(octets[4]), int(octets[5]), int(octets[6]), 0, zone).Unix())
		}
	case isText:
		all[with(string(octets))] = 1
	default:
		f, _ := gosnmp.ToBigInt(value).Float64()
		all[seriesOf(o.Name, labels)] = f
	}
	return all
}

// scrape returns the series of a module of an exporter, without the labels of its lookups.
func scrape(tb testing.TB, objects map[string]object.Object, url string) map[series]float64 {
	tb.Helper()
	answer, err := http.Get(url)
	check.Must(tb, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		tb.Fatalf("%s: %s\n%s", url, answer.Status, text)
	}
	byName := make(map[string]object.Object)
	for _, o := range objects {
		byName[o.Name] = o
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	check.Must(tb, err)
	all := make(map[series]float64)
	for name, family := range families {
		o, known := byName[name]
		if !known {
			continue // of the exporter itself
		}
		for _, m := range family.Metric {
			labels := make(map[string]string)
			for _, l := range m.Label {
				if l.GetName() == name && !slices.Contains(numbers, name) || slices.Contains(o.Index, l.GetName()) {
					labels[l.GetName()] = l.GetValue()
				}
			}
			all[seriesOf(name, labels)] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
		}
	}
	return all
}

// exporter starts an snmp_exporter, and returns the URL of its page without the name of a module.
func (e *estate) exporter(t *testing.T, program, file, more string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if program != "" && os.Getenv("CI") == "true" {
			t.Fatal("snmp_exporter is required in CI: apt-get install prometheus-snmp-exporter")
		}
		t.Skipf("NOT TESTED with snmp_exporter %s: apt-get install prometheus-snmp-exporter, or LUNAWATCH_SNMP_EXPORTER with the path of a newer one", program)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	address := l.Addr().String()
	check.Must(t, l.Close())
	cmd := exec.CommandContext(t.Context(), path, "--config.file", filepath.Join("../contrib/snmp_exporter", file), "--web.listen-address", address)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stderr = e.log
	check.Must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	e.until(t, program+" listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return "http://" + address + "/snmp?target=" + e.snmpd.Address + more + "&module="
}

// exporterModules are the nodes that each module of snmp_exporter has.
var exporterModules = map[string][]string{
	"lunawatch":     {"1.3.6.1.4.1.8072.9999.9999.5862.1"},
	"luna":          {"1.3.6.1.4.1.12383.3.1", "1.3.6.1.4.1.23629.1.5"},
	"entity_sensor": {"1.3.6.1.2.1.99.1.1", "1.3.6.1.2.1.131.1.1"},
}

// TestSNMPExporter: every value that a real snmp_exporter shows is that of the walk of snmpd,
// and it shows every value, of three HSMs and of one while two are away.
func TestSNMPExporter(t *testing.T) {
	for _, x := range []struct{ name, program, file, more string }{
		{"0.21", "prometheus-snmp-exporter", "snmp-0.21.yml", ""},
		{"today", os.Getenv("LUNAWATCH_SNMP_EXPORTER"), "snmp.yml", "&auth=lunawatch"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			e := startEstate(t, "")
			url, objects := e.exporter(t, x.program, x.file, x.more), moduleObjects(t)
			for name, nodes := range exporterModules {
				t.Logf("%s: %d series are equal", name, e.equalSeries(t, objects, url+name, nodes))
			}
			for _, away := range []string{"luna54", "luna62"} {
				e.inject(t, away, "gone")
			}
			battery := func(all map[series]float64) (names []string) {
				for s := range all {
					if name, found := strings.CutPrefix(string(s), "lunaHsmBattery "); found {
						names = append(names, name)
					}
				}
				return names
			}
			critical := func(name string) series {
				return seriesOf("lunaHsmState", map[string]string{"lunaHsmKey": name, "lunaHsmState": "critical"})
			}
			e.until(t, "of the two that are away it shows that, and no battery", func() bool {
				all := scrape(t, objects, url+"lunawatch")
				return all[critical("luna54")] == 1 && all[critical("luna62")] == 1 && slices.Equal(battery(all), []string{`lunaHsmKey="luna72"`})
			})
			e.equalSeries(t, objects, url+"lunawatch", exporterModules["lunawatch"])
		})
	}
}

// equalSeries requires that each series of the exporter is equal to the walk before it or
// after it, and that it has each of the walk, and returns how many. What changes all the time is equal
// sooner or later.
func (e *estate) equalSeries(t *testing.T, objects map[string]object.Object, url string, nodes []string) int {
	t.Helper()
	equal, other := make(map[series]bool), make(map[series]string)
	t.Cleanup(func() {
		for s, how := range other {
			t.Logf("%s is %s", s, how)
		}
	})
	e.until(t, url+" is equal to the walk", func() bool {
		before := e.expected(t, objects, nodes)
		got := scrape(t, objects, url)
		after := e.expected(t, objects, nodes)
		clear(other)
		for s, v := range got {
			b, inBefore := before[s]
			a, inAfter := after[s]
			switch {
			case inBefore && b == v || inAfter && a == v:
				equal[s] = true
			case !equal[s]:
				other[s] = fmt.Sprintf("%v, and %v (%v) and %v (%v) in the walks", v, b, inBefore, a, inAfter)
			}
		}
		for s := range before {
			_, found := got[s]
			if _, remains := after[s]; remains && !found {
				other[s] = "missing"
			}
		}
		return len(other) == 0 && len(before) > 0
	})
	return len(equal)
}
