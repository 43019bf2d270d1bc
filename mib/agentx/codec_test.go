package agentx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"
)

// samples has a value of each type.
var samples = []Value{
	Integer(0), Integer(-1), Integer(-1 << 31), Integer(1<<31 - 1),
	Text(""), Text("a"), Text("ab"), Text("abc"), Text("abcd"), Octets([]byte{0, 255, 7}),
	Null(), ObjectIdentifier(nil), ObjectIdentifier(OID{0, 0}), ObjectIdentifier(OID{1, 3, 6, 1, 4, 1, 12383}),
	IPAddress([4]byte{192, 0, 2, 1}), Counter32(1<<32 - 1), Gauge32(7), TimeTicks(8640000), Opaque("\x9f\x78"),
	Counter64(0), Counter64(1<<64 - 1), NoSuchObject(), NoSuchInstance(), EndOfMibView(),
}

var oids = []OID{
	{}, {1}, {0, 0}, {1, 3, 6, 1}, {1, 3, 6, 1, 0}, {1, 3, 6, 1, 1}, {1, 3, 6, 1, 4, 1, 1<<32 - 1}, {1, 3, 6, 1, 255, 1}, {1, 3, 6, 1, 256, 1},
	{1, 3, 6, 2, 4}, make(OID, MaxSubIDs), append(OID{1, 3, 6, 1, 4}, make(OID, MaxSubIDs-5)...),
}

func TestVarbindRoundTrip(t *testing.T) {
	for _, oid := range oids {
		for _, v := range samples {
			want := Varbind{oid, v}
			encoded := AppendVarbind([]byte("xyz"), oid, v)[3:]
			if len(encoded)%4 != 0 {
				t.Errorf("%v: %d octets", want, len(encoded))
			}
			got, rest, err := decodeVarbind(append(encoded, "rest"...))
			if err != nil || string(rest) != "rest" {
				t.Fatalf("%v: %v, rest %q", want, err, rest)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for n := range encoded {
				if _, _, err := decodeVarbind(encoded[:n]); !errors.Is(err, ErrMalformed) {
					t.Errorf("%v cut to %d octets: %v", want, n, err)
				}
			}
		}
	}
}

// TestEncodings are written out by hand from RFC 2741 section 5.
func TestEncodings(t *testing.T) {
	for _, test := range []struct {
		name      string
		got, want string
	}{
		{"prefix", string(appendOID(nil, OID{1, 3, 6, 1, 2, 1, 256}, true)), "\x02\x02\x01\x00\x00\x00\x00\x01\x00\x00\x01\x00"},
		{"no prefix", string(appendOID(nil, OID{1, 3, 6, 1}, false)), "\x04\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00\x06\x00\x00\x00\x01"},
		{"null OID", string(appendOID(nil, nil, false)), "\x00\x00\x00\x00"},
		{"octets", string(appendOctets(nil, "hello")), "\x00\x00\x00\x05hello\x00\x00\x00"},
		{"varbind", string(AppendVarbind(nil, OID{1, 3, 6, 1, 2}, Counter64(1<<40+2))), "\x00\x46\x00\x00\x00\x02\x00\x00\x00\x00\x01\x00\x00\x00\x00\x02"},
		{"negative", string(AppendVarbind(nil, OID{1, 3, 6, 1, 2}, Integer(-2))), "\x00\x02\x00\x00\x00\x02\x00\x00\xff\xff\xff\xfe"},
		{"header", string(finishPDU(append(appendHeader(nil, PDUPing, 1, 2, 3), 9, 9, 9, 9), 0)),
			"\x01\x0d\x10\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x09\x09\x09\x09"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %x, want %x", test.name, test.got, test.want)
		}
	}
}

// TestDecodeAgainstGoAgentX decodes what go-agentx encodes. Its TimeTicks lose ticks and are given whole seconds.
func TestDecodeAgainstGoAgentX(t *testing.T) {
	ip := net.IP{192, 0, 2, 9}
	for _, test := range []struct {
		kind  pdu.VariableType
		value any
		want  Value
	}{
		{pdu.VariableTypeInteger, int32(-5), Integer(-5)},
		{pdu.VariableTypeOctetString, "five!", Text("five!")},
		{pdu.VariableTypeNull, nil, Null()},
		{pdu.VariableTypeObjectIdentifier, "1.3.6.1.4.1.5", ObjectIdentifier(OID{1, 3, 6, 1, 4, 1, 5})},
		{pdu.VariableTypeIPAddress, ip, IPAddress([4]byte(ip))},
		{pdu.VariableTypeCounter32, uint32(1<<32 - 1), Counter32(1<<32 - 1)},
		{pdu.VariableTypeGauge32, uint32(6), Gauge32(6)},
		{pdu.VariableTypeTimeTicks, 3 * time.Second, TimeTicks(300)},
		{pdu.VariableTypeOpaque, []byte("\x9f\x78\x04"), Opaque("\x9f\x78\x04")},
		{pdu.VariableTypeCounter64, uint64(1<<63 + 1), Counter64(1<<63 + 1)},
		{pdu.VariableTypeNoSuchObject, nil, NoSuchObject()},
		{pdu.VariableTypeNoSuchInstance, nil, NoSuchInstance()},
		{pdu.VariableTypeEndOfMIBView, nil, EndOfMibView()},
	} {
		for _, oid := range oids {
			var theirs pdu.Variable
			theirs.Set(value.OID(oid), test.kind, test.value)
			b, err := theirs.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			d := decoder{b: b, little: true}
			got := d.varbind()
			if d.bad || len(d.b) > 0 {
				t.Fatalf("%v at %v: bad, or %d octets left", test.kind, oid, len(d.b))
			}
			if diff := cmp.Diff(Varbind{oid, test.want}, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-theirs +ours):\n%s", diff)
			}
		}
	}
}

// TestOIDAgainstGoAgentX has go-agentx decode our OIDs, in the byte order it knows, and compare them.
func TestOIDAgainstGoAgentX(t *testing.T) {
	for _, a := range oids {
		encoded := appendOID(nil, a, true)
		for i := 4; i < len(encoded); i += 4 {
			binary.LittleEndian.PutUint32(encoded[i:], binary.BigEndian.Uint32(encoded[i:]))
		}
		var theirs pdu.ObjectIdentifier
		if err := theirs.UnmarshalBinary(encoded); err != nil {
			t.Fatal(err)
		}
		if got := OID(theirs.GetIdentifier()); got.Compare(a) != 0 || !theirs.GetInclude() {
			t.Errorf("they read %v for %v", got, a)
		}
		for _, b := range oids {
			if theirs, ours := value.CompareOIDs(value.OID(a), value.OID(b)), a.Compare(b); theirs != ours {
				t.Errorf("%v and %v compare as %d, for them as %d", a, b, ours, theirs)
			}
		}
	}
}

func TestHeaderAgainstGoAgentX(t *testing.T) {
	theirs := pdu.Header{Version: 1, Type: pdu.TypeGetNext, SessionID: 1, TransactionID: 2, PacketID: 1 << 31, PayloadLength: 4}
	b, err := theirs.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	want := header{1, PDUGetNext, 0, 1, 2, 1 << 31, 4}
	if got := decodeHeader(b); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestRegisterAgainstGoAgentX(t *testing.T) {
	theirs := pdu.Register{Timeout: pdu.Timeout{Duration: 2 * time.Second, Priority: 99}}
	theirs.Subtree.SetIdentifier(value.OID(testRoot))
	b, err := theirs.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	ours := registerBody(2, 99, testRoot)
	if !bytes.Equal(b[:4], ours[:4]) {
		t.Errorf("theirs %x, ours %x", b[:4], ours[:4])
	}
	d := decoder{b: b[4:], little: true}
	if oid, _ := d.oid(nil); oid.Compare(testRoot) != 0 {
		t.Errorf("they register %v", oid)
	}
}

func TestParseOID(t *testing.T) {
	for _, s := range []string{"1.3.6.1", ".1.3.6.1", "0.0", "1.4294967295"} {
		if o, err := ParseOID(s); err != nil || o.String() != strings.TrimPrefix(s, ".") {
			t.Errorf("%q is %v, %v", s, o, err)
		}
	}
	for _, s := range []string{"", ".", "1..3", "1.-3", "1.4294967296", "iso.3", "1.3 ", strings.Repeat(".1", MaxSubIDs+1)} {
		if o, err := ParseOID(s); err == nil {
			t.Errorf("%q is %v", s, o)
		}
	}
}

func TestOIDPrefix(t *testing.T) {
	o := OID{1, 3, 6}
	if !o.HasPrefix(OID{1, 3}) || !o.HasPrefix(o) || !o.HasPrefix(nil) || o.HasPrefix(OID{1, 3, 6, 1}) || o.HasPrefix(OID{1, 4}) {
		t.Error("HasPrefix")
	}
	spare := append(make(OID, 0, 9), o...)
	if a, b := spare.Append(1), spare.Append(2); a[3] != 1 || b[3] != 2 {
		t.Error("Append shares memory")
	}
}

// TestValueString: as the net-snmp tools print.
func TestValueString(t *testing.T) {
	for _, test := range []struct {
		v    Value
		want string
	}{
		{Integer(-5), "INTEGER: -5"}, {Text("fan"), `STRING: "fan"`}, {Text(`a"b\`), `STRING: "a\"b\\"`}, {Text(""), `""`},
		{Octets([]byte{0, 0xAB}), "Hex-STRING: 00 AB"}, {ObjectIdentifier(OID{1, 3}), "OID: .1.3"},
		{IPAddress([4]byte{192, 0, 2, 1}), "IpAddress: 192.0.2.1"}, {Counter32(3), "Counter32: 3"}, {Gauge32(4), "Gauge32: 4"},
		{TimeTicks(1234), "Timeticks: (1234) 0:00:12.34"}, {TimeTicks(8640000 + 360000), "Timeticks: (9000000) 1 day, 1:00:00.00"},
		{TimeTicks(17280001), "Timeticks: (17280001) 2 days, 0:00:00.01"}, {Counter64(1<<64 - 1), "Counter64: 18446744073709551615"},
	} {
		if got := test.v.String(); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

// FuzzVarbind: a varbind decoded in either byte order is the same after it is encoded and decoded again.
func FuzzVarbind(f *testing.F) {
	for _, v := range samples {
		f.Add(AppendVarbind(nil, testRoot, v), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, little bool) {
		d := decoder{b: b, little: little}
		first := d.varbind()
		if d.bad {
			return
		}
		encoded := AppendVarbind(nil, first.OID, first.Value)
		second, rest, err := decodeVarbind(encoded)
		if err != nil || len(rest) > 0 || !cmp.Equal(first, second, cmpopts.EquateEmpty()) {
			t.Errorf("%x is %v, encoded %x, decoded %v, %v, %d octets left", b, first, encoded, second, err, len(rest))
		}
	})
}

// FuzzRequest: any PDU with an acceptable header has exactly one complete answer with its own ids, of bounded size.
func FuzzRequest(f *testing.F) {
	for _, big := range []bool{false, true} {
		p := &peer{t: nil, session: 5, big: big}
		for kind := range byte(20) {
			f.Add(p.request(PDUType(kind), p.ranges(testRoot, testRoot.Append(2, 3))))
		}
		f.Add(p.request(PDUGetBulk, append([]byte{0, 1, 0, 9}, p.ranges(testRoot, testRoot)...)))
		f.Add(p.request(PDUTestSet, AppendVarbind(nil, testRoot, Text("x"))))
		f.Add(p.encode(PDUGet, flagContext, 5, 9, append([]byte{1, 0, 0, 0, 'x', 0, 0, 0}, p.ranges(testRoot)...)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < headerSize {
			return
		}
		h := decodeHeader(b)
		r := responder{current: testConfig().Current, registered: testConfig().Registrations, out: []byte("before")}
		code := r.answer(h, b[headerSize:], h.session == 5)
		got := r.out[len("before"):]
		if len(got) > headerSize+8+maxResponse {
			t.Fatalf("%d octets", len(got))
		}
		g := decodeHeader(got)
		if g.check() != nil || g.kind != PDUResponse || g.packet != h.packet || g.session != h.session || g.transaction != h.transaction ||
			int(g.length) != len(got)-headerSize {
			t.Fatalf("answer %+v of %d octets to %+v", g, len(got), h)
		}
		a := decodeAnswer(t, pduOf(got))
		if a.Code != code || a.Code != NoError && len(a.Varbinds) > 0 {
			t.Fatalf("%v with %d varbinds, said %v", a.Code, len(a.Varbinds), code)
		}
	})
}

// FuzzStream: a connection survives any octets in any pieces: no panic, no hang, and only complete PDUs are answered.
func FuzzStream(f *testing.F) {
	p := &peer{session: 5}
	f.Add(append(p.request(PDUGet, p.ranges(testRoot)), p.request(PDUGetNext, p.ranges(testRoot))...), uint64(1))
	f.Add(p.request(PDUClose, closeBody(1)), uint64(2))
	f.Add(p.request(PDUResponse, make([]byte, 8)), uint64(3))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		c, err := testConfig().complete()
		if err != nil {
			t.Fatal(err)
		}
		conn := new(sink)
		l := newLink(conn, &c, new(counts))
		l.reply.out = nil // a small one is quicker
		l.opened, l.id = true, 5
		pieces := rand.New(rand.NewPCG(seed, seed))
		for rest := b; len(rest) > 0; {
			n := min(1+pieces.IntN(len(rest)), len(l.in)-l.w)
			if n == 0 {
				t.Fatal("no room to read")
			}
			l.w += copy(l.in[l.w:], rest[:n])
			rest = rest[n:]
			if l.serve() != nil {
				break
			}
		}
		if size := len(l.in); size > headerSize+maxPayload {
			t.Errorf("buffer of %d octets", size)
		}
		for out := conn.Bytes(); len(out) > 0; {
			h := decodeHeader(out)
			decodeAnswer(t, pduOf(out[:headerSize+int(h.length)]))
			out = out[headerSize+int(h.length):]
		}
	})
}

func pduOf(b []byte) receivedPDU { return receivedPDU{decodeHeader(b), b[headerSize:]} }

// A sink is a connection that stores what is written to it.
type sink struct {
	net.Conn
	bytes.Buffer
	writes int
}

func (s *sink) Write(b []byte) (int, error) {
	s.writes++
	return s.Buffer.Write(b)
}

func (s *sink) Read(b []byte) (int, error)       { return s.Buffer.Read(b) }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }

// decodeVarbind reads one variable binding in network byte order and returns what follows it.
func decodeVarbind(b []byte) (Varbind, []byte, error) {
	d := decoder{b: b}
	vb := d.varbind()
	if d.bad {
		return Varbind{}, nil, fmt.Errorf("variable binding: %w", ErrMalformed)
	}
	return vb, d.b, nil
}
