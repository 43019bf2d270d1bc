package agentx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	readSize   = 16 << 10                                      // octets of the read buffer until a PDU needs more
	flushSize  = 32 << 10                                      // octets of answers after which a batch is written before it is complete
	batchSize  = flushSize + headerSize + maxResponse + 64<<10 // most octets of answers, including the varbind that exceeds the limit
	goodbye    = 250 * time.Millisecond
	retryFirst = 500 * time.Millisecond // after a refused registration, doubling
	retryLast  = 30 * time.Second
)

var (
	errSilent  = errors.New("master does not answer")
	errStalled = errors.New("master does not complete a PDU it has begun")
	errClosed  = errors.New("master closed the session")
)

// A link is one connection and its session. run and what it calls belong to one goroutine;
// the fields below writing are shared with Notify and Stats.
type link struct {
	conn   net.Conn
	config *Config
	counts *counts
	onOpen func()
	reply  responder
	done   chan struct{} // closed once the connection has ended

	in   []byte // what was read and not yet answered is in[r:w]
	r, w int

	pingAt, retryAt, stalledAt time.Time // zero: not due
	retryDelay                 time.Duration
	toRegister                 []int     // those that were not asked for
	refused                    bool      // one of those that were asked for was refused
	deadline                   time.Time // the read deadline in force
	since                      time.Time // set before onOpen
	complained                 []bool    // per registration
	id                         uint32    // of the session; set before onOpen
	opened                     bool

	writing    chan struct{} // is sent to by whoever writes: it orders packets, guards writeUntil, and is held while the master does not read
	writeUntil time.Time

	mu      sync.Mutex // is never held for long
	packet  uint32
	pending map[uint32]request
	granted []bool // per registration
}

// A request is one of ours that awaits its Response.
type request struct {
	kind   PDUType
	expiry time.Time // zero: the sender times out by itself
	answer func(response) error
}

func newLink(conn net.Conn, c *Config, n *counts) *link {
	return &link{
		conn:       conn,
		config:     c,
		counts:     n,
		reply:      responder{current: c.Current, inContext: c.InContext, registered: c.Registrations, objects: c.Objects, out: make([]byte, 0, batchSize)},
		done:       make(chan struct{}),
		writing:    make(chan struct{}, 1),
		in:         make([]byte, readSize),
		pending:    make(map[uint32]request),
		granted:    make([]bool, len(c.Registrations)),
		complained: make([]bool, len(c.Registrations)),
	}
}

// run opens the session and serves until the connection or ctx ends. Only ctx makes it return nil.
func (l *link) run(ctx context.Context) error {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		l.conn.SetWriteDeadline(time.Now().Add(goodbye))
		l.conn.SetReadDeadline(time.Unix(1, 0))
		close(woken)
	})
	defer stop()
	err := l.send(PDUOpen, openBody(byte(l.config.Timeout/time.Second), l.config.ID, l.config.Description), l.openAnswered)
	for err == nil {
		err = l.turn(ctx)
	}
	switch {
	case ctx.Err() != nil:
		if !stop() {
			<-woken // otherwise it would interrupt the Close
		}
		l.leave()
		return nil
	case errors.Is(err, ErrMalformed):
		_ = l.send(PDUClose, closeBody(reasonParseError), ignore)
	case errors.Is(err, errSilent), errors.Is(err, errStalled):
		_ = l.send(PDUClose, closeBody(reasonTimeouts), ignore)
	}
	return err
}

// turn reads once, answers all whole PDUs that have arrived, and writes the answers at once.
func (l *link) turn(ctx context.Context) error {
	if due := l.due(); due != l.deadline {
		l.deadline = due
		if err := l.conn.SetReadDeadline(due); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil { // after the deadline is set, which may have undone that of the AfterFunc
		return err
	}
	n, err := l.conn.Read(l.in[l.w:])
	l.w += n
	if n > 0 {
		if err := l.serve(); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return l.tick(time.Now())
	case errors.Is(err, io.EOF):
		return errClosed
	case err != nil:
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

// serve answers every complete PDU in the buffer and makes room for the next.
func (l *link) serve() error {
	for l.w-l.r >= headerSize {
		h := decodeHeader(l.in[l.r:])
		if err := h.check(); err != nil {
			l.flush()
			return err
		}
		size := headerSize + int(h.length)
		if l.w-l.r < size {
			l.makeRoom(size)
			break
		}
		payload := l.in[l.r+headerSize : l.r+size]
		l.r += size
		l.stalledAt = time.Time{}
		if err := l.handle(h, payload); err != nil {
			l.flush()
			return err
		}
		if len(l.reply.out) > flushSize {
			if err := l.flush(); err != nil {
				return err
			}
		}
	}
	l.compact()
	return l.flush()
}

// makeRoom makes the buffer large enough for a PDU of size octets, which header.check has bounded.
func (l *link) makeRoom(size int) {
	if size <= len(l.in) {
		return
	}
	in := make([]byte, size)
	l.w = copy(in, l.in[l.r:l.w])
	l.in, l.r = in, 0
}

// compact moves the beginning of a PDU to the front, and stores since when it is incomplete.
func (l *link) compact() {
	if l.r == l.w {
		l.r, l.w = 0, 0
		return
	}
	if l.r > 0 {
		l.w = copy(l.in, l.in[l.r:l.w])
		l.r = 0
	}
	if l.stalledAt.IsZero() {
		l.stalledAt = time.Now().Add(l.config.limit())
	}
}

func (l *link) handle(h header, payload []byte) error {
	l.counts.requests[h.kind].Add(1)
	switch h.kind {
	case PDUResponse:
		return l.answered(h, payload)
	case PDUCleanupSet:
		return nil // has no Response (RFC 2741 section 7.2.4.4)
	case PDUClose:
		if l.opened && h.session == l.id {
			return errClosed
		}
	default:
	}
	before := l.reply.varbinds
	if l.reply.answer(h, payload, l.opened && h.session == l.id) != NoError {
		l.counts.errors.Add(1)
	}
	l.counts.varbinds.Add(l.reply.varbinds - before)
	return nil
}

// answered matches a Response with our request. One that cannot be read or matched is dropped (RFC 2741 section 7.2.2).
func (l *link) answered(h header, payload []byte) error {
	l.mu.Lock()
	req, ok := l.pending[h.packet]
	res, whole := decodeResponse(payload, h.flags&flagNetworkOrder == 0)
	if ok && whole {
		delete(l.pending, h.packet)
	}
	l.mu.Unlock()
	if !ok || !whole {
		return nil
	}
	if req.kind == PDUOpen && res.code == NoError {
		l.id = h.session
	}
	return req.answer(res)
}

func (l *link) flush() error {
	if len(l.reply.out) == 0 {
		return nil
	}
	l.writing <- struct{}{}
	err := l.write(l.reply.out)
	<-l.writing
	l.reply.out = l.reply.out[:0]
	return err
}

// write sends b whole; writing is held. A deadline is renewed only when half of it has passed.
func (l *link) write(b []byte) error {
	limit := l.config.limit()
	if now := time.Now(); l.writeUntil.Sub(now) < limit {
		l.writeUntil = now.Add(2 * limit)
		if err := l.conn.SetWriteDeadline(l.writeUntil); err != nil {
			return err
		}
	}
	if _, err := l.conn.Write(b); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// send writes a request of ours; answer is called with its Response by the goroutine of run.
func (l *link) send(kind PDUType, body []byte, answer func(response) error) error {
	return l.sendIn("", kind, body, answer)
}

// sendIn is send in a context.
func (l *link) sendIn(context string, kind PDUType, body []byte, answer func(response) error) error {
	l.writing <- struct{}{}
	defer func() { <-l.writing }()
	_, err := l.request(context, body, request{kind, time.Now().Add(l.config.limit()), answer})
	return err
}

// request writes a request of ours; writing is held.
func (l *link) request(context string, body []byte, req request) (packet uint32, err error) {
	packet = l.await(req)
	pdu := appendHeader(make([]byte, 0, headerSize+len(body)), req.kind, l.id, packet, packet)
	if context != "" {
		pdu[2] |= flagContext
		pdu = appendOctets(pdu, context)
	}
	return packet, l.write(finishPDU(append(pdu, body...), 0))
}

// await numbers a request, whose Response can come from now on.
func (l *link) await(req request) (packet uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.packet++
	l.pending[l.packet] = req
	return l.packet
}

// forget removes a request whose sender no longer waits.
func (l *link) forget(packet uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pending, packet)
}

// due returns the earliest time at which tick has something to do; zero means never.
func (l *link) due() time.Time {
	earliest := l.pingAt
	for _, t := range []time.Time{l.retryAt, l.stalledAt} {
		earliest = earlier(earliest, t)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, req := range l.pending {
		earliest = earlier(earliest, req.expiry)
	}
	return earliest
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// tick does what is due.
func (l *link) tick(now time.Time) error {
	if reached(l.stalledAt, now) {
		return errStalled
	}
	if kind, ok := l.overdue(now); ok {
		return fmt.Errorf("%v: %w", kind, errSilent)
	}
	if reached(l.pingAt, now) {
		l.pingAt = now.Add(l.config.PingInterval)
		if err := l.send(PDUPing, nil, l.pingAnswered); err != nil {
			return err
		}
	}
	if reached(l.retryAt, now) {
		l.retryAt = time.Time{}
		return l.register()
	}
	return nil
}

func (l *link) overdue(now time.Time) (PDUType, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, req := range l.pending {
		if reached(req.expiry, now) {
			return req.kind, true
		}
	}
	return 0, false
}

func reached(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }
