package hsm

import (
	"encoding/json"
	"time"
)

// An NTLS is the state of the Network Trust Link Service. Its counters count from the
// last reset or restart of NTLS, so they may decrease.
type NTLS struct {
	Status                NTLSStatus  `json:"status,omitempty"` // empty: not stated
	ConnectedClients      Opt[uint64] `json:"connected_clients"`
	Links                 Opt[uint64] `json:"links"` // may exceed the number of clients
	SuccessfulConnections Opt[uint64] `json:"successful_connections"`
	FailedConnections     Opt[uint64] `json:"failed_connections"`
}

// An NTLSStatus is the operational status of NTLS.
type NTLSStatus string

// The NTLS statuses, as in ntlsOperStatus.
const (
	NTLSUp      NTLSStatus = "up"
	NTLSDown    NTLSStatus = "down"
	NTLSUnknown NTLSStatus = "unknown"
)

func (v NTLS) apply(d *Device, o Observation) { d.NTLS = section(o, v) }

// A Certificate is the NTLS server certificate.
type Certificate struct {
	NotBefore Opt[time.Time] `json:"not_before"`
	NotAfter  Opt[time.Time] `json:"not_after"`
	Subject   string         `json:"subject,omitempty"`
	Issuer    string         `json:"issuer,omitempty"`
}

func (v Certificate) apply(d *Device, o Observation) { d.Certificate = section(o, v) }

// A Client is a registered NTLS client.
type Client struct {
	Name        string     `json:"name"`
	Address     string     `json:"address,omitempty"` // IP address or host name; empty: not stated
	RequiresHTL Opt[bool]  `json:"requires_htl,omitzero"`
	OTTExpiry   Opt[int64] `json:"ott_expiry_seconds,omitzero"` // 0: never; -1: not provisioned
	Partitions  []string   `json:"partitions"`                  // names, or serial numbers from a source without names; nil: not stated; empty: none
}

// Clients are all registered clients of an appliance.
type Clients []Client

// MarshalJSON writes {"clients": [...]}.
func (v Clients) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Clients []Client `json:"clients"`
	}{v})
}

func (v Clients) apply(d *Device, o Observation) { d.Clients = section(o, []Client(v)) }
