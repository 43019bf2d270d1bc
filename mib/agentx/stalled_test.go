package agentx

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A stallable connection blocks writers once it is told to, until it is closed.
type stallable struct {
	net.Conn
	stalled atomic.Bool
	writing chan struct{} // closed when a writer blocks
	closed  chan struct{}
	once    [2]sync.Once
}

func (c *stallable) Write(b []byte) (int, error) {
	if !c.stalled.Load() {
		return c.Conn.Write(b)
	}
	c.once[0].Do(func() { close(c.writing) })
	<-c.closed
	return 0, net.ErrClosed
}

func (c *stallable) Close() error {
	c.once[1].Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// TestStalledMasterBlocksNothing: while a master does not read, whoever asks for the
// state of the session gets it, and a notification ends when its sender gives up.
func TestStalledMasterBlocksNothing(t *testing.T) {
	c := testConfig()
	m := newMaster(t, &c)
	var conn *stallable
	c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		plain, err := new(net.Dialer).DialContext(ctx, network, address)
		conn = &stallable{Conn: plain, writing: make(chan struct{}), closed: make(chan struct{})}
		return conn, err
	}
	s := start(t, c)
	p := m.ready(1)
	p.alive()
	conn.stalled.Store(true)
	defer conn.Close()
	p.send(p.request(PDUGet, appendOID(appendOID(nil, testRoot.Append(1, 1), false), nil, false)))
	<-conn.writing
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, ask := range map[string]func(){
		"Stats": func() {
			if !s.Stats().Connected {
				t.Error("Stats says: not connected")
			}
		},
		"Notify": func() {
			if err := s.Notify(ctx, []Varbind{{OID: testRoot, Value: Integer(1)}}); !errors.Is(err, context.Canceled) {
				t.Errorf("Notify: %v", err)
			}
		},
	} {
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			ask()
		}()
		select {
		case <-answered:
		case <-time.After(patience):
			t.Fatalf("%s waits for a master that does not read", name)
		}
	}
}
