package syslog

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Listener receives the logs that appliances forward: over UDP, one message per
// datagram, and over TCP and TLS, framed by newlines or by octet counts (RFC 6587).
// Its memory is bounded: lines of unknown peers, lines that come too fast, or while
// the queue is full, are dropped and counted.
type Listener struct {
	UDP, TCP, TLS string      // addresses to listen on, host:port; "": none
	TLSConfig     *tls.Config // with a certificate, for TLS
	// May returns whose lines a peer may send; empty: nobody's, it is unknown.
	May func(Peer) []Speaker
	// Known returns the addresses of all peers that may send lines.
	Known func() []netip.Addr
	Rate  float64 // lines per second of one peer, and of one device; bursts may be ten times as many
	Log   *slog.Logger

	Opened func() // called once every address is open; nil: nothing is

	Counts Counts

	queue    chan Received
	ingress  ingress
	refusals refusals
}

// A Peer is who sends lines.
type Peer struct {
	Address  netip.Addr
	Listener string   // udp, tcp, tls
	Names    []string // of its certificate, which is verified; nil: it showed none
}

// String returns "192.0.2.7 (udp)".
func (p Peer) String() string { return fmt.Sprintf("%s (%s)", p.Address, p.Listener) }

// A Speaker is a device whose lines a peer may send.
type Speaker struct {
	Device string
	Hosts  []string // the host name in its lines must be one of these; nil: any
}

// Received is one line, and who sent it.
type Received struct {
	hsm.LogLine
	Device string
	Peer   Peer
}

// Counts are numbers of lines since the start. TooLong ones are cut, not dropped.
type Counts struct {
	Received    atomic.Uint64 // all that were read
	Unknown     atomic.Uint64 // dropped: of an unknown peer, or of one that may not send lines of their host
	TooFast     atomic.Uint64 // dropped: above the rate of their peer or device
	QueueFull   atomic.Uint64 // dropped: the queue was full
	TooLong     atomic.Uint64 // cut
	Connections atomic.Uint64 // refused: too many at a time

	port atomic.Uint64 // of UDP; 0: none
}

// Kernel returns how many datagrams the kernel dropped because they arrived faster
// than they were read; 0 also if that is unknown.
func (c *Counts) Kernel() (dropped uint64) {
	port := fmt.Sprintf(":%04X", c.port.Load())
	for _, file := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line) // sl, local address, ..., drops
			if len(f) < 13 || !strings.HasSuffix(f[1], port) {
				continue
			}
			n, _ := strconv.ParseUint(f[len(f)-1], 10, 64)
			dropped += n
		}
	}
	return dropped
}

const (
	queueLines    = 10000
	batchLines    = 500
	maxMessage    = 8 << 10 // bytes; longer messages are cut
	maxClients    = 200     // connections at a time
	maxOfPeer     = 20      // connections at a time of one address
	receiveBuffer = 4 << 20 // bytes of datagrams that wait in the kernel
	idleTimeout   = 10 * time.Minute
	shakeTimeout  = 10 * time.Second // for a TLS handshake
	acceptRetry   = time.Second      // at most, after a failure to accept
)

// Run listens until ctx is done. It passes lines to deliver in their order, and
// repeats that while deliver returns an error. It returns an error if it cannot
// listen on an address.
func (s *Listener) Run(ctx context.Context, deliver func([]Received) error) error {
	s.queue = make(chan Received, queueLines)
	s.ingress.init(s.Rate)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	if err := s.listen(ctx, g); err != nil {
		cancel()
		_ = g.Wait()
		return fmt.Errorf("syslog: %w; a port below 1024 needs CAP_NET_BIND_SERVICE", err)
	}
	if s.Opened != nil {
		s.Opened()
	}
	g.Go(func() error { return s.deliver(ctx, deliver) })
	return g.Wait()
}

// listen opens every address and serves it in g.
func (s *Listener) listen(ctx context.Context, g *errgroup.Group) error {
	if s.UDP != "" {
		conn, err := net.ListenPacket("udp", s.UDP)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { conn.Close() })
		if u, ok := conn.(*net.UDPConn); ok {
			_ = u.SetReadBuffer(receiveBuffer) // the kernel may grant less
		}
		s.Counts.port.Store(uint64(conn.LocalAddr().(*net.UDPAddr).Port))
		g.Go(func() error { return s.datagrams(ctx, conn) })
	}
	for _, l := range []struct {
		name, address string
		config        *tls.Config
	}{{"tcp", s.TCP, nil}, {"tls", s.TLS, s.TLSConfig}} {
		if l.address == "" {
			continue
		}
		listener, err := net.Listen("tcp", l.address)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { listener.Close() })
		g.Go(func() error { return s.connections(ctx, listener, l.name, l.config) })
	}
	return nil
}

func (s *Listener) datagrams(ctx context.Context, conn net.PacketConn) error {
	buffer := make([]byte, maxMessage+1)
	flood := newFlood(conn, s.Known)
	for failures := 0; ; {
		_ = conn.SetReadDeadline(time.Now().Add(floodFor / 4))
		n, from, err := conn.ReadFrom(buffer)
		flood.tick(time.Now())
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue
		case err != nil:
			if failures++; failures == 1 {
				s.Log.Warn("syslog datagrams not read; trying again", "err", err)
			}
			wait.Sleep(ctx, wait.Backoff(failures, 10*time.Millisecond, acceptRetry))
			continue
		case n > maxMessage:
			s.Counts.TooLong.Add(1)
			n = maxMessage
		}
		failures = 0
		peer := Peer{Address: from.(*net.UDPAddr).AddrPort().Addr().Unmap(), Listener: "udp"}
		may := s.May(peer)
		if len(may) == 0 {
			flood.stranger(time.Now())
		}
		s.take(peer, may, string(buffer[:n]))
	}
}

// connections accepts connections. A stranger's is closed before anything is read,
// unless its certificate may tell who it is.
func (s *Listener) connections(ctx context.Context, l net.Listener, name string, config *tls.Config) error {
	for failures := 0; ; {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil { // such as no descriptor left
			if failures++; failures == 1 {
				s.Log.Warn("syslog connections not accepted; trying again", "err", err)
			}
			wait.Sleep(ctx, wait.Backoff(failures, 10*time.Millisecond, acceptRetry))
			continue
		}
		failures = 0
		peer := Peer{Address: conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap(), Listener: name}
		byName := config != nil && config.ClientAuth == tls.RequireAndVerifyClientCert
		switch {
		case !byName && len(s.May(peer)) == 0:
			s.Counts.Unknown.Add(1)
			s.refusals.add(RefusedUnknown, "", peer)
			conn.Close()
			continue
		case !s.ingress.connect(peer.Address):
			s.Counts.Connections.Add(1)
			s.refusals.add(RefusedConnection, "", peer)
			conn.Close()
			continue
		}
		go func() {
			defer s.ingress.disconnect(peer.Address)
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			if err := s.serve(ctx, conn, peer, config); err != nil && ctx.Err() == nil {
				s.Log.Info("syslog connection ended", "from", peer, "err", err)
			}
		}()
	}
}

// serve reads one connection until it ends.
func (s *Listener) serve(ctx context.Context, conn net.Conn, peer Peer, config *tls.Config) error {
	if config != nil {
		secure := tls.Server(conn, config)
		shaking, cancel := context.WithTimeout(ctx, shakeTimeout)
		defer cancel()
		if err := secure.HandshakeContext(shaking); err != nil {
			s.refusals.add(RefusedUnknown, "", peer)
			return err
		}
		peer.Names = certificateNames(secure.ConnectionState())
		conn = secure
	}
	return s.stream(conn, peer)
}

// certificateNames returns the names in the verified certificate of a client.
func certificateNames(state tls.ConnectionState) (names []string) {
	if len(state.VerifiedChains) == 0 {
		return nil
	}
	c := state.PeerCertificates[0]
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return append(append(names, c.DNSNames...), c.Subject.CommonName)
}

// stream reads messages until the connection ends.
func (s *Listener) stream(conn net.Conn, peer Peer) error {
	may := s.May(peer)
	if len(may) == 0 {
		s.Counts.Unknown.Add(1)
		s.refusals.add(RefusedUnknown, "", peer)
		return fmt.Errorf("no HSM has the names of its certificate, %q", peer.Names)
	}
	r := bufio.NewReaderSize(conn, maxMessage)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
			return err
		}
		message, err := s.message(r)
		if message != "" {
			s.take(peer, may, message)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// message reads one message: after an octet count, or up to a newline.
func (s *Listener) message(r *bufio.Reader) (string, error) {
	head, err := r.Peek(1)
	if err != nil {
		return "", err
	}
	if head[0] < '1' || head[0] > '9' || !s.counted(r) {
		return s.line(r)
	}
	text, err := r.ReadString(' ')
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(text, " "))
	if err != nil {
		return "", fmt.Errorf("octet count %q: %w", text, err)
	}
	message := make([]byte, min(n, maxMessage))
	if _, err := io.ReadFull(r, message); err != nil {
		return "", err
	}
	if n > len(message) {
		s.Counts.TooLong.Add(1)
		if _, err := r.Discard(n - len(message)); err != nil {
			return "", err
		}
	}
	return string(message), nil
}

// counted distinguishes an octet count, which the priority follows, from the year
// that begins a line in the form of the appliance's files.
func (s *Listener) counted(r *bufio.Reader) bool {
	for n := 2; n <= 8; n++ {
		head, err := r.Peek(n)
		if err != nil {
			return false
		}
		switch c := head[n-1]; {
		case head[n-2] == ' ':
			return c == '<'
		case c != ' ' && (c < '0' || c > '9'):
			return false
		}
	}
	return false
}

// line reads up to a newline, trims the NUL that some senders add, and cuts the text
// at maxMessage.
func (s *Listener) line(r *bufio.Reader) (string, error) {
	text, err := r.ReadSlice('\n')
	message := strings.Trim(string(text), "\r\n\x00")
	if errors.Is(err, bufio.ErrBufferFull) {
		s.Counts.TooLong.Add(1)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
	}
	return message, err
}

// take queues a message, or drops it. What is of an unknown peer is not parsed. The
// limit of the peer comes first, so that none spends the share of a device.
func (s *Listener) take(peer Peer, may []Speaker, message string) {
	s.Counts.Received.Add(1)
	if len(may) == 0 {
		s.Counts.Unknown.Add(1)
		s.refusals.add(RefusedUnknown, "", peer)
		return
	}
	line := ParseLine(strings.Trim(message, "\r\n\x00"))
	i := slices.IndexFunc(may, func(d Speaker) bool { return d.Hosts == nil || slices.Contains(d.Hosts, line.Host) })
	if i < 0 {
		s.Counts.Unknown.Add(1)
		s.refusals.add(RefusedHost, "", peer)
		return
	}
	device, urgent := may[i].Device, urgent(&line)
	if !s.ingress.allow(peer.Address, device, urgent) {
		s.Counts.TooFast.Add(1)
		s.refusals.add(DroppedTooFast, device, peer)
		return
	}
	if !urgent && len(s.queue) > queueLines*4/5 { // the rest is for what matters
		s.Counts.QueueFull.Add(1)
		s.refusals.add(DroppedQueueFull, device, peer)
		return
	}
	select {
	case s.queue <- Received{line, device, peer}:
	default:
		s.Counts.QueueFull.Add(1)
		s.refusals.add(DroppedQueueFull, device, peer)
	}
}

// urgent reports whether a line passes the limits before others: an alarm, or words
// of a card's driver.
func urgent(l *hsm.LogLine) bool { return l.Alarm != nil || l.FromKernel() }

func (s *Listener) deliver(ctx context.Context, deliver func([]Received) error) error {
	for {
		batch, ok := s.batch(ctx)
		if !ok {
			return nil
		}
		for failures := 0; ; failures++ {
			err := deliver(batch)
			if err == nil || ctx.Err() != nil {
				break
			}
			if failures == 0 {
				s.Log.Error("syslog lines not stored; trying again", "err", err)
			}
			wait.Sleep(ctx, wait.Backoff(failures, time.Second, 10*time.Second))
		}
	}
}

// batch waits for a line and returns it with those that follow at once.
func (s *Listener) batch(ctx context.Context) (batch []Received, ok bool) {
	select {
	case r := <-s.queue:
		batch = append(batch, r)
	case <-ctx.Done():
		return nil, false
	}
	for len(batch) < batchLines {
		select {
		case r := <-s.queue:
			batch = append(batch, r)
		default:
			return batch, true
		}
	}
	return batch, true
}
