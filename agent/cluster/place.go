package cluster

import (
	"crypto/sha256"
	"encoding/binary"
)

// Shards is how many parts the estate is cut into. It can never change.
const Shards = 256

// Shard returns the shard of a device, 0 to Shards-1. It is the same in every agent of
// every version.
func Shard(device string) int { return int(sha256.Sum256([]byte(device))[0]) }

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
