package mib

import "time"

// Entities are the source of the tables of ENTITY-MIB, ENTITY-SENSOR-MIB and
// ENTITY-STATE-MIB.
type Entities struct {
	Devices map[string]*Entity  // by name of the device; one that is not in it has no rows
	Host    string              // the device that has the cards; "": none is known
	Changed time.Time           // when what entPhysicalTable shows last changed; zero: not since the start
	Alarms  map[string][]*Alarm // the active ones, by device; nil: they are not known
}

// An Entity is what is kept of a device: its number, and its parts. It is never changed:
// one that has changed is at another address.
type Entity struct {
	Number uint32                `json:"number"` // 1 to MaxEntities, of one device for ever
	Parts  map[string]EntityPart `json:"parts"`  // by key, the same whatever the source writes

	Since map[uint32]time.Time `json:"-"` // when the state of a part last changed, by its number; absent: not since the start
}

// An EntityPart is a part of a device. What was allotted once stays.
type EntityPart struct {
	Number uint32 `json:"number"` // 1 to MaxParts
	Class  int32  `json:"class"`  // PhysicalClass of RFC 6933
	Name   string `json:"name"`   // without that of the device
	In     uint32 `json:"in"`     // the part that it is in; 0: none of this device
}

const (
	// MaxParts is how many parts a device has at most.
	MaxParts = 999
	// MaxEntities is the largest number of a device: an index is 31 bits.
	MaxEntities = (1<<31 - 1 - MaxParts) / (MaxParts + 1)
)

// Index returns entPhysicalIndex of a part.
func (e *Entity) Index(part uint32) uint32 { return e.Number*(MaxParts+1) + part }
