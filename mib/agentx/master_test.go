package agentx

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait of a test.
const patience = 10 * time.Second

var testRoot = OID{1, 3, 6, 1, 4, 1, 99999, 1}

// instances is a Handler that is obviously correct: a sorted list, searched from the front.
type instances []Varbind

func (list instances) Get(oid OID) ([]byte, bool) {
	for _, vb := range list {
		if vb.OID.Compare(oid) == 0 {
			return AppendValue(nil, vb.Value), true
		}
	}
	return nil, false
}

func (list instances) Next(oid OID, include bool, _ OID) (OID, []byte, bool) {
	for _, vb := range list {
		if c := vb.OID.Compare(oid); c > 0 || include && c == 0 {
			return vb.OID, AppendValue(nil, vb.Value), true
		}
	}
	return nil, nil, false
}

// testView is a table of three columns and four rows without the instance 2.3.
func testView() instances {
	var list instances
	for column := range uint32(3) {
		for row := range uint32(4) {
			if column != 1 || row != 2 {
				list = append(list, Varbind{testRoot.Append(column+1, row+1), Gauge32(10*column + row)})
			}
		}
	}
	return list
}

func testConfig() Config {
	return Config{
		Timeout:       time.Second,
		Description:   "test",
		ID:            testRoot,
		Registrations: []Registration{{Subtree: testRoot}},
		Current:       func() Handler { return testView() },
	}
}

// start runs a Session until the end of the test, and checks that it leaves no goroutine behind.
func start(t *testing.T, c Config) *Session {
	t.Helper()
	s := New(c)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run does not return")
		}
		if left := goroutines("agentx.(*link)", "agentx.(*Session)"); left != "" {
			t.Errorf("left behind:\n%s", left)
		}
	})
	return s
}

// goroutines returns the stacks that contain one of the names.
func goroutines(names ...string) string {
	buf := make([]byte, 1<<20)
	var found []string
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(stack, name) }) {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}

// A master is a pretend master agent on a unix socket.
type master struct {
	t        *testing.T
	listener net.Listener
	sessions uint32
}

func newMaster(t *testing.T, c *Config) *master {
	t.Helper()
	c.Socket = filepath.Join(t.TempDir(), "m")
	listener, err := net.Listen("unix", c.Socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return &master{t: t, listener: listener, sessions: 100}
}

// dial takes the place of the connection of a Session, for tests with a clock of their own.
func (m *master) dial(conns chan<- net.Conn) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		conns <- far
		return near, nil
	}
}

// accept waits for the subagent to connect.
func (m *master) accept() *peer {
	m.t.Helper()
	m.listener.(*net.UnixListener).SetDeadline(time.Now().Add(patience))
	conn, err := m.listener.Accept()
	if err != nil {
		m.t.Fatalf("no connection: %v", err)
	}
	m.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return m.peer(conn)
}

func (m *master) peer(conn net.Conn) *peer {
	m.sessions++
	return &peer{t: m.t, conn: conn, session: m.sessions}
}

// ready accepts a connection, opens the session and grants what is registered.
func (m *master) ready(registrations int) *peer {
	m.t.Helper()
	p := m.accept()
	p.grantOpen()
	for range registrations {
		p.respond(p.expect(PDURegister), NoError)
	}
	return p
}

// A peer is the master's end of one connection.
type peer struct {
	t       *testing.T
	conn    net.Conn
	session uint32
	packet  uint32
	big     bool // byte order of what it sends
}

// A receivedPDU is what a peer received.
type receivedPDU struct {
	header
	payload []byte
}

func (p *peer) read() (receivedPDU, error) {
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(p.conn, head); err != nil {
		return receivedPDU{}, err
	}
	got := receivedPDU{header: decodeHeader(head)}
	got.payload = make([]byte, got.length)
	_, err := io.ReadFull(p.conn, got.payload)
	return got, err
}

func (p *peer) expect(kind PDUType) receivedPDU {
	p.t.Helper()
	got, err := p.read()
	if err != nil {
		p.t.Fatalf("waiting for %v: %v", kind, err)
	}
	if got.kind != kind {
		p.t.Fatalf("got %v, want %v", got.kind, kind)
	}
	return got
}

func (p *peer) send(b []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) order() binary.AppendByteOrder {
	if p.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// encode makes a PDU in the byte order of p.
func (p *peer) encode(kind PDUType, flags byte, session, packet uint32, body []byte) []byte {
	if p.big {
		flags |= flagNetworkOrder
	}
	b := []byte{1, byte(kind), flags, 0}
	for _, n := range []uint32{session, 7, packet, uint32(len(body))} {
		b = p.order().AppendUint32(b, n)
	}
	return append(b, body...)
}

// request encodes a PDU with a new packet id.
func (p *peer) request(kind PDUType, body []byte) []byte {
	p.packet++
	return p.encode(kind, 0, p.session, 1000+p.packet, body)
}

func (p *peer) oid(o OID, include bool) []byte {
	b := []byte{byte(len(o)), 0, 0, 0}
	if include {
		b[2] = 1
	}
	for _, id := range o {
		b = p.order().AppendUint32(b, id)
	}
	return b
}

// ranges encodes search ranges without end.
func (p *peer) ranges(starts ...OID) []byte {
	var b []byte
	for _, o := range starts {
		b = append(append(b, p.oid(o, false)...), p.oid(nil, false)...)
	}
	return b
}

func (p *peer) respond(to receivedPDU, code ErrorCode) {
	p.t.Helper()
	body := p.order().AppendUint16(make([]byte, 4), uint16(code))
	p.send(p.encode(PDUResponse, 0, p.session, to.packet, append(body, 0, 0)))
}

func (p *peer) grantOpen() {
	p.t.Helper()
	p.respond(p.expect(PDUOpen), NoError)
}

// An answer is a Response decoded.
type answer struct {
	Code     ErrorCode
	Index    int
	Varbinds []Varbind
}

func (p *peer) answer() answer {
	p.t.Helper()
	return decodeAnswer(p.t, p.expect(PDUResponse))
}

func decodeAnswer(t testing.TB, got receivedPDU) answer {
	t.Helper()
	res, ok := decodeResponse(got.payload, false)
	if !ok || got.flags&flagNetworkOrder == 0 {
		t.Fatalf("not a Response in network order: %+v", got)
	}
	a := answer{Code: res.code, Index: int(res.index)}
	for rest := got.payload[8:]; len(rest) > 0; {
		var vb Varbind
		var err error
		if vb, rest, err = decodeVarbind(rest); err != nil {
			t.Fatalf("Response: %v", err)
		}
		a.Varbinds = append(a.Varbinds, vb)
	}
	return a
}

// alive checks that the connection serves.
func (p *peer) alive() {
	p.t.Helper()
	p.send(p.request(PDUGet, p.ranges(testRoot.Append(1, 2))))
	got := p.answer()
	if len(got.Varbinds) != 1 || got.Varbinds[0].Value.Number != 1 {
		p.t.Fatalf("Get on a good connection: %+v", got)
	}
}

// gone checks that the subagent ends the connection, with a Close for the reason if one is given.
func (p *peer) gone(reason byte) {
	p.t.Helper()
	for {
		got, err := p.read()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
			if reason != 0 {
				p.t.Fatalf("connection ended without a Close")
			}
			return
		case err != nil:
			p.t.Fatalf("waiting for the end: %v", err)
		case got.kind == PDUClose && got.payload[0] == reason:
			reason = 0
		default:
			p.t.Fatalf("got %v %x instead of the end", got.kind, got.payload)
		}
	}
}

// logbook collects the messages of a logger.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logbook) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.FieldsFunc(l.b.String(), func(r rune) bool { return r == '\n' })
}
