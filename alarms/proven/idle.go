package proven

import (
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/hsm"
)

// Idle returns how long an HSM had shown no work for a client when its counters were
// last read, and since when: the newest of its proof, the beginning of the hours in which
// it is busy, and the first of the readings without a gap. False: that is not known, or
// it was not busy then. Only counters of the requests of clients can show it.
func Idle(d *hsm.Device, busy again.Hours, now time.Time) (idle time.Duration, since time.Time, known bool) {
	v, fresh := d.Information.Get(now)
	read := d.Information.Asked()
	begin, open := busy.Since(read)
	if !fresh || !open || !v.CryptoRequests.Known || d.CountedSince.IsZero() {
		return 0, time.Time{}, false
	}
	since = slices.MaxFunc([]time.Time{d.Proven.At, begin, d.CountedSince}, time.Time.Compare)
	return read.Sub(since), since, true
}
