package agentx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bubble runs a Session against pipes with a clock of its own; serve plays the master on each connection in turn.
// The bubble itself checks that every goroutine ends.
func bubble(t *testing.T, c Config, test func(t *testing.T, s *Session, next func() *peer)) {
	synctest.Test(t, func(t *testing.T) {
		m := &master{t: t}
		conns := make(chan net.Conn, 1)
		c.Dial = m.dial(conns)
		s := New(c)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		var last *peer
		test(t, s, func() *peer {
			last = m.peer(<-conns)
			last.conn.SetDeadline(time.Now().Add(time.Hour)) // of this clock: ends a test that fails
			return last
		})
		cancel()
		if last != nil {
			last.conn.Close()
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestSilentMaster: a master that hangs for a minute is noticed by a Ping, and the connection is closed.
func TestSilentMaster(t *testing.T) {
	c := testConfig()
	c.Retries, c.PingInterval = DefaultRetries, DefaultPingInterval
	bubble(t, c, func(t *testing.T, s *Session, next func() *peer) {
		p := next()
		p.grantOpen()
		p.respond(p.expect(PDURegister), NoError)
		opened := time.Now()
		p.respond(p.expect(PDUPing), NoError)
		if age := time.Since(opened); age != 15*time.Second {
			t.Errorf("first Ping after %v", age)
		}
		p.alive()
		p.expect(PDUPing) // stays without an answer
		p.gone(reasonTimeouts)
		if age := time.Since(opened); age != 36*time.Second {
			t.Errorf("left after %v, want two intervals and 6 s", age)
		}
		if s.Stats().Connected {
			t.Error("Stats says connected")
		}
		p = next()
		if age := time.Since(opened); age != 36*time.Second {
			t.Errorf("connected again after %v", age)
		}
		p.grantOpen()
		p.respond(p.expect(PDURegister), NoError)
		p.alive()
	})
}

// TestSilentOpen: the connection to a master that accepts and sends nothing is also closed.
func TestSilentOpen(t *testing.T) {
	c := testConfig()
	bubble(t, c, func(t *testing.T, s *Session, next func() *peer) {
		p := next()
		p.expect(PDUOpen)
		p.gone(reasonTimeouts)
		next().grantOpen()
	})
}

// TestForgottenSession: a master that answers Ping or Register with notOpen gets a new session.
func TestForgottenSession(t *testing.T) {
	c := testConfig()
	c.PingInterval = DefaultPingInterval
	bubble(t, c, func(t *testing.T, s *Session, next func() *peer) {
		p := next()
		p.grantOpen()
		p.respond(p.expect(PDURegister), NoError)
		p.respond(p.expect(PDUPing), NotOpen)
		p.gone(0)
		p = next()
		p.grantOpen()
		p.respond(p.expect(PDURegister), NotOpen)
		p.gone(0)
		next().grantOpen()
	})
}

// TestRegistrationRefused: the other subtree is served; the refused one is requested again, and logged once.
func TestRegistrationRefused(t *testing.T) {
	c := testConfig()
	taken := OID{1, 3, 6, 1, 4, 1, 99999, 2}
	c.Registrations = append(c.Registrations, Registration{Subtree: taken, Priority: 10})
	var log logbook
	c.Log = log.logger()
	bubble(t, c, func(t *testing.T, s *Session, next func() *peer) {
		p := next()
		p.grantOpen()
		p.respond(p.expect(PDURegister), NoError)
		p.respond(p.expect(PDURegister), DuplicateRegistration)
		p.alive()
		if diff := cmp.Diff([]OID{taken}, s.Stats().Refused); diff != "" {
			t.Errorf("refused (-want +got):\n%s", diff)
		}
		for range 5 {
			again := p.expect(PDURegister)
			if want := registerBody(1, 10, taken); !bytes.Equal(again.payload, want) {
				t.Fatalf("Register %x, want %x", again.payload, want)
			}
			p.respond(again, DuplicateRegistration)
			p.alive()
		}
		p.respond(p.expect(PDURegister), NoError)
		p.alive()
		if diff := cmp.Diff([]OID{testRoot, taken}, s.Stats().Registered); diff != "" {
			t.Errorf("registered (-want +got):\n%s", diff)
		}
	})
	text := strings.Join(log.lines(), "\n")
	if n := strings.Count(text, "refused"); n != 1 || !strings.Contains(text, "another agent has this subtree") {
		t.Errorf("logged %d times:\n%s", n, text)
	}
}

// TestFlappingMaster: when it has come and gone within a second, the last word is that
// the session is open.
func TestFlappingMaster(t *testing.T) {
	c := testConfig()
	var log logbook
	c.Log = log.logger()
	bubble(t, c, func(t *testing.T, s *Session, next func() *peer) {
		for range 4 {
			p := next()
			p.grantOpen()
			p.respond(p.expect(PDURegister), NoError)
			p.conn.Close()
		}
		p := next()
		p.grantOpen()
		p.respond(p.expect(PDURegister), NoError)
		p.alive()
		lines := log.lines()
		if last := lines[len(lines)-1]; !strings.Contains(last, "AgentX session open") {
			t.Errorf("the last word is %q", last)
		}
		if len(lines) > 5 { // two causes
			t.Errorf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
		}
	})
}

// TestOpenRefused: a master that refuses is asked again, and this is logged once.
func TestOpenRefused(t *testing.T) {
	c := testConfig()
	var log logbook
	c.Log = log.logger()
	bubble(t, c, func(t *testing.T, s *Session, next func() *peer) {
		for range 10 {
			p := next()
			p.respond(p.expect(PDUOpen), OpenFailed)
		}
	})
	if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "openFailed") {
		t.Errorf("log:\n%s", strings.Join(lines, "\n"))
	}
}

// TestAdvice: why the socket cannot be used is logged once, with the remedy.
func TestAdvice(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{syscall.EACCES, "agentXPerms 0660"},
		{syscall.ENOENT, "`master agentx` and `agentXSocket /run/master`"},
		{syscall.ECONNREFUSED, "start snmpd"},
	} {
		t.Run(test.err.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := testConfig()
				c.Socket = "/run/master"
				var log logbook
				c.Log = log.logger()
				c.Dial = func(context.Context, string, string) (net.Conn, error) {
					return nil, &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", test.err)}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				s := New(c)
				if err := s.Run(ctx); err != nil {
					t.Error(err)
				}
				if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], test.want) {
					t.Errorf("log:\n%s", strings.Join(lines, "\n"))
				}
				if n := s.Stats().Dials; n < 240 || n > 490 {
					t.Errorf("%d attempts in a minute", n)
				}
			})
		})
	}
	if advice := Advice("x", fs.ErrInvalid); advice != "" {
		t.Errorf("advice for an unknown error: %s", advice)
	}
}

// TestFarewell: at the end everything is unregistered, and the master has time to confirm.
func TestFarewell(t *testing.T) {
	c := testConfig()
	caps := Capability{testRoot.Append(7), "all of it"}
	c.Caps = []Capability{caps}
	m := newMaster(t, &c)
	s := New(c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	p := m.ready(1)
	added := p.expect(PDUAddAgentCaps)
	if want := addCapsBody(caps.ID, caps.Description); !bytes.Equal(added.payload, want) {
		t.Errorf("AddAgentCaps %x, want %x", added.payload, want)
	}
	p.respond(added, NoError)
	p.alive()
	cancel()
	p.respond(p.expect(PDURemoveAgentCaps), NoError)
	p.respond(p.expect(PDUUnregister), NoError)
	bye := p.expect(PDUClose)
	if bye.payload[0] != reasonShutdown {
		t.Errorf("reason %d", bye.payload[0])
	}
	p.respond(bye, NoError)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestFarewellToHungMaster: a master that no longer reads, or does not answer, cannot delay the end.
func TestFarewellToHungMaster(t *testing.T) {
	t.Run("reads nothing", func(t *testing.T) { farewell(t, func(*peer) {}) })
	t.Run("answers nothing", func(t *testing.T) {
		farewell(t, func(p *peer) { go io.Copy(io.Discard, p.conn) })
	})
}

func farewell(t *testing.T, hang func(*peer)) {
	synctest.Test(t, func(t *testing.T) {
		m := &master{t: t}
		conns := make(chan net.Conn, 1)
		c := testConfig()
		c.Dial = m.dial(conns)
		s := New(c)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		p := m.peer(<-conns)
		p.grantOpen()
		p.respond(p.expect(PDURegister), NoError)
		p.alive()
		hang(p)
		cancel()
		begun := time.Now()
		<-ended
		if took := time.Since(begun); took > goodbye {
			t.Errorf("the end took %v", took)
		}
	})
}

func TestOpen(t *testing.T) {
	c := testConfig()
	c.Timeout = 3 * time.Second
	m := newMaster(t, &c)
	start(t, c)
	p := m.accept()
	if got, want := p.expect(PDUOpen).payload, openBody(3, testRoot, "test"); !bytes.Equal(got, want) {
		t.Errorf("Open %x, want %x", got, want)
	}
}

func TestRequestsBeforeOpen(t *testing.T) {
	c := testConfig()
	m := newMaster(t, &c)
	start(t, c)
	p := m.accept()
	open := p.expect(PDUOpen)
	p.send(p.encode(PDUGet, 0, 0, 5, p.ranges(testRoot)))
	p.wantAnswer(answer{Code: NotOpen})
	p.respond(open, NoError)
	if got, want := p.expect(PDURegister).payload, registerBody(1, 127, testRoot); !bytes.Equal(got, want) {
		t.Errorf("Register %x, want %x", got, want)
	}
	p.alive()
}

func TestNotify(t *testing.T) {
	trap := []Varbind{
		{OID{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}, ObjectIdentifier(testRoot.Append(0, 1))},
		{testRoot.Append(1, 1), Text("front fan")},
	}
	c := testConfig()
	bubble(t, c, func(t *testing.T, s *Session, next func() *peer) {
		if err := s.Notify(t.Context(), trap); !errors.Is(err, ErrNotConnected) {
			t.Errorf("before the session: %v", err)
		}
		p := next()
		p.grantOpen()
		p.respond(p.expect(PDURegister), NoError)
		p.alive()

		result := make(chan error)
		notify := func(ctx context.Context) receivedPDU {
			go func() { result <- s.Notify(ctx, trap) }()
			return p.expect(PDUNotify)
		}
		got := notify(t.Context())
		if want := notifyBody(trap); !bytes.Equal(got.payload, want) {
			t.Errorf("Notify %x, want %x", got.payload, want)
		}
		p.alive() // requests go on meanwhile
		p.respond(got, NoError)
		if err := <-result; err != nil {
			t.Errorf("accepted: %v", err)
		}

		p.respond(notify(t.Context()), ProcessingError)
		var refused *RefusedError
		if err := <-result; !errors.As(err, &refused) || refused.Code != ProcessingError {
			t.Errorf("refused: %v", err)
		}

		notify(t.Context())
		if err := <-result; !errors.Is(err, errSilent) {
			t.Errorf("unanswered: %v", err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		notify(ctx)
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}

		notify(t.Context())
		p.conn.Close()
		if err := <-result; !errors.Is(err, ErrNotConnected) {
			t.Errorf("connection lost: %v", err)
		}
		next()
	})
}

func TestNotifyTooLarge(t *testing.T) {
	c := testConfig()
	m := newMaster(t, &c)
	s := start(t, c)
	p := m.ready(1)
	p.alive()
	err := s.Notify(t.Context(), []Varbind{{testRoot, Text(strings.Repeat("x", maxPayload))}})
	if err == nil {
		t.Error("no error")
	}
	p.alive()
}

// TestOneWrite: what arrives in one read is answered in one write.
func TestOneWrite(t *testing.T) {
	c, err := testConfig().complete()
	if err != nil {
		t.Fatal(err)
	}
	conn := new(sink)
	l := newLink(conn, &c, new(counts))
	l.opened, l.id = true, 5
	p := &peer{t: t, session: 5}
	l.w = copy(l.in, slices.Repeat(p.request(PDUGetNext, p.ranges(testRoot)), 10))
	if err := l.serve(); err != nil {
		t.Fatal(err)
	}
	if one := headerSize + 8 + len(AppendVarbind(nil, firstInstance.OID, firstInstance.Value)); conn.writes != 1 || conn.Len() != 10*one {
		t.Errorf("%d writes of %d octets, want one of %d", conn.writes, conn.Len(), 10*one)
	}
}

// TestOneView: one PDU is answered from one view, however many varbinds it asks for.
func TestOneView(t *testing.T) {
	c := testConfig()
	asked := 0
	c.Current = func() Handler {
		asked++
		return instances{{testRoot.Append(1), Counter32(uint32(asked))}}
	}
	m := newMaster(t, &c)
	start(t, c)
	p := m.ready(1)
	for n := range uint32(3) {
		p.send(p.request(PDUGetNext, p.ranges(testRoot, testRoot, testRoot)))
		for _, vb := range p.answer().Varbinds {
			if vb.Value.Number != uint64(n+1) {
				t.Errorf("answer %d shows view %d", n+1, vb.Value.Number)
			}
		}
	}
}

// TestNoView: before the first snapshot everything is missing and nothing fails.
func TestNoView(t *testing.T) {
	c := testConfig()
	c.Current = func() Handler { return nil }
	m := newMaster(t, &c)
	start(t, c)
	p := m.ready(1)
	p.send(p.request(PDUGetNext, p.ranges(testRoot)))
	p.wantAnswer(answer{Varbinds: []Varbind{{testRoot, EndOfMibView()}}})
	p.send(p.request(PDUGet, p.ranges(testRoot)))
	p.wantAnswer(answer{Varbinds: []Varbind{{testRoot, NoSuchInstance()}}})
}

func TestRanges(t *testing.T) {
	c := testConfig()
	m := newMaster(t, &c)
	start(t, c)
	p := m.ready(1)
	at := func(column, row uint32) OID { return testRoot.Append(column, row) }
	for _, test := range []struct {
		start   OID
		include bool
		end     OID
		want    Varbind
	}{
		{at(1, 1), false, nil, Varbind{at(1, 2), Gauge32(1)}},
		{at(1, 1), true, nil, Varbind{at(1, 1), Gauge32(0)}},
		{at(1, 1), true, at(1, 1), Varbind{at(1, 1), EndOfMibView()}},
		{at(1, 1), false, at(1, 2), Varbind{at(1, 1), EndOfMibView()}},
		{at(1, 1), false, at(1, 3), Varbind{at(1, 2), Gauge32(1)}},
		{at(2, 2), false, nil, Varbind{at(2, 4), Gauge32(13)}},
		{at(2, 3), true, nil, Varbind{at(2, 4), Gauge32(13)}},
		{at(3, 4), false, nil, Varbind{at(3, 4), EndOfMibView()}},
		{OID{}, false, nil, Varbind{at(1, 1), Gauge32(0)}},
		{OID{1, 3, 6, 1, 300}, false, nil, Varbind{OID{1, 3, 6, 1, 300}, EndOfMibView()}},
	} {
		p.send(p.request(PDUGetNext, append(p.oid(test.start, test.include), p.oid(test.end, false)...)))
		if diff := cmp.Diff([]Varbind{test.want}, p.answer().Varbinds); diff != "" {
			t.Errorf("from %v, include %v, to %v (-want +got):\n%s", test.start, test.include, test.end, diff)
		}
	}
}

// TestTooBig: an answer that is too long for any SNMP message is refused, and GetBulk returns what fits.
func TestTooBig(t *testing.T) {
	c := testConfig()
	c.Current = func() Handler {
		var list instances
		for i := range uint32(9) {
			list = append(list, Varbind{testRoot.Append(i + 1), Text(strings.Repeat("x", 60000))})
		}
		return list
	}
	m := newMaster(t, &c)
	start(t, c)
	p := m.ready(1)
	p.send(p.request(PDUGetNext, p.ranges(testRoot, testRoot, testRoot, testRoot)))
	p.wantAnswer(answer{Code: TooBig, Index: 3})
	p.send(p.request(PDUGetBulk, append([]byte{0, 0, 50, 0}, p.ranges(testRoot)...)))
	if got := p.answer(); got.Code != NoError || len(got.Varbinds) != 2 {
		t.Errorf("GetBulk: %v and %d varbinds", got.Code, len(got.Varbinds))
	}
}

func TestConfigErrors(t *testing.T) {
	for _, test := range []struct {
		want string
		set  func(*Config)
	}{
		{"Current", func(c *Config) { c.Current = nil }},
		{"timeout", func(c *Config) { c.Timeout = time.Millisecond }},
		{"retries", func(c *Config) { c.Retries = -1 }},
		{"no subtree", func(c *Config) { c.Registrations = nil }},
		{"cannot be registered", func(c *Config) { c.Registrations = []Registration{{}} }},
		{"agentXSocket", func(c *Config) { c.Socket = "udp:localhost" }},
	} {
		c := testConfig()
		test.set(&c)
		if err := New(c).Run(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want something of %q", err, test.want)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for _, test := range []struct{ socket, want string }{
		{"/var/agentx/master", "unix /var/agentx/master"},
		{"unix:/run/x", "unix /run/x"},
		{"tcp:localhost:705", "tcp localhost:705"},
		{"tcp:10.0.0.1", "tcp 10.0.0.1:705"},
		{"tcp:1705", "tcp localhost:1705"},
		{"localhost:1705", "tcp localhost:1705"},
		{"705", "tcp localhost:705"},
		{"snmp.example", "tcp snmp.example:705"},
		{"tcp6:[::1]:705", "tcp6 [::1]:705"},
		{"tcp6:[::1]", "tcp6 [::1]:705"},
		{"tcpipv6:[::1]:705", "tcp6 [::1]:705"},
		{"", "error"}, {"unix:", "error"}, {"udp:localhost:705", "error"}, {"host:0", "error"}, {"host:70000", "error"}, {"tcp:", "error"},
	} {
		network, address, err := ParseAddress(test.socket)
		got := fmt.Sprint(network, " ", address)
		if err != nil {
			got = "error"
		}
		if got != test.want {
			t.Errorf("%q is %q (%v), want %q", test.socket, got, err, test.want)
		}
	}
}

func TestReadOptions(t *testing.T) {
	c := Config{Retries: DefaultRetries}
	err := c.ReadOptions(strings.NewReader("# vendor\nagentXSocket tcp:localhost:705\n\nagentXPingInterval 30\nagentxtimeout 2 # s\nrocommunity public\n"))
	want := Config{Socket: "tcp:localhost:705", PingInterval: 30 * time.Second, Timeout: 2 * time.Second, Retries: 5}
	if err != nil || c.Socket != want.Socket || c.PingInterval != want.PingInterval || c.Timeout != want.Timeout || c.Retries != want.Retries {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, bad := range []string{"agentXRetries", "agentXRetries -1", "agentXTimeout 0", "agentXTimeout 256", "agentXSocket udp:x", "agentXRetries 1 2"} {
		if err := c.ReadOptions(strings.NewReader("\n" + bad)); err == nil || !strings.HasPrefix(err.Error(), "line 2: agentX") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestManyRegistrations: a master that reads a request only when its answer to the one
// before was taken gets all of them.
func TestManyRegistrations(t *testing.T) {
	const many = 3000
	c := testConfig()
	c.Registrations = nil
	for i := range uint32(many) {
		c.Registrations = append(c.Registrations, Registration{Subtree: testRoot.Append(i + 1)})
	}
	bubble(t, c, func(t *testing.T, s *Session, next func() *peer) {
		p := next()
		p.grantOpen()
		for range many {
			p.respond(p.expect(PDURegister), NoError)
		}
		p.alive()
		if st := s.Stats(); len(st.Registered) != many || st.Opens != 1 {
			t.Errorf("%d registered, %d sessions", len(st.Registered), st.Opens)
		}
	})
}
