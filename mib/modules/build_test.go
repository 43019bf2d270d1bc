package modules

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/mibtest"
)

// An estate is what Views are made of, while it changes.
type estate struct {
	random *rand.Rand
	src    mib.Source
	number uint64
}

// observe reads something of one of four HSMs. Now and then two have the same serial
// number.
func (e *estate) observe() {
	r := e.random
	text := func(n int) string { return fmt.Sprint("x", r.IntN(n)) }
	i := r.IntN(4)
	serial := fmt.Sprint(5000 + i)
	if r.IntN(8) == 0 {
		serial = fmt.Sprint(5000 + r.IntN(5))
	}
	policies := hsm.Policies{Policies: []hsm.Policy{{ID: hsm.Some(int64(r.IntN(3))), Description: text(3), Value: text(3)}}}
	partitions := hsm.Partitions{}
	for n := range r.IntN(4) {
		partitions = append(partitions, hsm.Partition{Serial: fmt.Sprint(serial, n), Name: text(5), Label: hsm.Some(text(5)), ObjectCount: hsm.Some(int64(r.IntN(9)))})
	}
	facts := [][]hsm.Fact{
		{hsm.Show{Serial: serial, Label: hsm.Some(text(9)), SoftwareVersion: fmt.Sprint(5+r.IntN(3), ".2"), PartitionsAllowed: hsm.Some[int64](20)}},
		{partitions},
		{hsm.PartitionPolicies{Serial: serial + "1", Policies: policies}},
		{policies},
		{hsm.Licenses{{ID: text(4), Description: text(4)}}},
		{hsm.Clients{{Name: text(6), Address: text(3), RequiresHTL: hsm.Some(true), Partitions: []string{serial + "0", serial + "1"}}, {Name: text(6)}}},
		{hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: r.Uint64N(1000)}}}},
		{hsm.Sensors{Sensors: []hsm.Sensor{{Name: text(3), Reading: hsm.Some(float64(r.IntN(9)))}}}},
		{hsm.Operations{Partitions: []hsm.PartitionOperations{{Serial: serial + "1", Requests: map[string]uint64{text(3): r.Uint64N(9)}}}}},
		{hsm.Information{OperationRequests: hsm.Some(r.Uint64N(100)), CriticalEvents: hsm.Some(r.Uint64N(3))}, hsm.NTLS{Status: hsm.NTLSUp, Links: hsm.Some(r.Uint64N(5))}},
	}
	o := hsm.Observation{Device: fmt.Sprint("hsm", i), Kind: hsm.NetworkHSM, Source: "test", At: e.src.Now, MaxAge: time.Duration(1+r.IntN(90)) * time.Second}
	o.Facts = facts[r.IntN(len(facts))]
	e.src.Snapshot = e.src.Snapshot.With(o)
	if e.src.Conditions[o.Device] == nil || r.IntN(4) == 0 {
		e.src.Conditions = maps.Clone(e.src.Conditions)
		e.src.Conditions[o.Device] = &mib.Condition{State: mib.State(1 + r.IntN(4)), Reason: text(4), Severity: mib.Cleared}
	}
}

// change raises, changes or ends an alarm.
func (e *estate) change() {
	r, list := e.random, slices.Clone(e.src.Alarms.Active)
	e.src.Alarms = &mib.Alarms{Started: e.src.Alarms.Started, Active: list, Models: e.src.Alarms.Models}
	if len(list) == 0 || r.IntN(3) > 0 {
		e.number += uint64(1 + r.IntN(40))
		a := &mib.Alarm{Number: e.number, Model: 20, Device: "hsm1", Severity: mib.Minor, Text: "it began", Raised: e.src.Now.Add(-time.Duration(r.IntN(100)) * time.Second)}
		e.src.Alarms.Active = append(list, a)
		return
	}
	i := r.IntN(len(list))
	if r.IntN(2) == 0 {
		e.src.Alarms.Active = slices.Delete(list, i, i+1)
		return
	}
	a := *list[i]
	a.Count, a.InStorm = a.Count+1, r.IntN(2) == 0
	list[i] = &a
}

// TestBuildsWhatChanged: a mib.View that shares with the one before is that which a new
// Builder makes of the same source, whatever has changed in between.
func TestBuildsWhatChanged(t *testing.T) {
	for seed := range uint64(4) {
		e := &estate{random: rand.New(rand.NewPCG(seed, 1)), src: mib.Source{Snapshot: &hsm.Snapshot{}, Now: mibtest.Now, Alarms: &mib.Alarms{Started: mibtest.Now, Models: []mib.Model{{Index: 20}}}, Conditions: map[string]*mib.Condition{}}}
		b := Tables().Builder()
		for step := range 300 {
			switch r := e.random.IntN(10); {
			case r < 7:
				e.observe()
			case r < 8:
				e.change()
			default:
				e.src.Now = e.src.Now.Add(time.Duration(e.random.IntN(60)) * time.Second)
			}
			if e.random.IntN(3) > 0 {
				continue // several changes at once
			}
			got, err := b.Build(e.src)
			want, other := Tables().Build(e.src)
			if err != nil || other != nil {
				t.Fatal(err, other)
			}
			if diff := cmp.Diff(instances(t, want), instances(t, got)); diff != "" || got.Len() != want.Len() {
				t.Fatalf("seed %d, step %d: (-new +shared)\n%s", seed, step, diff)
			}
		}
	}
}

// instances returns what a mib.View has, whose OIDs must ascend and be found.
func instances(t *testing.T, v *mib.View) []string {
	t.Helper()
	var list []string
	var last agentx.OID
	for oid, value := range v.All() {
		if oid.Compare(last) <= 0 {
			t.Fatalf("%v after %v", oid, last)
		}
		if next, _, ok := v.Next(last, false, nil); !ok || next.Compare(oid) != 0 {
			t.Fatalf("Next of %v is %v, not %v", last, next, oid)
		}
		if _, ok := v.Get(oid); !ok {
			t.Fatalf("%v is not found", oid)
		}
		list = append(list, fmt.Sprint(oid, " ", value))
		last = oid
	}
	if next, _, ok := v.Next(last, false, nil); ok {
		t.Fatalf("%v after the last", next)
	}
	return list
}

// of returns the estate of n HSMs with twenty partitions each.
func of(n int) *hsm.Snapshot {
	s := &hsm.Snapshot{}
	for i := range n {
		serial := fmt.Sprint(500000 + i)
		var partitions hsm.Partitions
		for p := range 20 {
			partitions = append(partitions, hsm.Partition{Serial: fmt.Sprint(serial, 100+p), Name: fmt.Sprint("p", p), Label: hsm.Some("label"), ObjectCount: hsm.Some[int64](7)})
		}
		var policies hsm.Policies
		for p := range 40 {
			policies.Policies = append(policies.Policies, hsm.Policy{ID: hsm.Some(int64(p)), Description: "a policy", Value: "On"})
		}
		s = s.With(hsm.Observation{Device: fmt.Sprintf("hsm%04d", i), Kind: hsm.NetworkHSM, Source: "test", At: mibtest.Now, MaxAge: time.Hour, Facts: []hsm.Fact{
			hsm.Show{Serial: serial, Label: hsm.Some("label")}, partitions, policies, hsm.Licenses{{ID: "1", Description: "a licence"}, {ID: "2"}}}})
	}
	return s
}

// BenchmarkBuild makes a mib.View after one HSM, or one alarm, has changed.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("%d HSMs", n), func(b *testing.B) {
			src, builder := mib.Source{Snapshot: of(n), Now: mibtest.Now, Alarms: new(mib.Alarms), Conditions: make(map[string]*mib.Condition)}, Tables().Builder()
			for _, d := range src.Snapshot.Devices {
				src.Conditions[d.Name] = &mib.Condition{State: mib.StateOK, Severity: mib.Cleared}
			}
			v, _ := builder.Build(src)
			for i := uint64(0); b.Loop(); i++ {
				o := hsm.Observation{Device: fmt.Sprintf("hsm%04d", n/2), Source: "test", At: mibtest.Now, MaxAge: time.Hour, Facts: []hsm.Fact{hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: i}}}}}
				src.Snapshot = src.Snapshot.With(o)
				v, _ = builder.Build(src)
			}
			b.ReportMetric(float64(v.Len()), "instances")
		})
	}
	for _, n := range []int{100, 10000} {
		b.Run(fmt.Sprintf("%d alarms", n), func(b *testing.B) {
			src, builder := mib.Source{Snapshot: &hsm.Snapshot{}, Now: mibtest.Now, Alarms: &mib.Alarms{}}, Tables().Builder()
			for i := range n {
				src.Alarms.Active = append(src.Alarms.Active, &mib.Alarm{Number: uint64(i + 1), Model: 20, Device: fmt.Sprint("luna", i), Severity: mib.Minor, Raised: mibtest.Now})
			}
			v, _ := builder.Build(src)
			for b.Loop() {
				a := *src.Alarms.Active[n/2]
				a.Count++
				src.Alarms.Active[n/2] = &a
				v, _ = builder.Build(src)
			}
			b.ReportMetric(float64(v.Len()), "instances")
		})
	}
}
