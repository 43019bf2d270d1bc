package cluster

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Shards is how many parts the estate is cut into. It can never change.
const Shards = 256

// Shard returns the shard of a device, 0 to Shards-1. It is the same in every agent of
// every version.
func Shard(device string) int { return int(sha256.Sum256([]byte(device))[0]) }

// In returns whether a device is of one of shards.
func In(shards []int) func(device string) bool {
	return func(device string) bool { return slices.Contains(shards, Shard(device)) }
}

// Number returns the number of an alarm, after the last of all agents: its last three
// digits are the shard of the device, whose alarms one agent numbers at a time, or 999 for
// what is of one agent only.
func Number(device string, shared bool, last uint64) uint64 {
	const perRound, ofOneAgent = 1000, 999
	if shared {
		return (last/perRound+1)*perRound + uint64(Shard(device))
	}
	return (last/perRound+1)*perRound + ofOneAgent
}

// Place returns which of the members a shard belongs to, by rendezvous hashing: if one
// goes, only its shards move. "" if there is none. The order of members means nothing.
func Place(shard int, members []string) (best string) {
	var most uint64
	for _, m := range members {
		sum := sha256.Sum256(append([]byte{byte(shard), 0}, m...))
		if score := binary.BigEndian.Uint64(sum[:]); best == "" || score > most || score == most && m < best {
			best, most = m, score
		}
	}
	return best
}
