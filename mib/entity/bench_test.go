package entity

import (
	"fmt"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/mibtest"
)

// BenchmarkBuild makes a View after the sensors of one appliance were read.
func BenchmarkBuild(b *testing.B) {
	facts := luna72(b)
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("%d HSMs", n), func(b *testing.B) {
			src := mib.Source{Snapshot: &hsm.Snapshot{}, Now: mibtest.Now, Alarms: &mib.Alarms{Started: mibtest.Now}}
			src.Entities = &mib.Entities{Devices: make(map[string]*mib.Entity), Alarms: map[string][]*mib.Alarm{}}
			read := func(name string, fact hsm.Fact) {
				src.Snapshot = src.Snapshot.With(hsm.Observation{Device: name, Kind: hsm.NetworkHSM, Source: "test", At: mibtest.Now, MaxAge: time.Hour, Facts: []hsm.Fact{fact}})
			}
			for i := range n {
				name := fmt.Sprintf("hsm%04d", i)
				read(name, facts.Show)
				read(name, facts.Sensors)
				e, err := Allot(&mib.Entity{Number: uint32(i + 1)}, src.Snapshot.Device(name))
				if err != nil {
					b.Fatal(err)
				}
				src.Entities.Devices[name] = e
			}
			builder := Tables().Builder()
			v, _ := builder.Build(src)
			for b.Loop() {
				read(fmt.Sprintf("hsm%04d", n/2), facts.Sensors)
				v, _ = builder.Build(src)
			}
			b.ReportMetric(float64(v.Len()), "instances")
		})
	}
}
