package cluster

import (
	"fmt"
	"testing"
)

// TestShardIsForever: agents of all versions put a device into the same shard.
func TestShardIsForever(t *testing.T) {
	for device, want := range map[string]int{"": 227, "hsm1": 55, "hsm2": 97, "luna-frankfurt-17.example.net": 122, "Ä": 47} {
		if got := Shard(device); got != want {
			t.Errorf("Shard(%q) = %d, want %d", device, got, want)
		}
	}
	var count [Shards]int
	for i := range 100 * Shards {
		count[Shard(fmt.Sprintf("hsm%d", i))]++
	}
	for n, got := range count {
		if got < 50 || got > 150 {
			t.Errorf("shard %d has %d devices of %d", n, got, 100*Shards)
		}
	}
}

// TestPlaceIsEven: each member gets about as much, and a death moves only what the dead had.
func TestPlaceIsEven(t *testing.T) {
	names := []string{"lw1", "lw2", "lw3", "lw4", "lw5"}
	for n := 2; n <= len(names); n++ {
		count := make(map[string]int)
		for shard := range Shards {
			owner := Place(shard, names[:n])
			count[owner]++
			if left := Place(shard, names[1:n]); owner != names[0] && left != owner {
				t.Errorf("shard %d moves from %s to %s because %s died", shard, owner, left, names[0])
			}
		}
		for _, name := range names[:n] {
			if even := Shards / n; count[name] < even*65/100 || count[name] > even*135/100 {
				t.Errorf("%s has %d shards of %d members, and even is %d", name, count[name], n, even)
			}
		}
	}
	if got := Place(7, nil); got != "" {
		t.Errorf("of no members, %q has a shard", got)
	}
	if a, b := Place(7, []string{"x", "y"}), Place(7, []string{"y", "x"}); a != b {
		t.Errorf("the order of members decides between %s and %s", a, b)
	}
}
