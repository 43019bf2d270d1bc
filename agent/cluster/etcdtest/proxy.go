package etcdtest

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// A Cable is the network between one client and etcd, which can be cut.
type Cable struct {
	URLs []string // of etcd, through the cable

	mu    sync.Mutex
	mend  chan struct{} // closed while it is whole
	conns map[net.Conn]bool
}

// Cable lays one to all servers. It is gone at the end of the test.
func (c *Cluster) Cable(tb testing.TB) *Cable {
	tb.Helper()
	whole := make(chan struct{})
	close(whole)
	cable := &Cable{mend: whole, conns: make(map[net.Conn]bool)}
	for _, s := range c.Servers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(tb, err)
		u, err := url.Parse(s.URL)
		must(tb, err)
		cable.URLs = append(cable.URLs, "http://"+l.Addr().String())
		tb.Cleanup(func() {
			l.Close()
			cable.Mend()
			cable.Reset()
		})
		go cable.serve(l, u.Host)
	}
	return cable
}

func (c *Cable) serve(l net.Listener, to string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			c.wait()
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				return
			}
			c.mu.Lock()
			c.conns[in], c.conns[out] = true, true
			c.mu.Unlock()
			go c.copy(in, out)
			c.copy(out, in)
		}()
	}
}

func (c *Cable) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		c.wait()
		if _, werr := to.Write(buffer[:n]); err != nil || werr != nil {
			return
		}
	}
}

func (c *Cable) wait() {
	c.mu.Lock()
	mend := c.mend
	c.mu.Unlock()
	<-mend
}

// Cut lets nothing through any more, in either direction, and ends no connection.
func (c *Cable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mend = make(chan struct{})
}

// Mend ends Cut. What was sent meanwhile arrives.
func (c *Cable) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.mend:
	default:
		close(c.mend)
	}
}

// Reset ends all connections.
func (c *Cable) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		conn.Close()
	}
	clear(c.conns)
}
