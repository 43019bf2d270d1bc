package shell

import (
	"testing"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestPartitionRow: blanks between thousands are read right or refused.
func TestPartitionRow(t *testing.T) {
	for _, c := range []struct {
		line  string
		total hsm.Opt[int64]
		name  string
		ok    bool
	}{
		{"700022006   mypar2     14   324096   1232   322864", hsm.Some[int64](324096), "mypar2", true},
		{"700022006 mypar2 14 324096 1232 322864", hsm.Some[int64](324096), "mypar2", true},
		{"700022006\tmypar2\t14\t324096\t1232\t322864", hsm.Some[int64](324096), "mypar2", true},
		{"700022006   mypar2     14   2 097 152   1 232   2 095 920", hsm.Some[int64](2097152), "mypar2", true},
		{"700022006   hot standby 2     14   2,097,152   1,232   2,095,920", hsm.Some[int64](2097152), "hot standby 2", true},
		{"700022006 mypar2 14 2 097 152 1 232 2 095 920  ", hsm.Opt[int64]{}, "", false},
		{"700022006   mypar2   14 324096   1 232   322864", hsm.Opt[int64]{}, "", false}, // three columns for four numbers
	} {
		var p partitionsRead
		ok := p.row(c.line)
		var got hsm.Partition
		if len(p.list) > 0 {
			got = p.list[0]
		}
		if ok != c.ok || got.Storage.Total != c.total || got.Name != c.name {
			t.Errorf("%q: %v, %+v", c.line, ok, got)
		}
	}
}
