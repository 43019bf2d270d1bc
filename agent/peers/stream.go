package peers

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A line is one of the answer to GET /devices. The first has Agent, Web and Now. Then, at most
// once a second, come those with a Device or the name of one that is Gone, and after them
// one with Now: those before it are of one time. An agent of another version leaves aside
// the keys that it does not know.
type line struct {
	Agent  string      `json:"agent,omitempty"`  // who answers
	Web    string      `json:"web,omitempty"`    // where it serves its metrics
	Now    time.Time   `json:"now,omitzero"`     // by its clock
	Device *hsm.Device `json:"device,omitempty"` // that it reads
	Gone   string      `json:"gone,omitempty"`   // the name of a device that it reads no more
}

const (
	apart     = time.Second     // of changes that are sent
	heartbeat = 5 * time.Second // between lines with Now if nothing changes
	silence   = 3 * heartbeat   // after which the other side is given up
)

// serveDevices sends what this agent reads, and what changes of it, until the other has gone.
func (p *Peers) serveDevices(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/jsonl")
	out := http.NewResponseController(w)
	send := json.NewEncoder(w)
	sent := make(map[string]uint64)
	var seen *hsm.Snapshot
	for first := true; first || wait.Sleep(r.Context(), apart); first = false {
		if seen = p.next(r.Context(), seen); seen == nil {
			return
		}
		if out.SetWriteDeadline(time.Now().Add(silence)) != nil {
			return
		}
		if first && send.Encode(line{Agent: p.Self, Web: p.Web, Now: time.Now()}) != nil {
			return
		}
		for _, l := range p.changes(seen, sent) {
			if send.Encode(l) != nil {
				return
			}
		}
		if send.Encode(line{Now: time.Now()}) != nil || out.Flush() != nil {
			return
		}
	}
}

// next returns the Snapshot after seen, or seen once a heartbeat is due; nil: ctx is done.
func (p *Peers) next(ctx context.Context, seen *hsm.Snapshot) *hsm.Snapshot {
	waiting, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	snap, err := p.Store.Wait(waiting, seen)
	switch {
	case err == nil:
		return snap
	case ctx.Err() == nil:
		return seen
	}
	return nil
}

// changes returns the lines that lead from what was sent, by the Seqs of devices, to a
// Snapshot, and updates sent.
func (p *Peers) changes(snap *hsm.Snapshot, sent map[string]uint64) (lines []line) {
	for _, d := range snap.Devices {
		seq, known := sent[d.Name]
		switch mine := p.reads(d); {
		case mine && (!known || seq != d.Seq):
			lines = append(lines, line{Device: d})
			sent[d.Name] = d.Seq
		case !mine && known:
			lines = append(lines, line{Gone: d.Name})
			delete(sent, d.Name)
		}
	}
	return lines
}

// reads reports whether this agent has asked d, and is to. The host and the cards in it are nobody else's.
func (p *Peers) reads(d *hsm.Device) bool {
	return d.Kind == hsm.NetworkHSM && d.From == "" && len(d.Sources) > 0 && p.Owns(d.Name)
}
