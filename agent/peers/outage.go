package peers

import (
	"context"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// askAboutOutages asks the others once for each outage of an HSM of this agent, beside its
// polls, and has the Store keep what they found.
func (p *Peers) askAboutOutages(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	var seen *hsm.Snapshot
	for {
		snap, err := p.Store.Wait(ctx, seen)
		if err != nil {
			return
		}
		for _, d := range snap.Devices {
			if !changed(d, seen) || !p.reads(d) || !d.Outage() || len(p.others()) == 0 {
				continue
			}
			e := hsm.Elsewhere{Self: p.Self, Asked: time.Now()}
			p.keep(d.Name, e)
			asking.Go(func() {
				e.Opinions = p.Connect(ctx, d.Name)
				e.Answered = time.Now()
				p.keep(d.Name, e)
			})
		}
		seen = snap
		wait.Sleep(ctx, 50*time.Millisecond) // so that what changes at once is looked at once
	}
}

// changed reports whether d is another since a Snapshot.
func changed(d *hsm.Device, since *hsm.Snapshot) bool { return since == nil || d.Seq > since.Seq }

// keep adds to an HSM what is known from elsewhere, if it is still of this agent.
func (p *Peers) keep(device string, e hsm.Elsewhere) {
	if d := p.Store.Latest().Device(device); d != nil && p.reads(d) {
		p.Store.Apply(hsm.Observation{Device: device, Facts: []hsm.Fact{e}})
	}
}
