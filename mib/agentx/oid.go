package agentx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxSubIDs is the greatest number of sub-identifiers in an OID (RFC 2741 section 2.1.1, RFC 2578 section 3.5).
const MaxSubIDs = 128

// An OID is an object identifier. The empty OID is the null OID of RFC 2741 section 5.1.
type OID []uint32

// ParseOID reads dotted decimal such as "1.3.6.1.4.1.12383", with or without a leading dot.
func ParseOID(s string) (OID, error) {
	parts := strings.Split(strings.TrimPrefix(s, "."), ".")
	if len(parts) > MaxSubIDs {
		return nil, fmt.Errorf("OID %.40q...: more than %d sub-identifiers", s, MaxSubIDs)
	}
	o := make(OID, len(parts))
	for i, part := range parts {
		id, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("OID %.80q: sub-identifier %q is not a number below 2^32", s, part)
		}
		o[i] = uint32(id)
	}
	return o, nil
}

// String returns o in dotted decimal without a leading dot.
func (o OID) String() string {
	var b []byte
	for i, id := range o {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(id), 10)
	}
	return string(b)
}

// Compare returns -1, 0 or 1 if o is before, equal to or after p in lexicographic order.
func (o OID) Compare(p OID) int { return slices.Compare(o, p) }

// HasPrefix reports whether o is p or below it.
func (o OID) HasPrefix(p OID) bool { return len(o) >= len(p) && slices.Equal(o[:len(p)], p) }

// Append returns a new OID with ids added.
func (o OID) Append(ids ...uint32) OID { return slices.Concat(o, ids) }
