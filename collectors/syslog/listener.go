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
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Listener receives the logs that appliances forward: over UDP, one message per
// datagram, and over TCP and TLS, framed by newlines or by octet counts (RFC 6587).
// Its memory is bounded: lines that come too fast, from an unknown sender, or while
// the queue is full are dropped and counted.
type Listener struct {
	UDP, TCP, TLS string      // addresses to listen on, host:port; "": none
	TLSConfig     *tls.Config // with a certificate, for TLS
	// Device returns the device that a line is from, by the sender's address and
	// the host name in the line; "" if the sender is unknown.
	Device func(sender netip.Addr, host string) string
	Rate   float64 // lines per second of one device; bursts may be ten times as many
	Log    *slog.Logger

	Counts Counts

	queue  chan received
	mu     sync.Mutex
	limits map[string]*rate.Limiter // by device
}

// Counts are numbers of lines since the start. TooLong ones are cut, not dropped.
type Counts struct {
	Received  atomic.Uint64 // all
	Unknown   atomic.Uint64 // dropped: from an unknown sender
	TooFast   atomic.Uint64 // dropped: above the rate of their device
	QueueFull atomic.Uint64 // dropped: the queue was full
	TooLong   atomic.Uint64 // cut

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

// received is a line in the queue.
type received struct {
	device string
	line   hsm.LogLine
}

const (
	queueLines    = 10000
	batchLines    = 500
	maxMessage    = 8 << 10 // bytes; longer messages are cut
	maxClients    = 200     // connections at a time
	receiveBuffer = 4 << 20 // bytes of datagrams that wait in the kernel
	idleTimeout   = 10 * time.Minute
)

// Run listens until ctx is done. It passes the lines of each device to deliver in
// order, and repeats that while deliver returns an error. It returns an error if it
// cannot listen on an address.
func (s *Listener) Run(ctx context.Context, deliver func(device string, lines []hsm.LogLine) error) error {
	s.queue, s.limits = make(chan received, queueLines), make(map[string]*rate.Limiter)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	if err := s.listen(ctx, g); err != nil {
		cancel()
		_ = g.Wait()
		return fmt.Errorf("syslog: %w; a port below 1024 needs CAP_NET_BIND_SERVICE", err)
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
		address string
		config  *tls.Config
	}{{s.TCP, nil}, {s.TLS, s.TLSConfig}} {
		if l.address == "" {
			continue
		}
		listener, err := net.Listen("tcp", l.address)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { listener.Close() })
		g.Go(func() error { return s.connections(ctx, listener, l.config) })
	}
	return nil
}

func (s *Listener) datagrams(ctx context.Context, conn net.PacketConn) error {
	buffer := make([]byte, maxMessage+1)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.Log.Warn("syslog datagram not read", "err", err)
			continue
		}
		if n > maxMessage {
			s.Counts.TooLong.Add(1)
			n = maxMessage
		}
		if u, ok := from.(*net.UDPAddr); ok {
			s.take(u.AddrPort().Addr(), string(buffer[:n]))
		}
	}
}

func (s *Listener) connections(ctx context.Context, l net.Listener, config *tls.Config) error {
	slots := make(chan struct{}, maxClients)
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.Log.Warn("syslog connection not accepted", "err", err)
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		go func() {
			defer func() { <-slots }()
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			sender := conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
			if config != nil {
				conn = tls.Server(conn, config)
			}
			if err := s.stream(conn, sender); err != nil && ctx.Err() == nil {
				s.Log.Info("syslog connection ended", "from", sender, "err", err)
			}
		}()
	}
}

// stream reads messages until the connection ends.
func (s *Listener) stream(conn net.Conn, sender netip.Addr) error {
	r := bufio.NewReaderSize(conn, maxMessage)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
			return err
		}
		message, err := s.message(r)
		if message != "" {
			s.take(sender, message)
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

// take queues a message, or drops it.
func (s *Listener) take(sender netip.Addr, message string) {
	s.Counts.Received.Add(1)
	line := ParseLine(strings.Trim(message, "\r\n\x00"))
	device := s.Device(sender.Unmap(), line.Host)
	switch {
	case device == "":
		s.Counts.Unknown.Add(1)
	case !s.limit(device).Allow():
		s.Counts.TooFast.Add(1)
	default:
		select {
		case s.queue <- received{device, line}:
		default:
			s.Counts.QueueFull.Add(1)
		}
	}
}

// limit returns the limiter of a known device. There is one for each, so their
// number is bounded.
func (s *Listener) limit(device string) *rate.Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.limits[device]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(s.Rate), int(10*s.Rate))
		s.limits[device] = l
	}
	return l
}

func (s *Listener) deliver(ctx context.Context, deliver func(string, []hsm.LogLine) error) error {
	for {
		batch, ok := s.batch(ctx)
		if !ok {
			return nil
		}
		for device, lines := range batch {
			for failures := 0; ; failures++ {
				err := deliver(device, lines)
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
}

// batch waits for a line and returns it with those that follow at once, by device.
func (s *Listener) batch(ctx context.Context) (map[string][]hsm.LogLine, bool) {
	batch := make(map[string][]hsm.LogLine)
	select {
	case r := <-s.queue:
		batch[r.device] = append(batch[r.device], r.line)
	case <-ctx.Done():
		return nil, false
	}
	for range batchLines - 1 {
		select {
		case r := <-s.queue:
			batch[r.device] = append(batch[r.device], r.line)
		default:
			return batch, true
		}
	}
	return batch, true
}
