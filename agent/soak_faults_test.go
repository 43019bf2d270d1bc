package agent

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

// A fault is some events of the simulator, and what ends it.
type fault struct {
	part   string // of the appliance
	on     string // models; "": all
	events []string
	mend   []string      // SERIAL: that of the appliance's own HSM; nil: it ends by itself
	lasts  time.Duration // at least: what the appliance does meanwhile would undo the mending
	most   int           // times in an appliance; 0: any
}

func (f fault) fits(a simulator.ReadyAppliance) bool {
	return f.on == "" || strings.Contains(f.on, a.Model)
}

// Parts of appliances, and what mends several faults.
const (
	card    = "card"
	wire    = "wire"
	ntls    = "ntls"
	chassis = "chassis"
	logs    = "logs"

	k6, k7 = "5.4 6.2", "7.2"
)

var (
	refused   = []string{"wrong-password"}
	healed    = []string{"heal"}
	asBefore  = []string{"hsm-replace SERIAL"}
	activated = []string{"partition-activate issuing-ca", "partition-activate payments", "partition-activate timestamp"}
	restarted = append([]string{"hsm-reset"}, activated...)
	cleared   = append([]string{"hsm-reset", "tamper-clear"}, activated...)
	rebooted  = append([]string{"reboot 1s", "tamper-clear"}, activated...)
	cooled    = append([]string{"temperature 38"}, restarted...)
)

// tampered is how long a card needs until the bootloader has reported a tamper.
const tampered = 7 * time.Second

var faults = []fault{
	{wire, "", []string{"slow 300ms"}, healed, 0, 0},
	{wire, "", []string{"drop"}, healed, 0, 0},
	{wire, "", []string{"truncate"}, healed, 0, 0},
	{wire, "", []string{"garbage"}, healed, 0, 0},
	{wire, "5.4", refused, healed, 0, 0},
	{wire, "6.2 7.2", refused, healed, 0, 2}, // the third would lock this host out, each time for longer
	{wire, "", []string{"host-key"}, healed, 0, 0},
	{wire, "", []string{"rest-certificate"}, healed, 0, 0},
	{wire, "", []string{"rest-expire"}, nil, 0, 0},
	{wire, "", []string{"rest-quirks on"}, healed, 0, 0},
	{wire, "", []string{"gone"}, healed, 0, 0},
	{wire, "", []string{"gone ssh"}, healed, 0, 0},
	{wire, "", []string{"gone rest"}, healed, 0, 0},

	{card, k7, []string{"temperature 78"}, []string{"temperature 38"}, 0, 0},
	{card, k7, []string{"temperature 82"}, cooled, 0, 0},
	{card, k7, []string{"temperature -3"}, []string{"temperature 38"}, 0, 0},
	{card, k7, []string{"battery 2.70"}, []string{"battery 3.08"}, 0, 0},
	{card, k7, []string{"battery 2.40"}, append([]string{"battery 3.08"}, restarted...), 0, 0},
	{card, k7, []string{"tamper chassis"}, rebooted, 0, 0},
	{card, k7, []string{"tamper removal"}, rebooted, 0, 0},
	{card, k7, []string{"stm on"}, []string{"stm off"}, 0, 0},
	{card, k7, []string{"hsm-fan-fail 1"}, []string{"hsm-fan-restore 1"}, 0, 0},
	{card, k7, []string{"hsm-fan-says 2 fault"}, []string{"hsm-fan-says 2 active"}, 0, 0},
	{card, k7, []string{"hsm-tamper-hidden chassis"}, asBefore, 0, 0},
	{card, k7, []string{"hsm-reset", "log 2026 Nov 21 02:00:00 luna72  kern info  kernel: k7pf0: ALM0017: Request Timed Out"}, activated, 0, 0},
	{card, k6, []string{"tamper"}, restarted, 0, 0},
	{card, "", []string{"zeroize"}, []string{"initialize"}, 0, 0},
	{card, "", []string{"partition-deactivate payments"}, []string{"partition-activate payments"}, 0, 0},
	{card, "", []string{"partition-zeroize timestamp"}, []string{"initialize"}, 0, 0},
	{card, "", []string{"role-lock payments"}, []string{"role-unlock payments"}, 0, 0},
	{card, "", []string{"role-reset payments"}, []string{"initialize"}, 0, 0},
	{card, "", []string{"so-login-fail 2"}, []string{"so-login"}, 0, 0},
	{card, "", []string{"hsm-crash"}, append(asBefore, restarted...), 0, 0},
	{card, "", []string{"hsm-replace 591234"}, asBefore, 0, 0},
	{card, "", []string{"critical-event"}, asBefore, 0, 0},
	{card, "", []string{"reboot 1s"}, nil, 2 * time.Second, 0},

	{ntls, "", []string{"ntls down"}, []string{"ntls up"}, 0, 0},
	{ntls, "", []string{"certificate 5"}, []string{"certificate 900"}, 0, 0},
	{ntls, "", []string{"disk-full 85"}, []string{"disk-full 5"}, 0, 0},
	{ntls, "", []string{"disk-full 96"}, []string{"disk-full 5", "ntls up"}, 0, 0},

	{chassis, "", []string{"fan-fail Fan1A"}, []string{"fan-restore Fan1A"}, 0, 0},
	{chassis, "", []string{"psu-fail 2"}, []string{"psu-restore 2"}, 0, 0},
	{chassis, "", []string{"supply-says 1 Predictive failure"}, []string{"supply-says 1 Presence detected"}, 0, 0},
	{chassis, "", []string{"chassis-says Chassis Intrusion: active"}, []string{"chassis-says Chassis Intrusion: inactive"}, 0, 0},
	{chassis, "", []string{"system-says OOS"}, []string{"system-says ISO 0"}, 0, 0},
	{chassis, "", []string{"appliance-load 12"}, []string{"appliance-load 1"}, 0, 0},
	{chassis, "", []string{"appliance-memory 98 70"}, []string{"appliance-memory 10 1"}, 0, 0},
	{chassis, "", []string{"disk-hot 51"}, nil, 0, 0},

	{logs, "", []string{"log-rotate rename"}, nil, 0, 0},
	{logs, "", []string{"log-rotate copytruncate"}, nil, 0, 0},
	{logs, "", []string{"log \xff\x00 no line of a log"}, nil, 0, 0},
}

// slowFaults take longer than the short form of the test.
var slowFaults = []fault{
	{wire, "", []string{"hang"}, healed, 0, 0},
	{card, k7, []string{"tamper over-voltage"}, cleared, tampered, 0},
	{card, k7, []string{"tamper low-temperature"}, cleared, tampered, 0},
	{card, k7, []string{"temperature 90"}, append([]string{"temperature 38"}, cleared...), tampered, 0},
	{card, "", []string{"decommission"}, []string{"initialize"}, 22 * time.Second, 0},
}

// noises are what clients do to the agent's ports.
var noises = []struct {
	name string
	make func(*soak)
}{
	{"scrape", func(s *soak) { fetch(s, "http://"+s.web+"/metrics") }},
	{"page", func(s *soak) { fetch(s, "http://"+s.web+"/") }},
	{"half a request", func(s *soak) { s.call("tcp", s.web, "GET /metrics HTTP/1.1\r\nHost: loc") }},
	{"no request", func(s *soak) { s.call("tcp", s.web, "") }},
	{"half a line", func(s *soak) { s.call("tcp", s.tcp, "<6>Mar  1 12:00:00 luna72 kernel: k7pf0: [HSM] AL") }},
	{"half of what it counts", func(s *soak) { s.call("tcp", s.tcp, "4000 <6>Mar  1 12:00:00 luna72") }},
	{"garbage lines", func(s *soak) { s.call("tcp", s.tcp, garbage(s, 20000)) }},
	{"garbage datagram", func(s *soak) { s.call("udp", s.udp, garbage(s, 60000)) }},
	{"forwarded line", func(s *soak) {
		s.call("udp", s.udp, "<6>Mar  1 12:00:00 luna72 kernel: k7pf0: [HSM] ALM2012: HSM in secure transport mode")
	}},
	{"half a control request", func(s *soak) {
		s.call("unix", s.client.socket, "POST /alarms/clear?key=x HTTP/1.1\r\nHost: agent\r\nContent-Length: 100\r\n\r\n")
	}},
	{"walk cut off", func(s *soak) { s.cutOff("GET /walk HTTP/1.1\r\nHost: agent\r\n\r\n") }},
	{"measuring cut off", func(s *soak) {
		s.cutOff("GET /monitor?serial=" + s.serial("luna72") + "&interval=5&rounds=100 HTTP/1.1\r\nHost: agent\r\n\r\n")
	}},
	{"hanging up", (*soak).release},
	{"hanging up", (*soak).release},
	{"receiver", func(s *soak) { s.hook.set(mood(s.random.IntN(int(moods)))) }},
	{"managers", func(s *soak) { s.estate.snmp(s.t, "snmpbulkwalk", "-On", subtreeHSM) }},
	{"restart of snmpd", func(s *soak) {
		s.snmpd.Kill()
		check.Must(s.t, s.snmpd.Start(s.t.Context()))
	}},
}

// fetch reads a page over a connection of its own.
func fetch(s *soak, url string) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: testTimeout}
	res, err := client.Get(url)
	check.Must(s.t, err)
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		s.t.Errorf("%s: %s, %v", url, res.Status, err)
	}
}

// maxHeld bounds the connections that are left open.
const maxHeld = 30

// call connects, sends something and stays.
func (s *soak) call(network, address, text string) {
	conn, err := net.Dial(network, address)
	check.Must(s.t, err)
	conn.Write([]byte(text))
	if s.held = append(s.held, conn); len(s.held) > maxHeld {
		s.release()
	}
}

// release closes one of the connections that are left open.
func (s *soak) release() {
	if len(s.held) > 0 {
		i := s.random.IntN(len(s.held))
		s.held[i].Close()
		s.held = append(s.held[:i:i], s.held[i+1:]...)
	}
}

// cutOff asks over the control socket, and hangs up at the first byte of the answer, or
// before it.
func (s *soak) cutOff(request string) {
	conn, err := net.Dial("unix", s.client.socket)
	check.Must(s.t, err)
	defer conn.Close()
	conn.Write([]byte(request))
	if s.random.IntN(2) == 0 {
		conn.SetReadDeadline(time.Now().Add(time.Second))
		conn.Read(make([]byte, 1))
	}
}

// garbage returns random bytes, at most so many.
func garbage(s *soak, most int) string {
	text := make([]byte, 1+s.random.IntN(most))
	for i := range text {
		text[i] = byte(s.random.Uint32())
	}
	return string(text)
}

// A mood is what a receiver does with a notification.
type mood int32

const (
	works mood = iota
	refuses
	hangsUp
	stalls
	moods
)

// A fickle is a receiver that changes its mood.
type fickle struct {
	*httptest.Server
	mood    atomic.Int32
	changed atomic.Pointer[chan struct{}]
}

func startFickle(t *testing.T) *fickle {
	f := &fickle{}
	f.set(works)
	f.Server = httptest.NewServer(f)
	t.Cleanup(func() {
		f.set(works)
		f.Close()
	})
	return f
}

// set changes the mood, and ends what stalls.
func (f *fickle) set(m mood) {
	f.mood.Store(int32(m))
	next := make(chan struct{})
	if old := f.changed.Swap(&next); old != nil {
		close(*old)
	}
}

func (f *fickle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	changed := *f.changed.Load()
	switch mood(f.mood.Load()) {
	case refuses:
		http.Error(w, "not now", http.StatusServiceUnavailable)
	case hangsUp:
		panic(http.ErrAbortHandler)
	case stalls:
		select {
		case <-changed:
		case <-r.Context().Done():
		}
	default: // it takes the notification
	}
}
