package syslog

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSyslogStress sends alarms, garbage, oversize and slow lines over UDP and
// TCP, and accounts for every one. With LUNAWATCH_STRESS=1 it sends a hundred
// thousand of each.
func TestSyslogStress(t *testing.T) {
	n := 2000
	if os.Getenv("LUNAWATCH_STRESS") != "" {
		n = 100_000
	}
	s := startSyslog(t, func(l *Listener) {
		l.Rate = 1e6
		asRelay(l)
	})
	var parsed, alarms, raw atomic.Uint64
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case <-done:
				return
			case line := <-s.lines:
				switch {
				case strings.HasPrefix(line, "a|2003|"):
					alarms.Add(1)
				case strings.Contains(line, "NTLS says"):
					parsed.Add(1)
				default:
					raw.Add(1)
				}
			}
		}
	}()
	conn := s.tcp(t) // it listens
	conn.Close()
	before := heap()
	var sent struct{ alarms, lines, garbage, oversize, strangers uint64 }
	var count sync.Mutex
	line := func(r *rand.Rand, i int) string {
		count.Lock()
		defer count.Unlock()
		switch i % 20 {
		case 3:
			sent.garbage++
			b := make([]byte, 1+r.IntN(300))
			for k := range b {
				b[k] = byte(1 + r.IntN(255))
			}
			return strings.NewReplacer("\n", "?", "\r", "?").Replace("\x01" + string(b))
		case 7:
			sent.oversize++
			return "<30>Mar  1 12:00:00 vault NTLS: " + strings.Repeat("z", maxMessage+r.IntN(20_000))
		case 11:
			sent.strangers++
			return "<30>Mar  1 12:00:00 stranger NTLS: hello"
		case 13:
			sent.alarms++
			return "<6>Mar  1 12:00:00 vault kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
		}
		sent.lines++
		return fmt.Sprintf("<30>Mar  1 12:00:00 vault NTLS: NTLS says %d", i)
	}
	var senders sync.WaitGroup
	for k := range 4 { // over TCP; one of them writes a few bytes at a time
		senders.Go(func() {
			c, err := net.Dial("tcp", s.TCP)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			r := rand.New(rand.NewPCG(uint64(k), 1))
			for i := range n / 4 {
				text := line(r, i) + "\n"
				if k == 0 && i%100 == 0 {
					for part := range strings.SplitSeq(text, " ") {
						io.WriteString(c, part+" ")
					}
					continue
				}
				io.WriteString(c, text)
			}
		})
	}
	senders.Wait()
	settled := func() bool {
		c := &s.Counts
		return alarms.Load()+parsed.Load()+raw.Load()+c.Unknown.Load()+c.TooFast.Load()+c.QueueFull.Load() == c.Received.Load()
	}
	overTCP := s.Counts.Received.Load()
	udp, err := net.Dial("udp", s.UDP)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	var datagrams uint64
	r := rand.New(rand.NewPCG(9, 9))
	for i := range n {
		if _, err := io.WriteString(udp, line(r, i)); err == nil {
			datagrams++
		}
		for i%8 == 0 && overTCP+datagrams > s.Counts.Received.Load()+s.Counts.Kernel()+8 {
			runtime.Gosched() // else the kernel would drop datagrams
		}
	}
	last, quiet := uint64(0), 0
	for deadline := time.Now().Add(time.Minute); quiet < 20 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if now := s.Counts.Received.Load(); now == last && settled() {
			quiet++
		} else {
			last, quiet = now, 0
		}
	}
	c := &s.Counts
	t.Logf("sent %d datagrams and %d TCP lines: %d alarms, %d lines, %d garbage, %d oversize, %d of strangers", datagrams, n/4*4, sent.alarms, sent.lines, sent.garbage, sent.oversize, sent.strangers)
	t.Logf("received %d: %d alarms, %d lines, %d unparsed; refused %d of strangers, %d too fast, %d queue full; %d cut", c.Received.Load(),
		alarms.Load(), parsed.Load(), raw.Load(), c.Unknown.Load(), c.TooFast.Load(), c.QueueFull.Load(), c.TooLong.Load())
	t.Logf("dropped by the kernel: %d", c.Kernel())
	t.Logf("heap %d kB before, %d kB after", before>>10, heap()>>10)
	if !settled() {
		t.Error("lines are not accounted for")
	}
	if sent := datagrams + uint64(n/4*4); c.Received.Load()+c.Kernel() != sent {
		t.Errorf("%d received or counted as dropped, of %d", c.Received.Load()+c.Kernel(), sent)
	}
	if c.Received.Load() == datagrams+uint64(n/4*4) && alarms.Load() != sent.alarms {
		t.Errorf("%d alarms of %d", alarms.Load(), sent.alarms)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
