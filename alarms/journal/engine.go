package journal

import (
	"crypto/rand"
	"fmt"
	"time"
)

// An Engine is the agent's SNMP engine: one for all receivers.
type Engine struct {
	ID      string // as octets; never changes
	Boots   uint32 // starts of the agent, at most 2^31-1
	Started time.Time
}

// Engine returns the SNMP engine of this agent. The first call after the
// journal is opened counts a boot.
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

// newEngineID returns an SnmpEngineID of RFC 3411: format 5, random octets,
// under net-snmp's enterprise number.
func newEngineID() []byte {
	id := append([]byte{0x80, 0x00, 0x1f, 0x88, 5}, make([]byte, 12)...)
	rand.Read(id[5:])
	return id
}
