package agentx

import (
	"encoding/binary"
	"slices"
)

// A Handler answers from one immutable view. Its slices may be shared and are not modified.
// It is called by one goroutine. It must not block, and should not allocate, so that requests make no garbage.
type Handler interface {
	// Get returns the encoded value (see [AppendValue]) of the instance oid.
	Get(oid OID) (value []byte, ok bool)
	// Next returns the first instance after oid, or oid itself if include is set and it exists.
	// found can take the memory of into.
	Next(oid OID, include bool, into OID) (found OID, value []byte, ok bool)
}

// A responder answers requests with Responses. It reuses all its memory.
type responder struct {
	current    func() Handler
	inContext  func(string) Handler
	context    string // of the request; "": the default one
	registered []Registration
	objects    []OID  // sorted; empty: any
	out        []byte // Responses not yet written

	request    decoder           // the current payload
	start, end [MaxSubIDs]uint32 // backing of the current range
	found      [MaxSubIDs]uint32 // of what was found in it
	cursors    []cursor
	varbinds   uint64
}

// A cursor is the position of a GetBulk in one of its ranges.
type cursor struct {
	last   OID    // the instance found last; empty before the first
	offset uint32 // of the encoded range in the list of ranges
	ended  bool
}

// maxBulkRanges bounds the memory of one GetBulk; an SNMP message of 64 KiB has fewer varbinds.
const maxBulkRanges = 4096

// answers lists the requests of RFC 2741 section 7.2.3 and 7.2.4 that have a Response.
// Each function appends varbinds to out, and returns an error code and the index of the varbind it concerns.
var answers = [PDUResponse + 1]func(*responder, *decoder) (ErrorCode, int){
	PDUClose:     func(*responder, *decoder) (ErrorCode, int) { return NoError, 0 }, // of the open session it does not get here; of another it is notOpen
	PDUGet:       (*responder).get,
	PDUGetNext:   (*responder).getNext,
	PDUGetBulk:   (*responder).getBulk,
	PDUTestSet:   (*responder).testSet,
	PDUCommitSet: func(*responder, *decoder) (ErrorCode, int) { return CommitFailed, 0 }, // no TestSet ever succeeds
	PDUUndoSet:   func(*responder, *decoder) (ErrorCode, int) { return NoError, 0 },      // nothing was done
}

// answer appends the Response to one request, checked in the order of RFC 2741 section 7.2.2; ours is whether it names the open session.
func (r *responder) answer(h header, payload []byte, ours bool) ErrorCode {
	first := len(r.out)
	r.out = appendHeader(r.out, PDUResponse, h.session, h.transaction, h.packet)
	r.out = append(r.out, 0, 0, 0, 0, 0, 0, 0, 0)
	body := len(r.out)

	code, index := ParseError, 0
	var respond func(*responder, *decoder) (ErrorCode, int)
	if int(h.kind) < len(answers) {
		respond = answers[h.kind]
	}
	d := &r.request
	*d = decoder{b: payload, little: h.flags&flagNetworkOrder == 0}
	r.context = ""
	if h.flags&flagContext != 0 {
		r.context = string(d.octets())
	}
	switch {
	case respond == nil || d.bad:
	case !ours:
		code = NotOpen
	case h.flags&flagContext != 0 && !r.knows(r.context):
		code = UnsupportedContext
	default:
		code, index = respond(r, d)
		if d.bad {
			code, index = ParseError, 0
		}
	}
	if code != NoError {
		r.out = r.out[:body]
	}
	binary.BigEndian.PutUint16(r.out[body-4:], uint16(code))
	binary.BigEndian.PutUint16(r.out[body-2:], uint16(index))
	r.out = finishPDU(r.out, first)
	return code
}

// knows reports whether a subtree is registered in a context.
func (r *responder) knows(context string) bool {
	return slices.ContainsFunc(r.registered, func(reg Registration) bool { return reg.Context == context })
}

func (r *responder) get(d *decoder) (ErrorCode, int) {
	view, first := r.view(), len(r.out)
	for index := 1; len(d.b) > 0; index++ {
		oid, _ := d.oid(r.start[:])
		d.skipOID()
		if d.bad {
			break
		}
		if value, ok := view.Get(oid); ok {
			r.out = appendEncoded(r.out, oid, value)
		} else {
			r.out = AppendVarbind(r.out, oid, r.missing(oid))
		}
		r.varbinds++
		if len(r.out)-first > maxResponse {
			return TooBig, index
		}
	}
	return NoError, 0
}

// missing distinguishes a missing instance from a missing object (RFC 2741 section 7.2.3.1,
// RFC 3416 section 4.2.1).
func (r *responder) missing(oid OID) Value {
	for _, reg := range r.registered {
		if reg.Context == r.context && oid.HasPrefix(reg.Subtree) && r.isObject(oid) {
			return NoSuchInstance()
		}
	}
	return NoSuchObject()
}

// isObject reports whether oid begins with that of an object. None of these begins with
// another.
func (r *responder) isObject(oid OID) bool {
	i, found := slices.BinarySearchFunc(r.objects, oid, OID.Compare)
	return len(r.objects) == 0 || found || i > 0 && oid.HasPrefix(r.objects[i-1])
}

func (r *responder) getNext(d *decoder) (ErrorCode, int) {
	view, first := r.view(), len(r.out)
	for index := 1; len(d.b) > 0; index++ {
		start, include := d.oid(r.start[:])
		end, _ := d.oid(r.end[:])
		if d.bad {
			break
		}
		r.next(view, start, include, end)
		if len(r.out)-first > maxResponse {
			return TooBig, index
		}
	}
	return NoError, 0
}

// next appends the first instance after start and before end, or endOfMibView under the name start.
// A null end is no bound (RFC 2741 section 5.2).
func (r *responder) next(view Handler, start OID, include bool, end OID) (OID, bool) {
	r.varbinds++
	found, value, ok := view.Next(start, include, r.found[:0])
	if !ok || len(end) > 0 && found.Compare(end) >= 0 {
		r.out = AppendVarbind(r.out, start, EndOfMibView())
		return start, false
	}
	r.out = appendEncoded(r.out, found, value)
	return found, true
}

// getBulk stops early when every range has ended or the answer is full, as RFC 2741 section 7.2.3.3 allows.
func (r *responder) getBulk(d *decoder) (ErrorCode, int) {
	nonRepeaters, repetitions := int(d.uint16()), int(d.uint16())
	ranges := d.b
	if code := r.point(d); code != NoError {
		return code, 0
	}
	if d.bad {
		return ParseError, 0
	}
	nonRepeaters = min(nonRepeaters, len(r.cursors))
	view, first := r.view(), len(r.out)
	if !r.step(view, ranges, d.little, r.cursors[:nonRepeaters], first) {
		return TooBig, nonRepeaters
	}
	repeaters := r.cursors[nonRepeaters:]
	for ; repetitions > 0 && !allEnded(repeaters); repetitions-- {
		if !r.step(view, ranges, d.little, repeaters, first) {
			break
		}
	}
	return NoError, 0
}

// point sets one cursor before each range of d.
func (r *responder) point(d *decoder) ErrorCode {
	r.cursors = r.cursors[:0]
	for size := len(d.b); len(d.b) > 0; {
		n := len(r.cursors)
		switch {
		case n == maxBulkRanges:
			return TooBig
		case n == cap(r.cursors):
			r.cursors = slices.Grow(r.cursors, max(64, 7*n)) // rarely, to make little garbage
		}
		r.cursors = r.cursors[:n+1]
		r.cursors[n] = cursor{last: r.cursors[n].last[:0], offset: uint32(size - len(d.b))}
		d.oid(r.start[:])
		d.oid(r.end[:])
	}
	return NoError
}

// step appends the next varbind of each cursor; false means that the answer, which began at first, is full.
func (r *responder) step(view Handler, ranges []byte, little bool, cursors []cursor, first int) bool {
	for i := range cursors {
		c, before := &cursors[i], len(r.out)
		d := decoder{b: ranges[c.offset:], little: little}
		start, include := d.oid(r.start[:])
		end, _ := d.oid(r.end[:])
		if len(c.last) > 0 {
			start, include = c.last, false
		}
		if c.ended {
			r.out = AppendVarbind(r.out, start, EndOfMibView())
		} else if found, ok := r.next(view, start, include, end); ok {
			c.last = append(c.last[:0], found...)
		} else {
			c.ended = true
		}
		if len(r.out)-first > maxResponse {
			r.out = r.out[:before]
			return false
		}
	}
	return true
}

func allEnded(cursors []cursor) bool {
	for _, c := range cursors {
		if !c.ended {
			return false
		}
	}
	return true
}

// testSet refuses the first varbind: nothing is writable.
func (r *responder) testSet(d *decoder) (ErrorCode, int) {
	empty := len(d.b) == 0
	for len(d.b) > 0 {
		d.varbind()
	}
	if empty {
		return NoError, 0
	}
	return NotWritable, 1
}

// view is called once per PDU, so that an answer shows one snapshot.
func (r *responder) view() Handler {
	current := r.current
	if r.context != "" {
		current = func() Handler { return r.inContext(r.context) }
	}
	if h := current(); h != nil {
		return h
	}
	return nothing{}
}

// nothing is the view before the first snapshot.
type nothing struct{}

func (nothing) Get(OID) ([]byte, bool)                  { return nil, false }
func (nothing) Next(OID, bool, OID) (OID, []byte, bool) { return nil, nil, false }
