// Package totals adds up what the counters of all HSMs increase by, for SNMP, and stores that
// before it is served.
package totals

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/vendor"
)

// Totals are the counters that all HSMs share in SNMP. They are stored before they
// are served: a restart does not make them fall. Its methods are safe for concurrent use once
// Open has returned.
type Totals struct {
	journal *journal.Journal

	mu      sync.Mutex
	sums    vendor.Totals
	served  map[string]uint64
	stored  time.Time
	pending bool // sums are newer than served
}

const totalsName = "snmp totals"

// storeEvery is how often totals are stored at most, unless an HSM was reset.
const storeEvery = 5 * time.Second

// Open reads what was stored. After an error they begin anew.
func (t *Totals) Open(j *journal.Journal) error {
	t.journal = j
	text, err := j.Keep(totalsName, func() []byte { return []byte("{}") })
	if err == nil {
		err = json.Unmarshal(text, &t.sums)
	}
	if err != nil {
		t.sums = vendor.Totals{}
	}
	t.served = t.sums.Clone()
	return err
}

// Add adds what has increased, and returns what to serve.
func (t *Totals) Add(src mib.Source) (map[string]uint64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed, reset := t.sums.Add(src)
	t.pending = t.pending || changed
	var err error
	if t.pending && (reset || src.Now.Sub(t.stored).Abs() >= storeEvery) {
		err = t.store(src.Now)
	}
	return t.served, err
}

// store stores the sums, and has them served, even if they could not be stored: they
// would stand still while a disk is full.
func (t *Totals) store(now time.Time) error {
	text, err := json.Marshal(t.sums)
	if err == nil {
		err = t.journal.Replace(totalsName, text)
	}
	t.stored, t.pending, t.served = now, false, t.sums.Clone()
	return err
}

// Due returns when to ask again although nothing changes; zero: never.
func (t *Totals) Due() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.pending {
		return time.Time{}
	}
	return t.stored.Add(storeEvery)
}

// Close stores what is not stored.
func (t *Totals) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.pending {
		return nil
	}
	return t.store(t.stored)
}
