package peers

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// BenchmarkStream is what one other agent costs each second: of 333 HSMs with 20 partitions
// each, of which a fifth has changed.
//
//	go test ./agent/peers -run '^$' -bench Stream
func BenchmarkStream(b *testing.B) {
	const hsms = 333
	p := &Peers{Self: "lw1", Store: hsm.NewStore(), Owns: func(string) bool { return true }}
	other := hsm.NewStore()
	var partitions hsm.Partitions
	for i := range 20 {
		partitions = append(partitions, hsm.Partition{Serial: fmt.Sprint(1254481516011 + i), Name: fmt.Sprint("partition", i), Label: hsm.Some("label"), Activated: hsm.Some(true),
			ObjectCount: hsm.Some(int64(i)), Storage: hsm.Storage{Total: hsm.Some(int64(324096)), Used: hsm.Some(int64(i))}, Roles: []hsm.Role{{Name: "Crypto Officer", LockedOut: hsm.Some(false)}, {Name: "Crypto User"}}})
	}
	var names []string
	poll := func(name string) {
		p.Store.Apply(hsm.Observation{Device: name, Kind: hsm.NetworkHSM, Source: "partition show", At: time.Now(), MaxAge: time.Minute, Facts: []hsm.Fact{partitions, hsm.Show{Serial: name}}})
	}
	for i := range hsms {
		names = append(names, fmt.Sprintf("hsm%04d", i))
		poll(names[i])
	}
	other.Expect(hsm.NetworkHSM, names...)
	f := follower{Peers: &Peers{Store: other}, of: Member{Name: "lw1"}, begun: true}
	sent := make(map[string]uint64)
	p.changes(p.Store.Latest(), sent)
	bytes, n := 0, 0
	for b.Loop() {
		b.StopTimer()
		for i := n % 5; i < hsms; i += 5 {
			poll(names[i])
		}
		n++
		b.StartTimer()
		for _, l := range p.changes(p.Store.Latest(), sent) {
			text, err := json.Marshal(l)
			if err != nil {
				b.Fatal(err)
			}
			bytes += len(text)
			var got line
			if err := json.Unmarshal(text, &got); err != nil {
				b.Fatal(err)
			}
			if err := f.take(got, time.Now(), time.Now()); err != nil {
				b.Fatal(err)
			}
		}
		f.adopt()
	}
	b.ReportMetric(float64(bytes)/float64(b.N), "body-bytes/op")
}
