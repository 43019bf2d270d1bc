package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// An event is a line of a log that raises or clears an alarm.
type event struct {
	Device, Group string
	Raises        bool
	Due           time.Time
}

const every = 50 * time.Millisecond

// pairs are the alarms that one line raises and another clears.
var pairs = []struct{ group, raise, clear, raised, cleared string }{
	{"stm", "2012", "2013", "HSM in secure transport mode", "HSM recovered from secure transport mode"},
	{"temp-warn", "2001", "2002", "High temperature warning activated", "High temperature warning deactivated"},
	{"lock", "2010", "2011", "HSM locked - tamper clear required", "HSM unlocked - tamper clear done"},
}

// eventOf returns the n-th event, and its line but for the time.
func eventOf(n int) (e event, line string) {
	all := pretended()
	device, p := all[n%len(all)], pairs[n/len(all)%len(pairs)]
	e = event{Device: device, Group: p.group, Raises: n/len(all)/len(pairs)%2 == 0}
	code, text := p.clear, p.cleared
	if e.Raises {
		code, text = p.raise, p.raised
	}
	return e, fmt.Sprintf("%s kernel - - - k7pf0: [HSM] ALM%s: %s %s%06d", device, code, text, mark, n)
}

// drive sends the line of each event to every agent when it is due, until ctx is done.
func (s *stage) drive(ctx context.Context) (events []event) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(here)})
	if err != nil {
		return nil
	}
	defer conn.Close()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return events
		case <-tick.C:
		}
		e, line := eventOf(n)
		e.Due = time.Now()
		events = append(events, e)
		for _, a := range s.agents {
			to := &net.UDPAddr{IP: net.ParseIP(a.address), Port: 514}
			_, _ = fmt.Fprintf(writer{conn, to}, "<2>1 %s %s", e.Due.UTC().Format("2006-01-02T15:04:05.000Z"), line) // whoever is away does not hear it
		}
	}
}

type writer struct {
	conn *net.UDPConn
	to   *net.UDPAddr
}

func (w writer) Write(p []byte) (int, error) { return w.conn.WriteToUDP(p, w.to) }

// The two kinds of receivers: one takes everything, the other fails a third of the time.
const (
	steady   = "steady"
	flaky    = "flaky"
	bookPort = 8080
)

// A record is a notification that a receiver was sent.
type record struct {
	Receiver string // steady or flaky
	At       time.Time
	ID       string
	Kind     alarms.Kind
	From     string // address of the agent
	Shows    []int  // the events that it shows, by their numbers
	Taken    bool   // the receiver shows it; it may not have said so
}

// A book is what all receivers were sent.
type book struct {
	mu      sync.Mutex
	records []record
}

func (b *book) all() []record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]record(nil), b.records...)
}

// serve listens for notifications, for as long as the process runs.
func (b *book) serve() error {
	l, err := net.Listen("tcp", net.JoinHostPort(here, strconv.Itoa(bookPort)))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	return nil
}

func (b *book) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	var n alarms.Notification
	if err != nil || json.Unmarshal(text, &n) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	kind := strings.TrimPrefix(r.URL.Path, "/")
	trouble := -1
	if kind == flaky {
		trouble = rand.IntN(9) //nolint:gosec // it is to fail often, and no secret
	}
	b.enter(kind, from, n, trouble != 0)
	switch trouble {
	case 0: // refused
		w.WriteHeader(http.StatusServiceUnavailable)
	case 1: // taken, but the agent does not learn it
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close() // that is the fault
		}
	case 2:
		time.Sleep(2 * time.Second)
	}
}

// enter takes down a notification, or those of a batch.
func (b *book) enter(receiver, from string, n alarms.Notification, taken bool) {
	all := n.Batch
	if len(all) == 0 {
		all = []alarms.Notification{n}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range all {
		b.records = append(b.records, record{receiver, time.Now(), n.ID, n.Change.Kind, from, shows(n.Change), taken})
	}
}

// mark precedes the number of an event in its line.
const mark = "lwf-e"

var marked = regexp.MustCompile(mark + `(\d{6})`)

// shows returns which events a notification shows, by its evidence.
func shows(c alarms.Change) (numbers []int) {
	var seen []int
	for _, e := range c.Alarm.Evidence {
		if m := marked.FindStringSubmatch(e.Text); m != nil {
			n, _ := strconv.Atoi(m[1]) // six digits
			seen = append(seen, n)
		}
	}
	if len(seen) == 0 {
		return nil
	}
	switch c.Kind {
	case alarms.Cleared:
		return seen[len(seen)-1:]
	case alarms.RaisedAndCleared:
		return []int{seen[0], seen[len(seen)-1]}
	default:
		return seen[:1]
	}
}
