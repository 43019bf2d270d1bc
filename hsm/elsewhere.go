package hsm

import (
	"fmt"
	"strings"
	"time"
)

// An Elsewhere is whether other agents get a connection to an HSM that this one does not
// reach. They are asked once for each outage.
type Elsewhere struct {
	Self     string    `json:"self"`               // the agent that does not
	Asked    time.Time `json:"asked"`              // when the others were
	Answered time.Time `json:"answered,omitzero"`  // when all had answered, or it was too late; zero: not yet
	Opinions []Opinion `json:"opinions,omitempty"` // of those that tried, sorted by name
}

// An Opinion is what one agent found when it tried to connect to an HSM.
type Opinion struct {
	Agent string `json:"agent"`
	OK    bool   `json:"ok"`              // it got a TCP connection
	Err   string `json:"error,omitempty"` // why it did not
}

// AnswersWithin is how long the other agents are waited for.
const AnswersWithin = 3 * time.Second

// IsZero reports whether nobody was asked.
func (e Elsewhere) IsZero() bool { return e.Asked.IsZero() }

// About reports whether the others were asked since s worked.
func (e Elsewhere) About(s Source) bool { return e.Asked.After(s.Success) }

// Words are what the others found since s worked, to be put after why it fails; "": that is
// not known.
func (e Elsewhere) Words(s Source) string {
	if !e.About(s) {
		return ""
	}
	var connected, not []string
	for _, o := range e.Opinions {
		if o.OK {
			connected = append(connected, o.Agent)
		} else {
			not = append(not, o.Agent)
		}
	}
	from, nor := strings.Join(connected, ", "), strings.Join(not, ", ")
	switch {
	case from == "" && nor == "":
		return ""
	case from == "":
		return "; also not from " + nor
	case nor != "":
		return fmt.Sprintf("; reached from %s, also not from %s: the path from %s is broken", from, nor, e.Self)
	case len(connected) == 1:
		return fmt.Sprintf("; %s reaches it: the path from %s is broken", from, e.Self)
	}
	return fmt.Sprintf("; %s reach it: the path from %s is broken", from, e.Self)
}

// Awaited reports whether the answers are still to come.
func (e Elsewhere) Awaited(now time.Time) bool {
	return !e.Asked.IsZero() && e.Answered.IsZero() && now.Before(e.Asked.Add(AnswersWithin))
}

func (e Elsewhere) apply(d *Device, _ Observation) { d.Elsewhere = e }

// Outage reports whether a source of d does not get through the network, and no other
// agent was asked since it did.
func (d *Device) Outage() bool {
	for _, s := range d.Sources {
		if s.Failure != None && s.Layer.OfNetwork() && !d.Elsewhere.About(s) {
			return true
		}
	}
	return false
}
