package agentx

import (
	"encoding/binary"
	"fmt"
)

// A PDUType is the type octet of an AgentX PDU (RFC 2741 section 6.1).
type PDUType byte

// The PDUs a subagent sends or answers.
const (
	PDUOpen            PDUType = 1
	PDUClose           PDUType = 2
	PDURegister        PDUType = 3
	PDUUnregister      PDUType = 4
	PDUGet             PDUType = 5
	PDUGetNext         PDUType = 6
	PDUGetBulk         PDUType = 7
	PDUTestSet         PDUType = 8
	PDUCommitSet       PDUType = 9
	PDUUndoSet         PDUType = 10
	PDUCleanupSet      PDUType = 11
	PDUNotify          PDUType = 12
	PDUPing            PDUType = 13
	PDUAddAgentCaps    PDUType = 16
	PDURemoveAgentCaps PDUType = 17
	PDUResponse        PDUType = 18
)

var pduNames = map[PDUType]string{
	PDUOpen: "Open", PDUClose: "Close", PDURegister: "Register", PDUUnregister: "Unregister", PDUGet: "Get",
	PDUGetNext: "GetNext", PDUGetBulk: "GetBulk", PDUTestSet: "TestSet", PDUCommitSet: "CommitSet", PDUUndoSet: "UndoSet",
	PDUCleanupSet: "CleanupSet", PDUNotify: "Notify", PDUPing: "Ping", PDUAddAgentCaps: "AddAgentCaps",
	PDURemoveAgentCaps: "RemoveAgentCaps", PDUResponse: "Response",
}

// String returns the name as in RFC 2741, such as "GetNext".
func (t PDUType) String() string {
	if name, ok := pduNames[t]; ok {
		return name
	}
	return fmt.Sprintf("type %d", byte(t))
}

// An ErrorCode is res.error of a Response (RFC 2741 section 6.2.16).
type ErrorCode uint16

// SNMP errors (below 256) and AgentX errors.
const (
	NoError               ErrorCode = 0
	TooBig                ErrorCode = 1
	GenErr                ErrorCode = 5
	CommitFailed          ErrorCode = 14
	NotWritable           ErrorCode = 17
	OpenFailed            ErrorCode = 256
	NotOpen               ErrorCode = 257
	UnsupportedContext    ErrorCode = 262
	DuplicateRegistration ErrorCode = 263
	UnknownRegistration   ErrorCode = 264
	UnknownAgentCaps      ErrorCode = 265
	ParseError            ErrorCode = 266
	RequestDenied         ErrorCode = 267
	ProcessingError       ErrorCode = 268
)

var errorNames = map[ErrorCode]string{
	NoError: "noError", TooBig: "tooBig", GenErr: "genErr", CommitFailed: "commitFailed", NotWritable: "notWritable",
	OpenFailed: "openFailed", NotOpen: "notOpen", UnsupportedContext: "unsupportedContext",
	DuplicateRegistration: "duplicateRegistration", UnknownRegistration: "unknownRegistration",
	UnknownAgentCaps: "unknownAgentCaps", ParseError: "parseError", RequestDenied: "requestDenied", ProcessingError: "processingError",
}

// String returns the name as in RFC 2741, such as "duplicateRegistration".
func (c ErrorCode) String() string {
	if name, ok := errorNames[c]; ok {
		return name
	}
	return fmt.Sprintf("error %d", uint16(c))
}

// A RefusedError is a request of ours that the master answered with an error.
type RefusedError struct {
	Request PDUType
	Code    ErrorCode
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("master refuses %v: %v", e.Request, e.Code)
}

// Flags of the header (RFC 2741 section 6.1).
const (
	flagContext      = 0x08 // NON_DEFAULT_CONTEXT
	flagNetworkOrder = 0x10 // NETWORK_BYTE_ORDER
)

// Reasons of a Close (RFC 2741 section 6.2.2).
const (
	reasonParseError = 2
	reasonTimeouts   = 4
	reasonShutdown   = 5
)

const (
	headerSize  = 20
	maxPayload  = 256 << 10 // octets of payload accepted; snmpd's largest requests are some tens of thousands
	maxResponse = 128 << 10 // octets of payload in one answer; an SNMP message has at most 64 KiB
)

// A header is the fixed part of every PDU (RFC 2741 section 6.1).
type header struct {
	version     byte
	kind        PDUType
	flags       byte
	session     uint32
	transaction uint32
	packet      uint32
	length      uint32 // octets of payload
}

func decodeHeader(b []byte) header {
	d := decoder{b: b[4:headerSize], little: b[2]&flagNetworkOrder == 0}
	return header{b[0], PDUType(b[1]), b[2], d.uint32(), d.uint32(), d.uint32(), d.uint32()}
}

// check returns an error if nothing on the connection can be trusted after this header.
func (h header) check() error {
	switch {
	case h.version != 1:
		return fmt.Errorf("version %d: %w", h.version, ErrMalformed)
	case h.length > maxPayload:
		return fmt.Errorf("payload of %d octets, at most %d are accepted: %w", h.length, maxPayload, ErrMalformed)
	case h.length%4 != 0:
		return fmt.Errorf("payload of %d octets is no multiple of four: %w", h.length, ErrMalformed)
	}
	return nil
}

// appendHeader begins a PDU of ours; finishPDU sets its length.
func appendHeader(dst []byte, kind PDUType, session, transaction, packet uint32) []byte {
	dst = append(dst, 1, byte(kind), flagNetworkOrder, 0)
	dst = binary.BigEndian.AppendUint32(dst, session)
	dst = binary.BigEndian.AppendUint32(dst, transaction)
	dst = binary.BigEndian.AppendUint32(dst, packet)
	return append(dst, 0, 0, 0, 0)
}

// finishPDU sets the length of the PDU that begins at start and ends with b.
func finishPDU(b []byte, start int) []byte {
	binary.BigEndian.PutUint32(b[start+16:], uint32(len(b)-start-headerSize))
	return b
}

// The bodies of the PDUs a subagent sends (RFC 2741 section 6.2).

func openBody(timeout byte, id OID, description string) []byte {
	return appendOctets(appendOID([]byte{timeout, 0, 0, 0}, id, false), description)
}

func closeBody(reason byte) []byte { return []byte{reason, 0, 0, 0} }

func registerBody(timeout, priority byte, subtree OID) []byte {
	return appendOID([]byte{timeout, priority, 0, 0}, subtree, false)
}

func unregisterBody(priority byte, subtree OID) []byte {
	return appendOID([]byte{0, priority, 0, 0}, subtree, false)
}

func addCapsBody(id OID, description string) []byte {
	return appendOctets(appendOID(nil, id, false), description)
}

func removeCapsBody(id OID) []byte { return appendOID(nil, id, false) }

func notifyBody(varbinds []Varbind) []byte {
	var b []byte
	for _, vb := range varbinds {
		b = AppendVarbind(b, vb.OID, vb.Value)
	}
	return b
}

// A response is the fixed part of a Response (RFC 2741 section 6.2.16).
type response struct {
	upTime uint32 // hundredths of a second
	code   ErrorCode
	index  uint16 // the varbind that failed, from 1
}

func decodeResponse(payload []byte, little bool) (r response, ok bool) {
	d := decoder{b: payload, little: little}
	r = response{d.uint32(), ErrorCode(d.uint16()), d.uint16()}
	return r, !d.bad
}
