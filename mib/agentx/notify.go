package agentx

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrNotConnected means that there is no open session with the master; try again later.
var ErrNotConnected = errors.New("no AgentX session with the master")

// Notify has the master send a notification (RFC 2741 section 6.2.10), and waits until it has accepted it or
// Timeout x (1 + Retries) has passed. varbinds begin with snmpTrapOID.0, or with sysUpTime.0 and then snmpTrapOID.0.
// An error is [ErrNotConnected], a *[RefusedError], that of ctx, or another one of the connection, after which the
// notification may or may not have been sent. The master does not wait for its receivers.
func (s *Session) Notify(ctx context.Context, varbinds []Varbind) error {
	s.mu.Lock()
	l := s.open
	s.mu.Unlock()
	if l == nil {
		return ErrNotConnected
	}
	for _, vb := range varbinds {
		if len(vb.OID) > MaxSubIDs || !vb.Value.Valid() {
			return fmt.Errorf("notify: %v: %.200v cannot be its value", vb.OID, vb.Value)
		}
	}
	body := notifyBody(varbinds)
	if len(body) > maxPayload {
		return fmt.Errorf("notification of %d octets, at most %d are possible", len(body), maxPayload)
	}
	timeout := time.NewTimer(l.config.limit())
	defer timeout.Stop()
	select {
	case l.writing <- struct{}{}:
	case <-timeout.C:
		return fmt.Errorf("notify: the master does not read: %w", errSilent)
	case <-l.done:
		return ErrNotConnected
	case <-ctx.Done():
		return ctx.Err()
	}
	answered := make(chan response, 1)
	packet, err := l.request("", body, request{kind: PDUNotify, answer: func(res response) error {
		answered <- res
		return nil
	}})
	<-l.writing
	defer l.forget(packet)
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	select {
	case res := <-answered:
		if res.code != NoError {
			return &RefusedError{PDUNotify, res.code}
		}
		return nil
	case <-timeout.C:
		return fmt.Errorf("notify: %w", errSilent)
	case <-l.done:
		return fmt.Errorf("notify: connection lost before the answer: %w", ErrNotConnected)
	case <-ctx.Done():
		return ctx.Err()
	}
}
