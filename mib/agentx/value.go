package agentx

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// A Type is the type of a variable binding (RFC 2741 section 5.4).
type Type uint16

// The types of RFC 2741 section 5.4. The last three are exceptions: the reason why there is no value.
const (
	TypeInteger          Type = 2
	TypeOctetString      Type = 4
	TypeNull             Type = 5
	TypeObjectIdentifier Type = 6
	TypeIPAddress        Type = 64
	TypeCounter32        Type = 65
	TypeGauge32          Type = 66
	TypeTimeTicks        Type = 67
	TypeOpaque           Type = 68
	TypeCounter64        Type = 70
	TypeNoSuchObject     Type = 128
	TypeNoSuchInstance   Type = 129
	TypeEndOfMibView     Type = 130
)

// A Value is one SNMP value. Only the field that its Type uses is set.
type Value struct {
	Type   Type
	Number uint64 // Integer (sign-extended from 32 bits), Counter32, Gauge32, TimeTicks (hundredths of a second), Counter64
	Octets string // OctetString, IPAddress (4 octets), Opaque
	OID    OID    // ObjectIdentifier
}

// A Varbind is one variable binding: an instance and its value.
type Varbind struct {
	OID   OID
	Value Value
}

// Integer returns an INTEGER, also used for enumerations and TruthValue.
func Integer(n int32) Value { return Value{Type: TypeInteger, Number: uint64(int64(n))} }

// Text returns an OCTET STRING of the bytes of s, whatever they are.
func Text(s string) Value { return Value{Type: TypeOctetString, Octets: s} }

// Octets returns an OCTET STRING of a copy of b.
func Octets(b []byte) Value { return Value{Type: TypeOctetString, Octets: string(b)} }

// Null returns the NULL of RFC 2741; SNMP reports no value of this type.
func Null() Value { return Value{Type: TypeNull} }

// ObjectIdentifier returns an OBJECT IDENTIFIER.
func ObjectIdentifier(o OID) Value { return Value{Type: TypeObjectIdentifier, OID: o} }

// IPAddress returns an IpAddress, which is IPv4 only.
func IPAddress(a [4]byte) Value { return Value{Type: TypeIPAddress, Octets: string(a[:])} }

// Counter32 returns a Counter32.
func Counter32(n uint32) Value { return Value{Type: TypeCounter32, Number: uint64(n)} }

// Gauge32 returns a Gauge32, which is also Unsigned32.
func Gauge32(n uint32) Value { return Value{Type: TypeGauge32, Number: uint64(n)} }

// TimeTicks returns TimeTicks, in hundredths of a second.
func TimeTicks(n uint32) Value { return Value{Type: TypeTimeTicks, Number: uint64(n)} }

// Opaque returns an Opaque of the bytes of s.
func Opaque(s string) Value { return Value{Type: TypeOpaque, Octets: s} }

// Counter64 returns a Counter64.
func Counter64(n uint64) Value { return Value{Type: TypeCounter64, Number: n} }

// NoSuchObject returns the exception noSuchObject of RFC 3416 section 3.
func NoSuchObject() Value { return Value{Type: TypeNoSuchObject} }

// NoSuchInstance returns the exception noSuchInstance of RFC 3416 section 3.
func NoSuchInstance() Value { return Value{Type: TypeNoSuchInstance} }

// EndOfMibView returns the exception endOfMibView of RFC 3416 section 3.
func EndOfMibView() Value { return Value{Type: TypeEndOfMibView} }

// Valid reports whether v can be the value of an instance: its type is known and no exception, and its length is right.
func (v Value) Valid() bool {
	switch v.Type {
	case TypeInteger, TypeOctetString, TypeNull, TypeCounter32, TypeGauge32, TypeTimeTicks, TypeOpaque, TypeCounter64:
		return true
	case TypeObjectIdentifier:
		return len(v.OID) <= MaxSubIDs
	case TypeIPAddress:
		return len(v.Octets) == 4
	default:
		return false
	}
}

// Int returns the number of an Integer.
func (v Value) Int() int32 { return int32(v.Number) }

// String returns v as the net-snmp tools print it with -On and no MIB loaded.
func (v Value) String() string {
	switch v.Type {
	case TypeInteger:
		return fmt.Sprintf("INTEGER: %d", v.Int())
	case TypeOctetString:
		return octetText(v.Octets)
	case TypeNull:
		return "NULL"
	case TypeObjectIdentifier:
		return "OID: ." + v.OID.String()
	case TypeIPAddress:
		a, _ := netip.AddrFromSlice([]byte(v.Octets))
		return "IpAddress: " + a.String()
	case TypeCounter32:
		return fmt.Sprintf("Counter32: %d", v.Number)
	case TypeGauge32:
		return fmt.Sprintf("Gauge32: %d", v.Number)
	case TypeTimeTicks:
		return fmt.Sprintf("Timeticks: (%d) %s", v.Number, ticksText(v.Number))
	case TypeOpaque:
		return "OPAQUE: " + hexText(v.Octets)
	case TypeCounter64:
		return fmt.Sprintf("Counter64: %d", v.Number)
	case TypeNoSuchObject:
		return "No Such Object available on this agent at this OID"
	case TypeNoSuchInstance:
		return "No Such Instance currently exists at this OID"
	case TypeEndOfMibView:
		return "No more variables left in this MIB View (It is past the end of the MIB tree)"
	}
	return fmt.Sprintf("type %d", v.Type)
}

func octetText(s string) string {
	if s == "" {
		return `""`
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) && !unicode.IsSpace(r) }) {
		return "Hex-STRING: " + hexText(s)
	}
	return `STRING: "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func hexText(s string) string {
	pairs := make([]string, len(s))
	for i := range pairs {
		pairs[i] = strings.ToUpper(hex.EncodeToString([]byte{s[i]}))
	}
	return strings.Join(pairs, " ")
}

func ticksText(n uint64) string {
	const second, minute, hour, day = 100, 100 * 60, 100 * 3600, 100 * 86400
	clock := fmt.Sprintf("%d:%02d:%02d.%02d", n%day/hour, n%hour/minute, n%minute/second, n%second)
	switch n / day {
	case 0:
		return clock
	case 1:
		return "1 day, " + clock
	}
	return fmt.Sprintf("%d days, %s", n/day, clock)
}
