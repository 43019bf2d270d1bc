package agentx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// ErrMalformed is the cause of every decoding error: the bytes are not what RFC 2741 section 5 describes.
var ErrMalformed = errors.New("malformed AgentX encoding")

// AppendVarbind appends the encoding of one variable binding (RFC 2741 section 5.4) to dst, in network byte order.
func AppendVarbind(dst []byte, oid OID, v Value) []byte {
	return appendData(appendOID(appendType(dst, v), oid, false), v)
}

// AppendValue appends a value as a variable binding has it, without the OID in the middle.
func AppendValue(dst []byte, v Value) []byte { return appendData(appendType(dst, v), v) }

// typeSize is the length of the type and the reserved octets before the OID.
const typeSize = 4

// appendEncoded appends the variable binding of a value that AppendValue encoded.
func appendEncoded(dst []byte, oid OID, value []byte) []byte {
	return append(appendOID(append(dst, value[:typeSize]...), oid, false), value[typeSize:]...)
}

func appendType(dst []byte, v Value) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(v.Type)), 0, 0)
}

func appendData(dst []byte, v Value) []byte {
	switch v.Type {
	case TypeInteger, TypeCounter32, TypeGauge32, TypeTimeTicks:
		return binary.BigEndian.AppendUint32(dst, uint32(v.Number))
	case TypeCounter64:
		return binary.BigEndian.AppendUint64(dst, v.Number)
	case TypeOctetString, TypeIPAddress, TypeOpaque:
		return appendOctets(dst, v.Octets)
	case TypeObjectIdentifier:
		return appendOID(dst, v.OID, false)
	default: // no value follows
		return dst
	}
}

// DecodeValue reads a value that AppendValue encoded.
func DecodeValue(b []byte) (Value, error) {
	d := decoder{b: b}
	t := Type(d.uint16())
	d.take(typeSize - 2)
	v := d.value(t)
	if d.bad || len(d.b) > 0 {
		return Value{}, fmt.Errorf("value: %w", ErrMalformed)
	}
	return v, nil
}

// appendOID encodes an OID as RFC 2741 section 5.1 does, 1.3.6.1.n folded into the prefix octet.
func appendOID(dst []byte, o OID, include bool) []byte {
	var prefix byte
	if len(o) > 4 && o[0] == 1 && o[1] == 3 && o[2] == 6 && o[3] == 1 && o[4] > 0 && o[4] < 256 {
		prefix = byte(o[4])
		o = o[5:]
	}
	var flag byte
	if include {
		flag = 1
	}
	dst = append(dst, byte(len(o)), prefix, flag, 0)
	at := len(dst)
	dst = slices.Grow(dst, 4*len(o))[:at+4*len(o)]
	for i, id := range o {
		binary.BigEndian.PutUint32(dst[at+4*i:], id)
	}
	return dst
}

// appendOctets encodes an octet string, padded to four octets (RFC 2741 section 5.3).
func appendOctets(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	dst = append(dst, s...)
	return append(dst, "\x00\x00\x00"[:-len(s)&3]...)
}

// A decoder takes values off the front of b. Once bad it stays bad and yields zeros.
type decoder struct {
	b      []byte
	little bool // the PDU lacks NETWORK_BYTE_ORDER
	bad    bool
}

func (d *decoder) take(n int) []byte {
	if n > len(d.b) {
		d.bad, d.b = true, nil
		return nil
	}
	taken := d.b[:n]
	d.b = d.b[n:]
	return taken
}

func (d *decoder) uint16() uint16 {
	b := d.take(2)
	switch {
	case b == nil:
		return 0
	case d.little:
		return binary.LittleEndian.Uint16(b)
	}
	return binary.BigEndian.Uint16(b)
}

func (d *decoder) uint32() uint32 {
	b := d.take(4)
	switch {
	case b == nil:
		return 0
	case d.little:
		return binary.LittleEndian.Uint32(b)
	}
	return binary.BigEndian.Uint32(b)
}

func (d *decoder) uint64() uint64 {
	b := d.take(8)
	switch {
	case b == nil:
		return 0
	case d.little:
		return binary.LittleEndian.Uint64(b)
	}
	return binary.BigEndian.Uint64(b)
}

// oid decodes an OID into dst[:0] and returns whether its include octet is set.
func (d *decoder) oid(dst OID) (o OID, include bool) {
	head := d.take(4)
	if head == nil {
		return dst[:0], false
	}
	count, prefix := int(head[0]), head[1]
	ids := d.take(4 * count)
	o = dst[:0]
	if prefix != 0 {
		o = append(o, 1, 3, 6, 1, uint32(prefix))
	}
	if d.bad || len(o)+count > MaxSubIDs {
		d.bad = true
		return dst[:0], false
	}
	if d.little {
		for i := 0; i < len(ids); i += 4 {
			o = append(o, binary.LittleEndian.Uint32(ids[i:]))
		}
	} else {
		for i := 0; i < len(ids); i += 4 {
			o = append(o, binary.BigEndian.Uint32(ids[i:]))
		}
	}
	return o, head[2] != 0
}

// skipOID skips an OID whose value is not needed.
func (d *decoder) skipOID() {
	head := d.take(4)
	if head != nil {
		d.take(4 * int(head[0]))
	}
}

func (d *decoder) octets() []byte {
	n := d.uint32()
	if n > uint32(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	s := d.take(int(n))
	d.take(int(-n & 3))
	return s
}

func (d *decoder) varbind() Varbind {
	t := Type(d.uint16())
	d.take(typeSize - 2)
	oid, _ := d.oid(nil)
	return Varbind{oid, d.value(t)}
}

// value reads what follows the OID of a variable binding.
func (d *decoder) value(t Type) Value {
	v := Value{Type: t}
	switch v.Type {
	case TypeInteger:
		v.Number = uint64(int64(int32(d.uint32())))
	case TypeCounter32, TypeGauge32, TypeTimeTicks:
		v.Number = uint64(d.uint32())
	case TypeCounter64:
		v.Number = d.uint64()
	case TypeOctetString, TypeOpaque:
		v.Octets = string(d.octets())
	case TypeIPAddress:
		v.Octets = string(d.octets())
		d.bad = d.bad || len(v.Octets) != 4
	case TypeObjectIdentifier:
		v.OID, _ = d.oid(nil)
	case TypeNull, TypeNoSuchObject, TypeNoSuchInstance, TypeEndOfMibView:
	default:
		d.bad = true
	}
	return v
}
