package journal

import (
	"crypto/rand"
	"fmt"
	"time"
)

// An Engine is the SNMP engine that this agent is: one for all receivers.
type Engine struct {
	ID      string // as octets; kept for ever
	Boots   uint32 // starts of the process that sent with it
	Started time.Time
}

// Engine returns the SNMP engine of this agent. It counts a boot, once for
// each time that the journal is opened.
func (j *Journal) Engine() (Engine, error) { return j.engine() }

func (j *Journal) startEngine() (Engine, error) {
	id, err := j.Keep("snmp engine id", newEngineID)
	if err != nil {
		return Engine{}, fmt.Errorf("engine id: %w", err)
	}
	boots, err := j.Count("snmp engine boots")
	if err != nil {
		return Engine{}, fmt.Errorf("engine boots: %w", err)
	}
	return Engine{ID: string(id), Boots: uint32(min(boots, 1<<31-1)), Started: time.Now()}, nil
}

// newEngineID makes an SnmpEngineID of RFC 3411: format 5, octets of our own,
// under net-snmp's enterprise number.
func newEngineID() []byte {
	id := append([]byte{0x80, 0x00, 0x1f, 0x88, 5}, make([]byte, 12)...)
	rand.Read(id[5:])
	return id
}
