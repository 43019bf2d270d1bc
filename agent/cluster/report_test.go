package cluster

import (
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// TestFindings: no etcd, no standby and other HSMs are alarms.
func TestFindings(t *testing.T) {
	member := func(name, estate string) Share { return Share{Member: Member{Name: name, Estate: estate}} }
	draining := member("lw3", "x")
	draining.Draining = true
	for name, x := range map[string]struct {
		r    Report
		want string // objects of what is bad
	}{
		"two agents":           {Report{Agent: "lw1", Estate: "x", Members: []Share{member("lw1", "x"), member("lw2", "x")}}, ""},
		"one agent":            {Report{Agent: "lw1", Estate: "x", Members: []Share{member("lw1", "x"), {}}}, "standby"},
		"the other drains":     {Report{Agent: "lw1", Estate: "x", Members: []Share{member("lw1", "x"), draining}}, "standby"},
		"other HSMs":           {Report{Agent: "lw1", Estate: "x", Members: []Share{member("lw1", "x"), member("lw2", "y")}}, "estate"},
		"etcd does not answer": {Report{Agent: "lw1", Estate: "x", Trouble: "etcd", Members: []Share{member("lw1", "x")}}, "etcd"},
	} {
		var bad []string
		for _, f := range x.r.Findings(time.Now()) {
			if f.Condition == alarms.Bad {
				bad = append(bad, f.Object)
			}
		}
		if got := strings.Join(bad, " "); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
	if Estate([]string{"a", "b"}) != Estate([]string{"b", "a"}) || Estate([]string{"a"}) == Estate([]string{"b"}) {
		t.Error("an estate is not its HSMs")
	}
}

// TestWrite shows a report as people read it.
func TestWrite(t *testing.T) {
	r := Report{Agent: "lw1", Lease: 0.4, Waiting: 3, Trouble: "etcd has not answered for 9s", Moves: []Wish{{7, "lw2"}}, Etcd: []EtcdServer{{URL: "https://etcd-1:2379", Latency: 0.002}, {URL: "https://etcd-2:2379", Error: "refused"}},
		Members: []Share{{Member: Member{Name: "lw1", Version: "1.5.0", Address: "192.0.2.1:9712"}, Shards: 200, HSMs: []string{"a", "b"}}, {Shards: 56, HSMs: []string{"c"}}}}
	var got strings.Builder
	r.Write(&got)
	const want = `As lw1 sees it: etcd has not answered for 9s.
3 changes wait for etcd.

AGENT  SHARDS  HSMS  VERSION  ADDRESS
lw1    200     2     1.5.0    192.0.2.1:9712  this one
-      56      1                              watched by nobody

ETCD                 STATE
https://etcd-1:2379  answers
https://etcd-2:2379  refused

Shard 7 is to be lw2's.
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &got, want)
	}
}
