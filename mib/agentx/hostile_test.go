package agentx

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// queued returns the number of octets that wait on a unix socket: not read by the other end, or sent by it.
func queued(t *testing.T, conn net.Conn, request uintptr) int {
	t.Helper()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int32
	raw.Control(func(fd uintptr) {
		syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(&n)))
	})
	return int(n)
}

// until polls for a condition of the operating system, which sends no event.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// sendSplit sends b in pieces that the subagent reads one by one.
func (p *peer) sendSplit(b []byte, at ...int) {
	p.t.Helper()
	from := 0
	for _, to := range append(at, len(b)) {
		p.send(b[from:to])
		until(p.t, "the subagent has read", func() bool { return queued(p.t, p.conn, syscall.TIOCOUTQ) == 0 })
		from = to
	}
}

var firstInstance = Varbind{testRoot.Append(1, 1), Gauge32(0)}

// wantAnswer compares the next Response.
func (p *peer) wantAnswer(want answer) {
	p.t.Helper()
	if diff := cmp.Diff(want, p.answer()); diff != "" {
		p.t.Fatalf("answer (-want +got):\n%s", diff)
	}
}

// hostile are the cases of a master that is careless, broken or malicious. After those without reopens the connection
// must still serve; after the others the subagent must reconnect.
var hostile = []struct {
	name    string
	reopens bool
	attack  func(*peer)
}{
	{"plain", false, func(p *peer) {
		p.send(p.request(PDUGetNext, p.ranges(testRoot)))
		p.wantAnswer(answer{Varbinds: []Varbind{firstInstance}})
	}},
	{"header split", false, func(p *peer) {
		p.sendSplit(p.request(PDUGetNext, p.ranges(testRoot)), 1, 7, 19)
		p.wantAnswer(answer{Varbinds: []Varbind{firstInstance}})
	}},
	{"payload split", false, func(p *peer) {
		p.sendSplit(p.request(PDUGetNext, p.ranges(testRoot)), 22, 37)
		p.wantAnswer(answer{Varbinds: []Varbind{firstInstance}})
	}},
	{"header then payload", false, func(p *peer) {
		p.sendSplit(p.request(PDUGetNext, p.ranges(testRoot)), headerSize)
		p.wantAnswer(answer{Varbinds: []Varbind{firstInstance}})
	}},
	{"10 pipelined", false, func(p *peer) {
		var batch []byte
		for range 10 {
			batch = append(batch, p.request(PDUGetNext, p.ranges(testRoot))...)
		}
		p.send(batch)
		for i := range 10 {
			got := p.expect(PDUResponse)
			if want := uint32(1001 + i); got.packet != want {
				p.t.Fatalf("answer to packet %d, want %d", got.packet, want)
			}
		}
	}},
	{"200 ranges in one PDU", false, func(p *peer) {
		p.send(p.request(PDUGetNext, p.ranges(slices.Repeat([]OID{testRoot}, 200)...)))
		p.wantAnswer(answer{Varbinds: slices.Repeat([]Varbind{firstInstance}, 200)})
	}},
	{"Get of 3", false, func(p *peer) {
		hole, elsewhere := testRoot.Append(2, 3), OID{1, 3, 6, 1, 2, 1, 1, 1, 0}
		p.send(p.request(PDUGet, p.ranges(testRoot.Append(1, 1), hole, elsewhere)))
		p.wantAnswer(answer{Varbinds: []Varbind{firstInstance, {hole, NoSuchInstance()}, {elsewhere, NoSuchObject()}}})
	}},
	{"GetBulk", false, func(p *peer) {
		last := testRoot.Append(3, 3)
		body := p.order().AppendUint16(p.order().AppendUint16(nil, 1), 3)
		p.send(p.request(PDUGetBulk, append(body, p.ranges(testRoot, testRoot, last)...)))
		end := Varbind{testRoot.Append(3, 4), EndOfMibView()}
		p.wantAnswer(answer{Varbinds: []Varbind{
			firstInstance,
			firstInstance, {testRoot.Append(3, 4), Gauge32(23)},
			{testRoot.Append(1, 2), Gauge32(1)}, end,
			{testRoot.Append(1, 3), Gauge32(2)}, end,
		}})
		p.send(p.request(PDUGetBulk, append([]byte{0, 0, 50, 0}, p.ranges(last.Append(9))...)))
		p.wantAnswer(answer{Varbinds: []Varbind{{testRoot.Append(3, 4), Gauge32(23)}, end}}) // and not 48 ends more
	}},
	{"TestSet", false, func(p *peer) {
		p.big = true
		body := AppendVarbind(nil, testRoot.Append(1, 1), Integer(5))
		p.send(p.request(PDUTestSet, body))
		p.wantAnswer(answer{Code: NotWritable, Index: 1})
		p.send(p.request(PDUCleanupSet, nil)) // without an answer
		p.send(p.request(PDUCommitSet, nil))
		p.wantAnswer(answer{Code: CommitFailed})
		p.send(p.request(PDUUndoSet, nil))
		p.wantAnswer(answer{})
	}},
	{"Close from master", true, func(p *peer) {
		p.send(p.request(PDUClose, closeBody(reasonShutdown)))
		p.gone(0)
	}},
	{"unknown type", false, func(p *peer) {
		for _, kind := range []PDUType{0, 99, PDUOpen, PDUNotify, PDUPing, 14, 255} {
			p.send(p.request(kind, nil))
			p.wantAnswer(answer{Code: ParseError})
		}
	}},
	{"big-endian request", false, func(p *peer) {
		p.big = true
		p.send(p.request(PDUGetNext, p.ranges(testRoot)))
		p.wantAnswer(answer{Varbinds: []Varbind{firstInstance}})
	}},
	{"context flag", false, func(p *peer) {
		body := append(p.order().AppendUint32(nil, 5), "other\x00\x00\x00"...)
		p.send(p.encode(PDUGet, flagContext, p.session, 5, append(body, p.ranges(testRoot)...)))
		p.wantAnswer(answer{Code: UnsupportedContext})
		p.send(p.encode(PDUGet, flagContext, p.session, 6, p.order().AppendUint32(nil, 1<<31)))
		p.wantAnswer(answer{Code: ParseError})
	}},
	{"truncated range", true, func(p *peer) {
		whole := p.ranges(testRoot)
		p.send(p.request(PDUGetNext, whole[:len(whole)-4])) // framed right, but its end is missing
		p.wantAnswer(answer{Code: ParseError})
		pdu := p.request(PDUGetNext, whole)
		p.send(pdu[:len(pdu)-8]) // and never more
		p.gone(reasonTimeouts)
	}},
	{"sub-identifier count lies", false, func(p *peer) {
		for _, count := range []byte{9, 128, 129, 255} {
			body := p.ranges(testRoot)
			body[0] = count
			p.send(p.request(PDUGetNext, body))
			p.wantAnswer(answer{Code: ParseError})
		}
		p.send(p.request(PDUGetNext, p.ranges(make(OID, MaxSubIDs+1)))) // as claimed, but more than an OID may have
		p.wantAnswer(answer{Code: ParseError})
	}},
	{"empty GetNext", false, func(p *peer) {
		p.send(p.request(PDUGetNext, nil))
		p.wantAnswer(answer{})
	}},
	{"empty Get", false, func(p *peer) {
		p.send(p.request(PDUGet, nil))
		p.wantAnswer(answer{})
	}},
	{"short Response", false, func(p *peer) {
		p.send(p.encode(PDUResponse, 0, p.session, 1, []byte{0, 0, 0, 0}))
		p.send(p.encode(PDUResponse, 0, p.session, 77, nil))
	}},
	{"length 2 GiB", true, func(p *peer) {
		p.send(p.claiming(1 << 31))
		p.gone(reasonParseError)
	}},
	{"wrong session", false, func(p *peer) {
		p.send(p.encode(PDUGet, 0, p.session+1, 5, p.ranges(testRoot)))
		p.wantAnswer(answer{Code: NotOpen})
		p.send(p.encode(PDUClose, 0, p.session+1, 6, closeBody(reasonShutdown)))
		p.wantAnswer(answer{Code: NotOpen})
	}},
	{"id collision", false, func(p *peer) {
		for packet := range uint32(4) { // 1 was our Open, 2 our Register
			p.send(p.encode(PDUGetNext, 0, p.session, packet, p.ranges(testRoot)))
			if got := p.expect(PDUResponse); got.packet != packet {
				p.t.Fatalf("answer to packet %d, want %d", got.packet, packet)
			}
		}
	}},
	{"reset with unread data", true, func(p *peer) {
		p.send(p.request(PDUGet, p.ranges(testRoot)))
		until(p.t, "the answer waits", func() bool { return queued(p.t, p.conn, syscall.TIOCINQ) > 0 })
		p.conn.Close()
	}},
}

func TestHostileMaster(t *testing.T) {
	for _, test := range hostile {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig()
			m := newMaster(t, &c)
			start(t, c)
			p := m.ready(1)
			test.attack(p)
			if test.reopens {
				p = m.ready(1)
			}
			p.big = false
			p.alive()
		})
	}
}

// TestIDCollisionWhileWaiting: a request may have the id of a request of ours that is still unanswered.
func TestIDCollisionWhileWaiting(t *testing.T) {
	c := testConfig()
	m := newMaster(t, &c)
	s := start(t, c)
	p := m.accept()
	p.grantOpen()
	register := p.expect(PDURegister)
	p.send(p.encode(PDUGetNext, 0, p.session, register.packet, p.ranges(testRoot)))
	p.wantAnswer(answer{Varbinds: []Varbind{firstInstance}})
	if st := s.Stats(); len(st.Registered) != 0 {
		t.Errorf("registered %v before the answer", st.Registered)
	}
	p.send(p.encode(PDUResponse, 0, p.session, register.packet, make([]byte, 4))) // too short to count
	p.respond(register, NoError)
	p.alive()
	if st := s.Stats(); len(st.Registered) != 1 {
		t.Errorf("registered %v after the answer", st.Registered)
	}
}

// TestBadHeaders: after these nothing on the connection can be trusted.
func TestBadHeaders(t *testing.T) {
	c := testConfig()
	m := newMaster(t, &c)
	start(t, c)
	for _, test := range []struct {
		octet int
		value byte
	}{{0, 2}, {16, 3}, {18, 5}, {19, 0x80}} {
		t.Run(fmt.Sprintf("octet %d is %d", test.octet, test.value), func(t *testing.T) {
			m.t = t
			p := m.ready(1)
			pdu := p.request(PDUGetNext, nil)
			pdu[test.octet] = test.value
			p.send(pdu)
			p.gone(reasonParseError)
		})
	}
}

// TestHostileAllocation: no PDU costs a mebibyte, whatever it claims or asks for.
func TestHostileAllocation(t *testing.T) {
	huge := func(p *peer, kind PDUType, body []byte) []byte {
		return p.request(kind, append(body, make([]byte, maxPayload-len(body))...))
	}
	bulk := func(p *peer, nonRepeaters, repetitions uint16) []byte {
		return p.order().AppendUint16(p.order().AppendUint16(nil, nonRepeaters), repetitions)
	}
	for _, test := range []struct {
		name string
		make func(*peer) []byte
	}{
		{"Get of null OIDs", func(p *peer) []byte { return huge(p, PDUGet, nil) }},
		{"GetNext of null OIDs", func(p *peer) []byte { return huge(p, PDUGetNext, nil) }},
		{"GetBulk of null OIDs", func(p *peer) []byte { return huge(p, PDUGetBulk, bulk(p, 0, 65535)) }},
		{"GetBulk without repeaters", func(p *peer) []byte { return huge(p, PDUGetBulk, bulk(p, 65535, 0)) }},
		{"GetBulk without end", func(p *peer) []byte {
			return p.request(PDUGetBulk, append(bulk(p, 0, 65535), p.ranges(slices.Repeat([]OID{testRoot}, 4000)...)...))
		}},
		{"TestSet of nothing", func(p *peer) []byte { return huge(p, PDUTestSet, nil) }},
		{"TestSet of many", func(p *peer) []byte {
			one := p.order().AppendUint16(nil, uint16(TypeNull))
			one = append(append(one, 0, 0), p.oid(nil, false)...)
			return p.request(PDUTestSet, slices.Repeat(one, maxPayload/len(one)))
		}},
		{"TestSet of long OIDs", func(p *peer) []byte {
			one := p.order().AppendUint16(nil, uint16(TypeNull))
			one = append(append(one, 0, 0), p.oid(make(OID, MaxSubIDs), false)...)
			return p.request(PDUTestSet, slices.Repeat(one, maxPayload/len(one)))
		}},
		{"octets lie", func(p *peer) []byte {
			body := p.order().AppendUint16(nil, uint16(TypeOctetString))
			body = append(append(body, 0, 0), p.oid(nil, false)...)
			return p.request(PDUTestSet, p.order().AppendUint32(body, 1<<32-1))
		}},
		{"context lies", func(p *peer) []byte {
			return p.encode(PDUGet, flagContext, p.session, 1, p.order().AppendUint32(nil, 1<<31-1))
		}},
		{"Response", func(p *peer) []byte { return huge(p, PDUResponse, nil) }},
		{"2 GiB", func(p *peer) []byte { return p.claiming(1 << 31) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig()
			view := testView()
			c.Current = func() Handler { return encoded{view, AppendValue(nil, view[0].Value)} }
			m := newMaster(t, &c)
			start(t, c)
			p := m.ready(1)
			attack := append(test.make(p), p.encode(PDUGet, 0, p.session, 9999, nil)...)
			before := allocated()
			p.send(attack)
			p.drainTo(9999)
			if grown := allocated() - before; grown >= 1<<20 {
				t.Errorf("%d octets allocated", grown)
			} else {
				t.Logf("%d octets allocated", grown)
			}
		})
	}
}

// claiming encodes a request whose header claims so many octets of payload.
func (p *peer) claiming(length uint32) []byte {
	pdu := p.request(PDUGetNext, nil)
	return append(pdu[:16], p.order().AppendUint32(nil, length)...)
}

// drainTo reads until the answer to a packet, or the end.
func (p *peer) drainTo(packet uint32) {
	p.t.Helper()
	head := make([]byte, headerSize)
	for {
		if _, err := io.ReadFull(p.conn, head); err == io.EOF {
			return
		} else if err != nil {
			p.t.Fatal(err)
		}
		h := decodeHeader(head)
		if _, err := io.CopyN(io.Discard, p.conn, int64(h.length)); err != nil {
			p.t.Fatal(err)
		}
		if h.kind == PDUResponse && h.packet == packet {
			return
		}
	}
}

// encoded is a Handler that does not allocate, so that only the session is measured.
type encoded struct {
	instances
	varbind []byte
}

func (e encoded) Get(OID) ([]byte, bool) { return e.varbind, true }

func (e encoded) Next(OID, bool, OID) (OID, []byte, bool) { return e.instances[0].OID, e.varbind, true }

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
