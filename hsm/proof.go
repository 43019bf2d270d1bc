package hsm

import "time"

// A Proof is the newest moment at which an HSM is known to have worked for somebody
// other than this agent. The zero Proof is none: that is not known, and not never.
type Proof struct {
	At     time.Time `json:"at"`               // the work was done then, or later
	By     string    `json:"by"`               // what shows it
	Serial string    `json:"serial,omitempty"` // of the unit that did it; "": not known yet
	Seq    uint64    `json:"-"`                // of the Snapshot in which it last changed
}

// IsZero reports whether nothing is known.
func (p Proof) IsZero() bool { return p.At.IsZero() }

// apply keeps the newer of two.
func (p Proof) apply(d *Device, o Observation) {
	if p.At.After(d.Proven.At) {
		p.Seq = o.seq
		d.Proven = p
	}
}

// of returns what is known of the unit with a serial number; "": that was not read yet.
func (p Proof) of(serial string) Proof {
	switch {
	case p.IsZero(), serial == "":
	case p.Serial == "":
		p.Serial = serial
	case p.Serial != serial:
		return Proof{}
	}
	return p
}

// Restore has devices that are expected begin with what was known of them before a
// restart.
func (s *Store) Restore(proofs map[string]Proof) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &Snapshot{Seq: s.Latest().Seq + 1, Devices: append([]*Device(nil), s.Latest().Devices...)}
	for name, p := range proofs {
		if _, expected := next.index(name); expected {
			d := next.device(name)
			p.apply(d, Observation{seq: next.Seq})
		}
	}
	s.replace(next)
}
