package snmp

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/snmppeer"
)

// A wire is an SNMPv2c agent with one HSM, and what was asked of it.
type wire struct {
	mu          sync.Mutex // guards what follows
	up          uint32     // hundredths of a second
	silent      bool
	gets, bulks int
	seen        []hsm.Observation
}

func (w *wire) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// answer answers a request; an idle agent's time goes on with each.
func (w *wire) answer(request []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := (&gosnmp.GoSNMP{Version: gosnmp.Version2c}).SnmpDecodePacket(request)
	if err != nil || w.silent {
		return nil
	}
	if p.PDUType == gosnmp.GetBulkRequest {
		w.bulks++
		after, _ := parseOID(p.Variables[0].Name)
		bulk, _ := oneHSM(prefixed).getBulk(after, maxRepetitions)
		p.Variables = bulk.Variables
	} else {
		w.gets++
		w.up += 100
		p.Variables = []gosnmp.SnmpPDU{{Name: p.Variables[0].Name, Type: gosnmp.TimeTicks, Value: w.up}}
	}
	p.PDUType, p.NonRepeaters, p.MaxRepetitions, p.Error, p.ErrorIndex = gosnmp.GetResponse, 0, 0, 0, 0
	text, err := p.MarshalMsg()
	if err != nil {
		return nil
	}
	return text
}

// until waits for a condition, which may read what w guards.
func (w *wire) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		var ok bool
		w.set(func() { ok = is() })
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not seen: %s", what)
		}
	}
}

// read returns how often the table of the HSM was read, or not, in one way.
func (w *wire) read(f hsm.Failure) (n int) {
	for _, o := range w.seen {
		if o.Source == "snmp hsmTable" && o.Failure == f {
			n++
		}
	}
	return n
}

// TestGoneBetweenPolls has an agent fall silent, come back and restart that is polled
// once an hour: each is noticed by its sysUpTime, and no object of the HSM is asked for
// that.
func TestGoneBetweenPolls(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	check.Must(t, os.WriteFile(secret, []byte("community"), 0o600))
	w := &wire{up: 1000000}
	a := &Agent{
		Peer:     snmppeer.Peer{Address: respond(t, w.answer), Version: "2c", CommunityFile: setting.File(secret)},
		Interval: time.Hour, Reach: poll.Timing{Every: 20 * time.Millisecond, Timeout: 100 * time.Millisecond, Connect: 100 * time.Millisecond},
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- a.Run(ctx, func(o hsm.Observation) { w.set(func() { w.seen = append(w.seen, o) }) })
	}()
	defer func() { cancel(); check.Must(t, <-ended) }()

	w.until(t, "it is read", func() bool { return w.read(hsm.None) == 1 })
	gets, bulks := 0, 0
	w.set(func() { gets = w.gets })
	w.until(t, "its time is asked", func() bool { bulks = w.bulks; return w.gets >= gets+5 })
	w.set(func() {
		if w.read(hsm.None) != 1 {
			t.Errorf("%d polls of an agent that answers", w.read(hsm.None))
		}
		w.silent = true
	})
	w.until(t, "it is gone, twice", func() bool { return w.read(hsm.Unreachable) >= 2 })
	w.set(func() {
		if i := slices.IndexFunc(w.seen, func(o hsm.Observation) bool { return o.Failure != hsm.None }); w.seen[i].Layer != hsm.LayerNoAnswer {
			t.Errorf("layer %q of %v", w.seen[i].Layer, w.seen[i].Err)
		}
		if w.bulks != bulks {
			t.Errorf("%d requests for objects of the HSM", w.bulks-bulks)
		}
		w.silent = false
	})
	w.until(t, "it is read again", func() bool { return w.read(hsm.None) == 2 })
	w.set(func() { gets = w.gets })
	w.until(t, "its time is asked again", func() bool { return w.gets >= gets+2 })
	w.set(func() { w.up = 0 })
	w.until(t, "its restart is noticed", func() bool { return w.read(hsm.None) == 3 })
}

// TestOneMissIsNoLoss loses every other answer once the agent is read, as networks do.
func TestOneMissIsNoLoss(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	check.Must(t, os.WriteFile(secret, []byte("community"), 0o600))
	w := &wire{up: 1000000}
	missed := 0
	a := &Agent{
		Peer: snmppeer.Peer{Address: respond(t, func(request []byte) []byte {
			lose := false
			w.set(func() {
				if w.read(hsm.None) > 0 {
					missed++
				}
				lose = missed%2 == 1
			})
			if lose {
				return nil
			}
			return w.answer(request)
		}), Version: "2c", CommunityFile: setting.File(secret)},
		Interval: time.Hour, Timeout: 100 * time.Millisecond, Reach: poll.Timing{Every: 5 * time.Millisecond, Timeout: 60 * time.Millisecond, Connect: 10 * time.Second},
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- a.Run(ctx, func(o hsm.Observation) { w.set(func() { w.seen = append(w.seen, o) }) })
	}()
	defer func() { cancel(); check.Must(t, <-ended) }()
	w.until(t, "it is read", func() bool { return w.read(hsm.None) == 1 })
	w.until(t, "many answers were lost", func() bool { return missed >= 60 })
	w.set(func() {
		if w.read(hsm.None) != 1 || w.read(hsm.Unreachable) != 0 {
			t.Errorf("%d polls, %d of them failed", w.read(hsm.None)+w.read(hsm.Unreachable), w.read(hsm.Unreachable))
		}
	})
}
