package agent

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/collectors/formats"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// quantiles reports the median and the 99th percentile, in milliseconds.
func quantiles(b *testing.B, name string, all []time.Duration) {
	slices.Sort(all)
	at := func(q float64) float64 {
		return float64(all[int(q*float64(len(all)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), name+"-p50-ms")
	b.ReportMetric(at(0.99), name+"-p99-ms")
}

// BenchmarkLogLineToTrap is the time from the write of an ALM line to the trap
// in snmptrapd's log, through snmpd. Each line has a code of its own, so that
// each is an alarm.
//
//	go test ./agent -run '^$' -bench LogLineToTrap -benchtime 200x
func BenchmarkLogLineToTrap(b *testing.B) {
	e := startEstate(b, "receivers:\n- {name: snmpd, agentx: {}}\n")
	file, err := os.OpenFile(e.ready.Appliances[2].Syslog, os.O_APPEND|os.O_WRONLY, 0)
	check.Must(b, err)
	defer file.Close()
	var all []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		fmt.Fprintf(file, "2026 Nov 21 02:00:00 luna72  kern info  kernel: k7pf0: [HSM] ALM%04d: bench\n", 3000+i%7000)
		_, err := e.trapd.WaitCount(b.Context(), "/ kernel / 1]", i+1)
		check.Must(b, err)
		all = append(all, time.Since(start))
	}
	quantiles(b, "trap", all)
}

// BenchmarkGetWhileApplianceHangs is the time of an SNMP get of an HSM's label
// through snmpd, with the simulator running and with it stopped; and after how
// long the values of the stopped one are gone.
//
//	go test ./agent -run '^$' -bench Hangs -benchtime 1x
func BenchmarkGetWhileApplianceHangs(b *testing.B) {
	e := startEstate(b, "")
	host, port, _ := strings.Cut(e.snmpd.Address, ":")
	var number uint16
	fmt.Sscan(port, &number)
	manager := &gosnmp.GoSNMP{Target: host, Port: number, Version: gosnmp.Version2c, Community: "public", Timeout: 5 * time.Second, MaxOids: 10}
	check.Must(b, manager.Connect())
	const label = ".1.3.6.1.4.1.23629.1.5.1.2.1.3.6.52.56.51.50.51.51"
	get := func() gosnmp.Asn1BER {
		answer, err := manager.Get([]string{label})
		check.Must(b, err)
		return answer.Variables[0].Type
	}
	thousand := func(name string) {
		var all []time.Duration
		for range 1000 {
			start := time.Now()
			if kind := get(); kind != gosnmp.OctetString {
				b.Fatalf("label has type %v", kind)
			}
			all = append(all, time.Since(start))
		}
		quantiles(b, name, all)
	}
	for b.Loop() {
		thousand("running")
		check.Must(b, e.sim.Signal(syscall.SIGSTOP))
		stopped := time.Now()
		thousand("hanging")
		for get() != gosnmp.NoSuchInstance {
			time.Sleep(50 * time.Millisecond)
		}
		b.ReportMetric(time.Since(stopped).Seconds(), "gone-after-s")
		check.Must(b, e.sim.Signal(syscall.SIGCONT))
		e.until(b, "the values are back", func() bool { return get() == gosnmp.OctetString })
	}
}

// BenchmarkLogLineToWebhook is the time from the write of an ALM line to its
// arrival at a webhook.
//
//	go test ./agent -run '^$' -bench LogLineToWebhook -benchtime 1000x
func BenchmarkLogLineToWebhook(b *testing.B) {
	arrived := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
	}))
	defer server.Close()
	e := startEstate(b, "receivers:\n- {name: hook, webhook: {url: \""+server.URL+"\"}}\n")
	file, err := os.OpenFile(e.ready.Appliances[2].Syslog, os.O_APPEND|os.O_WRONLY, 0)
	check.Must(b, err)
	defer file.Close()
	var all []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		fmt.Fprintf(file, "2026 Nov 21 02:00:00 luna72  kern info  kernel: k7pf0: [HSM] ALM%04d: bench\n", 3000+i%7000)
		<-arrived
		all = append(all, time.Since(start))
	}
	quantiles(b, "webhook", all)
}

// BenchmarkPollToTrap is the time from the text of hsm show, with a battery
// that is low and one that is not in turn, to the trap in snmptrapd's log,
// through snmpd.
//
//	go test ./agent -run '^$' -bench PollToTrap -benchtime 1000x
func BenchmarkPollToTrap(b *testing.B) {
	e := startEstate(b, "receivers:\n- {name: snmpd, agentx: {}}\n")
	e.agent.store.Expect(hsm.NetworkHSM, "bench")
	text, err := os.ReadFile("../collectors/formats/testdata/7.2/hsm-show.txt")
	check.Must(b, err)
	text = regexp.MustCompile(`(?m)^.*WARNING: Battery.*$`).ReplaceAll(text, nil)
	volts := regexp.MustCompile(`(Battery Voltage: +)[0-9.]+`)
	show, _ := formats.Named("hsm-show")
	var all []time.Duration
	seen := [2]int{}
	for i := 0; b.Loop(); i++ {
		low := (i + 1) % 2
		answer := volts.ReplaceAllString(string(text), []string{"${1}3.080", "${1}2.600"}[low])
		start := time.Now()
		fact, _, err := show.Parse(answer)
		check.Must(b, err)
		e.agent.report(hsm.Observation{Device: "bench", Source: "hsm show", At: time.Now(), MaxAge: time.Hour, Facts: []hsm.Fact{fact}})
		seen[low]++
		_, err = e.trapd.WaitCount(b.Context(), fmt.Sprintf("/ battery / %d]", low), seen[low])
		check.Must(b, err)
		all = append(all, time.Since(start))
	}
	quantiles(b, "poll-to-trap", all)
}
